"""Shows a folder on the disk to one format alone, as the contract asks, and reads what that format finds."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType

from loadgate.artifacts.interface import HEAD, Sighting, Unreadable
from loadgate.domain import Facts

DATA = Path(__file__).parent / "data"


class FolderOnDisk:
    def __init__(self, root: Path, path: str = "") -> None:
        self.root = root
        self.path = path
        self._here = root / path

    @property
    def names(self) -> Sequence[str]:
        return sorted(entry.name for entry in self._here.iterdir() if entry.is_file())

    def below(self, folder: str) -> Sequence[str]:
        found = (Path(where) / name for where, _, names in os.walk(self._here / folder) for name in names)
        return sorted(path.relative_to(self._here).as_posix() for path in found)

    def head(self, name: str) -> bytes:
        return (self._here / name).read_bytes()[:HEAD]

    def size(self, name: str) -> int:
        return (self._here / name).stat().st_size


def write(root: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def find(module: ModuleType, root: Path, path: str = "") -> list[Sighting]:
    found: Iterable[Sighting] = module.find(FolderOnDisk(root, path))
    return list(found)


def find_one(module: ModuleType, root: Path, path: str = "") -> Sighting:
    (sighting,) = find(module, root, path)
    return sighting


def read(module: ModuleType, root: Path, path: str = "") -> Facts:
    facts: Facts = module.read_facts(root, find_one(module, root, path))
    return facts


def read_all(module: ModuleType, root: Path, path: str = "") -> list[Facts | Unreadable]:
    """What becomes of everything that is found. Any exception but `Unreadable` passes through."""
    answers: list[Facts | Unreadable] = []
    for sighting in find(module, root, path):
        try:
            answers.append(module.read_facts(root, sighting))
        except Unreadable as reason:
            answers.append(reason)
    return answers
