"""What is on GitHub, as far as loadgate looks at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from loadgate.report.annotations import Annotation


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """Of a pull request, or of a line in it."""

    id: int
    author: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRun:
    id: int
    external_id: str
    url: str
    author: str | None = None
    """As whom the app that made it writes comments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    number: int
    sha: str
    """Of its head."""
    head_repository: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedFile:
    path: str
    patch: str
    """Empty where it is binary or too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What a check run shows."""

    title: str
    summary: str
    annotations: Sequence[Annotation] = ()
