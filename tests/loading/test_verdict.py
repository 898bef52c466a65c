"""What the end of a process says of the artifact, without any process."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgate.domain import Outcome, Reason, Stage
from loadgate.loading.messages import Message, read_message, read_stage_lines
from loadgate.loading.schedule import Allowance
from loadgate.loading.verdict import Attempt, deserves_another_process, judge

LOAD = (Stage.LOAD,)
BOTH = (Stage.LOAD, Stage.INFER)
ENOUGH = Allowance(meant=1024**3, given=1024**3)
PASSED = '{"stage": "load", "seconds": 0.5, "api": "load_model"}'
IMPORTED = '{"stage": "import", "seconds": 5.0}'


def line(stage: str, reason: str, kind: str = "ValueError", message: str = "no") -> str:
    exception = {"type": kind, "message": message, "traceback": "", "chain": []}
    return json.dumps({"stage": stage, "seconds": 0.1, "reason": reason, "exception": exception})


def judged(
    message: Message, stages: tuple[Stage, ...] = LOAD, forked: bool = True, memory: Allowance = ENOUGH
) -> list[tuple[Outcome, object]]:
    results = judge(Attempt(message=message, forked=forked), stages, 30.0, memory)
    return [(result.outcome, result.reason) for result in results]


def test_a_load_that_says_it_passed_has_passed() -> None:
    assert judged(Message(event="done", exit=0, lines=(PASSED,))) == [(Outcome.PASSED, None)]


def test_a_process_that_ends_well_without_having_said_so_has_not_loaded_anything() -> None:
    assert judged(Message(event="done", exit=0)) == [(Outcome.FAILED, Reason.EXITED)]


def test_a_crash_in_the_second_stage_takes_nothing_from_the_first() -> None:
    message = Message(event="done", signal=11, lines=(PASSED,))
    assert judged(message, BOTH) == [(Outcome.PASSED, None), (Outcome.FAILED, Reason.CRASHED)]


def test_what_cannot_be_run_is_skipped_and_not_failed() -> None:
    message = Message(event="done", exit=0, lines=(PASSED, line("infer", "nothing_to_run")))
    assert judged(message, BOTH) == [(Outcome.PASSED, None), (Outcome.SKIPPED, Reason.NOTHING_TO_RUN)]


def test_after_a_failed_load_nothing_else_is_tried() -> None:
    message = Message(event="done", exit=0, lines=(line("load", "exception"),))
    assert judged(message, BOTH) == [(Outcome.FAILED, Reason.EXCEPTION), (Outcome.SKIPPED, Reason.EARLIER_STAGE)]


@pytest.mark.parametrize(
    ("killed", "reason"),
    [("timeout", Reason.TIMED_OUT), ("memory", Reason.OUT_OF_MEMORY), ("processes", Reason.CRASHED)],
)
def test_a_process_that_had_to_be_stopped_has_failed_for_that_reason(killed: str, reason: Reason) -> None:
    assert judged(Message(event="done", signal=9, killed=killed)) == [(Outcome.FAILED, reason)]


@pytest.mark.parametrize(
    ("lines", "outcomes"),
    [
        ((), [(Outcome.ERROR, Reason.MACHINE), (Outcome.SKIPPED, Reason.EARLIER_STAGE)]),
        ((PASSED,), [(Outcome.PASSED, None), (Outcome.ERROR, Reason.MACHINE)]),
    ],
    ids=["load", "infer"],
)
def test_a_machine_that_has_less_memory_than_a_load_may_take_says_nothing_of_the_artifact(
    lines: tuple[str, ...], outcomes: list[tuple[Outcome, object]]
) -> None:
    message = Message(event="done", signal=9, killed="memory", lines=lines)
    assert judged(message, BOTH, memory=Allowance(meant=4 * 1024**3, given=1024**3)) == outcomes


def test_tensorflow_that_does_not_import_is_no_verdict_about_the_artifact() -> None:
    message = Message(event="done", exit=0, lines=(line("import", "exception", "ImportError"),))
    assert judged(message, forked=False) == [(Outcome.ERROR, Reason.RUNTIME)]
    assert judged(Message(event="done", signal=11), forked=False) == [(Outcome.ERROR, Reason.RUNTIME)]


def test_a_crash_after_the_import_is_the_artifacts_own() -> None:
    message = Message(event="done", signal=11, lines=(IMPORTED,))
    assert judged(message, forked=False) == [(Outcome.FAILED, Reason.CRASHED)]


CRASHED = Message(event="done", signal=11)


@pytest.mark.parametrize(
    ("message", "again"),
    [
        (CRASHED, True),
        (Message(event="done", signal=9, killed="timeout", busy=False), True),
        (Message(event="done", signal=9, killed="timeout", busy=True), False),
        (Message(event="done", signal=9, killed="memory"), False),
        (Message(event="done", exit=3), False),
    ],
    ids=["crashed", "stalled", "looping", "greedy", "left"],
)
def test_only_what_a_fork_can_cause_is_tried_again(message: Message, again: bool) -> None:
    assert deserves_another_process(Attempt(message=message, forked=True)) is again


def test_nothing_is_tried_a_third_time() -> None:
    assert not deserves_another_process(Attempt(message=CRASHED, forked=False))


def test_a_line_that_a_model_wrote_into_the_pipe_does_not_hide_the_true_one() -> None:
    assert [each.stage for each in read_stage_lines(('{"stage": nonsense', PASSED))] == ["load"]


@given(st.binary())
def test_whatever_a_probe_says_is_a_message_or_nothing(data: bytes) -> None:
    assert read_message(data) is None or isinstance(read_message(data), Message)


@given(st.lists(st.text()), st.integers(0, 255), st.sampled_from([None, "timeout", "memory"]))
def test_whatever_a_model_writes_every_stage_gets_an_outcome(lines: list[str], status: int, killed: str | None) -> None:
    outcomes = judged(Message(event="done", exit=status, killed=killed, lines=tuple(lines)), BOTH)
    assert len(outcomes) == len(BOTH)
