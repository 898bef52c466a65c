"""Progress on long work: alive on a terminal, a few plain lines in a log, nothing when quiet."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from loadgate import untrusted
from loadgate.domain import Case, CaseResult, Outcome, RuntimeState
from loadgate.progress import Progress, Silent
from loadgate.report import wording
from loadgate.report.terminal import STYLES, fit_path, open_console, symbol, write
from loadgate.report.truth import Standing

SECONDS_BETWEEN_LINES = 10.0
TENTH = 0.1
CURRENT_CASES = 4
CURRENT_RUNTIMES = 8

Clock = Callable[[], float]


@contextmanager
def show_progress(stream: TextIO, *, cases: int, quiet: bool = False, remedies: bool = False) -> Iterator[Progress]:
    """Show the progress of a run of `cases` cases on `stream`, which should not be the one that the report goes to.

    `remedies`: they are trials of what might mend failures, and one that fails is no failure of the user's.
    """
    if quiet:
        yield Silent()
    elif stream.isatty() and os.environ.get("TERM") not in ("dumb", "unknown"):
        with LiveProgress(open_console(stream), cases, remedies=remedies).shown() as progress:
            yield progress
    else:
        yield PlainProgress(stream, cases, remedies=remedies)


@dataclass
class Tally:
    """How far the work is."""

    total: int
    clock: Clock
    remedies: bool = False
    """What is loaded are trials of remedies."""
    loading_since: float | None = None
    runtimes: dict[str, tuple[str, float]] = field(default_factory=dict)
    """In the making: what is done now, and since when the runtime is."""
    made: list[RuntimeState] = field(default_factory=list)
    running: dict[str, tuple[Case, float]] = field(default_factory=dict)
    finished: dict[str, Outcome] = field(default_factory=dict)
    """By case, so that a retry is not counted twice."""

    def count(self, outcome: Outcome) -> int:
        return sum(1 for found in self.finished.values() if found is outcome)

    @property
    def seconds(self) -> float:
        """Since the first case began."""
        return 0.0 if self.loading_since is None else self.clock() - self.loading_since


class _Tallied:
    """Keeps the tally under a lock; what follows from a change is the subclass's business."""

    def __init__(self, cases: int, clock: Clock = time.monotonic, *, remedies: bool = False) -> None:
        self.tally = Tally(cases, clock, remedies)
        self.lock = threading.Lock()

    def runtime_started(self, name: str) -> None:
        self.runtime_step(name, "starting")

    def runtime_step(self, name: str, step: str) -> None:
        with self.lock:
            _, since = self.tally.runtimes.get(name, ("", self.tally.clock()))
            self.tally.runtimes[name] = (step, since)

    def runtime_finished(self, state: RuntimeState) -> None:
        with self.lock:
            self.tally.runtimes.pop(state.name, None)
            self.tally.made.append(state)
            self.on_runtime(state)

    def case_started(self, case: Case) -> None:
        with self.lock:
            now = self.tally.clock()
            if self.tally.loading_since is None:
                self.tally.loading_since = now
            self.tally.running[case.id] = (case, now)

    def case_finished(self, case: Case, result: CaseResult) -> None:
        with self.lock:
            self.tally.running.pop(case.id, None)
            self.tally.finished[case.id] = result.outcome
            self.on_case()

    def on_runtime(self, state: RuntimeState) -> None:
        pass

    def on_case(self) -> None:
        pass


class PlainProgress(_Tallied):
    """For logs: a line a runtime, and one for every tenth of the cases or every ten seconds."""

    def __init__(self, stream: TextIO, cases: int, clock: Clock = time.monotonic, *, remedies: bool = False) -> None:
        super().__init__(cases, clock, remedies=remedies)
        self.console = Console(file=stream)
        self.last_line = clock()
        self.last_done = 0

    def on_runtime(self, state: RuntimeState) -> None:
        self._say(f"runtime {untrusted.name(state.name)}: {_made(state)}")

    def on_case(self) -> None:
        done = len(self.tally.finished)
        now = self.tally.clock()
        tenth = done == self.tally.total or done - self.last_done >= self.tally.total * TENTH
        if not tenth and now - self.last_line < SECONDS_BETWEEN_LINES:
            return
        self.last_line, self.last_done = now, done
        before, noun = ("remedies: ", "trial") if self.tally.remedies else ("", "case")
        cases = wording.count(self.tally.total, noun)
        self._say(f"{before}{done:,} of {cases}{_bad(self.tally)} ({_span(self.tally.seconds)})")

    def _say(self, line: str) -> None:
        # nobody may be there to read it any more, and the run goes on all the same
        with suppress(OSError):
            write(self.console, f"loadgate: {line}\n")


