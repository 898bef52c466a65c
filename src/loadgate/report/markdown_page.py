"""A report as Markdown of a bounded size: the verdict first, then what a reader must act on, then the rest.

The comment on a pull request and the summary of a step are this page, with other limits. Sizes are bytes of UTF-8,
which are never fewer than the characters that GitHub counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from loadgate.domain import Confidence, Diagnosis, Remedy
from loadgate.report import matrix, walls, wording
from loadgate.report.accounts import (
    SAW,
    UNKNOWN,
    Account,
    AccountGroup,
    Warning,  # noqa: A004 - the report's own word for it
    accounts,
    broken_runtimes,
    grouped,
    grouped_warnings,
    notes,
    skipped,
    warnings,
)
from loadgate.report.causes import command
from loadgate.report.diff import diff
from loadgate.report.expectations import Expectation, doubts
from loadgate.report.explanation import known_causes
from loadgate.report.gate import policy_notes
from loadgate.report.links import Links
from loadgate.report.markdown import block, code, details, html_code, html_prose, prose, table
from loadgate.report.terminal import SYMBOLS
from loadgate.report.truth import CaseReport, Change, Report, RuntimeReport, Standing

CHANGES = {
    Change.NEWLY_BROKEN: "newly broken",
    Change.STILL_BROKEN: "still broken",
    Change.FIXED: "fixed",
}

UNFOLDED = 3
"""So many failures are open from the start."""
SMALL = 12
"""A matrix of so many rows is shown as a whole; of a larger one, the rows that need a look."""
FRAME = 200
"""Bytes kept for what says how many more there are."""
NAMED = 20
COLUMNS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    limit: int
    """Bytes at the most."""
    name: str = "loadgate"
    links: Links = field(default_factory=Links)
    changes: Mapping[str, Change] = field(default_factory=dict)
    """Since the last run, by case id."""
    last: str = ""
    """The commit of the last run; empty where there was none, or where its findings are not known."""
    call: str = ""
    """The command that checks the repository, as the user gave it; empty for a reader at the root of the checkout."""
    problems: tuple[str, ...] = ()
    """What could not be posted, and why."""


def size(text: str) -> int:
    return len(text.encode("utf-8", "backslashreplace"))


def render(report: Report, page: Page) -> str:
    """The page, at most `page.limit` bytes."""
    head = "\n\n".join(_head(report, page))
    tail = "\n\n".join(_tail(report, page))
    room = page.limit - size(head) - size(tail) - 8
    drawn = _matrix(report, room // 3)
    room -= size(drawn) + 2
    body = "\n\n".join(part for part in (drawn, _problems(report, page, room)) if part)
    text = "\n\n".join(part for part in (head, body, tail) if part) + "\n"
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


# --- the frame ------------------------------------------------------------------------------------------------


def _head(report: Report, page: Page) -> Iterator[str]:
    yield f"### {SYMBOLS[wording.standing_of(report)]} {prose(page.name, 80)}: {prose(report.headline)}"
    yield from _policy(report)
    yield from _since(report, page.changes, page.last)
    base = {case.case.id: case.change for case in report.cases if case.change is not None}
    if base:
        yield f"Compared with the base branch: {_counted(base)}."


def _policy(report: Report) -> Iterator[str]:
    told = "; ".join(map(prose, policy_notes(report)))
    if told:
        yield f"**Does not block**; {told}." if report.exit_status == 0 else f"{told}."


def _since(report: Report, changes: Mapping[str, Change], last: str) -> Iterator[str]:
    if not last:
        return
    yield f"Since {code(last[:7])}: {_counted(changes) or 'nothing broke and nothing was fixed'}."
    fixed = [case for case in report.cases if changes.get(case.case.id) is Change.FIXED]
    if fixed:
        names = [f"{code(case.case.artifact, 200)} in {code(case.case.runtime, 80)}" for case in fixed[:5]]
        more = [f"{len(fixed) - 5:,} more"] if len(fixed) > 5 else []  # noqa: PLR2004 - named and counted alike
        yield f"Fixed: {wording.enumeration(names + more)}."


def _counted(changes: Mapping[str, Change]) -> str:
    numbers = [(sum(1 for change in changes.values() if change is each), word) for each, word in CHANGES.items()]
    return ", ".join(f"{number:,} {word}" for number, word in numbers if number)


def _tail(report: Report, page: Page) -> Iterator[str]:
    left_out = () if any(case.prediction for case in report.cases) else skipped(report)
    if left_out:
        total = sum(number for _, number in left_out)
        rows = [f"- {wording.count(number, 'case')}: {prose(why)}" for why, number in left_out[:NAMED]]
        if len(left_out) > NAMED:
            rows.append(f"- and {len(left_out) - NAMED:,} more reasons")
        yield details(f"{wording.count(total, 'case')} not tried, and why", "\n".join(rows))
    noted = notes(report)
    if noted:
        yield details(wording.count(len(noted), "note"), "\n".join(f"- {prose(note)}" for note in noted[:NAMED]))
    if page.problems:
        rows = [f"- {prose(problem)}" for problem in page.problems[:NAMED]]
        yield "**Not everything could be posted:**\n\n" + "\n".join(rows)
    yield _footer(report, page)


def _footer(report: Report, page: Page) -> str:
    parts = [prose(f"loadgate {report.loadgate}", 60)]
    if report.walls is not None:
        parts.append(f"sandbox: {prose(walls.summary(report.walls))}")
    run = page.links.to_run
    if run:
        parts.append(f"[the whole report is with this run]({run})")
    if page.links.sha:
        parts.append(f"commit {code(page.links.sha[:7])}")
    return f"<sub>{' · '.join(parts)}</sub>"


# --- the matrix -----------------------------------------------------------------------------------------------


def _matrix(report: Report, room: int) -> str:
    found = matrix.rows(report)
    shown = list(found) if len(found) <= SMALL else [row for row in found if row.needs_a_look]
    across = matrix.columns(report)[:COLUMNS]
    if not shown or not across:
        return ""
    header = ["artifact", *(f"{code(column.runtime, 40)} {column.device}" for column in across)]
    lines, used = [], size(table(header, [])) + 200
    for row in shown:
        line = [code(row.label, 120), *(_cell(row, column) for column in across)]
        used += size(" | ".join(line)) + 8
        if used > room:
            break
        lines.append(line)
    rest = len(found) - len(lines)
    more = (
        f"\n\nand {wording.count(rest, 'artifact' if lines else 'row')} more: {_rest(found, shown[: len(lines)])}"
        if rest
        else ""
    )
    hidden = len(matrix.columns(report)) - len(across)
    beside = f"{' and ' if more else chr(10) * 2}{wording.count(hidden, 'more column')}" if hidden else ""
    return (table(header, lines) if lines else "") + more + beside


def _cell(row: matrix.Row, column: matrix.Column) -> str:
    case = row.cells.get(column)
    if case is None:
        return ""
    word = matrix.word_of(case)
    return word if case.prediction else f"{SYMBOLS[case.standing]} {word}"


def _rest(found: Sequence[matrix.Row], shown: Sequence[matrix.Row]) -> str:
    told = {row.label for row in shown}
    cells = Counter(_cell(row, column) for row in found if row.label not in told for column in row.cells)
    return ", ".join(f"{number:,} {cell}" for cell, number in cells.most_common())


# --- what a reader must act on --------------------------------------------------------------------------------


def _problems(report: Report, page: Page, room: int) -> str:
    """As much as there is room for: the first in full, then one line each, then a number."""
    call = page.call or wording.call_at_root(report.spec_file, page.links.prefix)
    told = [Told(full=partial(_runtime, each), line=partial(_line_of, each)) for each in broken_runtimes(report)]
    for index, group in enumerate(grouped(accounts(report, call))):
        in_full = partial(_group, group, page, unfolded=index < UNFOLDED)
        told.append(Told(full=in_full, line=partial(_line, group, page)))
    for warned in grouped_warnings(warnings(report)):
        told.append(Told(full=partial(_warning, warned, page), line=partial(_line_of_warning, warned)))
    for doubt in doubts(report):
        line = partial(_doubt, doubt, page)
        told.append(Told(full=line, line=line))
    return fitted(told, room)


def _doubt(doubt: Expectation, page: Page) -> str:
    more = f" and {len(doubt.cases) - 1:,} more" if len(doubt.cases) > 1 else ""
    measured = f": {prose(doubt.prediction.measured, 400)}" if doubt.prediction.measured else ""
    cause = f" (cause {_cause(doubt.prediction.cause, page)})" if doubt.prediction.cause else ""
    return f"- {_where(doubt.cases[0])}{more}: {prose(doubt.prediction.headline, 240)}{cause}{measured}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One thing in two lengths, written only when there is room for it."""

    full: Callable[[], str]
    line: Callable[[], str]


