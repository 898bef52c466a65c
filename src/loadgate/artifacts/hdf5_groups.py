"""What is read of an HDF5 file, whoever reads it: groups, and the texts among their attributes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

MAX_ATTRIBUTE = 16 * 1024**2
"""Bytes of one attribute. The largest configurations in use are a few megabytes."""

Value = str | tuple[str, ...] | None
"""An attribute's text, its texts where it is an array, None where it is something else."""


class DamagedError(Exception):
    """The bytes are no HDF5 file that can be followed. The message is one line for a person."""


class TooLargeError(DamagedError):
    """Nothing is known to be wrong with it, but to read on would take too long."""


class TruncatedError(DamagedError):
    """The file ends before the end that it declares."""


class Group(Protocol):
    def attribute(self, name: str) -> Value:
        """Its text, or None where there is no such attribute or it is no text."""

    def attribute_names(self) -> Sequence[str]: ...

    def members(self) -> Sequence[str]:
        """Names of the groups and data sets in it."""

    def group(self, name: str) -> Group | None:
        """A group in it; None where there is none of that name."""
