"""Lists the files of a repository: what git tracks, and what it does not track but does not ignore either."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from loadgate import git
from loadgate.artifacts.absent import Absent, Why
from loadgate.repository import UnusableFileError, read_bytes

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

Tell = Callable[[Absent], object]

_MAX_SUBMODULE_DEPTH = 10
_SPARSE = "info/sparse-checkout"
_MAX_POINTER = 4096
_OTHER_SYSTEMS = frozenset({".git", ".hg", ".svn", ".bzr"})
_MAX_IGNORE_FILE = 64 * 1024
_MAX_IGNORE_LINES = 1_000


def list_files(root: Path, closed: Callable[[str], object] = str, absent: Tell = repr) -> list[str]:
    """Paths of files relative to `root`, with `/` between their parts, in no order.

    Some may be gone or be something other than a file: git lists what its index holds. `closed` is told of each folder
    that we may not look into, and `absent` of each submodule and each file that was not checked out.
    """
    listed = _list_by_git(root, _MAX_SUBMODULE_DEPTH, absent)
    return list(walk(root, closed=closed)) if listed is None else listed


# --- git ----------------------------------------------------------------------------------------------------------


def _list_by_git(root: Path, depth: int, absent: Tell) -> list[str] | None:
    """None where there is no git, no work tree, or a work tree that ignores `root` as a whole."""
    output = git.ask(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if output is None or (not output and git.ask(root, "check-ignore", "--quiet", ".") is not None):
        return None
    files = os.fsdecode(output).split("\0")
    files.pop()
    for path in _left_out(root):
        absent(Absent(path, Why.SPARSE))
    for folder in _nested(root, files, absent):

        def tell(inner: Absent, folder: str = folder) -> None:
            absent(replace(inner, path=f"{folder}/{inner.path}"))

        inner = (_list_by_git(root / folder, depth - 1, tell) or []) if depth else []
        files.extend(f"{folder}/{name}" for name in inner)
    return files


def _nested(root: Path, files: Sequence[str], absent: Tell) -> Iterator[str]:
    """Repositories inside this one that are checked out: submodules, and clones that git does not track."""
    yield from (name.rstrip("/") for name in files if name.endswith("/"))
    if os.path.lexists(_top(root) / ".gitmodules"):
        entries = git.ask(root, "ls-files", "-z", "--stage") or b""
        for entry in entries.split(b"\0"):
            if entry.startswith(b"160000 "):
                folder = os.fsdecode(entry.partition(b"\t")[2])
                if (root / folder / ".git").exists():
                    yield folder
                elif _is_empty(root / folder):
                    absent(Absent(folder, Why.SUBMODULE))


def _left_out(root: Path) -> Iterator[str]:
    """Files that git tracks and a sparse checkout leaves out."""
    if _is_sparse(_top(root)):
        entries = git.ask(root, "ls-files", "-z", "-t", "--cached") or b""
        yield from (os.fsdecode(entry[2:]) for entry in entries.split(b"\0") if entry.startswith(b"S "))


def _top(root: Path) -> Path:
    """The root of the work tree that `root` lies in."""
    folders = (root.absolute(), *root.absolute().parents)
    return next((folder for folder in folders if os.path.lexists(folder / ".git")), root)


def _is_sparse(top: Path) -> bool:
    folder = top / ".git"
    if not folder.is_dir():  # of a submodule, and of a second work tree, it is a file
        try:
            said = read_bytes(folder, _MAX_POINTER).removeprefix(b"gitdir:").strip()
        except UnusableFileError:
            return False
        if b"\0" in said:
            return False
        folder = top / os.fsdecode(said)
    return os.path.lexists(folder / _SPARSE)


def _is_empty(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None
    except OSError:
        return True


# --- no git -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Ignore:
    """The .gitignore of one folder."""

    folder: str
    patterns: GitIgnoreSpec

    def says(self, path: str) -> bool | None:
        """Whether it ignores `path`; None where it has no opinion."""
        inner = path[len(self.folder) + 1 :] if self.folder else path
        return self.patterns.check_file(inner).include


def walk(root: Path, below: str = "", closed: Callable[[str], object] = str) -> Iterator[str]:
    """Files below the folder `below`, without what .gitignore files ignore. Symbolic links to folders are not followed.

    As in git, what lies in an ignored folder is ignored whatever else is said of it.
    """
    pending: list[tuple[str, tuple[_Ignore, ...]]] = [(below, ())]
    while pending:
        folder, outer = pending.pop()
        try:
            with os.scandir(root / folder) as scan:
                entries = list(scan)
        except OSError as error:
            if isinstance(error, PermissionError):
                closed(folder)
            continue
        ignores = outer
        if any(entry.name == ".gitignore" for entry in entries):
            ignores = (*outer, *_ignore_file(root, folder))
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            if is_folder and entry.name in _OTHER_SYSTEMS:
                continue
            if ignores and _is_ignored(f"{path}/" if is_folder else path, ignores):
                continue
            if is_folder:
                pending.append((path, ignores))
            else:
                yield path


def _ignore_file(root: Path, folder: str) -> Iterator[_Ignore]:
    from loadgate.artifacts.patterns import compiled

    try:
        with open(root / folder / ".gitignore", "rb") as stream:
            lines = stream.read(_MAX_IGNORE_FILE).decode("utf-8", "replace").splitlines()
    except OSError:
        return
    yield _Ignore(folder, compiled(filter(_is_pattern, lines[:_MAX_IGNORE_LINES])))


def _is_pattern(line: str) -> bool:
    from loadgate.artifacts.patterns import compiled

    try:
        compiled([line])
    except ValueError:
        return False
    return True


def _is_ignored(path: str, ignores: Sequence[_Ignore]) -> bool:
    for ignore in reversed(ignores):
        verdict = ignore.says(path)
        if verdict is not None:
            return verdict
    return False
