"""What a later `pip install` of a Dockerfile puts in the place of what an earlier one installed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from packaging.requirements import Requirement as ParsedRequirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from loadgate.domain import Requirement
from loadgate.mistakes import quoted
from loadgate.runtimes.resolution import parsed

MOST_LINES = 2000
"""Of commands that are compared with each other."""

Command = Sequence[Requirement]


def without_replaced(
    commands: Sequence[Command], upgrades: Collection[Requirement] = ()
) -> tuple[tuple[Requirement, ...], list[str]]:
    """The lines of all commands that last, and a sentence for each that does not.

    pip asks nothing of what is there already when it is asked for another version, or for an upgrade, which are the
    lines among `upgrades`: the later command wins.
    """
    if sum(map(len, commands)) > MOST_LINES:
        return tuple(line for command in commands for line in command), []
    kept: list[Requirement] = []
    notes = []
    for place, command in enumerate(commands):
        later = [line for each in commands[place + 1 :] for line in each]
        for line in command:
            winner = next((other for other in later if _wins(other, line, is_upgrade=other in upgrades)), None)
            if winner is None:
                kept.append(line)
            else:
                notes.append(
                    f"{quoted(line.text)}, from {line.origin}, is replaced by "
                    f"{quoted(winner.text)}, which {winner.origin} installs later."
                )
    return tuple(kept), notes


def _wins(later: Requirement, earlier: Requirement, *, is_upgrade: bool) -> bool:
    """Both name one package, and the later is an upgrade, or no version that one of them pins is allowed by both."""
    for one in parsed([earlier.text]):
        for other in parsed([later.text]):
            if canonicalize_name(one.name) == canonicalize_name(other.name):
                return is_upgrade or _exclude_each_other(one, other)
    return False


def _exclude_each_other(one: ParsedRequirement, other: ParsedRequirement) -> bool:
    return any(other.specifier.contains(pin, prereleases=True) is False for pin in _pins(one)) or any(
        one.specifier.contains(pin, prereleases=True) is False for pin in _pins(other)
    )


def _pins(requirement: ParsedRequirement) -> Iterator[Version]:
    for each in requirement.specifier:
        if each.operator == "==" and not each.version.endswith(".*"):
            yield Version(each.version)
