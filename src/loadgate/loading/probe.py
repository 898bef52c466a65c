"""What the pool asks of a probe, wherever that runs."""

from __future__ import annotations

from typing import Protocol

from loadgate.domain import Wall
from loadgate.loading.job import Job, Limits
from loadgate.loading.messages import Message


class Probe(Protocol):
    """A process in a runtime that loads one case after the other. It has been started, and ends with `close`."""

    replies: int
    """A descriptor that can be read from when `read` has something to tell."""

    @property
    def walls(self) -> tuple[Wall, ...]:
        """What stands around a case of it."""

    def prepare(self, *, warm: bool) -> None:
        """Import TensorFlow, so that cases can be forked from it."""

    def run(self, job: Job, limits: Limits) -> None: ...

    def read(self) -> tuple[list[Message], bool]:
        """What it has said since, and whether it can say more."""

    def collect(self, job: Job) -> None:
        """Take over what a case has saved, which goes with the probe otherwise."""

    def last_words(self) -> str:
        """The end of what it wrote to its own standard output and error."""

    def close(self) -> None: ...
