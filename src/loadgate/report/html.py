"""`report.html`: one file for people, that asks nobody for anything and needs no script."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from loadgate import untrusted
from loadgate.report import matrix, walls, wording
from loadgate.report.accounts import (
    SAW,
    Account,
    Warning,  # noqa: A004 - the report's own word for it
    accounts,
    grouped,
    notes,
    place,
    skipped,
    warnings,
)
from loadgate.report.diff import diff
from loadgate.report.gate import policy_notes
from loadgate.report.markdown_page import CHANGES
from loadgate.report.terminal import SYMBOLS
from loadgate.report.truth import CaseReport, Report, Standing

UNFOLDED = 3
TOLD_ROOM = 400_000
LOGS_ROOM = 400_000
"""Bytes of what is told in full, and of tracebacks and logs; what comes after that is in report.json."""
LOG_CHARACTERS = 6_000

VERDICT_WORDS = {
    Standing.PASSED: "Every model loads",
    Standing.FAILED: "Not every model loads",
    Standing.ERROR: "No verdict",
    Standing.SKIPPED: "Nothing was loaded",
}
WORDS = {
    Standing.PASSED: "passed",
    Standing.FAILED: "failed",
    Standing.ERROR: "error",
    Standing.SKIPPED: "skipped",
    Standing.NOT_REACHED: "not reached",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    standing: Standing
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A failure in its row."""

    account: Account
    places: tuple[str, ...]
    """So many runtimes and devices have the same."""
    unfolded: bool
    brief: bool
    """One line of it, for there are too many."""
    logs: tuple[tuple[str, str], ...]
    cut: bool
    """Some logs were left out, for there are too many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    label: str
    needs_a_look: bool
    cells: tuple[Cell | None, ...]
    accounts: tuple[Told, ...]
    warnings: tuple[Warning, ...]


TOTALS = WORDS | {Standing.ERROR: "without a verdict"}


def encode_html(report: Report, call: str = "") -> bytes:
    """`call` as the user gave it; without it, as one would give it at the root of the repository."""
    style = _read("report.css")
    rows = tuple(_rows(report, call or wording.call_at_root(report.spec_file)))
    changed = {case.change for case in report.cases if case.change is not None}
    page = (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            columns=matrix.columns(report),
            rows=rows,
            has_brief=any(told.brief for row in rows for told in row.accounts),
            has_quiet_rows=any(row.needs_a_look for row in rows) and not all(row.needs_a_look for row in rows),
            totals=[(standing, f"{number} {TOTALS[standing]}") for standing, number in _totals(report) if number],
            changes=", ".join(
                f"{sum(1 for case in report.cases if case.change is change):,} {word}"
                for change, word in CHANGES.items()
                if change in changed
            ),
            sandbox=walls.summary(report.walls) if report.walls is not None else "",
            skipped=skipped(report),
            notes=notes(report),
            policy=policy_notes(report),
            verdict=wording.standing_of(report),
            verdict_word=_verdict_word(report),
            verdict_symbol=SYMBOLS[wording.standing_of(report)],
            style=Markup(style),  # noqa: S704 - our own file
            style_hash="sha256-" + base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        )
    )
    return page.encode("utf-8", "backslashreplace")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_read),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "name": untrusted.name,
        "line": untrusted.line,
        "block": _block,
        "sentence": _sentence,
        "diff": diff,
        "loads_but": wording.loads_but,
    }
    environment.globals |= {
        "symbols": SYMBOLS,
        "words": WORDS,
        "saw": SAW,
        "change_words": CHANGES,
        "error": Standing.ERROR,
        "passed": Standing.PASSED,
        "not_reached": Standing.NOT_REACHED,
    }
    return environment


def _read(name: str) -> str:
    return files("loadgate.report").joinpath("templates", name).read_text("utf-8")


def _verdict_word(report: Report) -> str:
    if not report.cases:
        return "Nothing to load"
    standing = wording.standing_of(report)
    if standing is Standing.PASSED and report.totals.skipped:
        return "Every model that was tried loads"
    return VERDICT_WORDS[standing]


def _totals(report: Report) -> Iterator[tuple[Standing, int]]:
    totals = report.totals
    yield Standing.PASSED, totals.passed
    yield Standing.FAILED, totals.failed
    yield Standing.ERROR, totals.errors
    yield Standing.SKIPPED, totals.skipped
    yield Standing.NOT_REACHED, totals.not_reached


def _rows(report: Report, call: str) -> Iterator[Row]:
    """Those that need a look first."""
    told: dict[str, list[Told]] = {}
    for each in _told(accounts(report, call)):
        told.setdefault(each.account.case.case.artifact, []).append(each)
    warned: dict[str, list[Warning]] = {}
    for warning in warnings(report):
        warned.setdefault(warning.case.case.artifact, []).append(warning)
    columns = matrix.columns(report)
    for row in sorted(matrix.rows(report), key=lambda row: not row.needs_a_look):
        mine = {case.case.id for case in row.cells.values()}
        yield Row(
            label=row.label,
            needs_a_look=row.needs_a_look or row.artifact in warned,
            cells=tuple(_cell(row.cells.get(column)) for column in columns),
            accounts=tuple(each for each in told.get(row.artifact, ()) if each.account.case.case.id in mine),
            warnings=tuple(each for each in warned.get(row.artifact, ()) if each.case.case.id in mine),
        )


def _cell(case: CaseReport | None) -> Cell | None:
    return (
        None
        if case is None
        else Cell(
            standing=case.standing,
            word=matrix.FORECASTS[case.prediction.forecast][0] if case.prediction else WORDS[case.standing],
        )
    )


def _told(found: Sequence[Account]) -> Iterator[Told]:
    """Each once an artifact and cause; in full, and with logs, as long as there is room."""
    rooms = {"told": TOLD_ROOM, "logs": LOGS_ROOM}
    by_artifact: dict[str, list[Account]] = {}
    for account in found:
        by_artifact.setdefault(account.case.case.artifact, []).append(account)
    groups = [group for mine in by_artifact.values() for group in grouped(mine)]
    for number, group in enumerate(groups):
        is_told = _takes(rooms, "told", _texts(group.first))
        logs = tuple(_logs(group.first.case)) if is_told else ()
        has_logs = _takes(rooms, "logs", (text for _, text in logs))
        yield Told(
            account=group.first,
            places=tuple(place(each.case) for each in group.all),
            unfolded=number < UNFOLDED,
            brief=not is_told,
            logs=logs if has_logs else (),
            cut=not has_logs,
        )


def _takes(rooms: dict[str, int], room: str, texts: Iterable[str]) -> bool:
    """Whether there is room for them, which they have then."""
    cost = sum(len(html.escape(text)) for text in texts)
    if cost > rooms[room]:
        return False
    rooms[room] -= cost
    return True


def _texts(account: Account) -> Iterator[str]:
    yield "." * 600  # its frame
    yield account.explanation[:1_000]
    yield account.command
    yield from (evidence.text[: untrusted.LINE_LIMIT] for evidence in account.evidence[:20])
    for remedy in account.remedies[:3]:
        yield "." * 200 + remedy.headline[: untrusted.LINE_LIMIT] + (remedy.command or "")[:LOG_CHARACTERS]
        yield from (edit.file[:1_000] + "".join(text for _, text in diff(edit)) for edit in remedy.edits[:8])


def _logs(case: CaseReport) -> Iterator[tuple[str, str]]:
    stage = case.decisive
    exception = stage.exception if stage else None
    for heading, text in (
        ("exception", f"{exception.type}: {exception.message}" if exception else ""),
        ("traceback", exception.traceback if exception else ""),
        ("stack", stage.stack if stage else ""),
        ("log", case.result.log if case.result else ""),
    ):
        if text.strip():
            yield heading, _block(text)


def _sentence(text: str, limit: int = untrusted.LINE_LIMIT) -> Markup:
    """A line in which what stands between backticks is code."""
    escaped = html.escape(untrusted.line(text, limit))
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped))  # noqa: S704 - escaped on the line above


def _block(text: str) -> str:
    return untrusted.block(text, lines=120, characters=LOG_CHARACTERS)
