"""What the first round came to, as the second needs it."""

from __future__ import annotations

from pathlib import Path

from loadgate.domain import CaseResult, Locks, Outcome, Plan, Reason, RuntimeState, Stage, StageResult
from loadgate.phases.remedies import LEAST_PATIENCE, candidates, findings_of, patience_of
from tests.diagnosis.failing import keras_2_file_in_keras_3


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
