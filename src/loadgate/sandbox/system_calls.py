"""Which system calls a load is refused, and why. A list of what is refused, not of what is allowed: a load may call
whatever its TensorFlow calls, in versions that nobody has listed yet, as long as that stays within its own process.
"""

from __future__ import annotations

import errno
import os
import socket

from loadgate.probe.landlock import KNOWS_SCOPES, KNOWS_TRUNCATION
from loadgate.probe.seccomp import AUDIT, Rule, Test, program

_NUMBERS: dict[str, tuple[int | None, int | None]] = {
    # name: x86_64, aarch64
    "add_key": (248, 217), "bpf": (321, 280), "chmod": (90, None), "chown": (92, None), "chroot": (161, 51),
    "clone": (56, 220), "clone3": (435, 435), "connect": (42, 203), "fanotify_init": (300, 262), "fchmod": (91, 52),
    "fchmodat": (268, 53), "fchmodat2": (452, 452), "fchown": (93, 55), "fchownat": (260, 54), "fcntl": (72, 25),
    "file_setattr": (469, 469), "flock": (73, 32), "fremovexattr": (199, 16), "fsetxattr": (190, 7),
    "fsopen": (430, 430), "fspick": (433, 433), "futimesat": (261, None), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427), "io_uring_setup": (425, 425), "ioctl": (16, 29), "ioprio_set": (251, 30),
    "kcmp": (312, 272), "keyctl": (250, 219), "lchown": (94, None), "lremovexattr": (198, 15), "lsetxattr": (189, 6),
    "migrate_pages": (256, 238), "mount": (165, 40), "mount_setattr": (442, 442), "move_mount": (429, 429),
    "move_pages": (279, 239), "mq_open": (240, 180), "msgget": (68, 186), "open": (2, None), "openat": (257, 56),
    "openat2": (437, 437), "open_by_handle_at": (304, 265), "open_tree": (428, 428), "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438), "pivot_root": (155, 41), "prctl": (157, 167), "prlimit64": (302, 261),
    "process_madvise": (440, 440), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "ptrace": (101, 117), "removexattr": (197, 14), "removexattrat": (466, 466), "request_key": (249, 218),
    "sched_setaffinity": (203, 122), "sched_setattr": (314, 274), "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119), "semget": (64, 190), "sendto": (44, 206), "setns": (308, 268),
    "setpriority": (141, 140), "setsockopt": (54, 208), "setxattr": (188, 5), "setxattrat": (463, 463),
    "shmat": (30, 196), "shmget": (29, 194), "socket": (41, 198), "socketpair": (53, 199), "syslog": (103, 116),
    "truncate": (76, 45), "umount2": (166, 39), "unshare": (272, 97), "userfaultfd": (323, 282), "utime": (132, None),
    "utimensat": (280, 88), "utimes": (235, None),
}  # fmt: skip
_NEWEST = 470
"""The last call that was weighed. What comes after it is answered as by a kernel that does not have it."""

_REFUSED = (
    # relatives: their memory, their descriptors, their time on the processor
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "kcmp",
    "migrate_pages", "move_pages", "ioprio_set",
    # channels that Landlock does not see: kernel keys, System V memory, message queues
    "add_key", "keyctl", "request_key", "shmget", "shmat", "semget", "msgget", "mq_open",
    # ways around walls, and parts of the kernel whose history is one of ways around walls
    "unshare", "setns", "mount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen", "fspick",
    "mount_setattr", "open_by_handle_at", "fanotify_init", "bpf", "perf_event_open", "userfaultfd", "syslog",
    "file_setattr",
)  # fmt: skip
_UNKNOWN = (
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "clone3",
    "fchmodat2",
    "setxattrat",
    "removexattrat",
)
"""Said not to exist, so that the caller takes the older call that can be looked into. io_uring opens sockets unseen."""
_PRETENDED = ("chmod", "fchmod", "fchmodat", "chown", "fchown", "lchown", "fchownat", "utime", "utimes", "futimesat",
              "utimensat", "flock")  # fmt: skip
