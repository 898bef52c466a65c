"""Breaks and reads the files of one format so many times, and reports as JSON what became of it.

Run as `python -m tests.broken.campaign FORMAT COUNT`, in a process of its own: its memory is what is measured, and a
crash of it is a finding.
"""

from __future__ import annotations

import signal
import sys
import time
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from loadgate.domain import Format
from tests.in_memory import folder_in_memory

from .mutations import mutated
from .reading import LONGEST, Bench
from .seeds import Seed, seeds_of


@dataclass(slots=True)
class Outcome:
    answers: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    """Every promise that was broken: which seed and mutation, and how."""
    seconds: float = 0.0
    slowest: float = 0.0
    """Seconds of processor time that one answer took."""
    memory: int = 0
    """Bytes of resident memory at the most."""


class TooLong(BaseException):
    """Not an `Exception`: no reader may take it for an error of the file."""


def run(kind: Format, count: int, folder: Path) -> Outcome:
    seeds = seeds_of(kind)
    benches = [Bench(folder / str(index), seed) for index, seed in enumerate(seeds)]
    contents = [seed.content for seed in seeds]
    outcome = Outcome()
    begun = time.process_time()
    for number in range(count):
        index = number % len(seeds)
        content = mutated(contents[index], zlib.crc32(f"{kind} {number}".encode()), contents)
        _try(benches[index], seeds[index], number, content, outcome)
    outcome.seconds = time.process_time() - begun
    outcome.memory = most_memory()
    return outcome


def most_memory() -> int:
    """Of this process alone: `getrusage` counts in what the one had that started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def _try(bench: Bench, seed: Seed, number: int, content: bytes, outcome: Outcome) -> None:
    begun = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, LONGEST)
    try:
        outcome.answers[bench.answer(content)] += 1
    except (Exception, TooLong) as error:  # noqa: BLE001 - whatever it is, it is what is looked for
        outcome.broken.append(f"{seed.name}, mutation {number}: {type(error).__name__}: {error}"[:500])
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    outcome.slowest = max(outcome.slowest, time.process_time() - begun)


def _out_of_time(_number: int, _frame: object) -> None:
    raise TooLong(f"more than {LONGEST:.0f} s")


def main(arguments: Sequence[str]) -> None:
    kind, count = Format(arguments[0]), int(arguments[1])
    signal.signal(signal.SIGPROF, _out_of_time)
    with folder_in_memory() as folder:
        print(msgspec.json.encode(run(kind, count, folder)).decode())  # noqa: T201 - it is what is asked of it


if __name__ == "__main__":
    main(sys.argv[1:])
