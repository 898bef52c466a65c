"""The cause of a failure for a person at a terminal: what it is, what shows it on both sides, and what mends it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from loadgate import untrusted
from loadgate.domain import Confidence, Diagnosis, Edit, Remedy, Side
from loadgate.report import causes
from loadgate.report.causes import CauseGroup
from loadgate.report.diff import diff
from loadgate.report.terminal import STYLES, labelled, symbol
from loadgate.report.truth import CaseReport, Standing

Rows = list[tuple[str, Text]]

LISTED = 8
"""So many of the cases that fail for the same reason are named; the rest are counted."""
REMEDIES = 3
SIDES = {Side.ARTIFACT: "the file", Side.RUNTIME: "runtime", Side.LOAD: "the load"}


def is_known(diagnosis: Diagnosis | None) -> bool:
    return diagnosis is not None and diagnosis.confidence is not Confidence.UNKNOWN


def headline(diagnosis: Diagnosis) -> Text:
    if not is_known(diagnosis):
        return Text(untrusted.line(diagnosis.headline))
    doubt = "likely: " if diagnosis.confidence is Confidence.LIKELY else ""
    return Text.assemble((doubt, "bright_black"), (untrusted.line(diagnosis.headline), "bold"))


def headline_rows(diagnosis: Diagnosis | None) -> Rows:
    return [("why", headline(diagnosis))] if diagnosis is not None else []


def cause_rows(diagnosis: Diagnosis) -> Rows:
    """The cause and its evidence, a row each."""
    rows = headline_rows(diagnosis)
    for side, label in SIDES.items():
        texts = [untrusted.line(each.text) for each in diagnosis.evidence if each.side is side]
        if texts:
            rows.append((label, Text("\n".join(texts))))
    return rows


def remedy_rows(diagnosis: Diagnosis) -> Rows:
    """What to do about it, best first, and where to read more."""
    rows = [("to mend it", remedy_text(remedy)) for remedy in diagnosis.remedies[:REMEDIES]]
    if diagnosis.cause != causes.UNKNOWN:
        rows.append(("more", Text(causes.command(diagnosis.cause))))
    return rows


def same_cause_rows(group: CauseGroup) -> Rows:
    """The other cases that fail for the same reason."""
    return others_rows("same cause", group.cases)


def others_rows(label: str, cases: Sequence[CaseReport]) -> Rows:
    """All but the first."""
    others = cases[1:]
    if not others:
        return []
    places = [_place(case) for case in others[:LISTED]]
    if len(others) > LISTED:
        places.append(f"and {len(others) - LISTED:,} more; --verbose tells each in full")
    return [(label, Text("\n".join(places)))]


def draw_warning(group: CauseGroup, console: Console) -> None:
    """What changed although it loaded, once, with every case of which it is so."""
    console.print(
        Text.assemble((f"{symbol(console, Standing.ERROR)} ", STYLES[Standing.ERROR]), headline(group.diagnosis))
    )
    rows = [("loads, but", Text(_place(group.cases[0]))), *cause_rows(group.diagnosis)[1:]]
    console.print(labelled(rows + remedy_rows(group.diagnosis) + same_cause_rows(group)))


def _place(case: CaseReport) -> str:
    return f"{untrusted.name(case.case.artifact)} in {untrusted.name(case.case.runtime)} ({case.case.device})"


def remedy_text(remedy: Remedy) -> Text:
    text = Text(untrusted.line(remedy.headline), "bold" if remedy.verified else "")
    text.append(f"\n{standing_of(remedy)}", "green" if remedy.verified else "bright_black")
    for line in _changes(remedy.edits):
        text.append(f"\n{line}")
    if remedy.command:
        text.append(f"\n{untrusted.line(remedy.command)}")
    return text


def standing_of(remedy: Remedy) -> str:
    if not remedy.verified:
        why = f": {untrusted.line(remedy.why_not_verified)}" if remedy.why_not_verified else ""
        return f"suggested, not verified{why}"
    where = f" in {untrusted.line(remedy.tried_in)}" if remedy.tried_in else ""
    took = f", tried in {_seconds(remedy.seconds)}" if remedy.seconds is not None else ""
    return f"verified: it loads{where}{took}{_company(remedy)}"


def _seconds(seconds: float) -> str:
    return f"{seconds:,.0f} s" if seconds >= 1 else "less than 1 s"


def _company(remedy: Remedy) -> str:
    """What it does to the other artifacts of the runtime."""
    if remedy.breaks:
        named = ", ".join(untrusted.name(path) for path in remedy.breaks[:LISTED])
        more = f" and {len(remedy.breaks) - LISTED:,} more" if len(remedy.breaks) > LISTED else ""
        return f"; but then these do not load any more: {named}{more}"
    others = "the other artifact loads" if remedy.keeps == 1 else f"the {remedy.keeps:,} others load"
    return f"; {others} there as well" if remedy.keeps else ""


def _changes(edits: Sequence[Edit]) -> Iterator[str]:
    for edit in edits:
        line = f":{edit.line}" if edit.line is not None else ""
        yield f"{untrusted.name(edit.file)}{line}"
        yield from (f"{sign} {text}" for sign, text in diff(edit))
