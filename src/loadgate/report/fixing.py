"""What `loadgate fix` tells: why, then each thing that was tried as it ends, then the lines to change."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from loadgate import untrusted
from loadgate.diagnosis.attempts import Attempt, Ending
from loadgate.report import failures, why
from loadgate.report.terminal import STYLES, labelled, page, symbol
from loadgate.report.truth import Report, Standing

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


def print_attempts(attempts: Sequence[Attempt], console: Console) -> None:
    """What one candidate came to."""
    with page(console):
        for attempt in attempts:
            standing = STANDING_OF[attempt.ending]
            mark = Text.assemble((f"{symbol(console, standing)} ", STYLES[standing]))
            line = mark + Text(untrusted.line(attempt.remedy.headline))
            console.print(line)
            console.print(labelled([("", Text(_what_came(attempt), "bright_black"))], label_width=0))


def _what_came(attempt: Attempt) -> str:
    remedy = attempt.remedy
    if attempt.ending is Ending.VERIFIED:
        return why.standing_of(remedy)
    if attempt.ending is Ending.REFUTED:
        return f"does not help: {untrusted.line(attempt.message, 200)}"
    return untrusted.line(remedy.why_not_verified)


def print_verdict(report: Report, console: Console, *, written: str | None) -> None:
    """The lines to change, for each runtime."""
    with page(console):
        for case in report.cases:
            if case.standing is not Standing.FAILED or case.diagnosis is None:
                continue
            console.print()
            verified = [remedy for remedy in case.diagnosis.remedies if remedy.verified]
            found = "What mends it" if verified else "Nothing that was tried mends it"
            console.print(Text(f"{found} in {untrusted.name(case.case.runtime)} ({case.case.device})", "bold"))
            console.print(labelled(why.remedy_rows(case.diagnosis)))
        for runtime in report.runtimes:
            for remedy in runtime.remedies:
                console.print(labelled([("to mend it", why.remedy_text(remedy))]))
        if written:
            console.print(Text(f"\nwritten: {untrusted.name(written)}"))
