"""Reads a broken file as `loadgate inspect` does, and holds the answer to what is promised."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from loadgate.artifacts.discover import read_artifact
from loadgate.artifacts.identify import identify
from loadgate.domain import Artifact
from loadgate.errors import UsageError

from .seeds import Seed

LONGEST = 5.0
"""Seconds."""
MOST_MEMORY = 512 * 1024**2
"""Bytes of resident memory."""


@dataclass(frozen=True, slots=True)
class BrokenPromise(Exception):
    what: str

    def __str__(self) -> str:
        return self.what


class Bench:
    """A folder in which one file of a seed is replaced again and again."""

    def __init__(self, folder: Path, seed: Seed) -> None:
        self._subject = folder / seed.subject
        self._file = folder / seed.name
        for name, content in {**seed.beside, seed.name: seed.content}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)

    def answer(self, content: bytes) -> str:
        """The field of the artifact that tells of it, or `no model`. Raises what the readers raise and must not."""
        self._file.write_bytes(content)
        try:
            root, sighting = identify(self._subject)
        except UsageError as error:
            require_one_line(str(error))
            return "no model"
        return kind_of(read_artifact(root, sighting))


def kind_of(artifact: Artifact) -> str:
    msgspec.json.encode(artifact)
    if artifact.stand_in is not None:
        require_one_line(artifact.stand_in.detail)
        return "stand-in"
    if artifact.damage is not None:
        require_one_line(artifact.damage)
        return "damage"
    if artifact.unread is not None:
        require_one_line(artifact.unread)
        return "unread"
    if artifact.facts is None:
        raise BrokenPromise("there are no facts, and nothing says why")
    return "facts"


def require_one_line(text: str) -> None:
    if not text or "\n" in text or len(text) > 2000:
        raise BrokenPromise(f"{text[:200]!r} is not one line")
