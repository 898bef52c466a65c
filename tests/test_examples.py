"""The repository in examples/, whose expected.json was measured with plain TensorFlow and without loadgate."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadgate import interchange
from loadgate.artifacts.discover import discover
from loadgate.domain import CaseResult, Format, Plan, Stage
from loadgate.phases.load import load
from loadgate.phases.plan import plan
from loadgate.phases.progress import Silent
from loadgate.phases.provision import provision
from loadgate.runtimes.store import default_cache

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture(scope="module")
def expected() -> Any:
    return json.loads((EXAMPLES / "expected.json").read_text())


def test_every_format_is_among_the_examples(expected: Any) -> None:
    assert {artifact["format"] for artifact in expected["artifacts"].values()} == set(Format)


def test_each_runtime_loads_some_of_the_examples_and_refuses_others(expected: Any) -> None:
    seen = {
        (runtime, answer["outcome"])
        for artifact in expected["artifacts"].values()
        for runtime, answer in artifact["runtimes"].items()
    }
    assert seen == {(runtime, outcome) for runtime in ("serving", "next") for outcome in ("passed", "failed")}


def test_discovery_finds_the_models_with_their_formats_and_nothing_else(expected: Any) -> None:
    found = {sighting.path: sighting.format.value for sighting in discover(EXAMPLES)}
    assert found == {path: artifact["format"] for path, artifact in expected["artifacts"].items()}


def test_the_spec_asks_for_the_runtimes_that_were_measured(expected: Any) -> None:
    measured = {name for artifact in expected["artifacts"].values() for name in artifact["runtimes"]}
    assert {runtime.name for runtime in plan(EXAMPLES).runtimes} == measured


def test_the_readme_of_the_examples_says_of_each_model_what_was_measured(expected: Any) -> None:
    rows = {
        cells[1].strip(" `"): tuple("fails" if "**fails**" in cell else "loads" for cell in cells[4:6])
        for cells in (line.split("|") for line in (EXAMPLES / "README.md").read_text().splitlines())
        if len(cells) == 7 and cells[1].startswith(" `")
    }
    told = {"passed": "loads", "failed": "fails"}
    assert rows == {
        path.removeprefix("models/"): tuple(told[artifact["runtimes"][name]["outcome"]] for name in ("serving", "next"))
        for path, artifact in expected["artifacts"].items()
    }


def results_of(planned: Plan, file: Path) -> dict[str, CaseResult]:
    locks = provision(planned, default_cache(os.environ), progress=Silent())
    with file.open("wb") as results:
        load(planned, locks, results, Silent())
    return {result.case: result for result in interchange.read_results(file)}


@pytest.mark.runtime
def test_every_example_loads_or_fails_exactly_where_plain_tensorflow_does(expected: Any, tmp_path: Path) -> None:
    planned = plan(EXAMPLES)
    results = results_of(planned, tmp_path / "results.jsonl")
    outcomes = {(case.artifact, case.runtime): results[case.id].outcome.value for case in planned.cases}
    assert outcomes == {
        (path, runtime): answer["outcome"]
        for path, artifact in expected["artifacts"].items()
        for runtime, answer in artifact["runtimes"].items()
    }


@pytest.mark.runtime
def test_every_example_compiles_exactly_where_plain_tensorflow_compiles_it(expected: Any, tmp_path: Path) -> None:
    planned = plan(EXAMPLES)
    planned = replace(planned, checks=replace(planned.checks, compile=True))
    results = results_of(planned, tmp_path / "results.jsonl")
    answers = {
        (case.artifact, case.runtime): expected["artifacts"][case.artifact]["runtimes"][case.runtime]
        for case in planned.cases
    }
    outcomes = {
        (case.artifact, case.runtime): stage.outcome.value
        for case in planned.cases
        for stage in results[case.id].stages
        if stage.stage is Stage.COMPILE and "compiled" in answers[case.artifact, case.runtime]
    }
    assert outcomes == {
        where: answer["compiled"]["outcome"] for where, answer in answers.items() if "compiled" in answer
    }