class LiveProgress(_Tallied):
    """For terminals: what is done now, redrawn in place, and gone when the work is."""

    def __init__(self, console: Console, cases: int, clock: Clock = time.monotonic, *, remedies: bool = False) -> None:
        super().__init__(cases, clock, remedies=remedies)
        self.console = console
        self.spinner = Spinner("line" if console.options.ascii_only else "dots")

    @contextmanager
    def shown(self) -> Iterator[LiveProgress]:
        # the report goes to standard output, so nothing that is printed there may be redirected to this console
        with Live(
            get_renderable=self.render,
            console=self.console,
            transient=True,
            refresh_per_second=8,
            redirect_stdout=False,
            redirect_stderr=False,
        ):
            yield self

    def render(self) -> RenderableType:
        with self.lock:
            if self.tally.running or self.tally.finished:
                return Group(self._bar(), *self._current_cases())
            return Group(*self._made_runtimes(), *self._current_runtimes())

    def _made_runtimes(self) -> Iterator[RenderableType]:
        for state in self.tally.made[-CURRENT_RUNTIMES:]:
            standing = Standing.PASSED if state.lock else Standing.ERROR
            yield self._row(
                Text(symbol(self.console, standing), STYLES[standing]), f"{self._name(state.name)}  {_made(state)}"
            )

    def _current_runtimes(self) -> Iterator[RenderableType]:
        for name, (step, since) in list(self.tally.runtimes.items())[:CURRENT_RUNTIMES]:
            span = _span(self.tally.clock() - since)
            yield self._row(self.spinner, f"{self._name(name)}  {untrusted.line(step)}", span)

    def _name(self, name: str) -> str:
        """Padded, so that what follows stands in a column."""
        names = [*self.tally.runtimes, *(state.name for state in self.tally.made)]
        return fit_path(name, 30).ljust(min(30, max(len(known) for known in names)))

    def _bar(self) -> RenderableType:
        tally, done = self.tally, len(self.tally.finished)
        numbers = f"{done:,} of {tally.total:,}"
        bad = _bad(tally)
        span = _span(tally.seconds)
        doing = "trying remedies" if tally.remedies else "loading"
        room = self.console.width - len(f"  {doing} ") - len(numbers) - len(bad) - len(span) - 4
        bar = Table.grid(padding=(0, 1, 0, 0))
        parts: list[RenderableType] = [self.spinner, Text(doing, "bold")]
        if room >= 8:  # noqa: PLR2004 - a shorter bar shows nothing
            parts.append(ProgressBar(total=max(1, tally.total), completed=done, width=min(40, room)))
        parts += [Text.assemble(numbers, (bad, "red")), Text(span, "bright_black")]
        for _ in parts:
            bar.add_column(no_wrap=True, overflow="ellipsis")
        bar.add_row(*parts)
        return bar

    def _current_cases(self) -> Iterator[RenderableType]:
        running = sorted(self.tally.running.values(), key=lambda entry: entry[1])
        for case, since in running[:CURRENT_CASES]:
            where = f" in {untrusted.name(case.runtime)} ({case.device})"
            span = _span(self.tally.clock() - since)
            path = fit_path(case.artifact, max(8, self.console.width - len(where) - len(span) - 4))
            yield self._row(Text(" "), path + where, span)
        if len(running) > CURRENT_CASES:
            yield self._row(Text(" "), f"and {len(running) - CURRENT_CASES} more")

    def _row(self, lead: RenderableType, text: str, span: str = "") -> RenderableType:
        row = Table.grid(padding=(0, 1, 0, 0))
        row.add_column(width=1)
        # rich takes from every column when a row is too wide, and the mark in front would be lost
        row.add_column(no_wrap=True, overflow="ellipsis", max_width=max(1, self.console.width - len(span) - 4))
        row.add_column(no_wrap=True, style="bright_black")
        row.add_row(lead, Text(text), span)
        return row


def _made(state: RuntimeState) -> str:
    if state.lock is not None:
        versions = ", ".join(untrusted.name(part) for part in wording.loaded_by(state.lock))
        return f"{versions} ({'from the cache, ' if state.cached else ''}{_span(state.seconds)})"
    headline = untrusted.line(state.finding.headline, 200) if state.finding else "no reason given"
    return f"could not be made: {headline} ({_span(state.seconds)})"


def _bad(tally: Tally) -> str:
    """A trial that fails has only found out what does not help."""
    if tally.remedies:
        return ""
    failed, errors = tally.count(Outcome.FAILED), tally.count(Outcome.ERROR)
    parts = [f"{failed:,} failed"] if failed else []
    parts += [f"{errors:,} without a verdict"] if errors else []
    return f", {', '.join(parts)}" if parts else ""


def _span(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3:07`."""
    if seconds < 10:  # noqa: PLR2004 - below it, tenths matter
        return f"{seconds:.1f} s"
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.0f} s"
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
