"""A probe in a container that somebody else has started: `probe/listen.py` in there starts it for us."""

from __future__ import annotations

import platform
import secrets
import select
import socket
import time
from collections.abc import Mapping
from pathlib import Path

from loadgate.domain import Device, Wall
from loadgate.loading import requests
from loadgate.loading import sandbox_policy as policy
from loadgate.loading.job import Batch, Job, Limits
from loadgate.loading.messages import Message
from loadgate.sandbox import system_calls
from loadgate.sandbox.walls import Mechanisms, Sandbox, standing

PATIENCE = 15.0
"""Seconds for the container to listen. One whose listener was killed by a model is started again by Docker."""
RETRY_SECONDS = 0.05
OF_THE_CONTAINER = (Wall.NETWORK, Wall.PRIVILEGES)
"""What it is for a load, whatever stands around each case in it."""


def additions(batch: Batch, scratch: str) -> Mapping[str, str]:
    """Variables besides those of the image, which are what production has."""
    device = {"TF_FORCE_GPU_ALLOW_GROWTH": "true"} if batch.device is Device.GPU else {"CUDA_VISIBLE_DEVICES": "-1"}
    own = {"HOME": scratch, "TMPDIR": scratch, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}
    return {**own, **device, **batch.env}


class ConnectedProbe:
    """See `probe.Probe`. Closes with `close`, at which the other side kills it and everything below it."""

    def __init__(self, batch: Batch, door: Path, sandbox: Sandbox) -> None:
        self._batch = batch
        self._sandbox = sandbox
        self._scratch = f"/tmp/loadgate-{secrets.token_hex(8)}"  # noqa: S108 - in the container, where nobody else is
        self._said = requests.Replies()
        self._last_words = ""
        self._standing: tuple[Wall, ...] = OF_THE_CONTAINER
        self._connection = connected(door)
        self.replies = self._connection.fileno()
        self._send({"scratch": self._scratch, "env": additions(batch, self._scratch)})
        self._send({"do": "walls", **self._inner_walls()})

    def _inner_walls(self) -> requests.Request:
        """Around each case, as on this machine: what is in the container, and what its kernel gives, is seen in there.

        The system calls that a load is refused are refused to the probe already, which there has no walls of its own.
        """
        mechanisms, machine = self._sandbox.mechanisms, platform.machine()
        landlock_version = mechanisms.landlock_version if mechanisms.landlock is None else 0
        refused = system_calls.filter_for(machine, landlock_version) if mechanisms.seccomp is None else b""
        return {
            "landlock": landlock_version,
            "seccomp": mechanisms.seccomp is None,
            "refused": {"machine": machine, "filter": refused.hex()},
            "workspace": [str(path) for path in self._batch.import_paths],
            "gpu": self._batch.device is Device.GPU,
        }

    def prepare(self, *, warm: bool) -> None:
        self._send(requests.preparation(self._batch, warm=warm))

    def run(self, job: Job, limits: Limits) -> None:
        grants = policy.grants_elsewhere(self._batch, job)
        self._send(requests.run(self._batch, job, limits, self._scratch, grants))

    def _send(self, request: requests.Request) -> None:
        data = requests.line(request)
        try:
            while data:
                select.select([], [self._connection], [], PATIENCE)
                data = data[self._connection.send(data) :]
        except OSError:
            # it has ended; the end of its replies says so to whoever reads them
            return

    def read(self) -> tuple[list[Message], bool]:
        try:
            data = self._connection.recv(1 << 20)
        except BlockingIOError:
            return [], True
        except OSError:
            data = b""
        messages = self._said.take(data)
        for message in messages:
            if message.event == "ended":
                self._last_words = message.message
            elif message.event == "walls":
                self._standing = walls_inside(message)
        return messages, bool(data) and not self._said.overlong

    @property
    def walls(self) -> tuple[Wall, ...]:
        return self._standing

    def collect(self, job: Job) -> None:
        """What it saved stays in the container, and goes with it."""

    def last_words(self) -> str:
        return self._last_words

    def close(self) -> None:
        self._connection.close()


def walls_inside(message: Message) -> tuple[Wall, ...]:
    """The container is namespaces and privileges; what else there is, the probe has said before anything else ran."""
    return standing(
        Mechanisms(
            landlock=None if message.landlock else "not in this container",
            landlock_version=message.landlock,
            seccomp=None if message.seccomp else "not in this container",
        )
    ).held


def connected(door: Path) -> socket.socket:
    """A connection that ends at once where nobody answers: then the probe has died before it began."""
    give_up = time.monotonic() + PATIENCE
    while True:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(str(door))
        except OSError:
            connection.close()
            if time.monotonic() > give_up:
                connection, other = socket.socketpair()
                other.close()
                return connection
            time.sleep(RETRY_SECONDS)
            continue
        connection.setblocking(False)
        return connection
