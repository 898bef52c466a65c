"""Facts are read by a process of their own: what strangers wrote is parsed behind walls, within limits of the kernel.

A reader that crashes, hangs or fills memory costs the facts of one artifact, and says so as its damage.
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
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import msgspec

from loadgate.artifacts.interface import Sighting
from loadgate.domain import Artifact
from loadgate.probe import kernel, landlock, seccomp
from loadgate.sandbox import system_calls

CPU_SECONDS = 10
PATIENCE = 120.0
"""Seconds until a reader that computes nothing is given up: it waits for a disk, or for a pipe in place of a file."""
MEMORY = 512 * 1024**2
ANSWER_LIMIT = 256 * 1024**2
"""Bytes of one artifact's facts. What a reader may collect is bounded far below."""

Reader = Callable[[Path, Sighting], Artifact]


def facts_of(root: Path, sighting: Sighting) -> Artifact:
    from loadgate.artifacts.discover import read_artifact

    return read_artifact(root, sighting, digest=False)


def read_apart(root: Path, sightings: Sequence[Sighting], read: Reader = facts_of) -> Iterator[Artifact]:
    """What is known of each, in their order. `read` runs in another process and sees nothing but `root`."""
    waiting = list(sightings)
    while waiting:
        with Apart(root, waiting, read) as apart:
            while waiting:
                answer = apart.next()
                if isinstance(answer, str):
                    yield digested(root, without_facts(root, waiting.pop(0), answer))
                    break
                yield digested(root, answer)
                waiting.pop(0)


def without_facts(root: Path, sighting: Sighting, why: str) -> Artifact:
    size = 0
    for file in sighting.files:
        with suppress(OSError):
            size += (root / file).stat().st_size
    return Artifact(
        path=sighting.path,
        format=sighting.format,
        files=sighting.files,
        bytes=size,
        stand_in=sighting.stand_in,
        damage=None if sighting.stand_in else why,
    )


def digested(root: Path, artifact: Artifact) -> Artifact:
    """With the digest over its bytes, which parses nothing and may take as long as the disk takes."""
    from loadgate.artifacts.discover import digest_of

    try:
        return replace(artifact, digest=digest_of(root, artifact.files))
    except OSError as error:
        unreadable = f"{os.path.relpath(error.filename, root)} cannot be read: {error.strerror}"
        return replace(artifact, bytes=0, damage=artifact.damage or unreadable)


class Apart:
    """A process that reads one artifact after another and answers with one line each."""

    def __init__(self, root: Path, sightings: Sequence[Sighting], read: Reader) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        self._answers, writing = os.pipe()
        self._process = os.fork()
        if self._process == 0:
            try:
                os.close(self._answers)
                kernel.die_with_parent(parent)
                self._serve(writing, root, sightings, read)
            finally:
                # never back into the caller's own story, whatever was raised
                os._exit(1)
        os.close(writing)
        self._buffer = bytearray()
        self._closed = False
        self._status: int | None = None

    def __enter__(self) -> Apart:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        os.close(self._answers)

    @staticmethod
    def _serve(writing: int, root: Path, sightings: Sequence[Sighting], read: Reader) -> None:
        silence()
        close_walls(root)
        for sighting in sightings:
            allow_more_time()
            try:
                line = b"=" + msgspec.json.encode(read(root, sighting))
            except MemoryError:
                line = f"!reading it takes more than {MEMORY // 1024**2} MiB of memory".encode()
            line += b"\n"
            while line:
                line = line[os.write(writing, line) :]

    def next(self) -> Artifact | str:
        """The next artifact, or why it cannot be told."""
        until = time.monotonic() + PATIENCE
        while b"\n" not in self._buffer:
            if not select.select([self._answers], [], [], max(0.0, until - time.monotonic()))[0]:
                return f"reading it was not done after {PATIENCE:g} s"
            data = os.read(self._answers, 1 << 20)
            self._buffer += data
            self._closed = not data
            if self._closed or len(self._buffer) > ANSWER_LIMIT:
                return self._why_it_ended()
        line, _, rest = bytes(self._buffer).partition(b"\n")
        self._buffer = bytearray(rest)
        if not line.startswith(b"="):
            return line[1:].decode("utf-8", "replace")
        return msgspec.json.decode(line[1:], type=Artifact)

    def _why_it_ended(self) -> str:
        status = self._end()
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
            return f"reading it takes more than {CPU_SECONDS} s"
        return "reading it ended the process that read it"

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


def close_walls(root: Path) -> None:
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
        for path in {str(root), sys.prefix, sys.base_prefix, *sys.path, str(Path(__file__).parents[2])}:
            if path:
                rules.allow(path, landlock.READ)
        rules.enforce()
    if system_calls.known(platform.machine()):
        with suppress(OSError):
            seccomp.enforce(system_calls.filter_for(platform.machine(), landlock.abi()))


def allow_more_time() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + CPU_SECONDS + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))
