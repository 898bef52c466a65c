"""A run that is killed at any moment harms no other after it, and keeps every verdict that it had reached."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import world as worlds
from .world import VERDICTS, World, processes_of

pytestmark = pytest.mark.slow

KILLED_AT = Path(__file__).with_name("killed_at.py")
KILLS = 25
"""Spread over all the moments of a run. With every one of them it would be hours."""
PATIENCE = 30.0
"""Seconds until what a killed run had started must have ended."""


def moments_of(world: World) -> int:
    """How often a whole run, on an empty cache, changes something."""
    count = world.root / "moments"
    assert world.run("0", count, "check", world.repository, before=[sys.executable, KILLED_AT]).status == 1
    return int(count.read_text())


def killed_at(world: World, moment: int) -> subprocess.Popen[str]:
    arguments = (str(moment), world.root / "count", "check", world.repository)
    process = world.start(*arguments, before=[sys.executable, KILLED_AT])
    process.communicate(timeout=worlds.PATIENCE)
    return process


def reached(world: World) -> dict[str, str]:
    """Case → outcome, of every whole line that a run had written."""
    file = world.output / "results.jsonl"
    lines = file.read_bytes().split(b"\n")[:-1] if file.exists() else []
    results = [json.loads(line) for line in lines]
    return {result["case"]: result["stages"][0]["outcome"] for result in results}


def require_nothing_left(world: World) -> None:
    deadline = time.monotonic() + PATIENCE
    while processes_of(world):
        assert time.monotonic() < deadline, processes_of(world)
        time.sleep(0.05)


def require_a_report_of_what_was_reached(world: World) -> None:
    before = reached(world)
    if not (world.output / "locks.json").exists() or not (world.output / "results.jsonl").exists():
        return
    told = world.run("report", "--json", "partial.json")
    assert told.status in (1, 3), told.err
    cases = json.loads((world.root / "partial.json").read_bytes())["cases"]
    standings = {case["case"]["id"]: case["standing"] for case in cases}
    assert {case: standings[case] for case in before} == before


def require_healing(world: World) -> None:
    again = world.check()
    assert again.status == 1, again.err
    assert world.verdicts() == VERDICTS
    assert not list(world.cache.glob("runtimes/.*")), "what the killed run left half made is still there"
    leftovers = [
        path.name for path in world.output.iterdir() if path.name.startswith(".") and path.name != ".gitignore"
    ]
    assert leftovers == []


def kill_and_heal(world: World, moment: int) -> None:
    process = killed_at(world, moment)
    assert process.returncode == -signal.SIGKILL, f"it was not killed at moment {moment}"
    require_nothing_left(world)
    require_a_report_of_what_was_reached(world)
    require_healing(world)


@pytest.fixture(scope="module")
def moments(tmp_path_factory: pytest.TempPathFactory, uv_cache: Path) -> int:
    return moments_of(worlds.make(tmp_path_factory.mktemp("whole"), uv_cache))


def spread(moments: int, kills: int) -> Iterator[int]:
    """Moments from the first to the last."""
    return iter(sorted({1 + round(index * (moments - 1) / (kills - 1)) for index in range(kills)}))


def test_the_run_after_one_that_was_killed_says_the_truth(world: World, moments: int) -> None:
    kill_and_heal(world, round(0.6 * moments))


def test_whenever_a_run_is_killed_the_next_one_heals(tmp_path: Path, uv_cache: Path, moments: int) -> None:
    for moment in spread(moments, KILLS):
        (tmp_path / str(moment)).mkdir()
        kill_and_heal(worlds.make(tmp_path / str(moment), uv_cache), moment)


# --- a phase that is a command of its own -------------------------------------------------------------------------

PHASES = ("plan", "provision", "load", "report")
KILLS_OF_A_PHASE = 4


def arguments_of(world: World, phase: str) -> list[str | Path]:
    """The report's status tells of the models; of the others, 0 is the end."""
    given: dict[str, list[str | Path]] = {
        "plan": [world.repository],
        "report": ["--json", world.output / "report.json"],
    }
    return [phase, *given.get(phase, [])]


def status_of(phase: str) -> int:
    return 1 if phase == "report" else 0


def run_phase(world: World, phase: str) -> None:
    ended = world.run(*arguments_of(world, phase))
    assert ended.status == status_of(phase), ended


def kill_a_phase_and_heal(world: World, phase: str, moment: int) -> None:
    """What the phases after it make of what the killed one left is theirs; the same command again is what heals."""
    killed = world.start(
        str(moment), world.root / "count", *arguments_of(world, phase), before=[sys.executable, KILLED_AT]
    )
    killed.communicate(timeout=worlds.PATIENCE)
    assert killed.returncode == -signal.SIGKILL, f"{phase} was not killed at moment {moment}"
    require_nothing_left(world)
    for each in PHASES[PHASES.index(phase) :]:
        run_phase(world, each)
    assert world.verdicts() == VERDICTS


@pytest.mark.parametrize("phase", PHASES)
def test_whenever_a_phase_is_killed_the_same_command_heals(world: World, phase: str) -> None:
    for each in PHASES[: PHASES.index(phase)]:
        run_phase(world, each)
    count = world.root / "moments"
    counted = world.run("0", count, *arguments_of(world, phase), before=[sys.executable, KILLED_AT])
    assert counted.status == status_of(phase), counted
    for moment in spread(int(count.read_text()), KILLS_OF_A_PHASE):
        if phase == "provision":
            shutil.rmtree(world.cache)
        kill_a_phase_and_heal(world, phase, moment)
