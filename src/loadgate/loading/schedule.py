"""Which cases may run at once. Pure."""

from __future__ import annotations

from collections.abc import Sequence

BASE_MEMORY = 256 * 1024**2
"""What a child adds to what it shares with its parent, before it has read a byte of a model."""
MEMORY_PER_BYTE = 3
"""A model is held as bytes, as arrays and as tensors while it is being loaded."""


def expected_memory(artifact_bytes: int) -> int:
    """Bytes that a load is expected to need. Only a guess for scheduling; the limit is enforced elsewhere."""
    return BASE_MEMORY + MEMORY_PER_BYTE * artifact_bytes


def fits(need: int, under_way: Sequence[int], budget: int) -> bool:
    """Whether one more load may start. One always may, however large it is."""
    return not under_way or sum(under_way) + need <= budget


def shard(count: int, index: int, of: int) -> tuple[int, ...]:
    """Which of `count` cases shard `index` (from 1) of `of` runs: every `of`-th, so that neighbours are spread."""
    return tuple(range(index - 1, count, of))
