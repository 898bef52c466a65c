from __future__ import annotations

import io
import os
import pty
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TextIO

import pytest
from rich.console import Console

from loadgate.domain import Case, Reason
from loadgate.progress import Progress, Silent
from loadgate.report.live import LiveProgress, PlainProgress, show_progress

from .sample_run import LOCKS, RUN, failed, passed, result

BAD = failed(Reason.EXCEPTION, "the loader raised ValueError")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def cases(number: int) -> list[Case]:
    return [replace(RUN.plan.cases[0], id=str(index), artifact=f"models/{index}.h5") for index in range(number)]


def finish(progress: Progress, case: Case, *, bad: bool = False) -> None:
    progress.case_started(case)
    progress.case_finished(case, result(case.id, BAD if bad else passed()))


def test_a_log_gets_one_line_a_runtime() -> None:
    stream = io.StringIO()
    progress = PlainProgress(stream, 0)
    for state in LOCKS.runtimes:
        progress.runtime_started(state.name)
        for step in range(50):
            progress.runtime_step(state.name, f"installing {step} packages")
        progress.runtime_finished(state)

    assert stream.getvalue().splitlines() == [
        "loadgate: runtime serving: TensorFlow 2.15.1, Keras 2.15.0, Python 3.11.7 (from the cache, 0.4 s)",
        "loadgate: runtime next: TensorFlow 2.18.1, Keras 3.15.1, Python 3.11.7 (14 s)",
        "loadgate: runtime legacy: could not be made: "
        "TensorFlow 2.11.1 was built for NumPy 1 and meets NumPy 2.2.6 (11 s)",
    ]


def test_a_log_gets_a_line_a_tenth_of_the_cases_however_many_there_are() -> None:
    stream = io.StringIO()
    progress = PlainProgress(stream, 2_000, Clock())
    for case in cases(2_000):
        finish(progress, case, bad=case.id in ("3", "7"))

    lines = stream.getvalue().splitlines()
    assert len(lines) == 10
    assert lines[0] == "loadgate: 200 of 2,000 cases, 2 failed (0.0 s)"
    assert lines[-1] == "loadgate: 2,000 of 2,000 cases, 2 failed (0.0 s)"


def test_a_log_of_slow_cases_gets_a_line_every_ten_seconds() -> None:
    stream, clock = io.StringIO(), Clock()
    progress = PlainProgress(stream, 1_000, clock)
    for case in cases(30):
        progress.case_started(case)
        clock.now += 4.0
        progress.case_finished(case, result(case.id, passed()))

    lines = stream.getvalue().splitlines()
    assert len(lines) == 10
    assert lines[0] == "loadgate: 3 of 1,000 cases (12 s)"
    assert lines[-1] == "loadgate: 30 of 1,000 cases (2:00)"


def test_trials_of_remedies_are_told_as_such_and_none_of_them_as_a_failure() -> None:
    stream = io.StringIO()
    progress = PlainProgress(stream, 1, Clock(), remedies=True)
    (case,) = cases(1)
    finish(progress, case, bad=True)

    assert stream.getvalue() == "loadgate: remedies: 1 of 1 trial (0.0 s)\n"


def test_a_retried_case_is_counted_once() -> None:
    stream = io.StringIO()
    progress = PlainProgress(stream, 1, Clock())
    (case,) = cases(1)
    finish(progress, case, bad=True)
    finish(progress, case)

    assert stream.getvalue().splitlines()[-1] == "loadgate: 1 of 1 case (0.0 s)"


def rendered(progress: LiveProgress) -> str:
    with progress.console.capture() as capture:
        progress.console.print(progress.render())
    return capture.get()


def test_what_is_live_says_that_remedies_are_tried() -> None:
    progress = LiveProgress(Console(file=io.StringIO(), width=60), 2, Clock(), remedies=True)
    finish(progress, cases(2)[0], bad=True)
    assert "trying remedies" in rendered(progress)
    assert "failed" not in rendered(progress)


