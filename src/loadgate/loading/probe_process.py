"""One probe: a process in the target runtime, behind walls, and the lines that go to it and come from it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Collection, Mapping
from pathlib import Path

from loadgate.domain import Device, Wall
from loadgate.loading import requests
from loadgate.loading import sandbox_policy as policy
from loadgate.loading.job import Batch, Job, Limits
from loadgate.loading.messages import Message
from loadgate.probe import kernel, removal, resave
from loadgate.sandbox.walls import Sandbox, command

PROBE = Path(kernel.__file__).with_name("__main__.py")
LOG_LIMIT = 16384
INHERITED = ("PATH", "TZ", "LD_LIBRARY_PATH", "CUDA_HOME", "CUDA_VISIBLE_DEVICES")
"""What a probe sees of our environment. Whatever else is in it may be a secret. The terminal's language is not
production's: in another encoding a load would look for another name."""
OUTLIVED_SECONDS = 5.0
"""How long we go after processes that start others faster than they can be counted."""

_running: set[int] = set()
"""Probes of this process. What else of our children is behind walls has outlived one."""


def environment(ours: Mapping[str, str], batch: Batch, scratch: Path) -> dict[str, str]:
    """The environment of a probe: a few harmless variables, the device, and what the runtime declares."""
    env = {name: ours[name] for name in INHERITED if name in ours}
    env |= {"LANG": "C.UTF-8", "HOME": str(scratch), "TMPDIR": str(scratch), "PYTHONDONTWRITEBYTECODE": "1"}
    env |= {"PYTHONUNBUFFERED": "1", **kernel.HUGE_PAGES}
    if batch.device is Device.GPU:
        env["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"
    else:
        env["CUDA_VISIBLE_DEVICES"] = "-1"
    env |= batch.env
    return env


class ProbeProcess:
    """See `probe.Probe`. Closes with `close`, which kills it and everything below it."""

    def __init__(self, batch: Batch, scratch: Path, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._scratch = Path(os.path.realpath(tempfile.mkdtemp(prefix="probe-", dir=scratch)))
        self._log = self._scratch / "probe.log"
        self._batch = batch
        self._reach = policy.reach(batch, os.environ)
        incoming, self._requests = os.pipe()
        self.replies, replies = os.pipe()
        os.set_blocking(self.replies, False)
        try:
            with self._log.open("wb") as log:
                self._process = subprocess.Popen(  # noqa: S603 - the interpreter that the spec names is the point
                    [*self._walls(), batch.lock.interpreter, str(PROBE), str(incoming), str(replies)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    # what the repository declares, LD_PRELOAD for one, is for the inside alone
                    env={} if self._sandbox.held else environment(os.environ, batch, self._scratch),
                    cwd=self._scratch,
                    pass_fds=(incoming, replies),
                    start_new_session=True,
                )
        finally:
            os.close(incoming)
            os.close(replies)
        _running.add(self._process.pid)
        self._said = requests.Replies()
        self._send({"do": "walls", **self._inner_walls()})

    @property
    def walls(self) -> tuple[Wall, ...]:
        return self._sandbox.held

    def _walls(self) -> list[str]:
        batch = self._batch
        return command(
            self._sandbox,
            self._reach,
            self._scratch,
            env=environment(os.environ, batch, self._scratch),
            gpu=batch.device is Device.GPU,
            artifacts=[grant for job in batch.jobs for grant in policy.grants(batch, job)],
        )

    def _inner_walls(self) -> dict[str, object]:
        working = self._sandbox.mechanisms.working
        return {
            "landlock": self._sandbox.mechanisms.landlock_version if "landlock" in working else 0,
            "seccomp": "seccomp" in working,
            "run": self._reach.run,
            "read": self._reach.read,
            "names": self._reach.names,
            "gpu": self._batch.device is Device.GPU,
            "shared_memory": self._sandbox.mechanisms.shared_memory is None,
        }

    def prepare(self, *, warm: bool) -> None:
        self._send(requests.preparation(self._batch, warm=warm))

    def run(self, job: Job, limits: Limits) -> None:
        grants = policy.grants(self._batch, job)
        self._send(requests.run(self._batch, job, limits, str(self._scratch), grants))

    def collect(self, job: Job) -> None:
        """Take what a case has saved out of the probe's own directory, which goes with the probe."""
        place = self._scratch / requests.kept(job)
        if job.product is None or job.product.exists() or not resave.is_plain_folder(str(place)):
            return
        try:
            shutil.move(place, job.product)
        except OSError:
            removal.remove(str(job.product))
        # what else runs in the probe could reach it until now
        if not resave.is_plain_folder(str(job.product)):
            removal.remove(str(job.product))

    def _send(self, request: requests.Request) -> None:
        data = requests.line(request)
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
        return self._said.take(data), bool(data) and not self._said.overlong

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
        removal.remove(str(self._scratch))


def kill_what_outlived(below: Collection[int]) -> None:
    """Kill what outlived a probe that is dead: it is our child now, and behind walls, which nothing can shed.

    Whoever is just ending has lost its walls already and not yet given us its children, so that only a look at which
    nobody did so is the last. Without walls, only those of its descendants are known that were `below` it before.
    """
    give_up = time.monotonic() + OUTLIVED_SECONDS
    ours = kernel.filters(os.getpid())
    ended: set[int] = set()
    certain = False
    while not certain and time.monotonic() < give_up:
        certain = True
        for process in set(kernel.children(os.getpid())) - _running - ended:
            if process in below or kernel.filters(process) > ours:
                certain = False
                kernel.kill_with_group(process)
                kernel.kill(kernel.descendants(process))
                kernel.collect(process)
            elif kernel.is_ending(process):
                certain = False
                if kernel.has_ended(process):
                    ended.add(process)