def fitted(told: Sequence[Told], room: int) -> str:
    """The first in full, those after them in a line, and the number of what is left: at most `room` bytes."""
    room -= FRAME
    shown: list[str] = []
    used = 0
    for each in told:
        text = each.full()
        if used + size(text) + 2 > room:
            break
        shown.append(text)
        used += size(text) + 2
    if len(shown) == len(told):
        return "\n\n".join(shown)
    while shown and used > room * 3 // 4:
        used -= size(shown.pop()) + 2
    rows: list[str] = []
    for each in told[len(shown) :]:
        row = each.line()
        if used + size(row) + 1 > room:
            break
        rows.append(row)
        used += size(row) + 1
    left = len(told) - len(shown) - len(rows)
    if rows:
        shown.append(details(f"{len(rows):,} more", "\n".join(rows)))
    if left:
        shown.append(f"and {left:,} more, which the whole report has")
    return "\n\n".join(shown)


def _runtime(runtime: RuntimeReport) -> str:
    finding = runtime.finding
    if finding is None:
        return ""
    parts = []
    if runtime.runtime.origin is not None:
        parts.append(f"Asked for in {code(str(runtime.runtime.origin), 200)}.")
    if finding.suggestion and not runtime.remedies:
        parts.append(f"**Suggested, not verified:** {prose(finding.suggestion)}")
    parts += map(_remedy, runtime.remedies[:3])
    if finding.detail:
        parts.append(block(finding.detail))
    summary = f"{SYMBOLS[Standing.ERROR]} runtime {html_code(runtime.name, 80)}: {html_prose(finding.headline)}"
    return details(summary, "\n\n".join(parts) or "No more is known.")


