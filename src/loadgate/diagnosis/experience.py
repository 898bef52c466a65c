"""What was measured of each trait in each version, and what follows for others. Written by `script/lab predict`.

An artifact whose every trait was seen in artifacts that loaded there will load. One that has all traits of a group that
never loaded will not. Of anything else nothing is known. Between two versions that were measured, what is so in both
is taken to be so; beyond the first and the last nothing is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib.resources import files

import msgspec
from packaging.version import Version

from loadgate.artifacts.keras_constructs import CALLED
from loadgate.diagnosis.target import Line
from loadgate.diagnosis.words import ACTIVATIONS, FUNCTIONS, NOTHING, OWN, Answer, Vocabulary, vocabularies
from loadgate.domain import Format, Loader

NEWER_OPTION = "option_newer_than_runtime"
OLDER_OPTION = "option_dropped_by_later_keras"
OPTION_OF_ANOTHER = {Line.KERAS_2: "keras_3_file_in_keras_2", Line.KERAS_3: "option_dropped_by_keras_3"}
"""Line on which it is to be loaded → the cause, where it was written on the other."""
MODULE_OF_ANOTHER = {Line.KERAS_2: "archive_of_another_keras_2", Line.KERAS_3: "keras_2_archive_in_keras_3"}
"""Line → the cause, where a class is not found in the module that the file names."""
OF_ANOTHER_VERSION = frozenset({NEWER_OPTION, OLDER_OPTION, *OPTION_OF_ANOTHER.values(), *MODULE_OF_ANOTHER.values()})
"""Causes that no file has in the version that wrote it."""
NOT_MEASURED = "a version beyond those that were measured"
DISAGREEING = "what loads in one of its neighbours and not in the other"
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
    always_written: Mapping[str, tuple[str, ...]] = {}
    """Class → the options that every file had which has the class, of those that loaded."""


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
    refused: str | None = None
    """An option that its class was asked for and does not take, or that no class of its age took: the obstacle."""

    @property
    def is_certain(self) -> bool:
        return self.unknown is None


def agree(lower: Judgement, upper: Judgement, *, is_measured: bool) -> bool:
    """Whether what is so on both sides of a version may be taken to be so in it. Where that version was measured, and
    the artifact would be the first of its kind to fail in it, it must fail on both sides for the same reason."""
    if lower.obstacle is None or upper.obstacle is None:
        return lower.obstacle is upper.obstacle
    return not is_measured or (lower.obstacle.traits, lower.refused) == (upper.obstacle.traits, upper.refused)


REFUSAL = Obstacle(traits=(), at=0, cause="", loads=0)
"""Before it is known whether the option is too new or too old."""


@dataclass(frozen=True)
class Experience:
    """One line of `Knowledge`, ready to be asked."""

    knowledge: Knowledge
    traits: Sequence[str]
    words: Vocabulary = NOTHING
    alike: Experience | None = None
    """Of HDF5, where a SavedModel is asked about: one piece of code of Keras 2 reads the configuration of both."""

    @cached_property
    def _releases(self) -> tuple[tuple[int, ...], ...]:
        return tuple(release_of(Version(version)) for version in self.knowledge.versions)

    @cached_property
    def _well(self) -> Mapping[str, int]:
        """Trait → the versions in which it was seen to load, and in which nothing speaks against it."""
        varying = self.knowledge.varying
        return {
            self.traits[int(number)]: int(bits, 16) & ~int(varying.get(number, "0"), 16)
            for number, bits in self.knowledge.good.items()
        }

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
            return Judgement(unknown=NOT_MEASURED)
        judgement = self._judged(artifact, below, above)
        is_newer = saver is not None and release_of(saver) > release_of(version)
        if judgement.unknown is not None and is_newer and not self.knowledge.subject.startswith(Format.SAVED_MODEL):
            judgement = self._with_newer_options(artifact, above) or judgement
        if judgement.obstacle is None and judgement.unknown is None:
            return Judgement(unknown=self._lacking(artifact, below, above))
        if judgement.refused is None:
            return self._unless_own(judgement, saver, version)
        cause = self._cause_of_refusal(judgement.refused, saver, is_newer=is_newer)
        return replace(judgement, obstacle=Obstacle(traits=(), at=0, cause=cause, loads=0))

    def _unless_own(self, judgement: Judgement, saver: Version | None, version: Version) -> Judgement:
        """What failed because another version wrote it says nothing of a file of this very version."""
        obstacle = judgement.obstacle
        is_own = saver is not None and release_of(saver) == release_of(version)
        if obstacle is None or not is_own or obstacle.cause not in OF_ANOTHER_VERSION:
            return judgement
        return Judgement(unknown=self.traits[obstacle.traits[0]])

    def _lacking(self, artifact: frozenset[str], *around: int) -> str | None:
        """What no file was seen to load without: a class may want an option that its older self did not write."""
        near = [self.knowledge.versions[index] for index in around]
        written = options_of(artifact)
        for owner, options in sorted(written.items()):
            for wanted in self.knowledge.always_written.get(owner, ()):
                name = owner.rpartition(", ")[2]
                is_needed = not all(self.words.is_made_without(name, wanted, version) for version in near)
                if wanted not in options and is_needed:
                    return f"{owner} without {wanted}"
        return None

    def _cause_of_refusal(self, refused: str, saver: Version | None, *, is_newer: bool) -> str:
        if MODULE in refused and (saver is not None or self.knowledge.line == Line.KERAS_3):
            return MODULE_OF_ANOTHER[self.knowledge.line]
        if saver is None:
            return OPTION_OF_ANOTHER[self.knowledge.line]
        return NEWER_OPTION if is_newer else OLDER_OPTION

    def _with_newer_options(self, artifact: frozenset[str], index: int) -> Judgement | None:
        """A Keras that was shown an option of a later one never took it: so it is with one that nobody else writes."""
        for trait in sorted(artifact):
            owner, option = option_of(trait)
            if owner is None or option == OWN or option.startswith(MODULE) or self._is_well(trait, index):
                continue
            if self._is_well(f"{trait.rpartition(': ')[0]}: {OWN}", index):
                return Judgement(obstacle=REFUSAL, refused=trait)
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
        unclear = [trait for trait in sorted(artifact) if not self._is_well(trait, index)]
        refused = (trait for trait in unclear if self._answer(trait, index) is Answer.REFUSED)
        if (trait := next(refused, None)) is not None:
            return Judgement(obstacle=REFUSAL, refused=trait)
        return Judgement(unknown=next(iter(unclear), None))

    def _is_well(self, trait: str, index: int) -> bool:
        if self._well.get(trait, 0) & 1 << index:
            return True
        if self._varying.get(trait, 0) & 1 << index:
            return False
        return self._answer(trait, index) is Answer.TAKEN or self._is_well_in_what_is_alike(trait, index)

    def _is_well_in_what_is_alike(self, trait: str, index: int) -> bool:
        version = self.knowledge.versions[index]
        if self.alike is None or version not in self.alike.knowledge.versions:
            return False
        there = self.alike.knowledge.versions.index(version)
        names = (trait, _FUNCTIONAL.sub("Model", trait))
        return any(self.alike._is_well(f"{KERAS_2}, {name}", there) for name in names)

    def _answer(self, trait: str, index: int) -> Answer:
        answer = answer_of(self.words, self.knowledge.subject, trait, self.knowledge.versions[index])
        if answer is Answer.REFUSED and self._is_well_around(trait, index):
            return Answer.NOT_KNOWN  # the loader takes off what the class itself refuses
        return answer

    def _is_well_around(self, trait: str, index: int) -> bool:
        """Seen to load in an earlier version, and in a later one."""
        well = self._well.get(trait, 0)
        return bool(well & ((1 << index) - 1)) and bool(well >> (index + 1))

    def _between(self, artifact: frozenset[str], below: int, above: int) -> Judgement:
        """What the nearest versions that know it agree on, from both sides."""
        judged = [self._at(artifact, index) for index in range(len(self._releases))]
        lower = next((judged[index] for index in range(below, -1, -1) if judged[index].is_certain), None)
        upper = next((judged[index] for index in range(above, len(judged)) if judged[index].is_certain), None)
        if lower is not None and upper is not None and agree(lower, upper, is_measured=below == above):
            return lower
        if (missing := self._not_well(artifact, below, above)) is None and not self._is_met(artifact, below, above):
            return Judgement()
        return Judgement(unknown=missing or DISAGREEING)

    def _not_well(self, artifact: frozenset[str], below: int, above: int) -> str | None:
        """A trait that was not well on both sides of a version, each by itself."""
        lower, upper = range(below + 1), range(above, len(self._releases))
        return next(
            (
                trait
                for trait in sorted(artifact)
                if not all(any(self._is_well(trait, index) for index in side) for side in (lower, upper))
            ),
            None,
        )

    def _is_met(self, artifact: frozenset[str], below: int, above: int) -> bool:
        around = 1 << below | 1 << above
        return any(each.at & around and traits <= artifact for traits, each in self._obstacles)


def answer_of(words: Vocabulary, subject: str, trait: str, version: str) -> Answer:
    """What the class itself says of a trait that is an option of it."""
    owner, option = option_of(trait)
    if owner is None:
        return Answer.NOT_KNOWN
    answer = words.answer(owner, option, version)
    if option.startswith(MODULE) and answer is Answer.REFUSED and not subject.startswith(Format.KERAS_V3):
        return Answer.NOT_KNOWN  # of HDF5, Keras 3 alone looks for a class in its module
    if answer is Answer.REFUSED and subject.startswith(Format.SAVED_MODEL):
        return Answer.NOT_KNOWN  # where the class refuses, the layer is restored without it
    return answer


def option_of(trait: str) -> tuple[str | None, str]:
    """Class and option of `Keras 2, Dense: units` and of `Conv2D: batch_input_shape: list`; None of any other trait."""
    part = trait.rpartition(", ")[2]
    if part.startswith(ACTIVATION):
        return ACTIVATIONS, part.removeprefix(ACTIVATION)
    if part.startswith(OF_FUNCTION):
        return FUNCTIONS, part.removeprefix(OF_FUNCTION)
    owner, separator, option = part.partition(": ")
    name, _, kind = option.partition(": ")
    is_option = bool(separator) and owner.isidentifier() and (name.isidentifier() or name.startswith(BEFORE_NAMES))
    return (owner, name) if is_option and is_usual(name, kind) else (None, "")


def options_of(traits: Iterable[str]) -> Mapping[str, set[str]]:
    """Class, in its dialect → the names of the options that are written of it, for each class that is there."""
    found: dict[str, set[str]] = {}
    for trait in traits:
        owner, separator, option = trait.partition(": ")
        if separator and owner.rpartition(", ")[2].isidentifier():
            found.setdefault(owner, set()).add(option.partition(": ")[0])
    return {owner: options for owner, options in found.items() if OWN in options}


def is_usual(option: str, kind: str) -> bool:
    """Whether classes were asked with a value of that kind; what another comes to is for loads to tell."""
    if option == "axis":
        return kind == "int"  # Keras 3 takes a list, and stumbles over it when the layer is built
    return kind in ("", "list") or (kind == "object" and option.endswith(ASKED_WITH_OBJECTS))


ASKED_WITH_OBJECTS = ("_initializer", "_regularizer", "_constraint")
MODULE = "module "
ACTIVATION = "activation "
OF_FUNCTION = "TFOpLambda: function "
BEFORE_NAMES = (MODULE, CALLED)


def release_of(version: Version) -> tuple[int, ...]:
    return version.release[:MINOR]


FROM_HDF5 = f"{Format.KERAS_H5} by {Loader.KERAS}"
FROM_FOLDER = f"{Format.SAVED_MODEL} by {Loader.KERAS}"
_FUNCTIONAL = re.compile(r"\bFunctional\b")
"""As a functional model is called in the traits of a SavedModel; in HDF5 Keras called it a Model before 2.3."""
KERAS_2 = "Keras 2"
"""Before the traits of what Keras 2 wrote as HDF5."""


def experiences(table: Table, words: Mapping[str, Vocabulary]) -> Mapping[tuple[str, str], Experience]:
    """By subject and line."""
    made: dict[tuple[str, str], Experience] = {}
    for knowledge in sorted(table.knowledge, key=lambda each: each.subject != FROM_HDF5):
        key = knowledge.subject, knowledge.line
        alike = made.get((FROM_HDF5, Line.KERAS_2)) if key == (FROM_FOLDER, Line.KERAS_2) else None
        made[key] = Experience(knowledge, table.traits, words.get(knowledge.line, NOTHING), alike)
    return made


@cache
def measured() -> tuple[Table, Mapping[tuple[str, str], Experience]]:
    """The table that ships, and what can be asked of it by subject and line."""
    content = files("loadgate.diagnosis").joinpath("experience.json").read_bytes()
    table = msgspec.json.decode(content, type=Table)
    return table, experiences(table, vocabularies())
