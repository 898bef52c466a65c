"""Which parts tell something in a version between others: most load on both sides of it, or fail on both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from loadgate.diagnosis.experience import release_of
from loadgate.diagnosis.target import Target, place_of, target_of
from loadgate.diagnosis.traits import traits_of
from loadgate.domain import Artifact, Loader, Lock

Release = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One load to be made."""

    artifact: str
    loader: str


class Telling:
    """Asked once a runtime, since what was loaded in one makes less worth loading in the next."""

    def __init__(self, parts: Iterable[Mapping[str, Any]], locks: Mapping[str, Lock]) -> None:
        """`locks`: of every runtime in which something was or will be loaded."""
        self._artifacts = {line["id"]: msgspec.convert(line["artifact"], Artifact) for line in parts}
        self._targets = {name: target_of(lock) for name, lock in locks.items()}

    def of(
        self, name: str, wanted: Iterable[Wanted], loads: Iterable[Mapping[str, Any]], in_full: Iterable[str]
    ) -> list[Wanted]:
        """What the nearest versions on either side disagree on, or one side alone tells; and the fewest that show every
        trait of what loads on both. Nothing by loaders that do the same in a runtime in which all is loaded."""
        target = self._targets[name]
        measured = {standing(self._targets[each], loader) for each in in_full for loader in Loader}
        outcomes = self._outcomes(loads)
        open_, well = [], []
        for each in wanted:
            place = standing(target, Loader(each.loader))
            if place is None or place in measured:
                continue
            sides = nearest(outcomes[each, place[0]], place[1])
            if sides[0] is None or sides[0] != sides[1]:
                open_.append(each)
            elif sides[0]:
                well.append(each)
        return [*open_, *fewest(well, {each: self._traits(each, target) for each in well})]

    def _outcomes(self, loads: Iterable[Mapping[str, Any]]) -> Mapping[tuple[Wanted, str], dict[Release, bool]]:
        found: defaultdict[tuple[Wanted, str], dict[Release, bool]] = defaultdict(dict)
        for load in loads:
            place = standing(self._targets[load["runtime"]], Loader(load["loader"]))
            if place is not None:
                found[Wanted(load["artifact"], load["loader"]), place[0]][place[1]] = load["exception"] is None
        return found

    def _traits(self, wanted: Wanted, target: Target) -> frozenset[str]:
        return traits_of(self._artifacts[wanted.artifact], Loader(wanted.loader), target) or frozenset()


def standing(target: Target, loader: Loader) -> tuple[str, Release] | None:
    place = place_of(target, loader)
    return None if place is None else (place[0], release_of(place[1]))


def nearest(outcomes: Mapping[Release, bool], release: Release) -> tuple[bool | None, bool | None]:
    """Whether it loads in the nearest version before, and after; None where it was loaded in none on that side."""
    before, after = ([each for each in outcomes if each < release], [each for each in outcomes if each > release])
    return (outcomes[max(before)] if before else None), (outcomes[min(after)] if after else None)


def fewest(candidates: Sequence[Wanted], traits: Mapping[Wanted, frozenset[str]]) -> Iterator[Wanted]:
    """Of which together have every trait that any has: always the one next with the most that none has yet."""
    left = set().union(*traits.values())
    queue = sorted(candidates, key=lambda each: -len(traits[each]))
    while left and queue:
        best = max(queue, key=lambda each: len(traits[each] & left))
        yield best
        left -= traits[best]
        queue = [each for each in queue if traits[each] & left]
