"""What `fix` says with its exit status."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from loadgate.diagnosis.attempts import Rounds
from loadgate.domain import (
    CaseResult,
    Finding,
    FindingKind,
    Locks,
    Outcome,
    Plan,
    Reason,
    Remedy,
    RemedyKind,
    RuntimeState,
    Stage,
    StageResult,
)
from loadgate.phases.fix import Fixed, about, exit_status, path_in, repository_of
from tests.diagnosis.failing import keras_2_file_in_keras_3

FAILURE = keras_2_file_in_keras_3()
PLAN = Plan(artifacts=(FAILURE.artifact,), runtimes=(FAILURE.runtime,), cases=(FAILURE.case,))
MADE = RuntimeState(name=FAILURE.runtime.name, lock=FAILURE.lock)
BROKEN = RuntimeState(
    name=FAILURE.runtime.name, finding=Finding(kind=FindingKind.IMPORT, cause="numpy_2", headline="NumPy 2")
)


def fixed(state: RuntimeState, *results: CaseResult) -> Fixed:
    report = about(FAILURE.artifact.path, PLAN, Locks(runtimes=(state,)), results)
    return Fixed(report=report, rounds=Rounds.of(Plan(), Locks(), ()))


def result(outcome: Outcome, reason: Reason | None) -> CaseResult:
    return CaseResult(
        case=FAILURE.case.id, stages=(StageResult(stage=Stage.LOAD, outcome=outcome, reason=reason, message="no"),)
    )


@pytest.mark.parametrize("reason", [Reason.IMPORTS, Reason.PROBE])
def test_there_is_no_verdict_where_the_load_was_not_tried_for_another_reason_than_the_artifact(reason: Reason) -> None:
    assert exit_status(fixed(MADE, result(Outcome.ERROR, reason))) == 3


def test_there_is_no_verdict_where_the_case_was_not_reached() -> None:
    assert exit_status(fixed(MADE)) == 3


@pytest.mark.parametrize(("verified", "status"), [(True, 0), (False, 3)])
def test_a_runtime_that_could_not_be_made_is_mended_by_a_repair_that_was_verified(verified: bool, status: int) -> None:
    whole = fixed(BROKEN)
    remedy = Remedy(kind=RemedyKind.PACKAGE, headline="Require `numpy<2`", verified=verified)
    runtimes = tuple(replace(each, remedies=(remedy,)) for each in whole.report.runtimes)
    assert exit_status(replace(whole, report=replace(whole.report, runtimes=runtimes))) == status


@pytest.mark.parametrize(
    ("outcome", "reason", "status"), [(Outcome.PASSED, None, 0), (Outcome.FAILED, Reason.EXCEPTION, 1)]
)
def test_what_loads_needs_no_remedy_and_what_does_not_needs_one(
    outcome: Outcome, reason: Reason | None, status: int
) -> None:
    assert exit_status(fixed(MADE, result(outcome, reason))) == status


def test_an_artifact_may_be_named_from_a_folder_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "inner" / ".git").mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    (tmp_path / "models").mkdir()
    (tmp_path / FAILURE.artifact.path).write_bytes(b"")
    monkeypatch.chdir(tmp_path / "inner")
    named = Path("..", FAILURE.artifact.path)
    assert repository_of(named) == tmp_path
    for root in (tmp_path, Path("..")):
        assert path_in(root, named, PLAN) == FAILURE.artifact.path
