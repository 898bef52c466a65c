"""The terminal report: the verdict first, then what a person reads downwards until they know enough."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from loadgate import untrusted
from loadgate.domain import FindingKind, Outcome, Reason
from loadgate.report import causes, failures, matrix, why, wording
from loadgate.report.gate import policy_notes
from loadgate.report.terminal import STYLES, Detail, fit_path, labelled, page, symbol
from loadgate.report.truth import CaseReport, Report, RuntimeReport, Standing
from loadgate.report.walls import summary

IN_FULL = 20
"""So many cases are told in full unless more detail is asked for; the rest get a line each."""
FINDING_LINES = 6


def print_report(report: Report, console: Console, *, detail: Detail = Detail.NORMAL, call: str = "") -> None:
    """`call` is the command that the user gave; those that reproduce a case repeat it."""
    quiet = detail is Detail.QUIET
    with page(console):
        _draw_verdict(report, console)
        _draw_notes(policy_notes(report) if quiet else report.notes, console)
        _draw_runtimes(report, console, only_broken=quiet)
        if not quiet and report.cases:
            _heading("Artifacts", console)
            matrix.draw(report, console)
        _draw_cases(report, console, detail=detail, call=call or wording.call())
        _draw_warnings(report, console)
        if not quiet:
            _draw_skipped(report.cases, console)
            console.print()
            if report.walls is not None:
                console.print(Text(f"Sandbox: {summary(report.walls)}.", STYLES[Standing.SKIPPED]))
            console.print(_sum(report))


def _draw_verdict(report: Report, console: Console) -> None:
    standing = wording.standing_of(report)
    console.print(
        Text(f"{symbol(console, standing)} {untrusted.line(report.headline)}", STYLES[standing]), style="bold"
    )


def _draw_notes(notes: Sequence[str], console: Console) -> None:
    if notes:
        console.print()
        console.print(labelled([("note", Text(untrusted.line(note))) for note in notes], indent=0, label_width=4))


def _draw_runtimes(report: Report, console: Console, *, only_broken: bool) -> None:
    shown = [runtime for runtime in report.runtimes if runtime.finding is not None or not only_broken]
    if not shown:
        return
    _heading("Runtimes", console)
    width = min(max(len(untrusted.name(runtime.name)) for runtime in shown), 30) + 2
    for runtime in shown:
        rows = [(fit_path(runtime.name, width), text) for text in _runtime_lines(runtime, report, console)]
        named = [rows[0], *(("", text) for _, text in rows[1:])]
        console.print(labelled(named, indent=0, label_width=width))


def _runtime_lines(runtime: RuntimeReport, report: Report, console: Console) -> Iterator[Text]:
    origin = f" (from {untrusted.name(str(runtime.runtime.origin))})" if runtime.runtime.origin else ""
    if runtime.lock is not None:
        versions = ", ".join(untrusted.name(part) for part in wording.loaded_by(runtime.lock))
        yield Text.assemble((symbol(console, Standing.PASSED), STYLES[Standing.PASSED]), f" {versions}{origin}")
    elif runtime.finding is not None:
        finding = runtime.finding
        style = STYLES[Standing.ERROR]
        yield Text(f"! could not be made: {untrusted.line(finding.headline)}{origin}", style)
        verified = [remedy for remedy in runtime.remedies if remedy.verified]
        yield from (why.remedy_text(remedy) for remedy in verified)
        if finding.suggestion and not verified:
            yield Text(f"suggested, not verified: {untrusted.line(finding.suggestion)}")
        if finding.detail:
            # Python says what went wrong at the end, a resolver at the beginning
            some = untrusted.last_lines if finding.kind is FindingKind.IMPORT else untrusted.first_lines
            yield Text(some(finding.detail, lines=FINDING_LINES, characters=800), STYLES[Standing.SKIPPED])
    elif not report.cases:
        yield Text(f"- not made, as there is nothing to load in it{origin}", STYLES[Standing.SKIPPED])
    else:
        yield Text(f"? not reached: the run ended before it was made{origin}", STYLES[Standing.NOT_REACHED])
    for warning in runtime.warnings:
        yield Text(f"! {untrusted.line(warning.headline)}", STYLES[Standing.ERROR])
        if warning.suggestion:
            yield Text(f"suggested, not verified: {untrusted.line(warning.suggestion)}")
    for note in runtime.notes:
        if note not in report.notes:
            yield Text(f"note: {untrusted.line(note)}")


def _draw_cases(report: Report, console: Console, *, detail: Detail, call: str) -> None:
    """The failures, then what has no verdict. What a broken runtime explains is told there, once."""
    groups = {group.cases[0].case.id: group for group in causes.failures(report)}
    failed = [case for case in report.cases if case.standing is Standing.FAILED]
    if detail is not Detail.VERBOSE:
        failed = [case for case in failed if case.diagnosis is None or case.case.id in groups]
    errors = [case for case in report.cases if case.standing is Standing.ERROR and case.reason is not Reason.RUNTIME]
    artifacts = {artifact.path: artifact for artifact in report.artifacts}
    runtimes = {runtime.name: runtime for runtime in report.runtimes}
    for heading, cases in (("Failures", failed), ("No verdict", errors)):
        if not cases:
            continue
        _heading(heading, console)
        in_full = len(cases) if detail is Detail.VERBOSE else IN_FULL
        for index, case in enumerate(cases[:in_full]):
            if index:
                console.print()
            artifact, runtime = artifacts[case.case.artifact], runtimes[case.case.runtime]
            group = groups.get(case.case.id)
            if detail is Detail.VERBOSE:
                failures.draw_in_full(case, artifact, runtime, console, call)
                failures.draw_evidence(case, console)
            elif group is not None and why.is_known(group.diagnosis):
                failures.draw_group(group, console, call)
            else:
                failures.draw_in_full(case, artifact, runtime, console, call)
        if len(cases) > in_full:
            console.print()
        for case in cases[in_full:]:
            failures.draw_in_one_line(case, console)


def _draw_warnings(report: Report, console: Console) -> None:
    groups = causes.warnings(report)
    if groups:
        _heading("Warnings", console)
    for index, group in enumerate(groups):
        if index:
            console.print()
        why.draw_warning(group, console)


def _draw_skipped(cases: Sequence[CaseReport], console: Console) -> None:
    reasons = Counter(_skips(cases))
    if not reasons:
        return
    _heading("Skipped", console)
    width = len(f"{max(reasons.values()):,}")
    rows = [(f"{number:>{width},}", Text(reason)) for reason, number in reasons.items()]
    console.print(labelled(rows, indent=0, label_width=width))


def _skips(cases: Sequence[CaseReport]) -> Iterator[str]:
    """Why, once a case: the whole case, or a stage of one that passed."""
    for case in cases:
        if case.standing is Standing.SKIPPED:
            yield f"{untrusted.line(case.message) or wording.reason_of(case)}"
        elif case.standing is Standing.PASSED and case.result is not None:
            for stage in case.result.stages:
                if stage.outcome is Outcome.SKIPPED:
                    why = untrusted.line(stage.message) or (wording.REASONS[stage.reason] if stage.reason else "")
                    yield f"{stage.stage} after a load that passed: {why}"


def _sum(report: Report) -> Text:
    totals = report.totals
    numbers = {
        Standing.PASSED: totals.passed,
        Standing.FAILED: totals.failed,
        Standing.ERROR: totals.errors,
        Standing.SKIPPED: totals.skipped,
        Standing.NOT_REACHED: totals.not_reached,
    }
    words = {Standing.ERROR: "without a verdict", Standing.NOT_REACHED: "not reached", Standing.FAILED: "failed"}
    parts = [
        Text(f"{number:,} {words.get(standing, standing.value)}", STYLES[standing])
        for standing, number in numbers.items()
        if number
    ]
    text = Text(f"{wording.count(len(report.artifacts), 'artifact')}, {wording.count(totals.cases, 'case')}")
    if parts:
        text += Text(": ") + Text(", ").join(parts)
    return text + Text(f"; exit status {report.exit_status}")


def _heading(text: str, console: Console) -> None:
    console.print()
    console.print(Text(text, "bold underline" if console.is_terminal else "bold"))
