"""The few things of Linux that Python does not offer: who dies with whom, and what a process really uses."""

import ctypes
import errno
import os
import signal
import stat
from typing import Container, Dict, Iterable, Iterator, List, NamedTuple, Tuple

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PF_EXITING = 0x4
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")
_UNSEEN = 16 * 1024 * 1024
_SOCKET = 256 * 1024
"""Bytes that may wait in a socket whose buffer is as Linux makes it, with what the kernel needs to keep them."""
_NO_FILES = (b"/dev/zero (deleted)\n", b"/anon_hugepage (deleted)\n")
"""What the kernel calls memory that is shared, or in huge pages: it is counted where it is used."""
# loaded before any fork: dlopen in a child may wait for a lock that another thread held
_LIBC = ctypes.CDLL(None, use_errno=True)

HUGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
"""A process that is started with it has its heap in pages of 2 MiB, where the kernel gives such on request: a fork
copies an entry for each page, and the child's end takes it back. Before 2.35, glibc takes no notice."""


def forget_huge_pages() -> None:
    """It was for this process alone: a case sees what is declared, and starts others as production does."""
    for name, value in HUGE_PAGES.items():
        if os.environ.get(name) == value:
            del os.environ[name]


def tidy_heap() -> None:
    """Join the free pieces of the heap once, before a fork, so that not every child does it to its own copy."""
    if hasattr(_LIBC, "malloc_trim"):
        _LIBC.malloc_trim(0)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, so that none can outlive its case unseen."""
    _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with_parent(parent: int) -> None:
    """Be killed when `parent` ends, in whatever way; at once where it has ended already."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def children(process: int) -> List[int]:
    """The processes that `process` is the parent of; none where it has ended."""
    found: List[int] = []
    try:
        for thread in os.listdir("/proc/%d/task" % process):
            with open("/proc/%d/task/%s/children" % (process, thread), "rb") as stream:
                found += [int(each) for each in stream.read().split()]
    except OSError:
        return found
    return found


def descendants(root: int) -> List[int]:
    """The processes below `root`, itself left out."""
    found: List[int] = []
    waiting = [root]
    while waiting:
        below = children(waiting.pop())
        found += below
        waiting += below
    return found


def resident(process: int) -> Tuple[int, int]:
    """Bytes of a process in memory, and those of them that are its own and no file's; (0, 0) once it has ended."""
    try:
        with open("/proc/%d/statm" % process, "rb") as stream:
            fields = stream.read().split()
    except OSError:
        return 0, 0
    return int(fields[1]) * _PAGE, (int(fields[1]) - int(fields[2])) * _PAGE


def shared(process: int) -> Tuple[int, int]:
    """Bytes of a process in memory that it may share and that are no file's, and its part of them: what n processes
    have counts for each of them as an nth. Where that is not told, as before Linux 5.4 or by who hides it, as a whole.
    """
    whole = _sizes("/proc/%d/status" % process).get(b"RssShmem", 0)
    if not whole:
        return 0, 0
    return whole, _sizes("/proc/%d/smaps_rollup" % process).get(b"Pss_Shmem", whole)


def _sizes(file: str) -> Dict[bytes, int]:
    """The lines of a file in /proc that say how many KiB of what there are, in bytes."""
    try:
        with open(file, "rb") as stream:
            lines = [line.split() for line in stream if line.endswith(b" kB\n")]
    except OSError:
        return {}
    return {line[0].rstrip(b":"): int(line[1]) * 1024 for line in lines}


def _status(process: int) -> List[bytes]:
    """The fields of `/proc/PID/stat` from the state on; none where there is no such process."""
    try:
        with open("/proc/%d/stat" % process, "rb") as stream:
            # the command's name stands in parentheses and may itself hold any of them
            return stream.read().rpartition(b")")[2].split()
    except OSError:
        return []


def is_ending(process: int) -> bool:
    """Whether it is on its way out, or gone. Some of what it was is taken from it before its children are."""
    fields = _status(process)
    return not fields or bool(int(fields[6]) & _PF_EXITING)


def has_ended(process: int) -> bool:
    """Whether nothing is left of it but its exit status, if that, and its children are another's."""
    fields = _status(process)
    return not fields or fields[0] in (b"Z", b"X")


def cpu_seconds(process: int) -> float:
    """What all threads of a process have computed; 0 once it has ended."""
    fields = _status(process)
    return (int(fields[11]) + int(fields[12])) / _TICKS if fields else 0.0


def threads(process: int) -> int:
    """How many it has; 0 once it has ended."""
    fields = _status(process)
    return int(fields[17]) if fields else 0


def tasks_of_the_machine() -> int:
    """Threads of all processes: one look that tells whether there are suddenly many more."""
    with open("/proc/loadavg", "rb") as stream:
        return int(stream.read().split()[3].partition(b"/")[2])


