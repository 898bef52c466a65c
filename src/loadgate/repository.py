"""The repository's own text files: which there are, and their text. Nothing outside the repository is read."""

from __future__ import annotations

import codecs
import os
import posixpath
import stat
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from loadgate import git

LONGEST_TEXT = 1024**2
LONGEST_LOCK = 16 * 1024**2
"""Bytes. A lock file names every wheel of every package, three million bytes for a thousand of them."""

MOST_ENTRIES = 1_000_000
INSTALLED = frozenset(
    {".git", ".hg", ".loadgate", ".nox", ".tox", ".venv", "__pycache__", "node_modules", "site-packages", "venv"}
)
"""Folders that a tool fills."""
NOT_OURS = INSTALLED | {"third_party", "vendor", "vendored"}
"""Folders of other people's files. Most are ignored by git as well, but some repositories commit them."""


class UnusableFileError(Exception):
    """A file that cannot be used. The message is a predicate: `serving/requirements.txt` + ` does not exist`."""

    def __init__(self, predicate: str, line: int = 1, column: int = 1) -> None:
        super().__init__(predicate)
        self.line = line
        self.column = column


def resolve(name: str, folder: str = "") -> str:
    """The path, relative to the repository, that `name` means when it is said in `folder`."""
    if "\0" in name:
        raise UnusableFileError("holds a NUL character")
    if name.startswith(("/", "~")):
        raise UnusableFileError("is not relative to the repository; write a path inside it")
    path = posixpath.normpath(posixpath.join(folder, name))
    if path == ".." or path.startswith("../"):
        raise UnusableFileError("leads out of the repository; write a path inside it")
    return path


def read_text(root: Path, name: str, limit: int = LONGEST_TEXT) -> str:
    """The text of a file of the repository. Raises `UnusableFileError`, and nothing else for any file."""
    return decode(read_bytes(_inside(root, resolve(name)), limit))


def decode(content: bytes) -> str:
    """UTF-8, or UTF-16 where a byte order mark says so, as PowerShell writes what it redirects."""
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        before = content[: error.start]
        column = error.start - (before.rfind(b"\n") + 1) + 1
        raise UnusableFileError("is not UTF-8; save it as UTF-8", before.count(b"\n") + 1, column) from error


def read_beginning(root: Path, name: str, limit: int) -> bytes:
    """The first bytes of a file of the repository, at most `limit`. Raises `UnusableFileError`."""
    return _read_regular(_inside(root, resolve(name)), limit)


def _inside(root: Path, name: str) -> Path:
    path = root / name
    try:
        inside = path.resolve(strict=True).is_relative_to(root.resolve())
    except FileNotFoundError as error:
        raise UnusableFileError("does not exist") from error
    except (OSError, RuntimeError) as error:
        raise UnusableFileError("cannot be reached: its symbolic links lead in a circle, or nowhere") from error
    if not inside:
        raise UnusableFileError("is a symbolic link that leads out of the repository")
    return path


def read_bytes(path: Path, limit: int = LONGEST_TEXT) -> bytes:
    """The bytes of a regular file. Raises `UnusableFileError`."""
    content = _read_regular(path, limit + 1)
    if len(content) > limit:
        raise UnusableFileError(f"is longer than {limit:,} bytes; that is no file a person wrote")
    return content


def _read_regular(path: Path, limit: int) -> bytes:
    try:
        # a named pipe would otherwise wait for a writer for ever
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise UnusableFileError("is not a regular file")
            return _read_at_most(descriptor, limit)
        finally:
            os.close(descriptor)
    except FileNotFoundError as error:
        raise UnusableFileError("does not exist") from error
    except OSError as error:
        raise UnusableFileError(f"cannot be read: {error.strerror}") from error


def _read_at_most(descriptor: int, limit: int) -> bytes:
    chunks = []
    while limit > 0 and (chunk := os.read(descriptor, limit)):
        chunks.append(chunk)
        limit -= len(chunk)
    return b"".join(chunks)


def find_files(root: Path, patterns: Sequence[str], unsayable: list[str] | None = None) -> tuple[str, ...]:
    """Files whose own name matches one of `patterns`, minus what git ignores, nearest to the root first.

    A path that is not UTF-8 cannot be said in a spec or a report: it goes to `unsayable` alone.
    """
    listed = _listed_by_git(root, patterns)
    names = listed if listed is not None else _walked(root)
    found = {name for name in names if _is_ours(name) and _matches(name, patterns)}
    ordered = sorted(found, key=lambda name: (name.count("/"), name))
    if unsayable is not None:
        unsayable += [name for name in ordered if not _is_utf8(name)]
    return tuple(name for name in ordered if _is_utf8(name))


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_ours(name: str) -> bool:
    return NOT_OURS.isdisjoint(name.split("/")[:-1])


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(posixpath.basename(name), pattern) for pattern in patterns)


def _listed_by_git(root: Path, patterns: Sequence[str]) -> list[str] | None:
    """None where git is not there, or where it knows nothing of `root` or ignores all of it."""
    pathspecs = [f":(glob)**/{pattern}" for pattern in patterns]
    output = git.ask(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *pathspecs)
    if output is None or (not output and git.ask(root, "check-ignore", "--quiet", ".") is not None):
        return None
    return [os.fsdecode(name) for name in output.split(b"\0") if name]


def _walked(root: Path) -> Iterator[str]:
    left = MOST_ENTRIES
    folders = [""]
    while folders and left > 0:
        folder = folders.pop(0)
        try:
            with os.scandir(root / folder) as entries:
                for entry in entries:
                    left -= 1
                    name = posixpath.join(folder, entry.name)
                    if entry.is_file():
                        yield name
                    elif entry.is_dir(follow_symlinks=False) and entry.name not in NOT_OURS:
                        folders.append(name)
        except OSError:
            continue
