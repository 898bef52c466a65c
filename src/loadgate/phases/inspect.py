"""Inspect: what artifacts say of themselves. Nothing is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from loadgate.domain import Artifact
from loadgate.errors import UsageError


@dataclass(frozen=True, slots=True)
class Inspection:
    artifacts: tuple[Artifact, ...]
    refusals: tuple[str, ...]
    """A line for each path that is no artifact."""

    @property
    def exit_status(self) -> int:
        return UsageError.exit_status if self.refusals else 0


def inspect(paths: Sequence[Path]) -> Inspection:
    """One path that is no artifact takes nothing from the others."""
    from loadgate.sandbox.finding import identify_apart
    from loadgate.sandbox.reading import read_apart

    artifacts: list[Artifact] = []
    refusals: list[str] = []
    for path in paths:
        try:
            root, sighting = identify_apart(path)
        except UsageError as refusal:
            refusals.append(str(refusal))
        else:
            artifacts += read_apart(root, [sighting])
    return Inspection(tuple(artifacts), tuple(refusals))
