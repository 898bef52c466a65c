"""What a later `pip install` of a Dockerfile puts in the place of what an earlier one installed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from packaging.requirements import Requirement as ParsedRequirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from loadgate.domain import Requirement
from loadgate.mistakes import quoted
from loadgate.runtimes.resolution import parsed

MOST_LINES = 2000
"""Of commands that are compared with each other."""

Command = Sequence[Requirement]


def without_replaced(commands: Sequence[Command]) -> tuple[tuple[Requirement, ...], list[str]]:
    """The lines of all commands that last, and a sentence for each that does not.

    pip asks nothing of what is there already when it is asked for another version: the later command wins.
    """
    if sum(map(len, commands)) > MOST_LINES:
        return tuple(line for command in commands for line in command), []
    kept: list[Requirement] = []
    notes = []
    for place, command in enumerate(commands):
        later = [line for each in commands[place + 1 :] for line in each]
        for line in command:
            winner = next((other for other in later if _excludes(line, other)), None)
            if winner is None:
                kept.append(line)
            else:
                notes.append(
                    f"{quoted(line.text)}, from {line.origin}, is replaced by "
                    f"{quoted(winner.text)}, which {winner.origin} installs later."
                )
    return tuple(kept), notes


def _excludes(earlier: Requirement, later: Requirement) -> bool:
    """Both name one package, and no version that one of them pins is allowed by the other."""
    for one in parsed([earlier.text]):
        for other in parsed([later.text]):
            if canonicalize_name(one.name) == canonicalize_name(other.name):
                return any(other.specifier.contains(pin, prereleases=True) is False for pin in _pins(one)) or any(
                    one.specifier.contains(pin, prereleases=True) is False for pin in _pins(other)
                )
    return False


def _pins(requirement: ParsedRequirement) -> Iterator[Version]:
    for each in requirement.specifier:
        if each.operator == "==" and not each.version.endswith(".*"):
            yield Version(each.version)
