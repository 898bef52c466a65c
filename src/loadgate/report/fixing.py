"""What `loadgate fix` tells: why, then each thing that was tried as it ends, then the lines to change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rich.console import Console
from rich.text import Text

from loadgate import untrusted
from loadgate.diagnosis.attempts import Attempt, Ending, Rounds, attempts
from loadgate.domain import Diagnosis, RemedyKind
from loadgate.report import failures, why, wording
from loadgate.report.terminal import STYLES, labelled, page, symbol
from loadgate.report.truth import Report, Standing

NEXT = (
    "load that file in production; then remove the original, or leave it out with `artifacts: {exclude: [...]}`, "
    "because `check` fails as long as it finds it"
)

STANDING_OF = {
    Ending.VERIFIED: Standing.PASSED,
    Ending.REFUTED: Standing.FAILED,
    Ending.NOT_SHOWN: Standing.SKIPPED,
    Ending.NOT_TRIED: Standing.SKIPPED,
}


def print_failures(report: Report, console: Console) -> None:
    """Why it does not load, for each runtime in which it does not."""
    with page(console):
        for case in report.cases:
            if case.standing is Standing.PASSED:
                where = f"{untrusted.name(case.case.runtime)} ({case.case.device})"
                line = Text.assemble((symbol(console, case.standing), STYLES[case.standing]), f" loads in {where}")
                console.print(line)
            elif case.diagnosis is not None:
                console.print(failures.title(case, console))
                console.print(labelled(why.cause_rows(case.diagnosis)))
            else:
                console.print(failures.title(case, console))
                console.print(labelled([("reason", Text(untrusted.line(case.message)))]))
        for runtime in report.runtimes:
            if runtime.finding is not None:
                console.print(Text(f"! {untrusted.name(runtime.name)}: {untrusted.line(runtime.finding.headline)}"))


def print_attempts(ended: Sequence[Attempt], console: Console) -> None:
    """What one candidate came to."""
    with page(console):
        for attempt in ended:
            standing = STANDING_OF[attempt.ending]
            mark = Text.assemble((f"{symbol(console, standing)} ", STYLES[standing]))
            line = mark + Text(untrusted.line(attempt.remedy.headline))
            console.print(line)
            console.print(labelled([("", Text(_what_came(attempt), "bright_black"))], label_width=0))


def _what_came(attempt: Attempt) -> str:
    """In short: of what helps, the verdict tells the rest."""
    remedy = attempt.remedy
    if attempt.ending is Ending.VERIFIED:
        return f"it loads; but it breaks {wording.count(len(remedy.breaks), 'other')}" if remedy.breaks else "it loads"
    if attempt.ending is Ending.REFUTED:
        return f"does not help: {untrusted.line(attempt.message, 200)}"
    return untrusted.line(remedy.why_not_verified)


def print_verdict(report: Report, rounds: Rounds, console: Console, *, written: str | None) -> None:
    """The lines to change, for each runtime; `written` is what was saved again."""
    tried = {case for case, each in attempts(rounds).items() if any(one.ending is not Ending.NOT_TRIED for one in each)}
    with page(console):
        for case in report.cases:
            if case.standing is not Standing.FAILED or case.diagnosis is None:
                continue
            console.print()
            found = _found(case.diagnosis, is_tried=case.case.id in tried)
            console.print(Text(f"{found} in {untrusted.name(case.case.runtime)} ({case.case.device})", "bold"))
            diagnosis = _without_writing(case.diagnosis) if written else case.diagnosis
            console.print(labelled(why.remedy_rows(diagnosis)))
        for runtime in report.runtimes:
            for remedy in runtime.remedies:
                console.print(labelled([("to mend it", why.remedy_text(remedy))]))
        if written:
            console.print(Text(f"\nwritten: {untrusted.name(written)}"))
            console.print(Text(f"next: {NEXT}"))


def _found(diagnosis: Diagnosis, *, is_tried: bool) -> str:
    if any(remedy.verified for remedy in diagnosis.remedies):
        return "What mends it"
    return "Nothing that was tried mends it" if is_tried else "Nothing was tried that could mend it"


def _without_writing(diagnosis: Diagnosis) -> Diagnosis:
    """The command of a re-save is the one that has just ended."""
    remedies = [replace(each, command=None) if each.kind is RemedyKind.RESAVE else each for each in diagnosis.remedies]
    return replace(diagnosis, remedies=tuple(remedies))