def _line_of(runtime: RuntimeReport) -> str:
    headline = runtime.finding.headline if runtime.finding else ""
    return f"- runtime {code(runtime.name, 80)}: {prose(headline, 200)}"


def _line(group: AccountGroup, page: Page) -> str:
    more = f" and {len(group.others):,} more" if group.others else ""
    first = group.first
    change = page.changes.get(first.case.case.id)
    word = f" ({CHANGES[change]})" if change else ""
    return f"- {_where(first.case)}{more}{word}: {prose(first.headline, 200)}"


def _group(group: AccountGroup, page: Page, *, unfolded: bool) -> str:
    first = group.first
    body = "\n\n".join(part for part in _body(group, page) if part)
    return details(_summary(first, len(group.others)), body, unfolded=unfolded)


def _summary(account: Account, others: int) -> str:
    case = account.case.case
    more = f" and {others:,} more" if others else ""
    where = f"{html_code(case.artifact, 200)} in {html_code(case.runtime, 80)} {case.device}{more}"
    return f"{SYMBOLS[account.case.standing]} <b>{html_prose(account.headline, 240)}</b> – {where}"


def _body(group: AccountGroup, page: Page) -> Iterator[str]:
    account = group.first
    change = page.changes.get(account.case.case.id) or account.case.change
    state = [CHANGES[change]] if change else []
    if account.case.standing is Standing.FAILED and not account.blocks:
        state.append("does not block")
    if account.cause != UNKNOWN:
        sure = "" if account.confidence is Confidence.CERTAIN else f", {account.confidence.value}"
        state.append(f"cause {_cause(account.cause, page)}{sure}")
        if account.remedies and page.links.to_cause(account.cause) is None:
            state.append(f"more: {code(command(account.cause))}")
    yield " · ".join(state)
    yield prose(account.explanation, 1_000)
    yield "\n".join(f"- **{SAW[each.side]}:** {prose(each.text)}" for each in account.evidence[:NAMED])
    if not account.remedies:
        yield f"Nothing that could be tried is known to mend it. {_by_hand(account, page)}".strip()
    for remedy in account.remedies[:3]:
        yield _remedy(remedy)
    yield f"To be mended at {_link(account, page)}. To try this case alone: {code(account.command, 400)}"
    if group.others:
        yield "The same:\n\n" + _listed([_other(other, account, page) for other in group.others])


