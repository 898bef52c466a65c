"""Landlock: a process gives up files, TCP and signals beyond what it names, for itself and all that it starts.

Every process may do so, with no privilege and in no container; nobody can take it back, and neither being root nor a
capability helps against it. What is not named is denied. Constants are those of `linux/landlock.h`.
"""

import ctypes
import os
import stat
import struct
from typing import Iterable, List

_CREATE, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
"""System calls; the same numbers on every architecture, as of all that came after 2019."""
_VERSION_FLAG = 1
_PATH_BENEATH = 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
TRUNCATE, IOCTL_DEV = 1 << 14, 1 << 15
READ = READ_FILE | READ_DIR
RUN = READ | EXECUTE
MAKE_DEVICES = 1 << 6 | 1 << 11
KNOWS_TRUNCATION, KNOWS_TCP, KNOWS_SCOPES = 3, 4, 6
"""Versions, of Linux 6.2, 6.7 and 6.12."""
_OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
"""What can be granted of something that is no directory."""

_libc = ctypes.CDLL(None, use_errno=True)


def abi() -> int:
    """The version that this kernel has; 0 where it has none, or was started without it."""
    version = int(_libc.syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint(_VERSION_FLAG)))
    return max(version, 0)


def file_rights(version: int) -> int:
    """Every right over files that this version can deny."""
    newer = {1: 13, 2: 14, 3: 15, 4: 15}
    return (1 << newer.get(version, 16)) - 1


def use(version: int) -> int:
    """What a scratch directory is for: everything but running programs from it and making devices in it."""
    return file_rights(version) & ~(EXECUTE | IOCTL_DEV | MAKE_DEVICES)


class Ruleset:
    """What will still be possible. TCP is not, and neither are signals to processes outside."""

    def __init__(self, version: int) -> None:
        self.handled = file_rights(version)
        tcp = 0b11 if version >= KNOWS_TCP else 0
        scoped = 0b11 if version >= KNOWS_SCOPES else 0
        attributes = struct.pack("=QQQ", self.handled, tcp, scoped)
        # an older kernel refuses a longer structure than it knows, unless the rest of it is zero
        self._descriptor = _checked(_libc.syscall(_CREATE, attributes, ctypes.c_size_t(len(attributes)), 0))

    def allow_descriptor(self, descriptor: int, rights: int) -> None:
        rule = struct.pack("=Qi", rights & self.handled, descriptor)
        _checked(_libc.syscall(_ADD_RULE, self._descriptor, _PATH_BENEATH, rule, 0))

    def allow(self, path: str, rights: int) -> None:
        """What is not there needs no rule."""
        try:
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            return
        try:
            self.allow_descriptor(descriptor, fitting(descriptor, rights))
        finally:
            os.close(descriptor)

    def enforce(self) -> None:
        """Give up everything else, for good. The process must have `no_new_privs`, or be privileged."""
        _checked(_libc.syscall(_RESTRICT_SELF, self._descriptor, 0))
        os.close(self._descriptor)


def fitting(descriptor: int, rights: int) -> int:
    """The kernel refuses rights over the content of a directory where there is none."""
    return rights if stat.S_ISDIR(os.fstat(descriptor).st_mode) else rights & _OF_FILES


def opened(paths: Iterable[str]) -> List[int]:
    """Descriptors that name what is there of `paths`, for rules that many processes will make."""
    found: List[int] = []
    for path in paths:
        try:
            found.append(os.open(path, os.O_PATH | os.O_CLOEXEC))
        except OSError:
            continue
    return found


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, "landlock: " + os.strerror(number))
    return int(result)
