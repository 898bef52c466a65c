"""What the first round came to, as the second needs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from loadgate.diagnosis.remedy import Findings
from loadgate.domain import (
    CaseResult,
    Locks,
    Outcome,
    Plan,
    Reason,
    RemedyBounds,
    Runtime,
    RuntimeState,
    Stage,
    StageResult,
)
from loadgate.phases import remedies
from loadgate.phases.remedies import (
    LEAST_PATIENCE,
    SAVED_AT_ONCE,
    Workbench,
    candidates,
    findings_of,
    patience_of,
)
from loadgate.progress import Progress, Silent
from tests.diagnosis.failing import keras_2_file_in_keras_3, lock_of


def test_each_candidate_has_to_pass_the_stages_in_which_the_artifact_failed(tmp_path: Path) -> None:
    failure = keras_2_file_in_keras_3()
    plan = Plan(
        repository=str(tmp_path), artifacts=(failure.artifact,), runtimes=(failure.runtime,), cases=(failure.case,)
    )
    locks = Locks(runtimes=(RuntimeState(name=failure.runtime.name, lock=failure.lock),))
    stages = (
        StageResult(stage=Stage.LOAD, outcome=Outcome.PASSED),
        StageResult(stage=Stage.COMPILE, outcome=Outcome.FAILED, reason=Reason.EXCEPTION, message="TypeError: no"),
    )
    findings = findings_of(plan, locks, [CaseResult(case=failure.case.id, stages=stages)])
    trials = candidates(findings, plan.remedies).trials
    assert trials
    assert {trial.failed for trial in trials} == {(Stage.COMPILE,)}


def test_a_file_that_loops_for_ever_in_one_candidate_leaves_time_for_the_others() -> None:
    assert patience_of(300, time_left=280) == 140
    assert patience_of(300, time_left=-1) == LEAST_PATIENCE
    assert patience_of(30, time_left=280) == 30


@contextmanager
def silently(**_: object) -> Iterator[Progress]:
    yield Silent()


def test_no_further_re_saves_are_begun_when_the_time_is_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = [keras_2_file_in_keras_3(f"{number}") for number in range(SAVED_AT_ONCE + 1)]
    serving = Runtime(name="serving", python="3.11", tensorflow="2.15.1")
    passed = tuple(replace(each.case, id=f"{each.case.id} there", runtime="serving") for each in failures)
    loaded = StageResult(stage=Stage.LOAD, outcome=Outcome.PASSED)
    locks = {"next": failures[0].lock, "serving": lock_of("2.15.1", "2.15.0")}
    findings = Findings(
        plan=Plan(
            artifacts=tuple(each.artifact for each in failures),
            runtimes=(failures[0].runtime, serving),
            cases=(*(each.case for each in failures), *passed),
        ),
        states={name: RuntimeState(name=name, lock=lock) for name, lock in locks.items()},
        failures=tuple(failures),
        passed=passed,
        results={each.id: CaseResult(case=each.id, stages=(loaded,)) for each in passed},
    )
    bounds = RemedyBounds(runtimes=0, time=1000)
    workbench = Workbench(findings=findings, bounds=bounds, cache=tmp_path, show_progress=silently)
    steps: list[Plan] = []

    def until_the_time_is_up(step: Plan, *_: object) -> None:
        steps.append(step)
        workbench.begun -= bounds.time

    monkeypatch.setattr(remedies, "load", until_the_time_is_up)
    workbench.run()
    (step,) = steps
    assert len([trial for trial in step.trials if trial.resave]) == SAVED_AT_ONCE
