"""A run in parts, as .github/workflows/loadgate.yml splits it over jobs, against the same run in one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.containers import SERVING_RUNTIME
from tests.e2e.acting import Act, Runner
from tests.e2e.conftest import repository

pytestmark = pytest.mark.runtime

SPEC = f"version: 1\nruntimes:\n  serving: {SERVING_RUNTIME}\nremedies: {{try: false}}\n"
ARTIFACTS = ("models/churn/churn_2019.h5", "models/churn/churn_2026.keras", "models/fraud/1")


@pytest.fixture(scope="module")
def workspace(place: Path) -> Path:
    """As the workflow has it: the repository in a folder, what was downloaded in another."""
    folder = place / "sharded"
    (folder / "repository").mkdir(parents=True)
    repository(folder / "repository", SPEC, *ARTIFACTS)
    return folder


@pytest.fixture(scope="module")
def inputs(action_cache: Path) -> dict[str, str]:
    return {"path": "repository", "cache-directory": str(action_cache)}


@pytest.fixture(scope="module")
def parts(runner: Runner, workspace: Path, inputs: dict[str, str]) -> list[Act]:
    first = runner.act(workspace, inputs | {"only": "plan", "shards": "2"})
    shards = json.loads(first.outputs["shards"])
    loads = [runner.act(workspace, inputs | {"only": "load", "shard": shard}) for shard in shards]
    for kept in (runner.place / "store" / "artifacts").glob("loadgate-shard-*"):
        shutil.copytree(kept, workspace / "shards" / kept.name)
    return [first, *loads, runner.act(workspace, inputs | {"only": "report", "results": "shards"})]


def read(act: Act) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(Path(act.outputs["reports"], "report.json").read_text())
    return told


def test_each_part_does_its_own_phases_and_no_other(parts: list[Act]) -> None:
    done = [[step.name for step in act.steps if step.outcome == "success"] for act in parts]
    phases = [[name for name in names if name in ("Provision", "Load", "Report")] for names in done]
    assert phases == [["Provision"], ["Provision", "Load"], ["Provision", "Load"], ["Report"]], parts[0].log


def test_the_parts_of_one_plan_are_loaded_once_each(parts: list[Act]) -> None:
    assert len(parts) == 4
    assert [act.succeeded for act in parts[:3]] == [True, True, True], parts[1].log


def test_the_merged_report_is_that_of_one_job(
    parts: list[Act], runner: Runner, workspace: Path, inputs: dict[str, str]
) -> None:
    merged = read(parts[-1])
    whole = read(runner.act(workspace, inputs))

    def verdicts(report: dict[str, Any]) -> list[tuple[str, str]]:
        return [(case["case"]["artifact"], case["standing"]) for case in report["cases"]]

    assert (verdicts(merged), merged["totals"]) == (verdicts(whole), whole["totals"])
    assert merged["exit_status"] == whole["exit_status"] == 1


def test_a_shard_that_is_missing_is_not_green(
    parts: list[Act], runner: Runner, workspace: Path, inputs: dict[str, str]
) -> None:
    assert parts
    shutil.rmtree(workspace / "shards" / "loadgate-shard-2-of-2")
    act = runner.act(workspace, inputs | {"only": "report", "results": "shards"})
    assert read(act)["partial"] is True
    assert not act.succeeded
