"""Tells work that never ends from work that is done on any machine, without measuring how fast a machine is."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

MOST = 60.0
"""Seconds of processor time: hundreds of times what is asked for here takes, and a moment of what grows without end."""


class Endless(BaseException):
    """Not an `Exception`: whoever is tested may take those for mistakes in a file."""


@contextmanager
def comes_to_an_end() -> Iterator[None]:
    def give_up(*_: object) -> None:
        raise Endless(f"not done after {MOST:.0f} s of processor time")

    before = signal.signal(signal.SIGPROF, give_up)
    signal.setitimer(signal.ITIMER_PROF, MOST)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