def _other(other: Account, first: Account, page: Page) -> str:
    elsewhere = f", to be mended at {_link(other, page)}" if other.anchor != first.anchor else ""
    return f"{_where(other.case)}{elsewhere}"


def _where(case: CaseReport) -> str:
    return f"{code(case.case.artifact, 200)} in {code(case.case.runtime, 80)} {case.case.device}"


def _listed(items: Sequence[str]) -> str:
    rows = [f"- {item}" for item in items[:NAMED]]
    if len(items) > NAMED:
        rows.append(f"- and {len(items) - NAMED:,} more")
    return "\n".join(rows)


def _by_hand(account: Account, page: Page) -> str:
    if account.cause == UNKNOWN:
        return ""
    target = page.links.to_cause(account.cause)
    return f"What to do by hand: {f'[its page]({target})' if target else code(command(account.cause))}"


def _cause(cause: str, page: Page) -> str:
    target = page.links.to_cause(cause)
    return f"[{code(cause, 80)}]({target})" if target else code(cause, 80)


def _link(account: Account, page: Page) -> str:
    is_artifact = account.anchor.file == account.case.case.artifact
    shown = code(account.anchor.file if is_artifact else str(account.anchor), 200)
    target = page.links.to(account.anchor)
    return f"[{shown}]({target})" if target else shown


def _remedy(remedy: Remedy) -> str:
    if remedy.verified:
        where = f" (tried in {prose(remedy.tried_in, 120)})" if remedy.tried_in else ""
        parts = [f"**Fix, verified:** {prose(remedy.headline)}{where}"]
    else:
        why = f" ({prose(remedy.why_not_verified, 200)})" if remedy.why_not_verified else ""
        parts = [f"**Suggested, not verified:** {prose(remedy.headline)}{why}"]
    if remedy.breaks:
        names = [code(path, 120) for path in remedy.breaks[:3]]
        more = [f"{len(remedy.breaks) - 3:,} more"] if len(remedy.breaks) > 3 else []  # noqa: PLR2004 - as named
        parts.append(f"It breaks {wording.enumeration(names + more)}.")
    for edit in remedy.edits[:5]:
        where = f"{edit.file}:{edit.line}" if edit.line else edit.file
        text = block("\n".join(f"{sign} {line}" for sign, line in diff(edit)), lines=40, language="diff")
        parts.append(f"{code(where, 200)}\n\n{text}")
    if remedy.command:
        parts.append(block(remedy.command, language="sh"))
    return "\n\n".join(parts)


def _line_of_warning(group: Sequence[Warning]) -> str:
    first = group[0]
    more = f" and {len(group) - 1:,} more" if len(group) > 1 else ""
    return f"- warning: {code(first.case.case.artifact, 200)}{more}: {prose(first.diagnosis.headline, 200)}"


def _warning(group: Sequence[Warning], page: Page) -> str:
    diagnosis = group[0].diagnosis
    more = f" and {len(group) - 1:,} more" if len(group) > 1 else ""
    artifact = html_code(group[0].case.case.artifact, 200)
    summary = f"warning: <b>{html_prose(diagnosis.headline, 240)}</b> – {artifact}{more}"
    evidence = "\n".join(f"- **{SAW[each.side]}:** {prose(each.text)}" for each in diagnosis.evidence[:NAMED])
    remedies = [_remedy(remedy) for remedy in diagnosis.remedies[:2]]
    cause = f"cause {_cause(diagnosis.cause, page)}"
    where = f"It loads, {wording.loads_but(diagnosis)}:\n\n" + _listed([_where(warning.case) for warning in group])
    return details(
        summary, "\n\n".join(part for part in (cause, where, evidence, *remedies, _advice(diagnosis)) if part)
    )


def _advice(warning: Diagnosis) -> str:
    """In our own words, as the page of the cause has it."""
    rule = known_causes().get(warning.cause)
    return f"What to do:\n\n{rule.remedy.strip()}" if rule else ""
