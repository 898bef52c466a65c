"""What was measured of each trait in each version, and what follows for others. Written by `script/lab predict`.

An artifact whose every trait was seen in artifacts that loaded there will load. One that has all traits of a group that
never loaded will not. Of anything else nothing is known. Between two versions that were measured, what is so in both
is taken to be so; beyond the first and the last nothing is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files

import msgspec
from packaging.version import Version

NEWER_OPTION = "option_newer_than_runtime"
WRITTEN = "written"
"""The trait of every object of a class, beside its options."""
MINOR = 2
"""So many numbers of a version tell releases apart; a patch was never seen to decide."""


class Obstacle(msgspec.Struct, frozen=True):
    """Traits with which nothing loaded, together."""

    traits: tuple[int, ...]
    at: int
    """The versions at which it was so, one bit each."""
    cause: str
    loads: int
    """How many loads failed with them."""


class Knowledge(msgspec.Struct, frozen=True):
    """Of one format through one loader, along one line of versions."""

    subject: str
    """`keras_h5 by keras`."""
    line: str
    versions: tuple[str, ...]
    """Oldest first."""
    loads: tuple[int, ...]
    """How many were made in each."""
    good: Mapping[str, str]
    """Number of a trait → the versions in which something that has it loaded, as hexadecimal bits."""
    obstacles: tuple[Obstacle, ...]
    varying: Mapping[str, str]
    """Number of a trait → the versions in which what has it loads or not for reasons that are no trait."""


class Table(msgspec.Struct, frozen=True):
    measured: str
    command: str
    loads: int
    traits: tuple[str, ...]
    knowledge: tuple[Knowledge, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """Of one artifact at one version. `obstacle` and `unknown` are both None where it is expected to load."""

    obstacle: Obstacle | None = None
    unknown: str | None = None
    """A trait of which nothing is known there."""

    @property
    def is_certain(self) -> bool:
        return self.unknown is None


@dataclass(frozen=True)
class Experience:
    """One line of `Knowledge`, ready to be asked."""

    knowledge: Knowledge
    traits: Sequence[str]

    @cached_property
    def _releases(self) -> tuple[tuple[int, ...], ...]:
        return tuple(release_of(Version(version)) for version in self.knowledge.versions)

    @cached_property
    def _good(self) -> Mapping[str, int]:
        return {self.traits[int(number)]: int(bits, 16) for number, bits in self.knowledge.good.items()}

    @cached_property
    def _varying(self) -> Mapping[str, int]:
        return {self.traits[int(number)]: int(bits, 16) for number, bits in self.knowledge.varying.items()}

    @cached_property
    def _obstacles(self) -> tuple[tuple[frozenset[str], Obstacle], ...]:
        return tuple((frozenset(self.traits[n] for n in each.traits), each) for each in self.knowledge.obstacles)

    def judge(self, artifact: frozenset[str], version: Version, saver: Version | None = None) -> Judgement:
        """`saver` is the version that wrote it, on the same line, where that is told."""
        below, above = self._around(release_of(version))
        if below is None or above is None:
            return Judgement(unknown=f"{self.knowledge.line} {version}, which was not measured")
        judgement = self._judged(artifact, below, above)
        if judgement.unknown is not None and saver is not None and release_of(saver) > release_of(version):
            return self._with_newer_options(artifact, above) or judgement
        return judgement

    def _with_newer_options(self, artifact: frozenset[str], index: int) -> Judgement | None:
        """A Keras that was shown an option of a later one never took it: so it is with one that nobody else writes."""
        bit = 1 << index
        for trait in sorted(artifact):
            owner, separator, option = trait.rpartition(": ")
            is_option = bool(separator) and option.isidentifier() and option != WRITTEN
            if is_option and trait not in self._good and self._good.get(f"{owner}: {WRITTEN}", 0) & bit:
                return Judgement(obstacle=Obstacle(traits=(), at=bit, cause=NEWER_OPTION, loads=0))
        return None

    def _judged(self, artifact: frozenset[str], below: int, above: int) -> Judgement:
        if below == above:
            here = self._at(artifact, below)
            if here.is_certain:
                return here
        return self._between(artifact, below, above)

    def _around(self, release: tuple[int, ...]) -> tuple[int | None, int | None]:
        """The measured versions next to one, from below and from above; twice itself where it was measured."""
        below = [index for index, each in enumerate(self._releases) if each <= release]
        above = [index for index, each in enumerate(self._releases) if each >= release]
        return (below[-1] if below else None), (above[0] if above else None)

    def _at(self, artifact: frozenset[str], index: int) -> Judgement:
        bit = 1 << index
        met = [each for traits, each in self._obstacles if each.at & bit and traits <= artifact]
        if met:
            return Judgement(obstacle=max(met, key=lambda each: each.loads))
        unclear = (t for t in sorted(artifact) if not self._good.get(t, 0) & bit or self._varying.get(t, 0) & bit)
        return Judgement(unknown=next(unclear, None))

    def _between(self, artifact: frozenset[str], below: int, above: int) -> Judgement:
        """What the nearest versions that know it agree on, from both sides."""
        judged = [self._at(artifact, index) for index in range(len(self._releases))]
        lower = next((judged[index] for index in range(below, -1, -1) if judged[index].is_certain), None)
        upper = next((judged[index] for index in range(above, len(judged)) if judged[index].is_certain), None)
        if lower is not None and upper is not None and (lower.obstacle is None) == (upper.obstacle is None):
            return lower
        if (missing := self._not_good(artifact, below, above)) is None and not self._is_met(artifact, below, above):
            return Judgement()
        return Judgement(unknown=missing or "what loads in one of its neighbours and not in the other")

    def _not_good(self, artifact: frozenset[str], below: int, above: int) -> str | None:
        """A trait that was not well on both sides of a version, each by itself."""
        lower, upper = (2 << below) - 1, -1 << above
        for trait in sorted(artifact):
            bits = self._good.get(trait, 0) & ~self._varying.get(trait, 0)
            if not (bits & lower and bits & upper):
                return trait
        return None

    def _is_met(self, artifact: frozenset[str], below: int, above: int) -> bool:
        around = 1 << below | 1 << above
        return any(each.at & around and traits <= artifact for traits, each in self._obstacles)


def release_of(version: Version) -> tuple[int, ...]:
    return version.release[:MINOR]


def experiences(table: Table) -> Iterator[tuple[tuple[str, str], Experience]]:
    for knowledge in table.knowledge:
        yield (knowledge.subject, knowledge.line), Experience(knowledge, table.traits)


@cache
def measured() -> tuple[Table, Mapping[tuple[str, str], Experience]]:
    """The table that ships, and what can be asked of it by subject and line."""
    content = files("loadgate.diagnosis").joinpath("experience.json").read_bytes()
    table = msgspec.json.decode(content, type=Table)
    return table, dict(experiences(table))
