"""One probe: a process in the target runtime, and the lines that go to it and come from it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from loadgate.domain import Device
from loadgate.loading.job import Batch, Job, Limits
from loadgate.loading.messages import Message, read_message
from loadgate.probe import kernel

PROBE = Path(kernel.__file__).with_name("__main__.py")
LOG_LIMIT = 16384
LINE_LIMIT = 32 * 1024 * 1024
"""Bytes of one line: what a case says is bounded in the probe, and JSON makes it a few times longer."""
INHERITED = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "CUDA_HOME", "CUDA_VISIBLE_DEVICES")
"""What a probe sees of our environment. Whatever else is in it may be a secret."""
MARK = "LOADGATE_RUN"


def environment(ours: Mapping[str, str], batch: Batch, scratch: Path) -> dict[str, str]:
    """The environment of a probe: a few harmless variables, the device, and what the runtime declares."""
    env = {name: ours[name] for name in INHERITED if name in ours}
    env.setdefault("LANG", "C.UTF-8")
    env |= {"HOME": str(scratch), "TMPDIR": str(scratch), "PYTHONDONTWRITEBYTECODE": "1", MARK: str(scratch)}
    env["PYTHONUNBUFFERED"] = "1"
    if batch.device is Device.GPU:
        env["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"
    else:
        env["CUDA_VISIBLE_DEVICES"] = "-1"
    env |= batch.env
    return env


class ProbeProcess:
    """Closes with `close`, which kills it and everything below it."""

    def __init__(self, batch: Batch, scratch: Path) -> None:
        self._scratch = Path(tempfile.mkdtemp(prefix="probe-", dir=scratch))
        self._log = self._scratch / "probe.log"
        requests, self._requests = os.pipe()
        self.replies, replies = os.pipe()
        os.set_blocking(self.replies, False)
        try:
            with self._log.open("wb") as log:
                self._process = subprocess.Popen(  # noqa: S603 - the interpreter that the spec names is the point
                    [batch.lock.interpreter, str(PROBE), str(requests), str(replies)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=environment(os.environ, batch, self._scratch),
                    cwd=self._scratch,
                    pass_fds=(requests, replies),
                    start_new_session=True,
                )
        finally:
            os.close(requests)
            os.close(replies)
        self._buffer = bytearray()
        self._batch = batch

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
                "stages": [stage.value for stage in limits.checks.stages],
                "timeout": limits.checks.timeout,
                "memory": limits.checks.memory,
                "scratch": str(self._scratch),
                "paths": [str(path) for path in self._batch.import_paths],
                "imports": list(self._batch.imports),
            }
        )

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
        kernel.kill([*kernel.descendants(self._process.pid), self._process.pid])
        self._process.wait()
        for descriptor in (self._requests, self.replies):
            os.close(descriptor)
        kill_marked_children(str(self._scratch))
        shutil.rmtree(self._scratch, ignore_errors=True)


def kill_marked_children(scratch: str) -> None:
    """Kill what outlived a probe that was itself killed: it is our child now, and still carries the run's mark."""
    mark = f"{MARK}={scratch}".encode()
    for process in kernel.children(os.getpid()):
        try:
            marked = mark in Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if marked:
            kernel.kill([process, *kernel.descendants(process)])
