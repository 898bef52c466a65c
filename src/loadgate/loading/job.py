"""What the pool is asked to do, with nothing left to look up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loadgate.domain import Case, Checks, Device, Format, Lock, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    case: Case
    path: Path
    """The artifact on this machine."""
    bytes: int
    artifact_digest: str | None
    files: tuple[Path, ...] = ()
    """Every file that belongs to it; empty where it is one."""
    stages: tuple[Stage, ...] = ()
    """What it goes through, where that is not what the checks ask for."""
    saves: Format | None = None
    """The format in which it is saved again, in its stage `resave`."""
    product: Path | None = None
    """The folder of what is saved again: written by a case that `saves`, read by the stage `compare` of another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The cases of one runtime on one device, which share a probe."""

    runtime: str
    device: Device
    lock: Lock
    env: Mapping[str, str]
    imports: tuple[str, ...]
    import_paths: tuple[Path, ...]
    """Appended to `sys.path`, so that `imports` are found in the repository."""
    jobs: tuple[Job, ...]
    door: Path | None = None
    """Where probes are started for us in a container of the runtime's image; None to start them ourselves."""
    seen_at: Path | None = None
    """The same repository on this machine, where the loads see it elsewhere."""
    repository: Path | None = None
    """What its loads may see of the repository lies below it; None where each artifact is on its own."""
    made_by_us: bool = True
    """False for an interpreter that was there before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    checks: Checks
    workers: int
    """Cases and imports of TensorFlow under way at once."""
    memory: int
    """Bytes that all of them together may be expected to need."""
    disk: int | None = None
    """Bytes that one case may write; None for what its size makes likely."""
