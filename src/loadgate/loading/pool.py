"""Run cases: one probe a runtime and device, several cases at once, and whatever dies costs only itself.

A case whose process crashed or stalled in a fork, or whose probe died under it, is a suspect: it is tried once more,
alone and in a process that was not forked, and what happens there is its verdict.
"""

from __future__ import annotations

import dataclasses
import selectors
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from types import TracebackType

from loadgate.domain import Case, CaseResult, Device, Outcome, Reason, Stage, StageResult
from loadgate.loading.connected_probe import ConnectedProbe
from loadgate.loading.job import Batch, Job, Limits
from loadgate.loading.messages import Message, read_stage_lines
from loadgate.loading.probe import Probe
from loadgate.loading.probe_process import ProbeProcess
from loadgate.loading.schedule import allowance, expected_memory, fits
from loadgate.loading.verdict import Attempt, deserves_another_process, judge, no_verdict, skipped
from loadgate.probe import kernel, removal
from loadgate.sandbox.walls import Sandbox, examine

START_SECONDS = 900.0
"""What a probe is given to import TensorFlow and the modules under `imports:`."""
GRACE_SECONDS = 30.0
"""How much later than the probe itself we give up on a case: a model may have stopped the probe."""
RESTARTS = 2
"""How often a probe that died with no case under way is replaced."""


class Mode(Enum):
    """How the cases of a probe come by TensorFlow, the fastest first."""

    WARM = auto()
    """It is imported once and warmed up, and every case is forked from that."""
    FORKED = auto()
    """It is imported once, and every case is forked from that."""
    SINGLE = auto()
    """Every case imports it itself."""

    @property
    def safer(self) -> Mode:
        """The next to try, where a process turns out unfit to be forked."""
        return Mode.FORKED if self is Mode.WARM else Mode.SINGLE


@dataclass(slots=True)
class Station:
    """A probe and its work."""

    batch: Batch
    process: Probe
    queue: deque[Job]
    mode: Mode
    ready: bool
    deadline: float
    alone: bool = False
    """Made for one suspect."""
    restarts: int = 0
    listens: bool = False
    """It came so far as to be told of cases."""
    running: dict[str, tuple[Job, float]] = field(default_factory=dict)
    """Case id → the job, and when we give up on it."""

    @property
    def forks(self) -> bool:
        return self.mode is not Mode.SINGLE

    @property
    def concurrency(self) -> int:
        # two processes that share a GPU see each other's memory
        return 1 if self.alone or self.batch.device is Device.GPU else 1 << 16

    @property
    def done(self) -> bool:
        return not self.queue and not self.running


