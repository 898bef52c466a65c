"""A probe in a container that somebody else has started: `probe/listen.py` in there starts it for us."""

from __future__ import annotations

import json
import secrets
import select
import socket
import time
from collections.abc import Mapping
from pathlib import Path

from loadgate.domain import Device, Wall
from loadgate.loading.job import Batch, Job
from loadgate.loading.messages import Message
from loadgate.loading.probe_process import LINE_LIMIT, ProbeProcess

PATIENCE = 15.0
"""Seconds for the container to listen. One whose listener was killed by a model is started again by Docker."""
RETRY_SECONDS = 0.05
WALLS = (Wall.NETWORK, Wall.PRIVILEGES)
"""What the container is for a load. The repository is all there, and what cases write is not hidden from each other."""


def additions(batch: Batch, scratch: str) -> Mapping[str, str]:
    """Variables besides those of the image, which are what production has."""
    device = {"TF_FORCE_GPU_ALLOW_GROWTH": "true"} if batch.device is Device.GPU else {"CUDA_VISIBLE_DEVICES": "-1"}
    own = {"HOME": scratch, "TMPDIR": scratch, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}
    return {**own, **device, **batch.env}


class ConnectedProbe(ProbeProcess):
    """What is said is the same; only the process is another's child.

    Closes with `close`, at which the other side kills it and everything below it.
    """

    def __init__(self, batch: Batch, door: Path) -> None:
        scratch = f"/tmp/loadgate-{secrets.token_hex(8)}"  # noqa: S108 - in the container, where nobody else is
        self._batch = batch
        self._scratch = Path(scratch)
        self._buffer = bytearray()
        self._last_words = ""
        self._connection = connected(door)
        self.replies = self._connection.fileno()
        self._send({"scratch": scratch, "env": additions(batch, scratch)})
        none = {"landlock": 0, "seccomp": False, "run": [], "read": [], "names": [], "shared_memory": False}
        self._send({"do": "walls", "gpu": batch.device is Device.GPU, **none})

    def _send(self, request: Mapping[str, object]) -> None:
        data = json.dumps(request).encode() + b"\n"
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
        self._buffer += data
        messages = list(self._messages())
        self._last_words = next((each.message for each in messages if each.event == "ended"), self._last_words)
        return messages, bool(data) and len(self._buffer) < LINE_LIMIT

    @property
    def walls(self) -> tuple[Wall, ...]:
        return WALLS

    def collect(self, job: Job) -> None:
        """What it saved stays in the container, and goes with it."""

    def last_words(self) -> str:
        return self._last_words

    def close(self) -> None:
        self._connection.close()


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
