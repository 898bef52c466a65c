"""Learn from the lab's loads what decides, and hold it to loads that it did not learn from.

usage: python -m lab.predicting learn|validate|corpus ROOT [CORPUS]

What is learnt is the least that the loads prove. A trait is well in a version where an artifact that has it loaded
there. What did not load has at least one trait that is not: so whatever has all of those of its traits which were never
well will not load either.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from packaging.version import Version

from lab.place import Place, read_lines
from loadgate.artifacts.discover import read_artifact
from loadgate.artifacts.identify import identify
from loadgate.diagnosis.experience import Experience, Judgement, Knowledge, Obstacle, Table, experiences, release_of
from loadgate.diagnosis.explain import explain
from loadgate.diagnosis.target import place_of, target_of
from loadgate.diagnosis.traits import is_broad, place_of_saver, traits_of
from loadgate.domain import (
    Artifact,
    Case,
    CaseResult,
    Device,
    ExceptionInfo,
    Loader,
    Lock,
    Outcome,
    Reason,
    Runtime,
    Stage,
    StageResult,
)

TABLE = Path(__file__).parents[1] / "src" / "loadgate" / "diagnosis" / "experience.json"
MANY = 10
"""So many failures of what has a trait of a whole file, and none that loads, and the trait alone is blamed."""
ENOUGH = 3
"""So many failures of files that have a trait, and none that loads, and what they have in common is blamed."""
COMMAND = "script/lab predict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One load that was made, as far as learning needs it."""

    id: str
    savers: tuple[str, ...]
    subject: str
    line: str
    version: str
    runtime: str
    traits: frozenset[str]
    saver: Version | None
    loaded: bool
    cause: str


# --- what was measured --------------------------------------------------------------------------------------------


def loads(place: Place) -> Iterator[Load]:
    locks = place.locks()
    artifacts = {
        line["id"]: ((line["saver"],), artifact_at(place.artifacts, line)) for line in read_lines(place.catalogue)
    }
    parts = {
        line["id"]: (tuple(line["savers"]), artifact_at(place.root, line))
        for line in read_lines(place.root / "parts.jsonl")
    }
    for line in read_lines(place.loads):
        if line["artifact"] in artifacts and not line["imports"] and line["reason"] != Reason.OUT_OF_MEMORY:
            yield from load_of(line, *artifacts[line["artifact"]], locks[line["runtime"]])
    for line in read_lines(place.root / "part_loads.jsonl"):
        if line["artifact"] in parts:
            line |= {"reason": Reason.EXCEPTION if line["exception"] else None, "message": ""}
            yield from load_of(line, *parts[line["artifact"]], locks[line["runtime"]])


def artifact_at(root: Path, line: dict[str, Any]) -> Artifact:
    """As this loadgate reads it; where the file is no longer there, as it was read when it was made."""
    path = root / line.get("path", line["id"])
    if path.exists() or path.with_name(path.name + ".index").exists():
        return read_artifact(*identify(path))
    return msgspec.convert(line["artifact"], Artifact)


def load_of(line: dict[str, Any], savers: tuple[str, ...], artifact: Artifact, lock: Lock) -> Iterator[Load]:
    loader = Loader(line["loader"])
    target = target_of(lock)
    place, traits = place_of(target, loader), traits_of(artifact, loader, target)
    if place is None or traits is None:
        return
    yield Load(
        id=line["artifact"],
        savers=savers,
        subject=f"{artifact.format} by {loader}",
        line=place[0],
        version=".".join(str(part) for part in release_of(place[1])),
        runtime=line["runtime"],
        traits=traits,
        saver=place_of_saver(artifact, place[0]),
        loaded=line["reason"] is None,
        cause=cause_of(line, artifact, lock, loader) if line["reason"] else "",
    )


