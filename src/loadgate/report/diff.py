"""An edit as a diff shows it: what goes, what comes, and nothing of what stays. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from loadgate import untrusted
from loadgate.domain import Edit

MOST_LINES = 90
MOST_CHARACTERS = 400
"""Of a line. What was worked out where models' code ran may be of any size."""


def diff(edit: Edit) -> Iterator[tuple[str, str]]:
    """Each line after `-` or `+`, safe to show and with its indentation."""
    new = edit.new.split("\n", MOST_LINES) if edit.new else []
    if edit.old is not None and new[:1] == [edit.old]:
        new = new[1:]
    elif edit.old is not None:
        yield "-", _shown(edit.old)
    yield from (("+", _shown(line)) for line in new[:MOST_LINES])
    if len(new) > MOST_LINES:
        yield "+", untrusted.CUT.strip()


def _shown(line: str) -> str:
    return untrusted.name(line.removesuffix("\r"), MOST_CHARACTERS)
