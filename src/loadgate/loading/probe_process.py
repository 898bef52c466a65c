"""One probe: a process in the target runtime, behind walls, and the lines that go to it and come from it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from loadgate.domain import Device, Wall
from loadgate.loading import sandbox_policy as policy
from loadgate.loading.job import Batch, Job, Limits
from loadgate.loading.messages import Message, read_message
from loadgate.probe import confinement, kernel
from loadgate.sandbox.walls import PROGRAM, Sandbox

PROBE = Path(kernel.__file__).with_name("__main__.py")
LOG_LIMIT = 16384
LINE_LIMIT = 32 * 1024 * 1024
"""Bytes of one line: what a case says is bounded in the probe, and JSON makes it a few times longer."""
INHERITED = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "CUDA_HOME", "CUDA_VISIBLE_DEVICES")
"""What a probe sees of our environment. Whatever else is in it may be a secret."""
LEAST_DISK = 1024**3
DISK_PER_BYTE = 4
"""What a load may write: Keras unpacks an archive before it reads it, and some archives hold others."""
OUTLIVED_SECONDS = 5.0
"""How long we go after processes that start others faster than they can be counted."""

_running: set[int] = set()
"""Probes of this process. What else of our children is behind walls has outlived one."""


def environment(ours: Mapping[str, str], batch: Batch, scratch: Path) -> dict[str, str]:
    """The environment of a probe: a few harmless variables, the device, and what the runtime declares."""
    env = {name: ours[name] for name in INHERITED if name in ours}
    env.setdefault("LANG", "C.UTF-8")
    env |= {"HOME": str(scratch), "TMPDIR": str(scratch), "PYTHONDONTWRITEBYTECODE": "1"}
    env["PYTHONUNBUFFERED"] = "1"
    if batch.device is Device.GPU:
        env["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"
    else:
        env["CUDA_VISIBLE_DEVICES"] = "-1"
    env |= batch.env
    return env


def kept(job: Job) -> str:
    return f"kept-{job.case.id}"


class ProbeProcess:
    """Closes with `close`, which kills it and everything below it."""

    def __init__(self, batch: Batch, scratch: Path, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._scratch = Path(os.path.realpath(tempfile.mkdtemp(prefix="probe-", dir=scratch)))
        self._log = self._scratch / "probe.log"
        self._batch = batch
        self._reach = policy.reach(batch, os.environ)
        requests, self._requests = os.pipe()
        self.replies, replies = os.pipe()
        os.set_blocking(self.replies, False)
        try:
            with self._log.open("wb") as log:
                self._process = subprocess.Popen(  # noqa: S603 - the interpreter that the spec names is the point
                    [*self._walls(), batch.lock.interpreter, str(PROBE), str(requests), str(replies)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    # what the repository declares, LD_PRELOAD for one, is for the inside alone
                    env={} if self._sandbox.held else environment(os.environ, batch, self._scratch),
                    cwd=self._scratch,
                    pass_fds=(requests, replies),
                    start_new_session=True,
                )
        finally:
            os.close(requests)
            os.close(replies)
        _running.add(self._process.pid)
        self._buffer = bytearray()
        self._send({"do": "walls", **self._inner_walls()})

    @property
    def walls(self) -> tuple[Wall, ...]:
        return self._sandbox.held

    def _walls(self) -> list[str]:
        """The command that puts up the outer walls before anything of the runtime runs; none without a sandbox."""
        if not self._sandbox.held:
            return []
        batch = self._batch
        description = {
            "mechanisms": self._sandbox.mechanisms.working,
            "landlock_version": self._sandbox.mechanisms.landlock_version,
            "env": environment(os.environ, batch, self._scratch),
            "run": self._reach.run,
            "read": self._reach.read,
            "names": self._reach.names,
            "artifacts": [grant for job in batch.jobs for grant in policy.grants(batch, job)],
            "use": [str(self._scratch), *self._shared_memory],
            "gpu": batch.device is Device.GPU,
        }
        file = self._scratch / "walls.json"
        file.write_text(json.dumps(description))
        return [sys.executable, "-I", "-S", str(PROGRAM), str(file)]

    def _inner_walls(self) -> dict[str, object]:
        working = self._sandbox.mechanisms.working
        return {
            "landlock": self._sandbox.mechanisms.landlock_version if "landlock" in working else 0,
            "seccomp": "seccomp" in working,
            "run": self._reach.run,
            "read": self._reach.read,
            "names": self._reach.names,
            "gpu": self._batch.device is Device.GPU,
            "shared_memory": bool(self._shared_memory),
        }

    @property
    def _shared_memory(self) -> list[str]:
        """The machine's own is everybody's: a load gets one of its own or none."""
        return [confinement.SHARED_MEMORY] if self._sandbox.mechanisms.shared_memory is None else []

    def prepare(self, *, warm: bool) -> None:
        self._send(
            {
                "do": "prepare",
                "warm": warm,
                "paths": [str(path) for path in self._batch.import_paths],
                "imports": list(self._batch.imports),
            }
        )

    def run(self, job: Job, limits: Limits) -> None:
        self._send(
            {
                "do": "run",
                "case": job.case.id,
                "path": str(job.path),
                "loader": job.case.loader.value,
                "device": job.case.device.value,
                "stages": [stage.value for stage in job.stages or limits.checks.stages],
                "saves": job.saves.value if job.saves else None,
                "product": str(job.product) if job.product else None,
                "kept": kept(job),
                "timeout": limits.checks.timeout,
                "memory": limits.checks.memory,
                "scratch": str(self._scratch),
                "artifact": policy.grants(self._batch, job),
                "disk": limits.disk or LEAST_DISK + DISK_PER_BYTE * job.bytes,
                "paths": [str(path) for path in self._batch.import_paths],
                "imports": list(self._batch.imports),
            }
        )

    def collect(self, job: Job) -> None:
        """Take what a case has saved out of the probe's own directory, which goes with the probe."""
        place = self._scratch / kept(job)
        if job.product is not None and place.is_dir() and not place.is_symlink() and not job.product.exists():
            shutil.move(place, job.product)

    def _send(self, request: dict[str, object]) -> None:
        data = json.dumps(request).encode() + b"\n"
        try:
            while data:
                data = data[os.write(self._requests, data) :]
        except BrokenPipeError:
            # it has ended; the end of its replies says so to whoever reads them
            return

    def read(self) -> tuple[list[Message], bool]:
        """What it has said since, and whether it can say more."""
        try:
            data = os.read(self.replies, 1 << 20)
        except BlockingIOError:
            return [], True
        self._buffer += data
        return list(self._messages()), bool(data) and len(self._buffer) < LINE_LIMIT

    def _messages(self) -> Iterator[Message]:
        *lines, rest = self._buffer.split(b"\n")
        self._buffer = bytearray(rest)
        for line in lines:
            message = read_message(bytes(line))
            if message is not None:
                yield message

    def last_words(self) -> str:
        """The end of what it wrote to its own standard output and error."""
        try:
            content = self._log.read_bytes()[-LOG_LIMIT:]
        except OSError:
            return ""
        return content.decode("utf-8", "replace")

    def close(self) -> None:
        below = kernel.descendants(self._process.pid)
        kernel.kill([*below, self._process.pid])
        self._process.wait()
        _running.discard(self._process.pid)
        for descriptor in (self._requests, self.replies):
            os.close(descriptor)
        kill_what_outlived(below)
        shutil.rmtree(self._scratch, ignore_errors=True)


def kill_what_outlived(below: Collection[int]) -> None:
    """Kill what outlived a probe that is dead: it is our child now, and behind walls, which nothing can shed.

    Without walls, only those of its descendants are known that were `below` it before.
    """
    give_up = time.monotonic() + OUTLIVED_SECONDS
    ours = kernel.filters(os.getpid())
    while time.monotonic() < give_up:
        orphans = [
            process
            for process in kernel.children(os.getpid())
            if process not in _running and (process in below or kernel.filters(process) > ours)
        ]
        if not orphans:
            return
        for orphan in orphans:
            kernel.kill([orphan, *kernel.descendants(orphan)])
            kernel.collect(orphan)
