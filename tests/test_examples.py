"""The repository in examples/, whose expected.json was measured with plain TensorFlow and without loadgate."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadgate import interchange
from loadgate.artifacts.discover import discover
from loadgate.domain import Format, Stage, StageResult
from loadgate.phases.load import load
from loadgate.phases.plan import plan
from loadgate.phases.provision import provision
from loadgate.progress import Silent

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


LOAD = Stage.LOAD

Stages = dict[tuple[str, str, Stage], StageResult]
"""By artifact, runtime and stage."""


@pytest.fixture(scope="module")
def stages(runtimes_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Stages:
    declared = plan(EXAMPLES)
    planned = replace(declared, checks=replace(declared.checks, compile=True))
    locks = provision(planned, runtimes_cache, progress=Silent())
    file = tmp_path_factory.mktemp("examples") / "results.jsonl"
    with file.open("wb") as results:
        load(planned, locks, results, Silent())
    cases = {case.id: case for case in planned.cases}
    return {
        (cases[result.case].artifact, cases[result.case].runtime, stage.stage): stage
        for result in interchange.read_results(file)
        for stage in result.stages
    }


@pytest.mark.runtime
def test_every_example_loads_or_fails_exactly_where_plain_tensorflow_does(expected: Any, stages: Stages) -> None:
    loads = {(path, runtime): found.outcome.value for (path, runtime, stage), found in stages.items() if stage is LOAD}
    assert loads == {
        (path, runtime): answer["outcome"]
        for path, artifact in expected["artifacts"].items()
        for runtime, answer in artifact["runtimes"].items()
    }


@pytest.mark.runtime
def test_every_failure_is_the_exception_that_plain_tensorflow_raises(expected: Any, stages: Stages) -> None:
    measured = {
        (path, runtime): answer["error"]
        for path, artifact in expected["artifacts"].items()
        for runtime, answer in artifact["runtimes"].items()
        if "error" in answer
    }
    raised = {where: stages[*where, LOAD].exception for where in measured}
    kinds = {where: exception.type.rpartition(".")[2] for where, exception in raised.items() if exception}
    assert kinds == {where: error.partition(":")[0].rpartition(".")[2] for where, error in measured.items()}


@pytest.mark.runtime
def test_what_loads_compiles_exactly_where_plain_tensorflow_compiles_it(expected: Any, stages: Stages) -> None:
    measured = {
        (path, runtime): answer["compiled"]["outcome"]
        for path, artifact in expected["artifacts"].items()
        for runtime, answer in artifact["runtimes"].items()
        if "compiled" in answer
    }
    assert {where: stages[*where, Stage.COMPILE].outcome.value for where in measured} == measured
