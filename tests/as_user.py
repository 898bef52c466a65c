"""Run by root: `as_user.py PLACE... -- COMMAND...` runs COMMAND as a user whom no file belongs to.

PLACEs are where they were, also below folders that are closed to other users: in mounts of this process's own, such a
folder is replaced by an open one in which nothing but PLACEs is. Nothing of it is seen from outside.
"""

from __future__ import annotations

import ctypes
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

USER = 64_321
_NEW_MOUNTS = 0x00020000
_BIND, _PRIVATE_ALL, _DETACH = 0x1000, 0x4000 | 1 << 18, 2

_libc = ctypes.CDLL(None, use_errno=True)


def mount(source: str, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    kind_bytes, option_bytes = (None if text is None else text.encode() for text in (kind, options))
    checked(_libc.mount(source.encode(), target.encode(), kind_bytes, ctypes.c_ulong(flags), option_bytes), target)


def checked(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def closed_above(place: Path) -> Iterator[Path]:
    return (parent for parent in reversed(place.parents) if not parent.stat().st_mode & 0o001)


def show(places: list[Path]) -> None:
    checked(_libc.unshare(_NEW_MOUNTS), "unshare")
    mount("none", "/", None, _PRIVATE_ALL)
    closed = {place: next(closed_above(place), None) for place in places}
    hidden = sorted({folder for folder in closed.values() if folder is not None})
    behind = [place for place in places if closed[place] is not None]
    held = {place: tempfile.mkdtemp() for place in behind}
    for place, holder in held.items():
        mount(str(place), holder, None, _BIND)
    for folder in hidden:
        mount("tmpfs", str(folder), "tmpfs", 0, "mode=755")
    for place, holder in sorted(held.items()):
        place.mkdir(parents=True, exist_ok=True)
        mount(holder, str(place), None, _BIND)
        checked(_libc.umount2(holder.encode(), _DETACH), holder)
        os.rmdir(holder)


def main() -> None:
    places, command = sys.argv[1 : sys.argv.index("--")], sys.argv[sys.argv.index("--") + 1 :]
    show([Path(os.path.realpath(place)) for place in places])
    os.chdir(os.getcwd())  # to what is shown there now
    os.setgroups([])
    os.setresgid(USER, USER, USER)
    os.setresuid(USER, USER, USER)
    os.execv(command[0], command)  # noqa: S606 - no shell: the point of this program


if __name__ == "__main__":
    main()
