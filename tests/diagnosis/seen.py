"""Loads that really happened: what `seen.yml` and `silent.yml` hold, as the domain's own records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml

from loadgate.domain import Artifact, Case, CaseResult, Device, Loader, Lock, Runtime, StageResult

HERE = Path(__file__).parent
PASSED = {"stage": "load", "outcome": "passed"}


@dataclass(frozen=True, kw_only=True)
class Failure:
    cause: str
    artifact: Artifact
    case: Case
    runtime: Runtime
    lock: Lock
    result: CaseResult

    @property
    def stage(self) -> StageResult:
        return self.result.stages[0]

    def __str__(self) -> str:
        keras = f", Keras {self.lock.keras}" if self.lock.keras else ""
        return f"TensorFlow {self.lock.tensorflow}{keras}, Python {self.lock.python}"


@cache
def failures() -> tuple[Failure, ...]:
    return _read("seen.yml")


@cache
def silent_changes() -> tuple[Failure, ...]:
    """Loads that passed, and of which the lab saw other outputs than the saver's."""
    return _read("silent.yml")


def _read(name: str) -> tuple[Failure, ...]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = (HERE / name).read_text(encoding="utf-8")
    return tuple(map(_failure, yaml.load(text, Loader=loader)))  # noqa: S506 - a safe loader either way


def _failure(entry: Mapping[str, Any]) -> Failure:
    artifact = msgspec.convert(entry["artifact"], Artifact)
    lock = msgspec.convert({"digest": "", "interpreter": "", "implementation": "CPython"} | entry["lock"], Lock)
    stage = msgspec.convert(entry["stage"] | {"outcome": "failed"} if "stage" in entry else PASSED, StageResult)
    runtime = Runtime(name="serving", env=entry.get("env", {}))
    case = Case(id="1", artifact=artifact.path, runtime="serving", device=Device.CPU, loader=Loader(entry["loader"]))
    return Failure(
        cause=entry["cause"],
        artifact=artifact,
        case=case,
        runtime=runtime,
        lock=lock,
        result=CaseResult(case="1", stages=(stage,)),
    )
