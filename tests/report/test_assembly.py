from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgate.asked import of_environment, of_loads
from loadgate.domain import FailOn, Outcome, Policy, Reason, Stage, StageResult
from loadgate.errors import UsageError
from loadgate.report.assembly import assemble, assemble_shards
from loadgate.report.truth import Standing, Verdict

from .sample_run import LEGACY, NEXT, RUN, SERVING, case_id, failed, passed, result, skipped, small_run

DOES_NOT_LOAD = failed(Reason.EXCEPTION, "the loader raised ValueError")
DIED = StageResult(stage=Stage.LOAD, outcome=Outcome.ERROR, reason=Reason.PROBE, message="the probe died")
NO_GPU = skipped(Reason.NO_GPU, "no GPU is visible")


def test_every_case_of_the_plan_is_in_the_report_in_its_order() -> None:
    assert [case.case for case in RUN.report.cases] == list(RUN.plan.cases)


def test_totals_count_every_case_once() -> None:
    totals = RUN.report.totals

    assert (totals.passed, totals.failed, totals.errors, totals.skipped, totals.not_reached) == (6, 6, 6, 6, 0)
    assert totals.cases == len(RUN.plan.cases)


@given(st.permutations(RUN.results))
def test_the_order_of_results_does_not_matter(results: list) -> None:  # type: ignore[type-arg]  # hypothesis draws it
    assert assemble(RUN.plan, RUN.locks, results) == RUN.report


@given(st.lists(st.integers(0, 3), min_size=len(RUN.results), max_size=len(RUN.results)))
def test_shards_merge_to_the_unsharded_report(shard_of: list[int]) -> None:
    shards = [[r for r, owner in zip(RUN.results, shard_of, strict=True) if owner == shard] for shard in range(4)]

    assert assemble_shards(RUN.plan, RUN.locks, shards) == RUN.report


def test_a_later_result_of_the_same_file_is_a_retry_and_counts() -> None:
    run = small_run({"a.h5": {"serving": DIED}})
    retried = [*run.results, result(case_id("a.h5", "serving"), passed())]

    assert assemble(run.plan, run.locks, retried).totals.passed == 1


@pytest.mark.parametrize(
    ("one", "other", "counts"),
    [
        (DOES_NOT_LOAD, passed(), Standing.FAILED),
        (DIED, passed(), Standing.PASSED),
        (DIED, DOES_NOT_LOAD, Standing.FAILED),
        (NO_GPU, passed(), Standing.PASSED),
        (NO_GPU, DIED, Standing.ERROR),
    ],
)
def test_two_files_that_disagree_are_settled_the_same_way_in_any_order(
    one: StageResult, other: StageResult, counts: Standing
) -> None:
    run = small_run({"a.h5": {"serving": None}})
    shards = [[result(case_id("a.h5", "serving"), stage)] for stage in (one, other)]

    for order in permutations(shards):
        report = assemble_shards(run.plan, run.locks, order)
        assert report.cases[0].standing is counts
        assert any("disagree on 1 case" in note for note in report.notes)


def test_a_case_without_a_result_is_not_reached_and_makes_the_report_partial() -> None:
    run = small_run({"a.h5": {"serving": passed()}, "b.h5": {"serving": None}})

    assert run.report.partial
    assert run.report.cases[1].standing is Standing.NOT_REACHED
    assert run.report.exit_status == 3


def test_a_runtime_that_was_never_made_leaves_its_cases_not_reached() -> None:
    run = small_run({"a.h5": {"serving": None}})
    report = assemble(run.plan, replace(run.locks, runtimes=()), [])

    assert report.runtimes[0].state is None
    assert report.totals.not_reached == 1


def test_cases_of_a_broken_runtime_have_no_verdict_whether_or_not_results_say_so() -> None:
    told = [
        result(case.id, replace(DIED, reason=Reason.RUNTIME, message="a very long story"))
        for case in RUN.plan.cases
        if case.runtime == LEGACY
    ]
    with_lines = assemble(RUN.plan, RUN.locks, [*RUN.results, *told])

    for report in (RUN.report, with_lines):
        of_legacy = [case for case in report.cases if case.case.runtime == LEGACY]
        assert {case.standing for case in of_legacy} == {Standing.ERROR}
        assert {case.message for case in of_legacy} == {"no verdict: runtime legacy could not be made"}
        assert not report.partial


def test_results_of_cases_that_the_plan_does_not_have_are_counted_and_change_nothing() -> None:
    strange = [result("somebody else's case", DOES_NOT_LOAD)]
    report = assemble(RUN.plan, RUN.locks, [*RUN.results, *strange])

    assert report.totals == RUN.report.totals
    assert report.notes[-1] == "1 result is of cases that the plan does not have; ignored"


