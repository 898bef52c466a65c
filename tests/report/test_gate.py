from __future__ import annotations

from dataclasses import replace

import pytest

from loadgate.domain import FailOn, Policy, Reason, Stage, StageResult
from loadgate.report.gate import judged
from loadgate.report.truth import Change, Report
from tests.report.sample_run import failed, passed, skipped, small_run

CRASHED = failed(Reason.CRASHED, "SIGSEGV")
DOES_NOT_RUN = failed(Reason.CRASHED, "SIGSEGV", stage=Stage.INFER)
NEW = Policy(fail_on=FailOn.NEW)


def run(stage: StageResult | None, path: str = "a.h5", policy: Policy = NEW) -> Report:
    return small_run({path: {"serving": stage}}, policy=policy).report


@pytest.mark.parametrize(
    ("before", "now", "exit_status", "change"),
    [
        (passed(), CRASHED, 1, Change.NEWLY_BROKEN),
        (CRASHED, CRASHED, 0, Change.STILL_BROKEN),
        (CRASHED, passed(), 0, Change.FIXED),
        (passed(), passed(), 0, None),
        (DOES_NOT_RUN, CRASHED, 1, Change.NEWLY_BROKEN),
        (CRASHED, DOES_NOT_RUN, 0, Change.STILL_BROKEN),
        (None, CRASHED, 1, Change.NEWLY_BROKEN),
        (skipped(Reason.NO_GPU, "no GPU"), CRASHED, 1, Change.NEWLY_BROKEN),
        (CRASHED, None, 3, None),
    ],
)
def test_fail_on_new_blocks_what_was_not_broken_before(
    before: StageResult | None, now: StageResult | None, exit_status: int, change: Change | None
) -> None:
    report = judged(run(now), run(before))

    assert report.exit_status == exit_status
    assert report.cases[0].change is change


def test_what_does_not_count_is_said() -> None:
    report = judged(run(CRASHED), run(CRASHED))

    assert report.notes[-1] == "policy: fail-on is new; 1 failure of the base branch does not count"


def test_without_a_report_of_the_base_branch_every_failure_counts_and_that_is_said() -> None:
    report = run(CRASHED)

    assert report.exit_status == 1
    assert report.notes == (
        "policy: fail-on is new and there is no report of the base branch, so every failure counts",
    )


def test_a_broken_artifact_that_was_only_moved_is_not_newly_broken() -> None:
    base = run(CRASHED, "old/a.h5")
    moved = run(CRASHED, "new/a.h5")
    artifact = replace(moved.artifacts[0], digest=base.artifacts[0].digest)

    assert judged(replace(moved, artifacts=(artifact,)), base).cases[0].change is Change.STILL_BROKEN


def test_another_artifact_with_other_bytes_is_newly_broken() -> None:
    base, now = run(CRASHED, "a.h5"), run(CRASHED, "b.h5")
    other = replace(now.artifacts[0], digest="sha256:other")

    assert judged(replace(now, artifacts=(other,)), base).cases[0].change is Change.NEWLY_BROKEN


def test_the_call_goes_before_the_policy() -> None:
    report = run(CRASHED, policy=Policy(fail_on=FailOn.ANY))

    assert judged(report, fail_on=FailOn.NEVER).exit_status == 0
    assert judged(report, report, fail_on=FailOn.NEW).exit_status == 0
    assert judged(report, report).exit_status == 1