def cause_of(line: dict[str, Any], artifact: Artifact, lock: Lock, loader: Loader) -> str:
    """What loadgate says of it after the load."""
    raised = line["exception"]
    exception = ExceptionInfo(**{**raised, "chain": tuple(raised["chain"])}) if raised else None
    stage = StageResult(
        stage=Stage.LOAD,
        outcome=Outcome.FAILED,
        reason=Reason(line["reason"]),
        message=line["message"],
        exception=exception,
    )
    case = Case(id="", artifact=artifact.path, runtime="lab", device=Device.CPU, loader=loader)
    diagnosis = explain(artifact, case, Runtime(name="lab"), lock, CaseResult(case="", stages=(stage,)))
    return diagnosis.cause if diagnosis else ""


# --- learning -----------------------------------------------------------------------------------------------------


def learn(measured: Iterable[Load]) -> Table:
    by_line: defaultdict[tuple[str, str], list[Load]] = defaultdict(list)
    for load in measured:
        by_line[load.subject, load.line].append(load)
    numbers: dict[str, int] = {}
    knowledge = tuple(known_of(subject, line, each, numbers) for (subject, line), each in sorted(by_line.items()))
    return Table(
        measured="",
        command=COMMAND,
        loads=sum(len(each) for each in by_line.values()),
        traits=tuple(numbers),
        knowledge=knowledge,
    )


def known_of(subject: str, line: str, measured: Sequence[Load], numbers: dict[str, int]) -> Knowledge:
    versions = sorted({load.version for load in measured}, key=Version)
    good: Counter[str] = Counter()
    varying: Counter[str] = Counter()
    obstacles: dict[tuple[frozenset[str], str], list[int]] = {}
    for index, version in enumerate(versions):
        here = [load for load in measured if load.version == version]
        well = frozenset().union(*(load.traits for load in here if load.loaded))
        for trait in well:
            good[trait] |= 1 << index
        for trait in set(unexplained(here, well)):
            varying[trait] |= 1 << index
        for traits, cause, number in blamed(here, well):
            entry = obstacles.setdefault((traits, cause), [0, 0])
            entry[0] |= 1 << index
            entry[1] += number

    def number_of(trait: str) -> int:
        return numbers.setdefault(trait, len(numbers))

    return Knowledge(
        subject=subject,
        line=line,
        versions=tuple(versions),
        loads=tuple(sum(load.version == version for load in measured) for version in versions),
        good={str(number_of(trait)): f"{bits:x}" for trait, bits in sorted(good.items())},
        varying={str(number_of(trait)): f"{bits:x}" for trait, bits in sorted(varying.items())},
        obstacles=tuple(
            Obstacle(traits=tuple(sorted(map(number_of, traits))), at=at, cause=cause, loads=count)
            for (traits, cause), (at, count) in sorted(
                obstacles.items(), key=lambda entry: (sorted(entry[0][0]), entry[0][1])
            )
        ),
    )


def blamed(here: Sequence[Load], well: frozenset[str]) -> Iterator[tuple[frozenset[str], str, int]]:
    """The least sets of traits that never loaded, each with its most frequent cause and the number of its failures."""
    failed = [(load, load.traits - well) for load in here if not load.loaded]
    of_trait: defaultdict[str, list[frozenset[str]]] = defaultdict(list)
    for _, suspects in failed:
        for trait in suspects:
            of_trait[trait].append(suspects)
    candidates = {suspects for _, suspects in failed if suspects}
    candidates |= {frozenset([trait]) for trait, sets in of_trait.items() if len(sets) >= MANY and is_broad(trait)}
    candidates |= {frozenset.intersection(*sets) for sets in of_trait.values() if len(sets) >= ENOUGH}
    least = {each for each in candidates if not any(other < each for other in candidates)}
    for traits in least:
        causes = Counter(load.cause for load, suspects in failed if traits <= suspects)
        yield traits, causes.most_common(1)[0][0], causes.total()


