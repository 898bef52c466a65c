"""What strangers wrote is parsed by a process of its own: behind walls, and within limits of the kernel.

It is given one task after another and answers each with one line. One that crashes, hangs or fills memory costs that
answer, and what it answers is no more to be trusted than the bytes that it read.
"""

from __future__ import annotations

import faulthandler
import os
import platform
import resource
import select
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Generic, TypeVar

from loadgate.probe import kernel, landlock, seccomp
from loadgate.sandbox import system_calls

CPU_SECONDS = 10
PATIENCE = 120.0
"""Seconds until one that computes nothing is given up: it waits for a disk, or for a pipe in place of a file."""
MEMORY = 512 * 1024**2
ANSWER_LIMIT = 256 * 1024**2
"""Bytes of one answer. What a reader may collect is bounded far below."""

Task = TypeVar("Task")


class NoAnswer(Exception):
    """Why there is none, as the end of a sentence that begins with what was done: `takes more than 10 s`."""


class OutOfBounds(NoAnswer):
    """It was not done with what it was given, and what it was asked about need not be to blame."""


class Apart(Generic[Task]):
    """A process that reads nothing but what lies in `folders`, and answers each of `tasks` in their order.

    It is forked, so there must be no thread yet but the one that makes it: what another held would be held for ever.
    No byte of an answer may be a line feed. `files` says of how many files a task is, where it can be of thousands.
    """

    def __init__(
        self,
        folders: Iterable[Path],
        tasks: Sequence[Task],
        answer: Callable[[Task], bytes],
        files: Callable[[Task], int] = lambda _: 1,
    ) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        self._tasks = iter(tuple(tasks))
        self._files = files
        self._answers, writing = os.pipe()
        self._process = os.fork()
        if self._process == 0:
            try:
                os.close(self._answers)
                kernel.die_with_parent(parent)
                silence()
                close_walls(folders)
                self._serve(writing, answer)
            finally:
                # never back into the caller's own story, whatever was raised
                os._exit(1)
        os.close(writing)
        self._buffer = bytearray()
        self._closed = False
        self._status: int | None = None

    def __enter__(self) -> Apart[Task]:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        os.close(self._answers)

    def _serve(self, writing: int, answer: Callable[[Task], bytes]) -> None:
        allowance = Allowance()
        for task in self._tasks:
            allowance.renew(seconds_for(self._files(task)))
            try:
                line = b"=" + answer(task)
            except MemoryError:
                line = f"!takes more than {MEMORY // 1024**2} MiB of memory".encode()
            line += b"\n"
            while line:
                line = line[os.write(writing, line) :]

    def next(self) -> bytes:
        """The answer to the next task. Raises `NoAnswer`, after which there is none to those after it either."""
        files = self._files(next(self._tasks))
        patience = PATIENCE + seconds_for(files) - CPU_SECONDS
        until = time.monotonic() + patience
        while (end := self._buffer.find(b"\n")) < 0:
            if not select.select([self._answers], [], [], max(0.0, until - time.monotonic()))[0]:
                raise OutOfBounds(f"was not done after {patience:,.0f} s")
            data = os.read(self._answers, 1 << 20)
            self._buffer += data
            self._closed = not data
            if self._closed or len(self._buffer) > ANSWER_LIMIT:
                raise self._reason_of_its_end(files)
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        if not line.startswith(b"="):
            raise OutOfBounds(line[1:].decode("utf-8", "replace"))
        return line[1:]

    def _reason_of_its_end(self, files: int) -> NoAnswer:
        status = self._end()
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
            return OutOfBounds(f"takes more than {seconds_for(files):,} s")
        return NoAnswer("ended the process that read it")

    def _end(self) -> int:
        """Kill it, where it has not ended by itself, and tell how it ended."""
        if self._status is None:
            with suppress(ProcessLookupError):
                # one that has closed its end of the pipe is ending; its own status says more than ours would
                done, self._status = os.waitpid(self._process, 0 if self._closed else os.WNOHANG)
                if not done:
                    os.kill(self._process, signal.SIGKILL)
                    _, self._status = os.waitpid(self._process, 0)
        return self._status or 0


def silence() -> None:
    """What it prints is nobody's business, and the signals that end its parent end it too."""
    faulthandler.disable()
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(null, descriptor)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGXCPU):
        signal.signal(number, signal.SIG_DFL)


def close_walls(folders: Iterable[Path]) -> None:
    """As far as this machine gives them; what it does not give is told where models are loaded."""
    data = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
    for kind, most in ((resource.RLIMIT_DATA, data + MEMORY), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0)):
        with suppress(OSError, ValueError):
            resource.setrlimit(kind, (most, most))
    with suppress(OSError):
        seccomp.give_up_privileges()
    with suppress(OSError):
        rules = landlock.Ruleset(landlock.abi())
        # modules that are imported only when a format asks for them
        ours = (sys.prefix, sys.base_prefix, *sys.path, str(Path(__file__).parents[2]))
        for path in {*map(str, folders), *ours}:
            if path:
                rules.allow(path, landlock.READ)
        rules.enforce()
    if system_calls.known(platform.machine()):
        with suppress(OSError):
            seccomp.enforce(system_calls.filter_for(platform.machine(), landlock.abi()))


TOLERANCE = 0.5
"""Seconds."""
MOST_CPU_SECONDS = 300


def seconds_for(files: int) -> int:
    """Of processor time. Each file may be a graph of a gigabyte, which takes a second to be known as one."""
    return min(CPU_SECONDS + files - 1, MOST_CPU_SECONDS)


class Allowance:
    """Seconds of processor time that a task may take. To ask the kernel anew for each of thousands would cost more."""

    def __init__(self) -> None:
        self._begun = 0.0
        self._seconds = 0

    def renew(self, seconds: int) -> None:
        used = time.process_time()
        if seconds == self._seconds and used - self._begun < TOLERANCE:
            return
        soft = int(used) + seconds + 1
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))
        self._begun, self._seconds = used, seconds
