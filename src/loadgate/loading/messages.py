"""What the probe says. It passes on what a model's own process wrote, so every line is checked before it is used."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from loadgate.domain import ExceptionInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One line from the probe; which fields are set depends on `event`."""

    event: str
    message: str = ""
    traceback: str = ""
    imports: bool = False
    forkable: bool = False
    case: str = ""
    exit: int | None = None
    signal: int | None = None
    killed: str | None = None
    lines: tuple[str, ...] = ()
    log: str = ""
    stack: str = ""
    seconds: float = 0.0
    busy: bool = False
    peak_memory: int = 0
    landlock: int = 0
    seccomp: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StageLine:
    """One line from a case's own process."""

    stage: str
    seconds: float
    api: str = ""
    reason: str | None = None
    exception: ExceptionInfo | None = None


_message = msgspec.json.Decoder(Message)
_stage_line = msgspec.json.Decoder(StageLine)


def read_message(line: bytes) -> Message | None:
    """None for a line that the probe cannot have written."""
    try:
        return _message.decode(line)
    except msgspec.DecodeError:
        return None


def read_stage_lines(lines: tuple[str, ...]) -> tuple[StageLine, ...]:
    """The lines of a case, without those that are none: a crash cuts one short, a model may write into the pipe."""
    return tuple(found for line in lines if (found := _read_stage_line(line)) is not None)


def _read_stage_line(line: str) -> StageLine | None:
    try:
        return _stage_line.decode(line)
    except msgspec.DecodeError:
        return None
