"""What a person needs to know of one case without a pass: evidence from both sides, and how to try it again."""

from __future__ import annotations

from itertools import zip_longest

from rich.console import Console
from rich.text import Text

from loadgate import untrusted
from loadgate.domain import Artifact, ExceptionInfo, Reason, Stage, StageResult
from loadgate.report import why, wording
from loadgate.report.causes import CauseGroup
from loadgate.report.terminal import STYLES, labelled, symbol
from loadgate.report.truth import CaseReport, RuntimeReport, Standing

MESSAGE_LINES = 6
MESSAGE_CHARACTERS = 600
STACK_LINES = 6
CHAIN = 3
BLOCK_LINES = 200
BLOCK_CHARACTERS = 20_000

Rows = why.Rows


def draw_group(group: CauseGroup, console: Console, call: str) -> None:
    """The first case of a cause that is known, and which others share it."""
    case = group.cases[0]
    console.print(title(case, console))
    rows = why.cause_rows(group.diagnosis) + _of_the_call(case)
    rows += why.remedy_rows(group.diagnosis) + why.same_cause_rows(group)
    console.print(labelled(rows))
    console.print(_try_it(case, call), soft_wrap=True)


def draw_in_full(case: CaseReport, artifact: Artifact, runtime: RuntimeReport, console: Console, call: str) -> None:
    console.print(title(case, console))
    stage = case.decisive
    rows: Rows = why.headline_rows(case.diagnosis)
    rows += _of_the_file(artifact) + _of_the_call(case)
    rows += _of_the_stage(stage) if stage else [("reason", _line(case.message))]
    rows += _of_both_sides(artifact, runtime)
    if case.diagnosis is not None:
        rows += why.remedy_rows(case.diagnosis)
    console.print(labelled(rows))
    console.print(_try_it(case, call), soft_wrap=True)


def draw_in_one_line(case: CaseReport, console: Console) -> None:
    stage = case.decisive
    exception = stage.exception if stage else None
    reason = f"{exception.type}: {exception.message}" if exception else case.message or wording.reason_of(case)
    if case.diagnosis is not None and why.is_known(case.diagnosis):
        reason = case.diagnosis.headline
    line = title(case, console) + Text(f": {untrusted.line(reason, 200)}")
    line.truncate(console.width, overflow="ellipsis")
    console.print(line, soft_wrap=True)


def title(case: CaseReport, console: Console) -> Text:
    stage = case.decisive
    if case.standing is Standing.FAILED:
        verb = wording.VERBS[stage.stage if stage else Stage.LOAD][0]
    else:
        verb = "has no verdict"
    where = f"{untrusted.name(case.case.runtime)} ({case.case.device})"
    return Text.assemble(
        (f"{symbol(console, case.standing)} ", STYLES[case.standing]),
        (untrusted.name(case.case.artifact), "bold"),
        f" {verb} in {where}",
    )


def _try_it(case: CaseReport, call: str) -> Text:
    return Text("    try it     ", "bright_black") + Text(wording.reproduction(case.case, call), "bold")


def _of_the_file(artifact: Artifact) -> Rows:
    if artifact.stand_in is not None:
        stand_in = artifact.stand_in
        where = "" if stand_in.file == artifact.path else f"{untrusted.name(stand_in.file)} is "
        text = f"{where}{wording.STAND_INS[stand_in.kind]}: {untrusted.line(stand_in.detail)}"
        return [("the file", Text(text, "yellow"))]
    if (why := artifact.damage or artifact.unread) is not None:
        return [("the file", Text(untrusted.line(why), "yellow"))]
    return []


def _of_the_call(case: CaseReport) -> Rows:
    chosen = "named by the spec" if case.case.loader_chosen else "the default for its format"
    api = untrusted.name(case.result.api) if case.result and case.result.api else ""
    loader = f"loader {case.case.loader}, {chosen}"
    return [("called", Text(f"{api} ({loader})" if api else loader))]


def _of_the_stage(stage: StageResult) -> Rows:
    reason = wording.REASONS[stage.reason] if stage.reason else stage.outcome.value
    rows: Rows = []
    if stage.exception is None or stage.reason is not Reason.EXCEPTION:
        message = untrusted.line(stage.message)
        rows.append(("reason", Text(f"{reason}: {message}" if message else reason)))
    if stage.exception is not None:
        rows += _of_the_exception(stage.exception)
    if stage.stack:
        frames = "\n".join(row.strip() for row in stage.stack.split("\n") if "most recent call first" not in row)
        stack = untrusted.first_lines(frames, lines=STACK_LINES, characters=MESSAGE_CHARACTERS)
        rows.append(("it was in", Text(stack)))
    return rows


def _of_the_exception(exception: ExceptionInfo) -> Rows:
    message = untrusted.first_lines(exception.message, lines=MESSAGE_LINES, characters=MESSAGE_CHARACTERS)
    raised = Text.assemble((untrusted.name(exception.type), "bold"), f": {message}" if message else "")
    rows: Rows = [("raised", raised)]
    unsaid = [cause for cause in exception.chain if cause.partition(": ")[2] not in exception.message]
    rows += [("behind it", _line(cause)) for cause in unsaid[:CHAIN]]
    return rows


def _of_both_sides(artifact: Artifact, runtime: RuntimeReport) -> Rows:
    saved = [untrusted.name(part) for part in wording.saved_by(artifact)]
    loaded = [untrusted.name(part) for part in wording.loaded_by(runtime.lock)] if runtime.lock else []
    comparable = len(saved) > 1
    widths = [max(len(part) for part in pair) if comparable else 0 for pair in zip_longest(saved, loaded, fillvalue="")]
    rows = [("saved by", _aligned(saved, widths))]
    if loaded:
        rows.append(("loaded by", _aligned(loaded, widths)))
    return rows


def _aligned(parts: list[str], widths: list[int]) -> Text:
    return Text("  ".join(part.ljust(width) for part, width in zip(parts, widths, strict=False)).rstrip())


def draw_evidence(case: CaseReport, console: Console) -> None:
    """The traceback, where it hung, and the log, as far as a terminal can take them."""
    stage = case.decisive
    exception = stage.exception if stage else None
    for heading, text in (
        ("traceback", exception.traceback if exception else ""),
        ("stack", stage.stack if stage else ""),
        ("log", case.result.log if case.result else ""),
    ):
        if text:
            console.print(Text(f"    {heading}", "bright_black"))
            body = untrusted.block(text, lines=BLOCK_LINES, characters=BLOCK_CHARACTERS)
            for row in body.split("\n"):
                console.print(Text(f"      {row}"), soft_wrap=True)


def _line(text: str) -> Text:
    return Text(untrusted.line(text))
