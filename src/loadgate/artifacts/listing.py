"""Lists the files of a repository: what git tracks, and what it does not track but does not ignore either."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from loadgate import git

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_MAX_SUBMODULE_DEPTH = 10
_OTHER_SYSTEMS = frozenset({".git", ".hg", ".svn", ".bzr"})
_MAX_IGNORE_FILE = 64 * 1024
_MAX_IGNORE_LINES = 1_000


def list_files(root: Path, closed: Callable[[str], object] = str) -> list[str]:
    """Paths of files relative to `root`, with `/` between their parts, in no order.

    Some may be gone or be something other than a file: git lists what its index holds. `closed` is told of each folder
    that we may not look into.
    """
    listed = _list_by_git(root, _MAX_SUBMODULE_DEPTH)
    return list(walk(root, closed=closed)) if listed is None else listed


# --- git ----------------------------------------------------------------------------------------------------------


def _list_by_git(root: Path, depth: int) -> list[str] | None:
    """None where there is no git, no work tree, or a work tree that ignores `root` as a whole."""
    output = git.ask(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if output is None or (not output and git.ask(root, "check-ignore", "--quiet", ".") is not None):
        return None
    files = os.fsdecode(output).split("\0")
    files.pop()
    for folder in _nested(root, files):
        inner = (_list_by_git(root / folder, depth - 1) or []) if depth else []
        files.extend(f"{folder}/{name}" for name in inner)
    return files


def _nested(root: Path, files: Sequence[str]) -> Iterator[str]:
    """Repositories inside this one that are checked out: submodules, and clones that git does not track."""
    yield from (name.rstrip("/") for name in files if name.endswith("/"))
    if _has_submodules(root):
        entries = git.ask(root, "ls-files", "-z", "--stage") or b""
        for entry in entries.split(b"\0"):
            if entry.startswith(b"160000 "):
                folder = os.fsdecode(entry.partition(b"\t")[2])
                if (root / folder / ".git").exists():
                    yield folder


def _has_submodules(root: Path) -> bool:
    """Whether the work tree that `root` lies in declares any."""
    for folder in (root.absolute(), *root.absolute().parents):
        if os.path.lexists(folder / ".gitmodules"):
            return True
        if os.path.lexists(folder / ".git"):
            return False
    return False


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