def filters(process: int) -> int:
    """How many filters over system calls stand around a process. It can add some, and take none away."""
    try:
        with open("/proc/%d/status" % process, "rb") as stream:
            fields = dict(line.split(b":", 1) for line in stream if b":" in line)
    except OSError:
        return 0
    # before Linux 5.9 only whether there is one
    return int(fields.get(b"Seccomp_filters", fields.get(b"Seccomp", b"0")))


def collect(process: int) -> None:
    """Take notice of a child's end, so that nothing of it remains."""
    try:
        os.waitpid(process, os.WNOHANG)
    except ChildProcessError:
        return


def written(folder: str, most_files: int) -> Tuple[int, int]:
    """Bytes that a folder takes on its disk, and how many entries it has, counted no further than `most_files`.

    Below a path that is too long, or in a folder that is closed to us, could be any number: that counts as more.
    """
    size = entries = 0
    waiting = [folder]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as listing:
                for entry in listing:
                    entries += 1
                    if entries > most_files:
                        return size, entries
                    size += _blocks(entry)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except OSError as error:
            if error.errno in (errno.ENAMETOOLONG, errno.EACCES):
                return size, most_files + 1
            # it went while we looked
            continue
    return size, entries


def _blocks(entry: "os.DirEntry[str]") -> int:
    """Its bytes on the disk; 0 where it went while we looked, which is no reason not to count those beside it."""
    try:
        return entry.stat(follow_symlinks=False).st_blocks * 512
    except FileNotFoundError:
        return 0


class Descriptor(NamedTuple):
    """What one process has open under one number."""

    process: int
    name: str
    status: os.stat_result


def descriptors(processes: Iterable[int]) -> Iterator[Descriptor]:
    for process in processes:
        folder = "/proc/%d/fd/" % process
        try:
            names = os.listdir(folder)
        except OSError:
            continue
        for name in names:
            try:
                yield Descriptor(process, name, os.stat(folder + name))
            except OSError:
                # closed while we looked
                continue


def nameless(processes: Iterable[int], held: Iterable[Descriptor]) -> int:
    """Bytes of files that no folder shows and processes hold: deleted ones, and memory in their disguise.

    Nobody is told the size of one that is mapped and no longer open. It counts as far as it is mapped, and as 16 MiB at
    the least, so that there cannot be many.
    """
    open_ones = (each.status for each in held if each.status.st_nlink == 0)
    sizes = {(status.st_dev, status.st_ino): status.st_blocks * 512 for status in open_ones}
    extents: Dict[Tuple[bytes, int], int] = {}
    for process in processes:
        for file, extent in _deleted_and_mapped(process):
            extents[file] = max(extents.get(file, _UNSEEN), extent)
    # by the number alone: for some file systems, /proc says another device than stat does
    seen = {number for _, number in sizes}
    return sum(sizes.values()) + sum(extent for (_, number), extent in extents.items() if number not in seen)


def buffered(held: Iterable[Descriptor]) -> int:
    """Bytes that may wait in the sockets of a family. How many do is not told, and no process is seen to have them."""
    sockets = {(each.status.st_dev, each.status.st_ino) for each in held if stat.S_ISSOCK(each.status.st_mode)}
    return len(sockets) * _SOCKET


def on_their_way(held: Iterable[Descriptor]) -> int:
    """How many descriptors wait in sockets of theirs until somebody takes them out.

    Nobody lists these, and each may be a file of any size, or a socket in which others wait. Linux tells of them since
    5.6; an older one lets them be counted as none.
    """
    return sum(_waiting_in(each) for each in held if stat.S_ISSOCK(each.status.st_mode))


def _waiting_in(socket: Descriptor) -> int:
    try:
        with open("/proc/%d/fdinfo/%s" % (socket.process, socket.name), "rb") as stream:
            return sum(int(line.split()[1]) for line in stream if line.startswith(b"scm_fds:"))
    except OSError:
        # closed while we looked
        return 0


def _deleted_and_mapped(process: int) -> List[Tuple[Tuple[bytes, int], int]]:
    """Device and number of each, and up to which byte it is mapped: once for every mapping."""
    try:
        with open("/proc/%d/maps" % process, "rb") as stream:
            lines = [line.split(None, 5) for line in stream if line.endswith(b" (deleted)\n")]
    except OSError:
        return []
    found: List[Tuple[Tuple[bytes, int], int]] = []
    for place, _, offset, device, number, name in lines:
        if name not in _NO_FILES:
            start, _, end = place.partition(b"-")
            found.append(((device, int(number)), int(offset, 16) + int(end, 16) - int(start, 16)))
    return found


def signal_process(process: int, number: int) -> None:
    try:
        os.kill(process, number)
    except OSError:
        return


def kill(processes: Iterable[int]) -> None:
    for process in processes:
        signal_process(process, signal.SIGKILL)


def kill_with_group(process: int, spared: Container[int] = ()) -> None:
    """Kill a process and its whole group, but for our own and those `spared`: none is left by starting another."""
    try:
        group = os.getpgid(process)
    except OSError:
        return
    if group != os.getpgrp() and group not in spared:
        kill_group(group)
    kill([process])


def kill_group(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except OSError:
        return