@pytest.mark.parametrize("width", [30, 50, 80, 200])
def test_what_is_live_fits_the_terminal_and_is_bounded(width: int) -> None:
    progress = LiveProgress(Console(file=io.StringIO(), width=width), 500, Clock())
    progress.runtime_started("a" * 300)
    progress.runtime_step("a" * 300, "\x1b[2J" * 100)
    making = rendered(progress)
    for case in cases(100):
        progress.case_started(replace(case, artifact=f"{case.artifact}/{'deep/' * 40}", runtime="\x1b[31m"))
    loading = rendered(progress)

    for text in (making, loading):
        rows = text.rstrip("\n").split("\n")
        assert len(rows) <= 6
        assert all(len(row) <= width and row.isprintable() for row in rows)


def test_a_runtime_that_could_not_be_made_keeps_its_mark_on_a_narrow_terminal() -> None:
    progress = LiveProgress(Console(file=io.StringIO(), width=40), 0, Clock())
    for state in LOCKS.runtimes:
        progress.runtime_finished(state)

    assert [row[:9].rstrip() for row in rendered(progress).splitlines()] == ["✓ serving", "✓ next", "! legacy"]


def test_what_is_live_says_what_runs_and_what_failed() -> None:
    clock = Clock()
    progress = LiveProgress(Console(file=io.StringIO(), width=80), 5, clock)
    first, second, *_ = cases(5)
    finish(progress, first, bad=True)
    progress.case_started(second)
    clock.now = 75.0

    text = rendered(progress)
    assert "1 of 5, 1 failed" in text
    assert "models/1.h5 in serving (cpu) 1:15" in text


def test_progress_can_be_told_by_several_threads_at_once() -> None:
    stream = io.StringIO()
    progress = PlainProgress(stream, 400, Clock())
    planned = cases(400)

    def finish_all(part: list[Case]) -> None:
        for case in part:
            finish(progress, case)

    threads = [threading.Thread(target=finish_all, args=(planned[index::4],)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert stream.getvalue().splitlines()[-1].startswith("loadgate: 400 of 400 cases")


@contextmanager
def terminal() -> Iterator[tuple[TextIO, list[bytes]]]:
    """A real pseudo-terminal, and what it was sent, complete once it is closed."""
    ours, theirs = pty.openpty()
    sent: list[bytes] = []

    def read_all() -> None:
        with suppress(OSError):  # how Linux says that the other end is closed
            while block := os.read(ours, 65_536):
                sent.append(block)

    reader = threading.Thread(target=read_all)
    reader.start()
    with os.fdopen(theirs, "w") as stream:
        yield stream, sent
    reader.join()
    os.close(ours)


def test_a_terminal_gets_an_animation_that_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    with terminal() as (stream, sent), show_progress(stream, cases=1) as progress:
        finish(progress, cases(1)[0])

    written = b"".join(sent).decode()
    hide_cursor, show_cursor, erase_line = "\x1b[?25l", "\x1b[?25h", "\x1b[2K"
    assert isinstance(progress, LiveProgress)
    assert written.startswith(hide_cursor)
    assert show_cursor in written
    assert written.endswith(erase_line)


def test_a_dumb_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    with terminal() as (stream, _), show_progress(stream, cases=1) as progress:
        assert isinstance(progress, PlainProgress)


def test_a_log_that_wants_colour_still_gets_no_animation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    stream = io.StringIO()
    with show_progress(stream, cases=1) as progress:
        finish(progress, cases(1)[0])

    assert stream.getvalue() == "loadgate: 1 of 1 case (0.0 s)\n"


def test_quiet_tells_nobody() -> None:
    stream = io.StringIO()
    with show_progress(stream, cases=1, quiet=True) as progress:
        finish(progress, cases(1)[0])

    assert isinstance(progress, Silent)
    assert stream.getvalue() == ""
