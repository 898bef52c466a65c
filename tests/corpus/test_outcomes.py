"""Real models in the runtimes in which somebody loaded them one by one: each outcome must be the one that was seen."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab.corpus import CORPUS, IS_HERE, LOADERS, RUNTIMES, WHERE, comparable, runtime_named, truth

from loadgate.artifacts.discover import discover, read_artifact
from loadgate.domain import Case, CaseResult, Device, Outcome, Plan
from loadgate.interchange import read_results
from loadgate.phases.load import load
from loadgate.phases.provision import provision
from loadgate.progress import Silent

pytestmark = [
    pytest.mark.runtime,
    pytest.mark.skipif(not IS_HERE, reason=WHERE),
]


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
