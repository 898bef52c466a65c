"""Whether the run blocks: the policy over the verdict and, where there is one, the base branch's report. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from loadgate.domain import FailOn
from loadgate.report import wording
from loadgate.report.comparison import compared
from loadgate.report.truth import CaseReport, Change, Report, Standing, Verdict

POLICY = "policy: "
"""How a note of the gate begins."""
EXIT_STATUS = {Verdict.PASSED: 0, Verdict.FAILED: 1, Verdict.NONE: 3}


def judged(report: Report, base: Report | None = None, *, fail_on: FailOn | None = None) -> Report:
    """The report with its exit status. `fail_on` replaces the policy's own where it is given."""
    report = replace(report, policy=replace(report.policy, fail_on=fail_on or report.policy.fail_on))
    if base is not None:
        report = compared(report, base)
    return replace(report, exit_status=_exit_status(report), notes=report.notes + tuple(_notes(report, base)))


def blocks(case: CaseReport, fail_on: FailOn) -> bool:
    """Whether this failure alone would end the run with status 1."""
    if case.standing is not Standing.FAILED or fail_on is FailOn.NEVER:
        return False
    return not (fail_on is FailOn.NEW and case.change is Change.STILL_BROKEN)


def policy_notes(report: Report) -> tuple[str, ...]:
    """Why the exit status is another than the verdict says, or is not: told beside the verdict wherever that is."""
    return tuple(note for note in report.notes if note.startswith(POLICY))


def _exit_status(report: Report) -> int:
    """What is forgiven does not turn a run without a verdict into a pass."""
    if any(blocks(case, report.policy.fail_on) for case in report.cases):
        return EXIT_STATUS[Verdict.FAILED]
    return EXIT_STATUS[Verdict.NONE if report.totals.errors or report.totals.not_reached else Verdict.PASSED]


def _notes(report: Report, base: Report | None) -> Iterator[str]:
    if not report.totals.failed:
        return
    if report.policy.fail_on is FailOn.NEVER:
        yield f"{POLICY}fail-on is never, so what does not load does not fail this run"
    if report.policy.fail_on is not FailOn.NEW:
        return
    if base is None:
        yield f"{POLICY}fail-on is new and there is no report of the base branch, so every failure counts"
        return
    old = sum(1 for case in report.cases if case.change is Change.STILL_BROKEN)
    if old:
        yield f"{POLICY}fail-on is new; {wording.count(old, 'failure')} of the base branch {_do(old)} not count"
    if base.partial:
        yield f"{POLICY}the report of the base branch is partial; what it did not reach counts as new"


def _do(number: int) -> str:
    return "does" if number == 1 else "do"
