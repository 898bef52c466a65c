from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgate.loading.machine import available_cores, available_memory, usual_workers
from loadgate.loading.schedule import Allowance, allowance, expected_memory, fits, shard

GIB = 1024**3


@given(st.integers(0, 500), st.integers(1, 20))
def test_the_shards_of_a_run_are_all_of_it_and_nothing_twice(count: int, of: int) -> None:
    parts = [shard(count, index, of) for index in range(1, of + 1)]
    assert sorted(number for part in parts for number in part) == list(range(count))


@given(st.integers(0, 500), st.integers(1, 20))
def test_shards_are_balanced_to_one_case(count: int, of: int) -> None:
    sizes = [len(shard(count, index, of)) for index in range(1, of + 1)]
    assert max(sizes) - min(sizes) <= 1


def test_a_model_larger_than_the_memory_is_tried_when_nothing_else_runs() -> None:
    need = expected_memory(10**12)
    assert fits(need, [], budget=1)
    assert not fits(need, [1], budget=1)


@pytest.mark.parametrize(
    ("asked", "artifact", "machine", "allowed"),
    [
        (None, 1024, 64 * GIB, Allowance(meant=4 * GIB, given=4 * GIB)),
        (None, 2 * GIB, 64 * GIB, Allowance(meant=35 * GIB // 2, given=35 * GIB // 2)),
        (None, 2 * GIB, 8 * GIB, Allowance(meant=35 * GIB // 2, given=8 * GIB)),
        (2 * GIB, 4 * GIB, 64 * GIB, Allowance(meant=2 * GIB, given=2 * GIB)),
        (16 * GIB, 1024, 8 * GIB, Allowance(meant=16 * GIB, given=8 * GIB)),
    ],
    ids=["small", "large", "large_on_a_small_machine", "asked", "asked_of_a_small_machine"],
)
def test_a_large_model_may_take_more_than_a_small_one_unless_the_user_says_what(
    asked: int | None, artifact: int, machine: int, allowed: Allowance
) -> None:
    assert allowance(asked, artifact, machine) == allowed


def test_a_containers_limits_count_and_not_the_machines(tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text("100000 100000\n")
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("500000\n")
    assert available_cores(tmp_path) == 1
    assert usual_workers(tmp_path) == 2
    assert available_memory(tmp_path) == 400000


def test_without_a_containers_limits_the_machine_is_asked(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 2000 kB\nMemAvailable: 1000 kB\n")
    assert available_cores(tmp_path) >= 1
    assert available_memory(tmp_path, tmp_path / "meminfo") == int(1000 * 1024 * 0.8)
