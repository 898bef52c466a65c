"""One directory of the repository as discovery shows it to a format."""

from __future__ import annotations

import os
import stat
from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from pathlib import Path

from loadgate.artifacts.interface import HEAD


class Files:
    """The files of a repository, by folder, opened relative to its root."""

    def __init__(self, root: Path, paths: Sequence[str]) -> None:
        self.root = root
        self._paths = paths

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self._paths)

    @cached_property
    def real_root(self) -> str:
        return os.path.realpath(self.root)

    def below(self, folder: str) -> Sequence[str]:
        """Files anywhere below a folder that are there, relative to it, sorted."""
        prefix = f"{folder}/"
        start = bisect_left(self._sorted, prefix)
        found = []
        for index in range(start, len(self._sorted)):
            path = self._sorted[index]
            if not path.startswith(prefix):
                break
            if self.is_inside(path) and os.path.isfile(os.path.join(self.real_root, path)):
                found.append(path[len(prefix) :])
        return found

    def is_inside(self, path: str) -> bool:
        """Whether it lies in the repository once every symbolic link is followed."""
        return os.path.realpath(os.path.join(self.real_root, path)).startswith(self.real_root.rstrip("/") + "/")

    def is_link(self, path: str) -> bool:
        return os.path.islink(os.path.join(self.real_root, path))

    def exists(self, path: str) -> bool:
        """Once every symbolic link is followed."""
        return os.path.exists(os.path.join(self.real_root, path))

    def target(self, link: str) -> str:
        return os.readlink(os.path.join(self.real_root, link))


class FolderView:
    """See `interface.Folder`. Each file is opened at most once, and only when a format may have a use for it."""

    def __init__(self, files: Files, path: str, names: Sequence[str], below: Callable[[str], Sequence[str]]) -> None:
        self.root = files.root
        self.path = path
        self._files = files
        self._below = below
        self._prefix = f"{path}/" if path else ""
        self._location = os.path.join(files.root, self._prefix)
        self._looks: dict[str, tuple[bytes, int]] = {}
        self.closed: list[str] = []
        """Paths, relative to the repository, of files that we may not read."""
        for name in sorted(names):
            look = self._look(name)
            if look is not None:
                self._looks[name] = look
        self.names: Sequence[str] = tuple(self._looks)

    def below(self, folder: str) -> Sequence[str]:
        return tuple(f"{folder}/{name}" for name in self._below(self._prefix + folder))

    def head(self, name: str) -> bytes:
        return self._looks[name][0] if name in self._looks else b""

    def size(self, name: str) -> int:
        return self._looks[name][1] if name in self._looks else 0

    def claim(self, paths: Collection[str]) -> None:
        """Take files, which are given relative to the repository, out of what is shown."""
        self.names = tuple(name for name in self.names if self._prefix + name not in paths)

    def _look(self, name: str) -> tuple[bytes, int] | None:
        """The beginning and the size of a regular file; None for all else, and for links out of the repository."""
        path = self._location + name
        try:
            descriptor: int | None = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except PermissionError:
            # behind walls, what a linked folder outside the repository holds may not be read either
            if self._files.is_inside(self._prefix + name):
                self.closed.append(self._prefix + name)
            return None
        except OSError:
            descriptor = self._open_link(path, name)
        if descriptor is None:
            return None
        try:
            status = os.fstat(descriptor)
            return (os.read(descriptor, HEAD), status.st_size) if stat.S_ISREG(status.st_mode) else None
        except OSError:
            return None
        finally:
            os.close(descriptor)

    def _open_link(self, path: str, name: str) -> int | None:
        if not os.path.islink(path) or not self._files.is_inside(self._prefix + name):
            return None
        try:
            return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None
