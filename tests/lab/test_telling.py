"""Which parts are loaded in a version that lies between others: held to what is kept of the lab's own loads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from lab.place import locks_in
from lab.table import KEPT, raw
from lab.telling import Telling, Wanted

from loadgate.domain import Lock

pytestmark = pytest.mark.slow  # every load of the lab is read

BEFORE, BETWEEN, AFTER = "tf2.3", "tf2.4", "tf2.6"


@pytest.fixture(scope="module")
def outcomes() -> Mapping[str, Mapping[Wanted, bool]]:
    found: dict[str, dict[Wanted, bool]] = {BEFORE: {}, BETWEEN: {}, AFTER: {}}
    for load in raw("part_loads"):
        if load["runtime"] in found and load["loader"] == "keras":
            found[load["runtime"]][Wanted(load["artifact"], load["loader"])] = load["exception"] is None
    return found


@pytest.fixture(scope="module")
def chosen(outcomes: Mapping[str, Mapping[Wanted, bool]]) -> set[Wanted]:
    """For the version between, as if nothing had been loaded in it yet."""
    locks: dict[str, Lock] = {**locks_in(KEPT / "runtimes.json"), **locks_in(KEPT / "between.json")}
    wanted = [each for each in outcomes[BEFORE] if each in outcomes[AFTER]]
    loads: list[dict[str, Any]] = [
        {"artifact": each.artifact, "loader": each.loader, "runtime": name, "exception": None if loaded else {}}
        for name in (BEFORE, AFTER)
        for each, loaded in outcomes[name].items()
    ]
    full = [name for name in locks if name != BETWEEN]
    return set(Telling(raw("parts"), locks).of(BETWEEN, wanted, loads, full))


def test_whatever_loads_on_one_side_alone_is_loaded_between(
    chosen: set[Wanted], outcomes: Mapping[str, Mapping[Wanted, bool]]
) -> None:
    before, after = outcomes[BEFORE], outcomes[AFTER]
    differing = {each for each in before if each in after and before[each] != after[each]}
    assert differing
    assert differing <= chosen


def test_few_of_those_that_load_on_both_sides_are_loaded_again(
    chosen: set[Wanted], outcomes: Mapping[str, Mapping[Wanted, bool]]
) -> None:
    before, after = outcomes[BEFORE], outcomes[AFTER]
    both = {each for each in before if before[each] and after.get(each)}
    assert 0 < len(chosen & both) < len(both) / 2


def test_nothing_that_fails_on_both_sides_is_loaded(
    chosen: set[Wanted], outcomes: Mapping[str, Mapping[Wanted, bool]]
) -> None:
    before, after = outcomes[BEFORE], outcomes[AFTER]
    assert not {each for each in chosen if not before[each] and not after[each]}


def test_what_was_left_out_ends_between_as_on_both_sides(
    chosen: set[Wanted], outcomes: Mapping[str, Mapping[Wanted, bool]]
) -> None:
    before, between, after = (outcomes[name] for name in (BEFORE, BETWEEN, AFTER))
    left_out = {each for each in between if each not in chosen and each in before and before[each] == after.get(each)}
    assert len(left_out) > 100
    assert {each for each in left_out if between[each] != before[each]} == set()
