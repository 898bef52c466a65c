"""The loads that were made, as far as a prediction has to do with them: what was loaded, where, and whether it did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from packaging.version import Version

from lab.place import locks_in
from lab.table import KEPT, raw
from loadgate.diagnosis.experience import release_of
from loadgate.diagnosis.explain import explain
from loadgate.diagnosis.target import Target, place_of, target_of
from loadgate.diagnosis.traits import place_of_saver, traits_of
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One load that was made."""

    id: str
    savers: tuple[str, ...]
    """Who wrote the file; of a part also who wrote others of the very same constructs, which were not loaded."""
    is_part: bool
    subject: str
    line: str
    version: str
    runtime: str
    traits: frozenset[str]
    saver: Version | None
    """The version that wrote it, where it stands on the same line."""
    loaded: bool
    cause: str
    """What loadgate says of it after the load; empty where it loaded."""


def past_loads(folder: Path = KEPT) -> Iterator[Load]:
    """Of the catalogue and of the parts. What ran out of memory says more of the machine than of the file."""
    locks = {**locks_in(folder / "runtimes.json"), **locks_in(folder / "between.json")}
    targets = {
        (name, imports): target_of(lock, imports=imports) for name, lock in locks.items() for imports in (False, True)
    }
    for artifacts, loads in (("artifacts", "loads"), ("parts", "part_loads")):
        known = {
            line["id"]: (savers_of(line), msgspec.convert(line["artifact"], Artifact))
            for line in raw(artifacts, folder)
        }
        for line in raw(loads, folder):
            if line["artifact"] in known and line.get("reason") != Reason.OUT_OF_MEMORY:
                target = targets[line["runtime"], line.get("imports", False)]
                yield from load_of(line, *known[line["artifact"]], locks[line["runtime"]], target)


def savers_of(line: dict[str, Any]) -> tuple[str, ...]:
    return tuple(line["savers"]) if "savers" in line else (line["saver"],)


def load_of(
    line: dict[str, Any], savers: tuple[str, ...], artifact: Artifact, lock: Lock, target: Target
) -> Iterator[Load]:
    loader = Loader(line["loader"])
    place, traits = place_of(target, loader), traits_of(artifact, loader, target)
    if place is None or traits is None:
        return
    loaded = line["exception"] is None and line.get("reason") is None
    yield Load(
        id=line["artifact"],
        savers=savers,
        is_part="imports" not in line,
        subject=f"{artifact.format} by {loader}",
        line=place[0],
        version=".".join(str(part) for part in release_of(place[1])),
        runtime=line["runtime"],
        traits=traits,
        saver=place_of_saver(artifact, place[0]),
        loaded=loaded,
        cause="" if loaded else cause_of(line, artifact, lock, loader),
    )


def cause_of(line: dict[str, Any], artifact: Artifact, lock: Lock, loader: Loader) -> str:
    raised = line["exception"]
    stage = StageResult(
        stage=Stage.LOAD,
        outcome=Outcome.FAILED,
        reason=Reason(line.get("reason", Reason.EXCEPTION)),
        message=line.get("message", ""),
        exception=ExceptionInfo(**{**raised, "chain": tuple(raised["chain"])}) if raised else None,
    )
    case = Case(id="", artifact=artifact.path, runtime="lab", device=Device.CPU, loader=loader)
    diagnosis = explain(artifact, case, Runtime(name="lab"), lock, CaseResult(case="", stages=(stage,)))
    return diagnosis.cause if diagnosis else ""