def test_a_result_for_other_bytes_than_the_plans_is_no_result() -> None:
    run = small_run({"a.h5": {"serving": passed()}})
    stale = [replace(run.results[0], artifact_digest="sha256:" + "f" * 64)]
    report = assemble(run.plan, run.locks, stale)

    assert report.cases[0].standing is Standing.NOT_REACHED
    assert "other bytes" in report.notes[-1]


def test_a_result_of_a_runtime_that_was_declared_otherwise_is_no_result() -> None:
    run = small_run({"a.h5": {"serving": passed()}})
    (runtime,) = run.plan.runtimes
    loaded = [replace(run.results[0], asked=of_loads(runtime))]
    before = [replace(run.results[0], asked=of_loads(replace(runtime, imports=("acme.layers",))))]

    assert assemble(run.plan, run.locks, loaded).cases[0].standing is Standing.PASSED
    report = assemble(run.plan, run.locks, before)
    assert report.cases[0].standing is Standing.NOT_REACHED
    assert "of runtimes that have changed since" in report.notes[-1]


def test_a_lock_of_a_runtime_that_was_declared_otherwise_is_not_shown_for_it() -> None:
    run = small_run({"a.h5": {"serving": passed()}})
    (state,) = run.locks.runtimes
    locks = replace(
        run.locks, runtimes=(replace(state, asked=of_environment(replace(run.plan.runtimes[0], python="3.9"))),)
    )

    assert assemble(run.plan, locks, run.results).runtimes[0].state is None


def test_a_result_that_says_nothing_of_a_stage_is_no_pass() -> None:
    silent_on_infer = result(case_id("models/vision/segmenter.h5", SERVING), passed())
    silent_on_all = result(case_id("models/vision/detector.tflite", SERVING))
    report = assemble(RUN.plan, RUN.locks, [*RUN.results, silent_on_infer, silent_on_all])

    standing = {case.case.id: (case.standing, case.message) for case in report.cases}
    message = "no verdict: the result says nothing of the stage"
    assert standing[silent_on_infer.case] == (Standing.ERROR, f"{message} infer")
    assert standing[silent_on_all.case] == (Standing.ERROR, f"{message} load")


def test_a_stage_that_fails_after_a_load_that_passed_decides_the_case() -> None:
    case = next(c for c in RUN.report.cases if c.case.id == case_id("models/vision/segmenter.h5", NEXT))

    assert case.standing is Standing.FAILED
    assert case.decisive is not None
    assert case.decisive.stage is Stage.INFER


@pytest.mark.parametrize(
    ("stages", "verdict", "exit_status"),
    [
        ([passed(), passed()], Verdict.PASSED, 0),
        ([passed(), NO_GPU], Verdict.PASSED, 0),
        ([NO_GPU, NO_GPU], Verdict.PASSED, 0),
        ([passed(), DOES_NOT_LOAD], Verdict.FAILED, 1),
        ([DIED, DOES_NOT_LOAD], Verdict.FAILED, 1),
        ([None, DOES_NOT_LOAD], Verdict.FAILED, 1),
        ([passed(), DIED], Verdict.NONE, 3),
        ([passed(), None], Verdict.NONE, 3),
    ],
)
def test_exit_status(stages: list[StageResult | None], verdict: Verdict, exit_status: int) -> None:
    report = small_run({f"{number}.h5": {"serving": stage} for number, stage in enumerate(stages)}).report

    assert (report.verdict, report.exit_status) == (verdict, exit_status)


def test_no_artifact_is_no_failure() -> None:
    report = small_run({}).report

    assert (report.verdict, report.exit_status) == (Verdict.PASSED, 0)


@pytest.mark.parametrize(("other", "exit_status"), [(passed(), 0), (DIED, 3), (None, 3)])
def test_fail_on_never_forgives_failures_and_says_so_but_is_no_verdict(
    other: StageResult | None, exit_status: int
) -> None:
    policy = Policy(fail_on=FailOn.NEVER)
    report = small_run({"a.h5": {"serving": DOES_NOT_LOAD}, "b.h5": {"serving": other}}, policy=policy).report

    assert (report.verdict, report.exit_status) == (Verdict.FAILED, exit_status)
    assert any("fail-on is never" in note for note in report.notes)


def test_fail_on_new_counts_every_failure_and_says_so() -> None:
    report = small_run({"a.h5": {"serving": DOES_NOT_LOAD}}, policy=Policy(fail_on=FailOn.NEW)).report

    assert report.exit_status == 1
    assert any("every failure counts" in note for note in report.notes)


def test_a_plan_that_contradicts_itself_is_refused_in_one_line() -> None:
    case = RUN.plan.cases[0]
    for broken, said in (
        (replace(case, id="x", artifact="nowhere.h5"), "is of artifact 'nowhere.h5', which the plan does not have"),
        (replace(case, id="x", runtime="nowhere"), "is for runtime 'nowhere', which the plan does not have"),
        (case, "twice"),
    ):
        plan = replace(RUN.plan, cases=(*RUN.plan.cases, broken))
        with pytest.raises(UsageError, match=said):
            assemble(plan, RUN.locks, ())
