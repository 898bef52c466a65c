"""What loads in another runtime of the same run, as the remedy that is left where nothing nearer mends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from loadgate.asked import of_environment
from loadgate.diagnosis.attempts import Attempt, Rounds, attempts
from loadgate.diagnosis.changes import Failure
from loadgate.diagnosis.elsewhere import loads_elsewhere, seen_elsewhere
from loadgate.diagnosis.remedy import Findings, options, plan_of
from loadgate.diagnosis.seen import results_of, states_of
from loadgate.domain import (
    Case,
    CaseResult,
    Device,
    Loader,
    Outcome,
    Plan,
    Remedy,
    Requirement,
    Runtime,
    RuntimeState,
    Stage,
    StageResult,
)

from .failing import keras_2_file_in_keras_3, lock_of

SERVING = Runtime(
    name="serving",
    python="3.10",
    tensorflow="2.15.1",
    requirements=(Requirement(text="numpy==1.26.4"), Requirement(text="fastapi==0.110.0")),
)
OLDER = Runtime(name="older", python="3.9", tensorflow="2.9.3")
LOCKS = {
    "next": lock_of("2.18.1", "3.8.0"),
    "serving": lock_of("2.15.1", "2.15.0", python="3.10.13"),
    "older": lock_of("2.9.3", "2.9.0", python="3.9.18"),
}


def passed_in(runtime: str, artifact: str = "models/old.h5", loader: Loader = Loader.KERAS) -> Case:
    return Case(id=f"{artifact} in {runtime}", artifact=artifact, runtime=runtime, device=Device.CPU, loader=loader)


def run_of(failure: Failure, *passed: Case, runtimes: tuple[Runtime, ...] = (SERVING, OLDER)) -> Findings:
    every = (failure.runtime, *runtimes)
    stages = (StageResult(stage=Stage.LOAD, outcome=Outcome.PASSED),)
    artifacts = {path: replace(failure.artifact, path=path) for path in (case.artifact for case in passed)}
    return Findings(
        plan=Plan(
            artifacts=tuple({**artifacts, failure.artifact.path: failure.artifact}.values()),
            runtimes=every,
            cases=(failure.case, *passed),
        ),
        states={
            each.name: RuntimeState(name=each.name, lock=LOCKS[each.name], asked=of_environment(each)) for each in every
        },
        failures=(failure,),
        passed=passed,
        results={case.id: CaseResult(case=case.id, stages=stages, seconds=2.0) for case in passed},
    )


def looked_up(findings: Findings) -> tuple[Attempt, ...]:
    """What comes of it where nothing is made and nothing is loaded."""
    plan = plan_of(loads_elsewhere(findings, {"old"}), findings)
    results = results_of(plan, [(findings.plan, findings.results)])
    tried = attempts(Rounds(plan, states_of(plan.runtimes, findings.states.values()), results))
    return tried.get("old", ())


def remedy_of(findings: Findings) -> Remedy:
    (attempt,) = looked_up(findings)
    return attempt.remedy


def test_what_loads_in_another_runtime_is_verified_by_that_load_and_says_where() -> None:
    remedy = remedy_of(run_of(keras_2_file_in_keras_3(), passed_in("serving")))
    assert remedy.verified
    assert remedy.headline == "Use TensorFlow 2.15.1 on Python 3.10 instead of 2.18.1, as in `serving`"
    assert remedy.tried_in == "TensorFlow 2.15.1, Keras 2.15.0, Python 3.10.13"


@pytest.mark.parametrize(
    "more",
    [
        {"requirements": (Requirement(text="scipy==1.14.1"),)},
        {"env": {"KERAS_BACKEND": "tensorflow"}},
        {"imports": ("models.layers",)},
        {"interpreter": "/opt/python"},
    ],
    ids=["packages", "variables", "imports", "interpreter"],
)
def test_what_the_other_runtime_did_not_have_was_not_tried_there(more: dict[str, Any]) -> None:
    failure = keras_2_file_in_keras_3()
    run = run_of(replace(failure, runtime=replace(failure.runtime, **more)), passed_in("serving"))
    assert looked_up(run) == ()
    assert seen_elsewhere(run) == frozenset()


def test_what_only_the_other_runtime_imports_was_not_tried_here() -> None:
    importing = replace(SERVING, imports=("models.layers",))
    run = run_of(keras_2_file_in_keras_3(), passed_in("serving"), runtimes=(importing, OLDER))
    assert looked_up(run) == ()


def test_of_several_the_one_with_the_nearest_tensorflow_is_told() -> None:
    remedy = remedy_of(run_of(keras_2_file_in_keras_3(), passed_in("older"), passed_in("serving")))
    assert remedy.headline.endswith("as in `serving`")


def test_one_that_makes_the_same_call_is_nearer_than_any_that_makes_another() -> None:
    run = run_of(keras_2_file_in_keras_3(), passed_in("serving", loader=Loader.TF_KERAS), passed_in("older"))
    assert remedy_of(run).headline.endswith("as in `older`")


def test_what_loaded_so_far_and_not_there_is_told() -> None:
    failure = keras_2_file_in_keras_3()
    fine = passed_in("next", "models/fine.h5")
    run = run_of(failure, passed_in("serving"), fine)
    there = replace(passed_in("serving", "models/fine.h5"), id="fine there")
    stages = (StageResult(stage=Stage.LOAD, outcome=Outcome.FAILED, message="TypeError: no"),)
    run = replace(
        run,
        plan=replace(run.plan, cases=(*run.plan.cases, there)),
        results={**run.results, there.id: CaseResult(case=there.id, stages=stages)},
    )
    assert remedy_of(run).breaks == ("models/fine.h5",)


def test_the_lines_of_the_other_runtime_that_decide_no_load_are_its_own() -> None:
    (option,) = loads_elsewhere(run_of(keras_2_file_in_keras_3(), passed_in("serving")), {"old"})
    assert option.change.packages == ("numpy==1.26.4",)
    assert not option.makes_environment


def test_a_runtime_of_the_same_versions_is_no_remedy() -> None:
    alike = replace(keras_2_file_in_keras_3().runtime, name="serving")
    run = run_of(keras_2_file_in_keras_3(), passed_in("serving"), runtimes=(alike,))
    states = {**run.states, "serving": replace(run.states["serving"], lock=LOCKS["next"])}
    assert loads_elsewhere(replace(run, states=states), {"old"}) == ()


def test_for_what_loads_in_another_runtime_only_what_is_nearer_is_tried() -> None:
    run = run_of(keras_2_file_in_keras_3(), passed_in("serving"))
    assert any(option.change.tensorflow for option in options(run))
    changes = [option.change for option in options(run, seen_elsewhere(run))]
    assert [change.env for change in changes] == [{"TF_USE_LEGACY_KERAS": "1"}]
