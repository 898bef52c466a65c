"""The few things of Linux that Python does not offer: who dies with whom, and what a process really uses."""

import ctypes
import os
import signal
from typing import Iterable, List, Tuple

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")
_MADV_COLLAPSE = 25
_HUGE_PAGE = 2 * 1024 * 1024
_ANONYMOUS_FIELDS = 5
"""Of a line in /proc/self/maps that names no file."""
# loaded before any fork: dlopen in a child may wait for a lock that another thread held
_LIBC = ctypes.CDLL(None, use_errno=True)


def tidy_heap() -> None:
    """Join the free pieces of the heap once, before a fork, so that not every child does it to its own copy."""
    if hasattr(_LIBC, "malloc_trim"):
        _LIBC.malloc_trim(0)


def use_huge_pages() -> None:
    """Gather this process's own memory in huge pages, of which a fork copies 512 times fewer table entries.

    Halves what a fork and its end cost, for a tenth of a second or two once. A kernel before 6.1 refuses and nothing
    changes.
    """
    madvise = _LIBC.madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    with open("/proc/self/maps") as stream:
        areas = [line.split() for line in stream]
    for area in areas:
        if area[1] == "rw-p" and (len(area) == _ANONYMOUS_FIELDS or area[-1] == "[heap]"):
            start, end = (int(address, 16) for address in area[0].split("-"))
            first = -(-start // _HUGE_PAGE) * _HUGE_PAGE
            length = end // _HUGE_PAGE * _HUGE_PAGE - first
            if length > 0:
                madvise(first, length, _MADV_COLLAPSE)


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


def cpu_seconds(process: int) -> float:
    """What all threads of a process have computed; 0 once it has ended."""
    try:
        with open("/proc/%d/stat" % process, "rb") as stream:
            # the command's name stands in parentheses and may itself hold any of them
            fields = stream.read().rpartition(b")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def signal_process(process: int, number: int) -> None:
    try:
        os.kill(process, number)
    except OSError:
        return


def kill(processes: Iterable[int]) -> None:
    for process in processes:
        signal_process(process, signal.SIGKILL)


def kill_group(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except OSError:
        return
