"""What a probe is asked, wherever it runs: the lines of `probe/server.py`, and the lines that come back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from loadgate.loading.job import Batch, Job, Limits
from loadgate.loading.messages import Message, read_message
from loadgate.loading.sandbox_policy import Grant
from loadgate.loading.schedule import allowance

LEAST_DISK = 1024**3
DISK_PER_BYTE = 4
"""What a load may write: Keras unpacks an archive before it reads it, and some archives hold others."""
LINE_LIMIT = 32 * 1024 * 1024
"""Bytes of one line: what a case says is bounded in the probe, and JSON makes it a few times longer."""

Request = Mapping[str, object]


def line(request: Request) -> bytes:
    return json.dumps(request).encode() + b"\n"


def preparation(batch: Batch, *, warm: bool) -> Request:
    return {"do": "prepare", "warm": warm, **_imports(batch)}


def run(batch: Batch, job: Job, limits: Limits, scratch: str, grants: Sequence[Grant]) -> Request:
    """`scratch` is the probe's own directory, as the probe sees it, and `grants` what the load may read there."""
    return {
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
        "memory": allowance(limits.checks.memory, job.bytes, limits.memory).given,
        "scratch": scratch,
        "artifact": grants,
        "disk": limits.disk or LEAST_DISK + DISK_PER_BYTE * job.bytes,
        **_imports(batch),
    }


def kept(job: Job) -> str:
    """Where in its directory a probe leaves what a case has saved."""
    return f"kept-{job.case.id}"


def _imports(batch: Batch) -> Request:
    return {"paths": [str(path) for path in batch.import_paths], "imports": list(batch.imports)}


class Replies:
    """Lines as they arrive, cut anywhere."""

    def __init__(self) -> None:
        self._unfinished = b""

    def take(self, data: bytes) -> list[Message]:
        *lines, self._unfinished = (self._unfinished + data).split(b"\n")
        return [message for each in lines if (message := read_message(each)) is not None]

    @property
    def overlong(self) -> bool:
        """Whether a line is longer than any that a probe writes."""
        return len(self._unfinished) >= LINE_LIMIT
