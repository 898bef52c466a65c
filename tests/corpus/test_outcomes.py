"""Real models in the runtimes in which somebody loaded them one by one: each outcome must be the one that was seen."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from loadgate.artifacts.discover import discover, read_artifact
from loadgate.domain import Case, CaseResult, Device, Loader, Outcome, Plan, Requirement, Runtime
from loadgate.interchange import read_results
from loadgate.phases.load import load
from loadgate.phases.provision import provision
from loadgate.progress import Silent

CORPUS = Path(os.environ.get("LOADGATE_CORPUS", Path(__file__).parents[3] / "shared" / "corpus"))

pytestmark = [
    pytest.mark.runtime,
    pytest.mark.skipif(not (CORPUS / "truth.json").is_file(), reason="the corpus is not here; set LOADGATE_CORPUS"),
]

LOADERS = {
    "keras.load_model": Loader.KERAS,
    "keras.TFSMLayer": Loader.KERAS_LAYER,
    "saved_model.load": Loader.SAVED_MODEL,
    "import_graph_def": Loader.GRAPH_DEF,
    "import_meta_graph": Loader.META_GRAPH,
    "load_checkpoint": Loader.CHECKPOINT,
    "tflite": Loader.TFLITE,
}
RUNTIMES = ("tf1.15.5", "tf2.4.4", "tf2.9.3", "tf2.15.1", "tf2.16.2", "tf2.16.2-legacykeras", "tf2.21.0")


@cache
def truth() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((CORPUS / "truth.json").read_text())
    return content


def runtime_named(name: str) -> Runtime:
    """A runtime with the very versions that the truth was seen in."""
    pins = dict(truth()["runtimes"][name])
    python = pins.pop("python").rpartition(".")[0]
    tensorflow = pins.pop("tensorflow-cpu", None)
    tensorflow = pins.pop("tensorflow", tensorflow)
    return Runtime(
        name=name,
        python=python,
        tensorflow=tensorflow,
        requirements=tuple(Requirement(text=f"{package}=={version}") for package, version in pins.items()),
        env={"TF_USE_LEGACY_KERAS": "1"} if "legacykeras" in name else {},
    )


def comparable(row: dict[str, Any], paths: frozenset[str]) -> bool:
    """Whether a row is about an artifact, and about files that are in the corpus."""
    if row["id"] not in paths:
        return False
    # of one checkpoint the truth was seen with a .meta file that the corpus does not hold
    return bool(row["api"] != "import_meta_graph" or (CORPUS / "files" / (row["id"] + ".meta")).is_file())


def what_happened(result: CaseResult) -> tuple[Outcome, str | None]:
    """The outcome, and the exception's type: a load with other code than production's would raise something else."""
    exception = result.stages[0].exception
    return result.outcome, exception.type if exception else None


@pytest.mark.parametrize("name", RUNTIMES)
def test_every_outcome_and_exception_is_the_one_that_was_seen(name: str, runtimes_cache: Path, tmp_path: Path) -> None:
    root = CORPUS / "files"
    artifacts = tuple(read_artifact(root, sighting) for sighting in discover(root))
    paths = frozenset(artifact.path for artifact in artifacts)
    rows = [row for row in truth()["results"] if row["runtime"] == name and comparable(row, paths)]
    cases = {
        f"{number:04d}": Case(
            id=f"{number:04d}", artifact=row["id"], runtime=name, device=Device.CPU, loader=LOADERS[row["api"]]
        )
        for number, row in enumerate(rows)
    }
    plan = Plan(repository=str(root), artifacts=artifacts, runtimes=(runtime_named(name),), cases=tuple(cases.values()))
    locks = provision(plan, runtimes_cache, progress=Silent())
    assert locks.runtimes[0].lock is not None, locks.runtimes[0].finding
    results = tmp_path / "results.jsonl"
    with results.open("wb") as stream:
        load(plan, locks, stream, Silent())
    seen = {result.case: what_happened(result) for result in read_results(results)}
    expected = {
        number: (Outcome.PASSED, None) if row["outcome"] == "ok" else (Outcome.FAILED, row["exception"])
        for number, row in zip(cases, rows, strict=True)
    }
    different = {
        f"{cases[number].artifact} by {cases[number].loader}": (seen.get(number), outcome)
        for number, outcome in expected.items()
        if seen.get(number) != outcome
    }
    assert different == {}
    assert len(rows) > 80
