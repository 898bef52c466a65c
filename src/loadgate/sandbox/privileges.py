"""A network, shared memory and message queues of one's own, and the powers of root given up."""

from __future__ import annotations

import ctypes
import os
import struct
from pathlib import Path

_NEW_NAMESPACE = 0x00020000
_NEW_IPC = 0x08000000
_NEW_USER = 0x10000000
_NEW_NETWORK = 0x40000000
_SLAVE_ALL = 0x4000 | 1 << 19
_NO_SUID_NO_DEVICES_NO_PROGRAMS = 2 | 4 | 8
_PR_CAPBSET_READ, _PR_CAPBSET_DROP, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 23, 24, 47, 4
_CAPABILITY_VERSION = 0x20080522
_DAC_OVERRIDE, _DAC_READ_SEARCH, _FOWNER = 1, 2, 3
KEPT = 1 << _DAC_OVERRIDE | 1 << _DAC_READ_SEARCH | 1 << _FOWNER
"""What root may still: read and write files of others, where the walls over files let it. Without it, a model that
belongs to somebody else would load in production and not here."""
SHARED_MEMORY = "/dev/shm"  # noqa: S108 - the name is the kernel's and glibc's
SHARED_MEMORY_SIZE = "size=256m,nr_inodes=4096,mode=1777"

_libc = ctypes.CDLL(None, use_errno=True)


def own_namespaces() -> None:
    """Leave the machine's network, System V memory and mounts. Raises OSError where the kernel does not permit it.

    Root needs no user namespace for it, and must not have one: in it, files of other users could no longer be read.
    """
    if os.geteuid() == 0:
        _unshare(_NEW_NETWORK | _NEW_IPC | _NEW_NAMESPACE)
    else:
        user, group = os.geteuid(), os.getegid()
        _unshare(_NEW_USER | _NEW_NETWORK | _NEW_IPC | _NEW_NAMESPACE)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    _mount(b"none", b"/", None, _SLAVE_ALL, None)


def own_shared_memory() -> None:
    """Replace /dev/shm, for this process and all that it starts, by an empty one. Needs `own_namespaces` before."""
    options = SHARED_MEMORY_SIZE.encode()
    _mount(b"loadgate", SHARED_MEMORY.encode(), b"tmpfs", _NO_SUID_NO_DEVICES_NO_PROGRAMS, options)


def capabilities() -> int:
    """Those that this process has, one bit each."""
    header = struct.pack("=Ii", _CAPABILITY_VERSION, 0)
    data = ctypes.create_string_buffer(24)
    _checked(_libc.capget(header, data), "capget")
    words = struct.unpack("=6I", data.raw)
    return int(words[0] | words[3] << 32)


def give_up_capabilities() -> None:
    """All but those in `KEPT`. Raises OSError where more than that is left."""
    for capability in range(64):
        if _libc.prctl(_PR_CAPBSET_READ, capability, 0, 0, 0) == 1 and not KEPT >> capability & 1:
            # fails without CAP_SETPCAP; with `no_new_privs`, what has been given up does not come back all the same
            _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    # in a user namespace of its own, this process has powers over that namespace alone, and no use for them
    kept = capabilities() & KEPT if os.geteuid() == 0 else 0
    header = struct.pack("=Ii", _CAPABILITY_VERSION, 0)
    _checked(_libc.capset(header, struct.pack("=6I", kept, kept, 0, 0, 0, 0)), "capset")


def _unshare(flags: int) -> None:
    _checked(_libc.unshare(ctypes.c_int(flags)), "unshare")


def _mount(source: bytes, target: bytes, kind: bytes | None, flags: int, options: bytes | None) -> None:
    _checked(_libc.mount(source, target, kind, ctypes.c_ulong(flags), options), f"mount {target.decode()}")


def _checked(result: int, call: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}")