class Pool:
    """Use as a context manager; leaving it kills every process that it started, also on Ctrl-C."""

    def __init__(self, limits: Limits, started: Callable[[Case], None], sandbox: Sandbox | None = None) -> None:
        """`sandbox`: None for all that this machine can give."""
        self._limits = limits
        self._sandbox = sandbox or examine()
        self._started = started
        self._selector = selectors.DefaultSelector()
        self._stations: list[Station] = []
        self._suspects: deque[tuple[Batch, Job]] = deque()
        self._scratch = tempfile.mkdtemp(prefix="loadgate-")

    def __enter__(self) -> Pool:
        kernel.adopt_orphans()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for station in list(self._stations):
            self._close(station)
        self._selector.close()
        removal.remove(self._scratch)

    def run(self, batches: Sequence[Batch]) -> Iterator[CaseResult]:
        """Yield a result for every job of every batch, in the order in which they end."""
        waiting = deque(batch for batch in batches if batch.jobs)
        while waiting or self._stations or self._suspects:
            self._fill(waiting)
            yield from self._step()

    # --- giving out work --------------------------------------------------------------------------------------

    def _fill(self, waiting: deque[Batch]) -> None:
        for station in self._stations:
            while station.ready and station.queue and self._has_room_for(station):
                self._begin(station, station.queue.popleft())
        # a worker that no case wants just now imports the next runtime's TensorFlow in the meantime
        while waiting and self._busy() < self._limits.workers:
            batch = waiting.popleft()
            self._open(batch, batch.jobs, Mode.WARM if batch.device is Device.CPU else Mode.SINGLE)
        if not waiting and not self._stations and self._suspects:
            batch, job = self._suspects.popleft()
            self._open(batch, (job,), Mode.SINGLE, alone=True)

    def _busy(self) -> int:
        return sum(len(station.running) if station.ready else 1 for station in self._stations)

    def _has_room_for(self, station: Station) -> bool:
        if self._busy() >= self._limits.workers or len(station.running) >= station.concurrency:
            return False
        under_way = [expected_memory(job.bytes) for each in self._stations for job, _ in each.running.values()]
        return fits(expected_memory(station.queue[0].bytes), under_way, self._limits.memory)

    def _open(self, batch: Batch, jobs: Sequence[Job], mode: Mode, *, alone: bool = False, restarts: int = 0) -> None:
        station = Station(
            batch=batch,
            process=self._probe(batch),
            queue=deque(jobs),
            mode=mode,
            ready=mode is Mode.SINGLE,
            deadline=time.monotonic() + START_SECONDS,
            alone=alone,
            restarts=restarts,
        )
        self._stations.append(station)
        self._selector.register(station.process.replies, selectors.EVENT_READ, station)
        if station.forks:
            station.process.prepare(warm=mode is Mode.WARM)

    def _probe(self, batch: Batch) -> Probe:
        if batch.door is not None:
            return ConnectedProbe(batch, batch.door, self._sandbox)
        return ProbeProcess(batch, Path(self._scratch), self._sandbox)

    def _begin(self, station: Station, job: Job) -> None:
        patience = self._limits.checks.timeout + GRACE_SECONDS + (0.0 if station.forks else START_SECONDS)
        station.running[job.case.id] = (job, time.monotonic() + patience)
        self._started(job.case)
        station.process.run(job, self._limits)

    def _close(self, station: Station) -> None:
        self._stations.remove(station)
        self._selector.unregister(station.process.replies)
        station.process.close()

    # --- taking in what happened ------------------------------------------------------------------------------

    def _step(self) -> Iterator[CaseResult]:
        for key, _ in self._selector.select(timeout=1.0):
            station: Station = key.data
            messages, open_still = station.process.read()
            for message in messages:
                yield from self._take(station, message)
            if not open_still and station in self._stations:
                yield from self._bury(station)
        now = time.monotonic()
        for station in list(self._stations):
            late = any(until < now for _, until in station.running.values())
            if late or (not station.ready and station.deadline < now):
                yield from self._bury(station)
            elif station.ready and station.done:
                self._close(station)

    def _take(self, station: Station, message: Message) -> Iterator[CaseResult]:
        if message.event == "listening":
            station.listens = True
        elif message.event == "ready":
            station.ready = True
            if not message.forkable:
                self._close(station)
                self._open(station.batch, tuple(station.queue), station.mode.safer)
        elif message.event == "broken":
            reason = Reason.IMPORTS if message.imports else Reason.RUNTIME
            self._close(station)
            yield from self._give_up(station, reason, " ".join(message.message.split()))
        elif message.event == "done" and message.case in station.running:
            job, _ = station.running.pop(message.case)
            if job.saves is not None:
                station.process.collect(job)
            attempt = Attempt(message=message, forked=station.forks)
            if not station.alone and deserves_another_process(attempt):
                self._suspects.append((station.batch, job))
            else:
                yield self._result(station, job, attempt)

    def _result(self, station: Station, job: Job, attempt: Attempt) -> CaseResult:
        checks = self._limits.checks
        message = attempt.message
        memory = allowance(checks.memory, job.bytes, self._limits.memory)
        stages = judge(attempt, self._stages(job), checks.timeout, memory)
        return self._signed(
            station,
            job,
            CaseResult(
                case=job.case.id,
                stages=stages,
                api=api_of(message, job.case),
                seconds=message.seconds,
                peak_memory=message.peak_memory,
                log=message.log,
            ),
        )

    def _signed(self, station: Station, job: Job, result: CaseResult) -> CaseResult:
        return dataclasses.replace(
            result,
            isolation="fork" if station.forks else "process",
            walls=station.process.walls,
            attempts=2 if station.alone else 1,
            artifact_digest=job.artifact_digest,
            lock_digest=station.batch.lock.digest,
        )

    def _stages(self, job: Job) -> tuple[Stage, ...]:
        return job.stages or self._limits.checks.stages

    def _give_up(self, station: Station, reason: Reason, message: str) -> Iterator[CaseResult]:
        jobs = [*station.queue, *(job for job, _ in station.running.values())]
        for job in jobs:
            yield self._signed(station, job, no_verdict(job.case.id, self._stages(job), reason, message))

    def _bury(self, station: Station) -> Iterator[CaseResult]:
        """A probe has died, or had to be killed: replace it, and suspect what was under way."""
        under_way = [job for job, _ in station.running.values()]
        words = station.process.last_words()
        self._close(station)
        if not station.listens:
            # no case was there yet that could have killed it
            station.queue.extendleft(reversed(under_way))
            station.running.clear()
            under_way = []
        if station.alone and under_way:
            yield self._killed_its_probe(station, under_way[0])
            return
        self._suspects.extend((station.batch, job) for job in under_way)
        restarts = station.restarts + (0 if under_way else 1)
        if restarts > RESTARTS:
            last = words.strip().splitlines()[-1:] or ["it said nothing"]
            yield from self._give_up(station, Reason.PROBE, f"the probe died {restarts} times: {last[0]}")
        elif station.queue:
            mode = station.mode if station.ready else station.mode.safer
            self._open(station.batch, tuple(station.queue), mode, alone=station.alone, restarts=restarts)

    def _killed_its_probe(self, station: Station, job: Job) -> CaseResult:
        stages = self._stages(job)
        failure = StageResult(
            stage=stages[0],
            outcome=Outcome.FAILED,
            reason=Reason.CRASHED,
            message="killed or stopped the process that watched over it, twice",
        )
        rest = (skipped(stage, Reason.EARLIER_STAGE, "the load did not pass") for stage in stages[1:])
        return self._signed(station, job, CaseResult(case=job.case.id, stages=(failure, *rest)))


def api_of(message: Message, case: Case) -> str:
    """The call that the load made, or the loader's name where it did not come so far as to say."""
    named = (line.api for line in read_stage_lines(message.lines) if line.stage == "load" and line.api)
    return next(named, case.loader)
