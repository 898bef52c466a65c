"""How often a failure of the lab would get a verified remedy, by look-up in what the lab loaded: nothing is run.

    .venv/bin/python script/remedies_by_lookup.py FOLDER [EVERY]

With EVERY, only each so-manieth failure is looked at, spread over all of them.
FOLDER is the lab's own, with runtimes.json, artifacts.jsonl and loads.jsonl. Counted is every failure of an artifact
that some runtime of the lab loads. It is mended where one of the changes that `check` would try within its default
bounds, for this failure alone, leads to a runtime and a loader in which the lab saw it load.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from packaging.version import Version

from loadgate.diagnosis import releases
from loadgate.diagnosis.change import Change
from loadgate.diagnosis.changes import LEGACY_KERAS, Failure
from loadgate.diagnosis.definitions import Definition
from loadgate.diagnosis.explain import explain
from loadgate.diagnosis.remedy import Findings, in_order, options
from loadgate.domain import (
    Artifact,
    Case,
    CaseResult,
    Device,
    ExceptionInfo,
    Loader,
    Lock,
    Outcome,
    Plan,
    Reason,
    RemedyBounds,
    Runtime,
    Stage,
    StageResult,
)

SHOWN = 25


@dataclass(frozen=True)
class Lab:
    locks: Mapping[str, Lock]
    artifacts: Mapping[str, Artifact]
    loads: tuple[Mapping[str, Any], ...]
    loaded: Mapping[str, frozenset[tuple[str, str, bool]]]
    """Artifact → runtime, loader and whether its module was imported, wherever it loaded."""


def read(folder: Path) -> Lab:
    locks = msgspec.json.decode((folder / "runtimes.json").read_bytes(), type=dict[str, Lock | None])
    artifacts = {}
    for row in rows(folder / "artifacts.jsonl"):
        artifacts[row["id"]] = msgspec.convert(row["artifact"], Artifact)
    loads = tuple(rows(folder / "loads.jsonl"))
    loaded: dict[str, set[tuple[str, str, bool]]] = defaultdict(set)
    for row in loads:
        if row["reason"] is None:
            loaded[row["artifact"]].add((row["runtime"], row["loader"], bool(row["imports"])))
    known = {name: lock for name, lock in locks.items() if lock is not None}
    return Lab(known, artifacts, loads, {name: frozenset(found) for name, found in loaded.items()})


def rows(path: Path) -> Iterator[Mapping[str, Any]]:
    for line in path.read_text().splitlines():
        yield json.loads(line)


def failure_of(row: Mapping[str, Any], lab: Lab) -> Failure | None:
    artifact, lock = lab.artifacts[row["artifact"]], lab.locks[row["runtime"]]
    legacy = row["runtime"].endswith("-tfkeras")
    runtime = Runtime(
        name=row["runtime"],
        python=releases.minor_of(lock.python),
        tensorflow=lock.tensorflow,
        keras=lock.keras if row["runtime"].endswith("-keras3") else None,
        env={LEGACY_KERAS: "1"} if legacy else {},
        imports=("lab",) if row["imports"] else (),
    )
    case = Case(
        id="case", artifact=artifact.path, runtime=runtime.name, device=Device.CPU, loader=Loader(row["loader"])
    )
    raised = row["exception"]
    exception = msgspec.convert(raised, ExceptionInfo) if raised else None
    stage = StageResult(
        stage=Stage.LOAD,
        outcome=Outcome.FAILED,
        reason=Reason(row["reason"]),
        message=row.get("message", ""),
        exception=exception,
    )
    diagnosis = explain(artifact, case, runtime, lock, CaseResult(case="case", stages=(stage,)))
    if diagnosis is None:
        return None
    names = {found.name for found in artifact.facts.custom_objects} if artifact.facts else set()
    defined = {
        name: (Definition(name=name, module="lab", file="lab.py", line=1, registered_as=None),) for name in names
    }
    return Failure(case=case, artifact=artifact, runtime=runtime, lock=lock, diagnosis=diagnosis, definitions=defined)


def place_of(change: Change, failure: Failure, lab: Lab) -> tuple[str, str, bool] | None:
    """Where the lab did what the change asks for; None where it did nothing of the kind.

    The lab has one Keras 3 beside each TensorFlow. Of a Keras file the Keras decides: another TensorFlow with the
    newest Keras counts as the lab's runtime with that Keras, and so does another Keras beside the same TensorFlow.
    """
    minor = releases.minor_of(change.tensorflow or failure.lock.tensorflow) or ""
    legacy = {**failure.runtime.env, **change.env}.get(LEGACY_KERAS) == "1"
    name = f"tf{minor}"
    if Version(minor) >= Version("2.16"):
        name += "-tfkeras" if legacy else "-keras3"
    if name.endswith("-keras3") and failure.artifact.format in releases.KERAS_FORMATS:
        with_keras_3 = {lock.keras: other for other, lock in lab.locks.items() if other.endswith("-keras3")}
        if change.keras or change.tensorflow:
            wanted = change.keras or max(filter(None, with_keras_3), key=Version)
            name = with_keras_3.get(wanted, "")
    if name not in lab.locks:
        return None
    loader = change.loader or failure.case.loader
    return name, loader.value, bool(failure.runtime.imports or change.imports)


def mending(failure: Failure, lab: Lab, identity: str) -> Change | None:
    """The first change within the default bounds that leads to where it loads."""
    findings = Findings(plan=Plan(artifacts=(failure.artifact,)), states={}, failures=(failure,))
    for option in in_order(options(findings), environments=RemedyBounds().runtimes):
        for _, change, _ in option.tries:
            if place_of(change, failure, lab) in lab.loaded.get(identity, frozenset()):
                return change
    return None


def is_counted(row: Mapping[str, Any], lab: Lab) -> bool:
    return row["reason"] in set(Reason) and row["artifact"] in lab.loaded and row["runtime"] in lab.locks


def main() -> None:
    lab = read(Path(sys.argv[1]))
    every = int(sys.argv[2]) if len(sys.argv) > len(["program", "folder"]) else 1
    mended: Counter[str] = Counter()
    missed: Counter[tuple[str, str, str, str]] = Counter()
    where: dict[tuple[str, str, str, str], set[str]] = defaultdict(set)
    for row in [row for row in lab.loads if is_counted(row, lab)][::every]:
        failure = failure_of(row, lab)
        if failure is None:
            continue
        change = mending(failure, lab, row["artifact"])
        if change is not None:
            mended[change.kind] += 1
        else:
            key = (row["runtime"], row["artifact"].rsplit("/", 1)[0], row["loader"], failure.diagnosis.cause)
            missed[key] += 1
            where[key] |= {name for name, _, _ in lab.loaded[row["artifact"]]}
    total = mended.total() + missed.total()
    share = mended.total() / total if total else 0.0
    print(f"{mended.total():,} of {total:,} failures that some runtime of the lab loads are mended: {share:.1%}")
    print("by", ", ".join(f"{kind} {number:,}" for kind, number in mended.most_common()))
    for key, number in missed.most_common(SHOWN):
        print(f"{number:5} not mended:", *key, "| loads in", ", ".join(sorted(where[key])))


main()