def unexplained(here: Sequence[Load], well: frozenset[str]) -> Iterator[str]:
    """Of what fails with traits that are all well elsewhere, the trait that is most often among the failures."""
    riddles = [load for load in here if not load.loaded and load.traits <= well]
    if not riddles:
        return
    failed = Counter(trait for load in riddles for trait in load.traits)
    seen = Counter(trait for load in here for trait in load.traits)
    for load in riddles:
        yield max(load.traits, key=lambda trait: (failed[trait] / seen[trait], trait))


# --- validating ---------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Score:
    right: int = 0
    wrong_will_load: int = 0
    wrong_will_not: int = 0
    not_known: int = 0
    wrong: Counter[str] = None  # type: ignore[assignment]  # made below
    missing: Counter[str] = None  # type: ignore[assignment]  # made below

    def __post_init__(self) -> None:
        self.wrong, self.missing = Counter(), Counter()

    @property
    def predicted(self) -> int:
        return self.right + self.wrong_will_load + self.wrong_will_not

    @property
    def total(self) -> int:
        return self.predicted + self.not_known

    def add(self, load: Load, judgement: Judgement | None) -> None:
        if judgement is None or judgement.unknown is not None:
            self.not_known += 1
            self.missing[f"{load.subject} {load.line}: {judgement.unknown if judgement else 'nothing measured'}"] += 1
        elif (judgement.obstacle is None) == load.loaded:
            self.right += 1
        else:
            if judgement.obstacle is None:
                self.wrong_will_load += 1
            else:
                self.wrong_will_not += 1
            names = table_names(judgement)
            self.wrong[f"{load.id} in {load.runtime} {load.subject}: {load.cause or 'loads'}; {names}"] += 1

    def __str__(self) -> str:
        share = 100 / max(1, self.total)
        return (
            f"{self.total} loads: predicted {self.predicted * share:.2f} %, of those right "
            f"{100 * self.right / max(1, self.predicted):.2f} %, wrong 'will load' "
            f"{100 * self.wrong_will_load / max(1, self.predicted):.2f} %"
        )


def table_names(judgement: Judgement) -> str:
    return f"obstacle {judgement.obstacle}" if judgement.obstacle else ""


def judged(load: Load, known: Mapping[tuple[str, str], Experience]) -> Judgement | None:
    experience = known.get((load.subject, load.line))
    return experience.judge(load.traits, Version(load.version), load.saver) if experience else None


def release_name(saver: str) -> str:
    """`tf2.16` for both of its Keras."""
    return saver.partition("-")[0]


def validate(measured: Sequence[Load], is_held_to: Callable[[Load], bool]) -> Score:
    """Leave out each saver in turn, learn from the rest, and predict what it saved."""
    score = Score()
    for saver in sorted({release_name(saver) for load in measured for saver in load.savers}):
        own: list[Load] = []
        others: list[Load] = []
        for load in measured:
            (own if {release_name(each) for each in load.savers} == {saver} else others).append(load)
        if not any(map(is_held_to, own)):
            continue
        known = dict(experiences(learn(others)))
        before = Score()
        for load in filter(is_held_to, own):
            judgement = judged(load, known)
            score.add(load, judgement)
            before.add(load, judgement)
        print(saver, before, flush=True)  # noqa: T201 - a program that prints what it measures
    return score


def main() -> None:
    step, root = sys.argv[1], Place(Path(sys.argv[2]))
    measured = list(loads(root))
    if step == "validate":
        score = validate(measured, lambda load: not load.id.startswith(("parts/", "graphs/")))
        print(score)  # noqa: T201
        for title, counts in (("wrong", score.wrong), ("not known", score.missing)):
            print(title)  # noqa: T201
            for text, number in counts.most_common(40):
                print("  ", number, text[:400])  # noqa: T201
    if step == "learn":
        TABLE.write_bytes(msgspec.json.encode(learn(measured)))


if __name__ == "__main__":
    main()
