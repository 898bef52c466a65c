"""Files that git ignores and that are wanted all the same: what DVC fetched, and what somebody named outright."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from loadgate.artifacts import dvc
from loadgate.artifacts.absent import Absent, Why
from loadgate.artifacts.bounds import spelled
from loadgate.errors import UsageError
from loadgate.repository import NOT_OURS

_MAX_POINTERS = 4 * 1024**2
"""Bytes of all of them. One takes about a hundred, so this is more pointers than anybody has."""
_WILD = frozenset("*?[\\")
_PARTS_OF_A_SAVED_MODEL = ("assets", "assets.extra", "variables")


Told = Callable[[str], object]
"""Of each folder that we may not look into."""


def fetched(root: Path, pointers: Sequence[str], closed: Told, absent: Callable[[Absent], object]) -> Iterator[str]:
    """What DVC brought, by its pointers. `absent` is told of what it did not bring and of what cannot be read."""
    real_root = _real(root)
    for path in dict.fromkeys(_outputs(root, pointers, absent)):
        yield from _below(real_root, path, closed)


def reached(root: Path, patterns: Iterable[str], closed: Told) -> Iterator[str]:
    """What lies where a pattern begins. One that may match anywhere reaches nothing."""
    real_root = _real(root)
    for place in dict.fromkeys(map(place_of, patterns)):
        if place:
            yield from _around(real_root, place, closed)


def _real(root: Path) -> Path:
    return Path(os.path.realpath(root))


def _outputs(root: Path, pointers: Sequence[str], absent: Callable[[Absent], object]) -> Iterator[str]:
    room = _MAX_POINTERS
    for pointer in sorted(pointers):
        room -= sum(min(_size(root / file), dvc.MAX_LOCK) for file in dvc.files_of(pointer))
        if room < 0:
            raise UsageError(f"{spelled(pointer)}: the pointers of DVC take more than {_MAX_POINTERS:,} bytes together")
        for output in dvc.outputs(root, pointer, lambda file: absent(Absent(file, Why.UNREAD))):
            yield output.path
            if output.is_folder and output.promised is None and not os.path.lexists(root / output.path):
                absent(Absent(output.path, Why.DVC))


def _size(path: Path) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0


def place_of(pattern: str) -> str:
    """The file or the folder that a pattern names before its first wildcard; empty where it names none."""
    if pattern.startswith(("!", "#")):
        return ""
    fixed = []
    for part in pattern.strip().removeprefix("./").strip("/").split("/"):
        if not _WILD.isdisjoint(part):
            break
        fixed.append(part)
    return "" if {"", ".", ".."} & {*fixed} else "/".join(fixed)


def _around(root: Path, place: str, closed: Told) -> Iterator[str]:
    """The files of a folder; of a file, or of what the names of several begin with, those that it may need as well."""
    if os.path.isdir(root / place):
        yield from _below(root, place, closed)
        return
    folder = posixpath.dirname(place)
    if not _is_itself(root, folder):
        return
    try:
        with os.scandir(root / folder) as entries:
            yield from (posixpath.join(folder, entry.name) for entry in entries if not entry.is_dir())
    except OSError:
        return
    for part in _PARTS_OF_A_SAVED_MODEL:
        yield from _below(root, posixpath.join(folder, part), closed)


def _below(root: Path, path: str, closed: Told) -> Iterator[str]:
    """The file that `path` is, or all files of the folder that it is. Links to folders are not followed."""
    if not _is_itself(root, posixpath.dirname(path)) or ".git" in path.split("/"):
        return
    if not os.path.isdir(root / path):
        if os.path.lexists(root / path):
            yield path
        return
    if not _is_itself(root, path):
        return
    for where, folders, names in os.walk(root / path, onerror=lambda error: _tell(root, error, closed)):
        folders[:] = (folder for folder in folders if folder not in NOT_OURS)
        inner = os.path.relpath(where, root)
        yield from (f"{inner}/{name}" for name in names)


def _is_itself(root: Path, folder: str) -> bool:
    """Whether no part of it is a link."""
    return os.path.realpath(root / folder) == os.path.normpath(root / folder)


def _tell(root: Path, error: OSError, closed: Told) -> None:
    if isinstance(error, PermissionError):
        closed(os.path.relpath(error.filename, root))
