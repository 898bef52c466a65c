"""Failures as annotations on the lines that must change, worst first: one for what has one cause and one line. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from loadgate import untrusted
from loadgate.domain import Origin, Remedy
from loadgate.report import wording
from loadgate.report.accounts import (
    SAW,
    AccountGroup,
    Warning,  # noqa: A004 - the report's own word for it
    accounts,
    broken_runtimes,
    grouped,
    place,
    warnings,
)
from loadgate.report.causes import command
from loadgate.report.diff import diff
from loadgate.report.truth import Report, RuntimeReport, Standing

NAMED = 10
TITLE = 200
MESSAGE = 8_000
"""Characters; GitHub takes 255 of a title and 64 KiB of a message."""


class Level(StrEnum):
    """As the Checks API spells them."""

    FAILURE = "failure"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """Plain text, without anything that does not print."""

    level: Level
    file: str
    line: int
    title: str
    message: str
    cases: int = 1


def annotated(report: Report, prefix: str = "") -> tuple[Annotation, ...]:
    """What blocks, the most cases first; then what else went wrong; then what changed although it loads. `prefix`:
    where the repository lies in its checkout."""
    call = wording.call_at_root(report.spec_file, prefix)
    found = [*map(_of_group, grouped(accounts(report, call), by_anchor=True))]
    found += _of_runtimes(report)
    found.sort(key=lambda each: (each.level is not Level.FAILURE, -each.cases))
    found += map(_of_warning, warnings(report))
    return tuple(replace(each, file=prefix + each.file) for each in found)


def _of_group(group: AccountGroup) -> Annotation:
    first = group.first
    blocks = first.blocks or first.case.standing is Standing.ERROR
    return Annotation(
        level=Level.FAILURE if blocks else Level.WARNING,
        file=_path(first.anchor.file),
        line=first.anchor.line,
        title=untrusted.line(first.headline, TITLE),
        message=_bounded(_lines(group)),
        cases=len(group.all),
    )


def _lines(group: AccountGroup) -> Iterator[str]:
    first = group.first
    yield untrusted.line(first.title)
    for other in group.others[:NAMED]:
        yield untrusted.line(other.title)
    if len(group.others) > NAMED:
        yield f"and {len(group.others) - NAMED:,} more"
    yield ""
    if first.explanation:
        yield untrusted.line(first.explanation, 1_000)
        yield ""
    for evidence in first.evidence[:NAMED]:
        yield f"{SAW[evidence.side]}: {untrusted.line(evidence.text)}"
    for remedy in first.remedies[:3]:
        yield ""
        yield from _fix(remedy)
    yield ""
    yield f"To try it alone: {untrusted.line(first.command)}"


def _fix(remedy: Remedy) -> Iterator[str]:
    known = "Fix, verified" if remedy.verified else "Suggested, not verified"
    where = f" (tried in {untrusted.line(remedy.tried_in)})" if remedy.tried_in else ""
    yield f"{known}: {untrusted.line(remedy.headline)}{where}"
    for edit in remedy.edits[:NAMED]:
        yield from (f"{sign} {text}" for sign, text in diff(edit))
    if remedy.command:
        yield f"$ {untrusted.line(remedy.command)}"


def _of_runtimes(report: Report) -> Iterator[Annotation]:
    for runtime in broken_runtimes(report):
        origin = runtime.runtime.origin or Origin(file=report.spec_file or "loadgate.yml", line=1)
        yield Annotation(
            level=Level.FAILURE,
            file=_path(origin.file),
            line=origin.line,
            title=untrusted.line(f"runtime {runtime.name} could not be made", TITLE),
            message=_bounded(_of_finding(runtime)),
            cases=max(1, runtime.totals.cases),
        )


def _of_finding(runtime: RuntimeReport) -> Iterator[str]:
    finding = runtime.finding
    if finding is None:
        return
    yield untrusted.line(finding.headline)
    yield f"{wording.count(runtime.totals.cases, 'case')} without a verdict"
    if finding.suggestion and not runtime.remedies:
        yield f"Suggested, not verified: {untrusted.line(finding.suggestion)}"
    for remedy in runtime.remedies[:3]:
        yield from _fix(remedy)
    if finding.detail:
        yield ""
        yield untrusted.block(finding.detail, lines=20, characters=2_000)


def _of_warning(warning: Warning) -> Annotation:
    case = warning.case
    lines = [f"{case.case.artifact} loads in {place(case)}, {wording.loads_but(warning.diagnosis)}."]
    lines += [f"{SAW[evidence.side]}: {evidence.text}" for evidence in warning.diagnosis.evidence[:NAMED]]
    lines.append(f"What to do: {command(warning.diagnosis.cause)}")
    return Annotation(
        level=Level.WARNING,
        file=_path(warning.anchor.file),
        line=warning.anchor.line,
        title=untrusted.line(warning.diagnosis.headline, TITLE),
        message=_bounded(untrusted.line(line) for line in lines),
    )


def _path(path: str) -> str:
    """As it is, for GitHub compares it with the repository's own; a surrogate no JSON can hold."""
    return path.encode("utf-8", "backslashreplace").decode()


def _bounded(lines: Iterator[str]) -> str:
    return untrusted.shorten_middle("\n".join(lines).strip("\n"), MESSAGE)
