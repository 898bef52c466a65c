"""From how a case's process ended to what that says of the artifact. Pure: no process, no clock, no file."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from loadgate.domain import CaseResult, ExceptionInfo, Outcome, Reason, Stage, StageResult
from loadgate.loading.messages import Message, StageLine, read_stage_lines
from loadgate.loading.schedule import Allowance


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One process of one case."""

    message: Message
    forked: bool
    """It was forked from a process that had imported TensorFlow."""


def deserves_another_process(attempt: Attempt) -> bool:
    """Whether the fork itself may be to blame: for a crash, or for a hang that waits instead of computing."""
    if not attempt.forked:
        return False
    message = attempt.message
    if message.killed == "timeout":
        return not message.busy
    return message.killed is None and message.signal is not None


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def ending(message: Message, timeout: float, memory: Allowance) -> tuple[Reason, str]:
    """Why a process stopped before its stage had ended."""
    beyond = {
        "timeout": (Reason.TIMED_OUT, f"still not done after {timeout:g} s"),
        "memory": beyond_memory(memory),
        "processes": (Reason.CRASHED, "started more processes or threads than a load may"),
        "disk": (Reason.CRASHED, "wrote more than a load may"),
    }
    if message.killed in beyond:
        return beyond[message.killed]
    if message.signal == signal.SIGKILL:
        return Reason.CRASHED, "was killed (SIGKILL), by itself or by the kernel for want of memory"
    if message.signal is not None:
        return Reason.CRASHED, f"crashed with {signal_name(message.signal)}"
    return Reason.EXITED, f"ended its own process with status {message.exit} before it was done"


def beyond_memory(memory: Allowance) -> tuple[Reason, str]:
    given, meant = (f"{size / 1024**2:,.0f} MiB" for size in (memory.given, memory.meant))
    if memory.given < memory.meant:
        return (
            Reason.MACHINE,
            f"no verdict: took all {given} of memory that this machine can spare, and may take {meant}",
        )
    return Reason.OUT_OF_MEMORY, f"took more than {given} of memory"


def reported(line: StageLine, stage: Stage) -> StageResult:
    """A stage of which the process itself said how it ended."""
    if line.reason is None:
        return StageResult(stage=stage, outcome=Outcome.PASSED, seconds=line.seconds)
    reason = Reason(line.reason) if line.reason in set(Reason) else Reason.EXCEPTION
    exception = line.exception
    message = one_line(exception) if exception else "failed"
    if reason is Reason.NOTHING_TO_RUN:
        return StageResult(
            stage=stage,
            outcome=Outcome.SKIPPED,
            seconds=line.seconds,
            reason=reason,
            message=exception.message if exception else message,
        )
    return StageResult(
        stage=stage,
        outcome=Outcome.FAILED,
        seconds=line.seconds,
        reason=reason,
        message=message,
        exception=exception,
    )


def one_line(exception: ExceptionInfo) -> str:
    first = next((line.strip() for line in exception.message.splitlines() if line.strip()), "")
    return f"{exception.type}: {first}" if first else exception.type


def skipped(stage: Stage, reason: Reason, message: str) -> StageResult:
    return StageResult(stage=stage, outcome=Outcome.SKIPPED, reason=reason, message=message)


def no_verdict(case: str, stages: tuple[Stage, ...], reason: Reason, message: str) -> CaseResult:
    """A case that could not be tried. Only its first stage says so; the others follow from it."""
    return CaseResult(
        case=case,
        stages=(
            StageResult(stage=stages[0], outcome=Outcome.ERROR, reason=reason, message=message),
            *(skipped(stage, Reason.EARLIER_STAGE, "the load was not tried") for stage in stages[1:]),
        ),
    )


def import_problem(line: StageLine | None, message: Message) -> str:
    """Why a process that imports TensorFlow itself did not come so far; empty where it did."""
    if line is None:
        how = "was too slow" if message.killed else f"ended with {message.signal or message.exit}"
        return f"importing TensorFlow {how}"
    if line.reason is None:
        return ""
    return one_line(line.exception) if line.exception else "TensorFlow could not be imported"


def judge(attempt: Attempt, stages: tuple[Stage, ...], timeout: float, memory: Allowance) -> tuple[StageResult, ...]:
    """What each stage came to."""
    message = attempt.message
    lines = {line.stage: line for line in read_stage_lines(message.lines)}
    if not attempt.forked and (problem := import_problem(lines.get("import"), message)):
        return no_verdict(message.case, stages, Reason.RUNTIME, problem).stages
    results: list[StageResult] = []
    for stage in stages:
        line = lines.get(stage.value)
        if results and results[0].outcome is not Outcome.PASSED:
            results.append(skipped(stage, Reason.EARLIER_STAGE, "the load did not pass"))
        elif line is not None:
            results.append(reported(line, stage))
        elif any(result.outcome in (Outcome.FAILED, Outcome.ERROR) for result in results):
            results.append(skipped(stage, Reason.EARLIER_STAGE, "the process had ended in the stage before"))
        else:
            reason, text = ending(message, timeout, memory)
            results.append(
                StageResult(
                    stage=stage,
                    outcome=Outcome.ERROR if reason is Reason.MACHINE else Outcome.FAILED,
                    reason=reason,
                    message=text,
                    stack=message.stack,
                    seconds=message.seconds,
                )
            )
    return tuple(results)
