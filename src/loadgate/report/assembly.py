"""From the plan, the locks and the results to the one report. Pure, and the same in whatever order results come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from loadgate.asked import of_environment, of_loads
from loadgate.diagnosis.explain import explain, warnings
from loadgate.domain import (
    Artifact,
    Case,
    CaseResult,
    FailOn,
    Locks,
    Outcome,
    Plan,
    Reason,
    Runtime,
    RuntimeState,
    Stage,
)
from loadgate.interchange import refuse_contradictions
from loadgate.report import wording
from loadgate.report.gate import EXIT_STATUS, judged
from loadgate.report.truth import CaseReport, Report, RuntimeReport, Standing, Totals, Verdict
from loadgate.report.walls import notes, walls_of

PRECEDENCE = (Outcome.FAILED, Outcome.PASSED, Outcome.ERROR, Outcome.SKIPPED)
"""Between two files: a verdict before none, and a failure before a pass."""


def assemble(
    plan: Plan, locks: Locks, results: Iterable[CaseResult], base: Report | None = None, fail_on: FailOn | None = None
) -> Report:
    """Join what was asked with what happened. Of two results for one case the later one counts: it is a retry.

    `base` is the base branch's report, with which failures are compared; `fail_on` goes before the plan's own policy.
    """
    return assemble_shards(plan, locks, [results], base, fail_on)


def assemble_shards(
    plan: Plan,
    locks: Locks,
    shards: Iterable[Iterable[CaseResult]],
    base: Report | None = None,
    fail_on: FailOn | None = None,
) -> Report:
    """The same from several files of results, in whatever order they are given."""
    refuse_contradictions(plan)
    states = _made_for(plan, locks)
    offered, contested = _one_result_a_case(shards)
    unknown = len(offered.keys() - {case.id for case in plan.cases})
    stale = _of_other_bytes(plan, offered)
    foreign = _of_other_runtimes(plan, offered)
    cases = _cases(plan, states, {case: result for case, result in offered.items() if case not in stale | foreign})
    runtimes = tuple(
        RuntimeReport(
            runtime=runtime,
            state=states.get(runtime.name),
            totals=_count(case for case in cases if case.case.runtime == runtime.name),
        )
        for runtime in plan.runtimes
    )
    totals = _count(cases)
    verdict = _verdict(totals)
    walls = walls_of(case.result for case in cases if case.result is not None)
    report = Report(
        loadgate=plan.loadgate,
        verdict=verdict,
        exit_status=EXIT_STATUS[verdict],
        headline=wording.headline(cases, runtimes, totals, plan.checks),
        partial=totals.not_reached > 0,
        totals=totals,
        repository=plan.repository,
        spec_file=plan.spec_file,
        policy=plan.policy,
        checks=plan.checks,
        notes=(
            *plan.notes,
            *wording.result_notes(unknown=unknown, stale=len(stale), foreign=len(foreign), contested=contested),
            *notes(walls),
        ),
        artifacts=plan.artifacts,
        runtimes=runtimes,
        cases=cases,
        walls=walls,
        checkouts=plan.checkouts,
    )
    return judged(report, base, fail_on=fail_on)


def _one_result_a_case(shards: Iterable[Iterable[CaseResult]]) -> tuple[Mapping[str, CaseResult], int]:
    """Choose the result that counts for each case, and count the cases on which two files disagree."""
    chosen: dict[str, CaseResult] = {}
    contested: set[str] = set()
    for shard in shards:
        for case, result in {result.case: result for result in shard}.items():
            other = chosen.setdefault(case, result)
            if other is result:
                continue
            if _rank(other) != _rank(result):
                contested.add(case)
            chosen[case] = min(other, result, key=_total_order)
    return chosen, len(contested)


def _rank(result: CaseResult) -> int:
    return PRECEDENCE.index(result.outcome)


def _total_order(result: CaseResult) -> tuple[int, str]:
    """The outcome decides; `repr` makes the choice between equal outcomes the same in any order."""
    return _rank(result), repr(result)


def _of_other_bytes(plan: Plan, offered: Mapping[str, CaseResult]) -> set[str]:
    """The cases whose results are of an artifact that has changed since it was planned."""
    planned = {artifact.path: artifact.digest for artifact in plan.artifacts}
    loaded = {case: result.artifact_digest for case, result in offered.items()}
    digests = ((case.id, planned[case.artifact], loaded.get(case.id)) for case in plan.cases)
    return {case for case, was, now in digests if was is not None and now is not None and was != now}


def _of_other_runtimes(plan: Plan, offered: Mapping[str, CaseResult]) -> set[str]:
    """The cases whose results are of a runtime that was declared otherwise than it is now."""
    asked = {runtime.name: of_loads(runtime) for runtime in plan.runtimes}
    answered = {case: result.asked for case, result in offered.items()}
    return {case.id for case in plan.cases if answered.get(case.id) not in (None, asked[case.runtime])}


def _made_for(plan: Plan, locks: Locks) -> Mapping[str, RuntimeState]:
    """The runtimes that were made from what the plan says of them."""
    asked = {runtime.name: of_environment(runtime) for runtime in plan.runtimes}
    return {state.name: state for state in locks.runtimes if state.asked in (None, asked.get(state.name))}


def _cases(plan: Plan, states: Mapping[str, RuntimeState], results: Mapping[str, CaseResult]) -> tuple[CaseReport, ...]:
    artifacts = {artifact.path: artifact for artifact in plan.artifacts}
    runtimes = {runtime.name: runtime for runtime in plan.runtimes}
    return tuple(
        _explained(
            _case_report(case, results.get(case.id), states.get(case.runtime), plan),
            artifacts[case.artifact],
            runtimes[case.runtime],
            states.get(case.runtime),
        )
        for case in plan.cases
    )


def _case_report(case: Case, result: CaseResult | None, state: RuntimeState | None, plan: Plan) -> CaseReport:
    if state is not None and state.finding is not None and not _has_verdict(result):
        message = f"no verdict: runtime {case.runtime} could not be made"
        return CaseReport(case=case, standing=Standing.ERROR, reason=Reason.RUNTIME, message=message)
    if result is None:
        return CaseReport(
            case=case,
            standing=Standing.NOT_REACHED,
            reason=Reason.INTERRUPTED,
            message="not reached: the run ended before it",
        )
    missing = _missing_stage(result, plan)
    if result.outcome in (Outcome.PASSED, Outcome.SKIPPED) and missing is not None:
        message = f"no verdict: the result says nothing of the stage {missing}"
        return CaseReport(case=case, standing=Standing.ERROR, reason=Reason.PROBE, message=message, result=result)
    if result.outcome is Outcome.PASSED:
        return CaseReport(case=case, standing=Standing.PASSED, result=result)
    decisive = next(stage for stage in result.stages if stage.outcome is result.outcome)
    return CaseReport(
        case=case,
        standing=Standing(result.outcome.value),
        reason=decisive.reason,
        message=decisive.message,
        result=result,
    )


def _explained(case: CaseReport, artifact: Artifact, runtime: Runtime, state: RuntimeState | None) -> CaseReport:
    """With the cause of its failure, or with what changed although it passed."""
    if case.result is None or case.standing not in (Standing.FAILED, Standing.PASSED):
        return case
    seen = (artifact, case.case, runtime, state.lock if state else None, case.result)
    return replace(case, diagnosis=explain(*seen), warnings=warnings(*seen))


def _has_verdict(result: CaseResult | None) -> bool:
    return result is not None and result.outcome in (Outcome.PASSED, Outcome.FAILED)


def _missing_stage(result: CaseResult, plan: Plan) -> Stage | None:
    """The first stage that was asked for and of which the result is silent: silence is no pass."""
    told = {stage.stage for stage in result.stages}
    if Stage.LOAD not in told:
        return Stage.LOAD
    if result.outcome is Outcome.SKIPPED:
        return None
    return next((stage for stage in plan.checks.stages if stage not in told), None)


def _count(cases: Iterable[CaseReport]) -> Totals:
    standing = Counter(case.standing for case in cases)
    return Totals(
        passed=standing[Standing.PASSED],
        failed=standing[Standing.FAILED],
        errors=standing[Standing.ERROR],
        skipped=standing[Standing.SKIPPED],
        not_reached=standing[Standing.NOT_REACHED],
    )


def _verdict(totals: Totals) -> Verdict:
    if totals.failed:
        return Verdict.FAILED
    if totals.errors or totals.not_reached:
        return Verdict.NONE
    return Verdict.PASSED