"""Answered as if done. Landlock does not see them, so one case could make another's files unreadable, or lock them; and
unpacking an archive, or copying a file, must not fail for it. Nobody but the case itself sees its scratch directory."""
_NOT_SUPPORTED = ("setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr")

_NEW_NAMESPACES = 0x7E020080
_PR_SET_DUMPABLE, _PR_SET_PTRACER = 4, 0x59616D61
_SET_OWNER, _SET_SIGNAL, _SET_EXTENDED_OWNER = 8, 10, 15
_SET_OWNER_OF_A_SOCKET = (0x8901, 0x8902)
_LOCAL = (Test(0, (socket.AF_UNIX,)), Test(1, (socket.SOCK_STREAM, socket.SOCK_SEQPACKET), mask=0xF))
_SEND_BUFFER, _SEND_BUFFER_BY_FORCE = 7, 32
_OWN = (Test(0, (0,)),)
_TO_NOBODY = (Test(4, (0,)), Test(4, (0,), upper=1))


def _cut_while_reading(flags: int) -> tuple[Test, ...]:
    """Where Landlock does not know truncation: opening for reading cuts a file as well, if it is asked to."""
    return (Test(flags, (os.O_TRUNC | os.O_RDONLY,), mask=os.O_TRUNC | os.O_ACCMODE, among=False),)


def known(machine: str) -> bool:
    return machine in AUDIT


def rules(machine: str, landlock: int) -> tuple[Rule, ...]:
    """For a machine whose Landlock has version `landlock`."""
    column = list(AUDIT).index(machine)
    wanted: list[tuple[str, int, tuple[Test, ...]]] = [
        *((name, errno.EPERM, ()) for name in _REFUSED),
        *((name, errno.ENOSYS, ()) for name in _UNKNOWN),
        *((name, 0, ()) for name in _PRETENDED),
        *((name, errno.EOPNOTSUPP, ()) for name in _NOT_SUPPORTED),
        # a socket of its own leads nowhere as long as it is not connected; CUDA makes some when it starts
        ("socket", errno.EACCES, _LOCAL),
        ("socketpair", errno.EACCES, _LOCAL),
        ("connect", errno.EACCES, ()),
        ("sendto", errno.EACCES, _TO_NOBODY),
        # what waits in a socket is memory that no process is seen to have, so it stays as little as it is by default
        ("setsockopt", 0, (Test(2, (_SEND_BUFFER, _SEND_BUFFER_BY_FORCE), among=False),)),
        ("clone", errno.EPERM, (Test(0, (0,), mask=_NEW_NAMESPACES),)),
        # limits, priority and processors of itself, and of nobody else
        *((name, errno.EPERM, _OWN) for name in ("prlimit64", "sched_setaffinity", "sched_setattr")),
        *((name, errno.EPERM, _OWN) for name in ("sched_setparam", "sched_setscheduler")),
        ("setpriority", errno.EPERM, (*_OWN, Test(1, (0,)))),
        # who hides from /proc hides what it holds from those who count it
        ("prctl", errno.EPERM, (Test(0, (_PR_SET_DUMPABLE, _PR_SET_PTRACER), among=False),)),
    ]
    if landlock < KNOWS_SCOPES:
        # the kernel itself signals the owner of a descriptor when that can be read, and any process can be made it
        wanted += [
            ("fcntl", errno.EPERM, (Test(1, (_SET_OWNER, _SET_SIGNAL, _SET_EXTENDED_OWNER), among=False),)),
            ("ioctl", errno.EPERM, (Test(1, _SET_OWNER_OF_A_SOCKET, among=False),)),
        ]
    if landlock < KNOWS_TRUNCATION:
        wanted += [
            ("truncate", errno.EACCES, ()),
            ("open", errno.EACCES, _cut_while_reading(1)),
            ("openat", errno.EACCES, _cut_while_reading(2)),
            ("openat2", errno.ENOSYS, ()),
        ]
    numbered = ((_NUMBERS[name][column], error, unless) for name, error, unless in wanted)
    return tuple(Rule(number, error, unless) for number, error, unless in numbered if number is not None)


def filter_for(machine: str, landlock: int) -> bytes:
    return program(machine, rules(machine, landlock), newest=_NEWEST)
