"""What a report says of the sandbox around the loads."""

from __future__ import annotations

from loadgate.domain import CaseResult, Outcome, Stage, StageResult, Wall
from loadgate.report.walls import notes, summary, walls_of


def result(case: str, walls: tuple[Wall, ...] | None) -> CaseResult:
    return CaseResult(case=case, stages=(StageResult(stage=Stage.LOAD, outcome=Outcome.PASSED),), walls=walls)


def test_only_what_held_around_every_load_is_said_to_have_held() -> None:
    results = [result("a", tuple(Wall)), result("b", (Wall.NETWORK, Wall.PRIVILEGES))]
    assert walls_of(results) == (Wall.NETWORK, Wall.PRIVILEGES)


def test_results_that_do_not_say_leave_it_open() -> None:
    assert walls_of([result("a", None)]) is None
    assert list(notes(None)) == []


def test_whatever_does_not_hold_is_named_in_the_summary_and_in_a_note_of_its_own() -> None:
    held = (Wall.NETWORK, Wall.LOCAL_SOCKETS, Wall.PROCESSES, Wall.PRIVILEGES)
    assert summary(held).endswith("; not from other files")
    (note,) = notes(held)
    assert "Landlock" in note


def test_without_any_wall_every_one_is_named() -> None:
    assert summary(()).startswith("loads were kept from nothing; not from other files, the network")
    assert len(list(notes(()))) == len(Wall)
