"""What a format promises to discovery, and what discovery hands to it.

A format is one module that offers `find` and `read_facts`. `discover.py` asks the formats in a fixed order, folder by
folder; a file that one of them claims is not shown to those after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from loadgate.domain import Facts, Format, StandIn, StandInKind

HEAD = 4096
"""Bytes of a file that a format may look at in order to recognise it."""
REPOSITORY = "."
"""Path of an artifact that is the repository itself."""


class Folder(Protocol):
    """One directory of the repository, without what git ignores and the spec excludes."""

    @property
    def root(self) -> Path:
        """The repository."""

    @property
    def path(self) -> str:
        """Relative to the repository, with `/` between its parts; empty for the repository itself."""

    @property
    def names(self) -> Sequence[str]:
        """Files that lie directly in it and that nobody has claimed, sorted."""

    def below(self, folder: str) -> Sequence[str]:
        """Files anywhere below the sub-folder `folder`, relative to this one, sorted."""

    def head(self, name: str) -> bytes:
        """The first `HEAD` bytes of a file; empty where it cannot be read."""

    def size(self, name: str) -> int:
        """Bytes of a file; 0 where it cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """An artifact that was recognised, before its facts are read."""

    path: str
    """As in `Artifact.path`: relative to the repository."""
    format: Format
    files: tuple[str, ...]
    """Every file that belongs to it, relative to the repository, sorted."""
    stand_in: StandIn | None = None
    unfollowed: str | None = None
    """Why it is not followed, where it is a link out of the repository; then its name alone promises a model."""


class Unreadable(Exception):
    """An artifact whose bytes are not what its format asks for. The message is one line for a person."""

    def __init__(self, detail: str, kind: StandInKind | None = None) -> None:
        super().__init__(detail)
        self.kind = kind
        """The kind of stand-in that it is, where it is one."""


class TooLarge(Unreadable):
    """An artifact of which nothing is known to be wrong: to read on would take too long, or too much memory."""


class FormatReader(Protocol):
    """A module of this package that knows one family of formats."""

    def find(self, folder: Folder) -> Iterable[Sighting]:
        """Recognise artifacts among the files of `folder`, by content."""

    def read_facts(self, root: Path, sighting: Sighting) -> Facts:
        """Read facts without reading weights. Raises `Unreadable`; never anything else for any bytes."""
