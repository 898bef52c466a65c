"""The one comment of a pull request: when it is written, what it says, and what it hides for the next run. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from loadgate.domain import Stage
from loadgate.report.comparison import Broken, broken, changes
from loadgate.report.links import Links
from loadgate.report.markdown_page import Page, render, size
from loadgate.report.truth import Change, Report
from loadgate.report.wording import path_bytes

LIMIT = 65_000
"""GitHub takes 65,536 characters."""
MOST_REMEMBERED = 3_000
"""Failures that travel in the comment: they do not compress, and take eight characters each."""
LONGEST_STATE = 256 * 1024
"""Bytes of a state, unpacked; whoever may edit the comment could have put anything there."""
ID = 12
_STATE = r"<!-- loadgate-state ([A-Za-z0-9+/=]{1,60000}) -->\s*"
STATE = re.compile(_STATE + r"\Z")
"""At the end alone: among what a comment tells, the name of a file could be spelled like one."""


class Mode(StrEnum):
    """When a comment is written. One that is there is kept current in all but `never`."""

    ALWAYS = "always"
    ON_FAILURE = "on-failure"
    """First when something fails or has no verdict."""
    ON_CHANGE = "on-change"
    """When something broke or was fixed since the last comment; the first when something is broken."""
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a comment remembers of the run that wrote it."""

    sha: str = ""
    run: int = 0
    """Id and attempt of the workflow run, which grow."""
    attempt: int = 0
    broken: Broken | None = field(default_factory=dict)
    """By a digest of the case's id; None where there were too many to remember."""


def marker(name: str) -> str:
    """Invisible, and the same for every run of one gate. The name itself could end the HTML comment."""
    return f"<!-- loadgate-comment {hashlib.sha256(path_bytes(name)).hexdigest()[:16]} -->"


def is_of(name: str, text: str) -> bool:
    """Whether a comment ends as those of that gate do."""
    return re.search(re.escape(marker(name)) + rf"\s*(?:{_STATE})?\Z", text) is not None


def state_of(report: Report, *, sha: str, run: int, attempt: int) -> State:
    failing = {_short(case): stage for case, stage in broken(report).items()}
    return State(sha=sha, run=run, attempt=attempt, broken=failing if len(failing) <= MOST_REMEMBERED else None)


def changes_since(report: Report, last: State | None) -> Mapping[str, Change]:
    if last is None or last.broken is None:
        return {}
    remembered = last.broken
    ids = [case.case.id for case in report.cases]
    return changes(report, {case: remembered[_short(case)] for case in ids if _short(case) in remembered})


def _short(case: str) -> str:
    """A plan of another tool may have ids of any shape."""
    return hashlib.sha256(path_bytes(case)).hexdigest()[:ID]


def is_wanted(mode: Mode, report: Report, last: State | None, *, is_there: bool) -> bool:
    """Whether a comment is written now; `is_there` says whether an earlier one is."""
    ails = report.totals.failed > 0 or report.exit_status != 0
    match mode:
        case Mode.NEVER:
            return False
        case Mode.ALWAYS:
            return True
        case Mode.ON_FAILURE:
            return ails or is_there
        case Mode.ON_CHANGE:
            if not is_there:
                return ails
            moved = set(changes_since(report, last).values()) - {Change.STILL_BROKEN}
            return bool(moved) or last is None or last.broken is None


def is_outdated(ours: State, theirs: State | None) -> bool:
    """A later run has spoken already: two that race end as if they had come in order."""
    return theirs is not None and (theirs.run, theirs.attempt) > (ours.run, ours.attempt)


def body(  # noqa: PLR0913 - each is one thing that the comment tells
    report: Report, *, name: str, links: Links, state: State, last: State | None, problems: tuple[str, ...] = ()
) -> str:
    hidden = f"{marker(name)}\n{encode(state)}\n"
    page = Page(
        limit=LIMIT - size(hidden) - 2,
        name=name,
        links=links,
        changes=changes_since(report, last),
        last=last.sha if last is not None and last.broken is not None else "",
        problems=problems,
    )
    return f"{render(report, page)}\n{hidden}"


def encode(state: State) -> str:
    """An HTML comment whose text is Base64, so that nothing in it can end it."""
    stages: dict[str, list[str]] = {}
    for case, stage in sorted((state.broken or {}).items()):
        stages.setdefault(stage.value, []).append(case)
    content = {
        "version": 1,
        "sha": state.sha,
        "run": state.run,
        "attempt": state.attempt,
        "broken": None if state.broken is None else {stage: "".join(cases) for stage, cases in stages.items()},
    }
    packed = zlib.compress(json.dumps(content, separators=(",", ":")).encode(), 9)
    return f"<!-- loadgate-state {base64.b64encode(packed).decode()} -->"


def decode(comment: str) -> State | None:
    """What a comment remembers; None where it is not there, or somebody has changed it to something else."""
    found = STATE.search(comment)
    if found is None:
        return None
    try:
        unpacker = zlib.decompressobj()
        content = json.loads(unpacker.decompress(base64.b64decode(found[1], validate=True), LONGEST_STATE))
        return _state(content)
    except (binascii.Error, zlib.error, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _state(content: Mapping[str, object]) -> State | None:
    sha, run, attempt, stages = (content[key] for key in ("sha", "run", "attempt", "broken"))
    if content["version"] != 1 or not (isinstance(sha, str) and isinstance(run, int) and isinstance(attempt, int)):
        return None
    state = State(sha=sha if re.fullmatch(r"[0-9a-f]{0,64}", sha) else "", run=run, attempt=attempt, broken=None)
    if stages is None:
        return state
    if not isinstance(stages, dict):
        return None
    remembered = {
        cases[start : start + ID]: Stage(stage) for stage, cases in stages.items() for start in range(0, len(cases), ID)
    }
    return replace(state, broken=remembered)
