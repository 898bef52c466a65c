"""Verified fixes as suggestions on a pull request's own lines, and artifacts as comments on its files. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from loadgate.domain import Edit
from loadgate.report.accounts import Account, accounts
from loadgate.report.markdown import code, prose
from loadgate.report.truth import Report
from loadgate.report.wording import path_bytes

MOST = 10
"""Comments of one run; the rest is in the comment on the pull request."""
HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    path: str
    line: int | None
    """Of the new side; None for the file as a whole."""
    body: str
    marker: str
    """Invisible in `body`; by it a repeat knows what was said already."""


def suggestions(report: Report, patches: Mapping[str, str]) -> tuple[Suggestion, ...]:
    """Each once, what blocks first. `patches` are the changed files, with nothing where one is binary."""
    found: dict[str, Suggestion] = {}
    for account in accounts(report):
        for suggestion in (*_edits(account, patches), *_on_file(account, patches)):
            found.setdefault(suggestion.marker, suggestion)
    return tuple(found.values())[:MOST]


def new_lines(patch: str) -> Mapping[int, str]:
    """Line of the new side → its text, for every line that a patch shows there."""
    lines: dict[int, str] = {}
    number = 0
    for row in patch.split("\n"):
        hunk = HUNK.match(row)
        if hunk:
            number = int(hunk[1])
        elif number and row[:1] in ("+", " "):
            lines[number] = row[1:]
            number += 1
    return lines


def _edits(account: Account, patches: Mapping[str, str]) -> Iterator[Suggestion]:
    remedy = account.verified
    if remedy is None or len(remedy.edits) != 1:
        return  # half of a fix is none
    edit = remedy.edits[0]
    line = _line_of(edit, patches.get(edit.file, ""))
    if line is None or "\n" in edit.new or "\r" in edit.new:
        return
    marker = _marker(edit.file, str(edit.old), edit.new)
    where = f", tried in {prose(remedy.tried_in, 120)}" if remedy.tried_in else ""
    said = f"{prose(remedy.headline)}\n\nVerified{where}: {code(account.case.case.artifact, 200)} loads with it."
    yield Suggestion(path=edit.file, line=line, body=f"{said}\n\n{_fenced(edit.new)}\n\n{marker}", marker=marker)


def _line_of(edit: Edit, patch: str) -> int | None:
    """The line as the branch has it: what was checked out is its merge, in which lines may have moved."""
    if edit.old is None:
        return None
    found = [number for number, text in new_lines(patch).items() if text.rstrip("\r") == edit.old]
    if edit.line in found:
        return edit.line
    return found[0] if len(found) == 1 else None


def _on_file(account: Account, patches: Mapping[str, str]) -> Iterator[Suggestion]:
    path = account.case.case.artifact
    if account.anchor.file != path or patches.get(path) != "":
        return
    marker = _marker(path, account.cause, account.case.case.runtime)
    headline = f"{code(path, 200)} does not load in {code(account.case.case.runtime, 80)}: {prose(account.headline)}"
    fixes = [f"Suggested, not verified: {prose(remedy.headline)}" for remedy in account.remedies[:1]]
    yield Suggestion(path=path, line=None, body="\n\n".join([headline, *fixes, marker]), marker=marker)


def _fenced(line: str) -> str:
    """GitHub replaces the line by what stands here, byte for byte, so nothing is made visible or cut."""
    longest = max((len(run) for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}suggestion\n{line}\n{fence}"


def _marker(*parts: str) -> str:
    digest = hashlib.sha256(path_bytes("\0".join(parts))).hexdigest()
    return f"<!-- loadgate-suggestion {digest[:16]} -->"
