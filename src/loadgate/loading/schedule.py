"""Which cases may run at once, and what memory each may take. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BASE_MEMORY = 256 * 1024**2
"""What a child adds to what it shares with its parent, before it has read a byte of a model."""
MEMORY_PER_BYTE = 3
"""A model is held as bytes, as arrays and as tensors while it is being loaded."""
LEAST_ALLOWED = 4 * 1024**3
ROOM_OF_A_LOAD = 3 * 1024**3 // 2
"""What a load may take beside its model: TensorFlow itself, and what it computes with."""
ALLOWED_PER_BYTE = 8
"""A file of one large Keras layer was seen to take 5.3 times its size, and 6.7 times with its compiled state."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """Bytes of resident memory."""

    meant: int
    """What a case may take."""
    given: int
    """What it is stopped at: less, where the machine has less."""


def allowance(asked: int | None, artifact_bytes: int, machine: int) -> Allowance:
    """`asked`: what the user lets a case take. Without it, a large model may take what it is made of, as often as a
    load holds it."""
    meant = asked or max(LEAST_ALLOWED, ROOM_OF_A_LOAD + ALLOWED_PER_BYTE * artifact_bytes)
    return Allowance(meant, min(meant, machine))


def expected_memory(artifact_bytes: int) -> int:
    """Bytes that a load is expected to need. Only a guess for scheduling; the limit is enforced elsewhere."""
    return BASE_MEMORY + MEMORY_PER_BYTE * artifact_bytes


def fits(need: int, under_way: Sequence[int], budget: int) -> bool:
    """Whether one more load may start. One always may, however large it is."""
    return not under_way or sum(under_way) + need <= budget


def shard(count: int, index: int, of: int) -> tuple[int, ...]:
    """Which of `count` cases shard `index` (from 1) of `of` runs: every `of`-th, so that neighbours are spread."""
    return tuple(range(index - 1, count, of))
