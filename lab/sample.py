"""Make some of the measured loads again, each in a process of its own, and say where it comes out otherwise."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from lab.loading import load_alone, wanted_of
from lab.place import Place, read_lines

Say = Callable[[str], None]
SEED = 20261122


def measure_sample(place: Place, size: int, only: Sequence[str], say: Say) -> int:
    """0 where every load of the sample ends as it was measured, 1 where one does not."""
    measured = {wanted_of(line): line for line in read_lines(place.loads)}
    candidates = [wanted for wanted in measured if not only or wanted.runtime in only]
    chosen = random.Random(SEED).sample(candidates, min(size, len(candidates)))  # noqa: S311 - no secret
    again = replace(place, results="sample.jsonl")
    again.loads.unlink(missing_ok=True)
    load_alone(again, chosen, say)
    found = {wanted_of(line): line for line in read_lines(again.loads)}
    different = [wanted for wanted in chosen if verdict(found.get(wanted)) != verdict(measured[wanted])]
    for wanted in different:
        say(f"{wanted}: {verdict(measured[wanted])} when it was measured, {verdict(found.get(wanted))} now")
    say(f"{len(chosen) - len(different)} of {len(chosen)} loads end as they were measured")
    return int(bool(different))


def verdict(line: dict[str, Any] | None) -> tuple[Any, ...] | None:
    """What of a load must not depend on when it was made."""
    if line is None:
        return None
    exception = line["exception"]
    return line["reason"], line["same"], exception and exception["type"]
