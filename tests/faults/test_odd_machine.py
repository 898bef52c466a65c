"""A Python that cannot be had, a clock that jumps, and files that were cut off between the phases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loadgate.domain import CaseResult, Locks, Plan
from loadgate.errors import UsageError
from loadgate.interchange import read_document, read_results

from . import world as worlds
from .world import VERDICTS, World, last_line

pytestmark = pytest.mark.slow

JUMPING = """
import itertools, runpy, sys, time

real, jumps = time.time, itertools.cycle((0.0, 1e9, -1e9, 86_400.0, -86_400.0))
time.time = lambda: real() + next(jumps)
sys.argv = ["loadgate", *sys.argv[1:]]
runpy.run_module("loadgate", run_name="__main__")
"""


def test_a_python_that_nobody_has_is_a_mistake_in_the_spec(world: World) -> None:
    worlds.declare(world, python='"3.99"')
    ended = world.check()
    assert ended.status == 2, ended
    assert last_line(ended).startswith("loadgate.yml:3: runtime serving: Python 3.99 is not on this machine")


def test_a_python_that_cannot_be_downloaded_is_an_error_and_the_runtime_beside_it_has_its_verdicts(
    world: World,
) -> None:
    """3.8.20 is offered by uv and installed nowhere; the mirror that it is sent to is a port where nobody listens."""
    spec = (world.repository / "loadgate.yml").read_text()
    (world.repository / "loadgate.yml").write_text(spec + '  old: {python: "3.8.20", tensorflow: "9.1"}\n')
    nowhere = {"UV_PYTHON_INSTALL_MIRROR": "http://127.0.0.1:9/", "UV_PYTHON_INSTALL_DIR": str(world.root / "pythons")}
    ended = world.check("--no-remedies", **nowhere)
    assert "Traceback" not in ended.err
    assert ended.status == 1, ended
    by_runtime = {(case["case"]["runtime"], case["standing"]) for case in world.report()["cases"]}
    assert by_runtime == {("serving", "passed"), ("serving", "failed"), ("old", "error")}
    assert "Python 3.8.20 is not on this machine, and downloading it failed." in ended.err


def test_a_clock_that_jumps_changes_no_verdict_and_no_duration(world: World) -> None:
    program = world.root / "jumping.py"
    program.write_text(JUMPING)
    for _ in range(2):
        ended = world.run("check", world.repository, "--no-remedies", before=[worlds.PYTHON, program])
        assert ended.status == 1, ended
        assert world.verdicts() == VERDICTS
        report = world.report()
        seconds = [case["result"]["seconds"] for case in report["cases"]]
        seconds += [runtime["state"]["seconds"] for runtime in report["runtimes"]]
        assert all(0 <= each < 600 for each in seconds)


def test_what_was_resolved_in_the_future_is_resolved_anew(world: World) -> None:
    assert world.check("--no-remedies").status == 1
    (remembered,) = (world.cache / "resolutions").iterdir()
    document = json.loads(remembered.read_bytes())
    remembered.write_text(json.dumps({**document, "made": document["made"] + 1e9}))
    assert world.check("--no-remedies").status == 1
    assert json.loads(remembered.read_bytes())["made"] < document["made"] + 1e6


# --- files cut off ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, uv_cache: Path) -> World:
    """What a run leaves in its folder. Nobody may change it."""
    world = worlds.make(tmp_path_factory.mktemp("written"), uv_cache)
    assert world.check("--no-remedies").status == 1
    return world


def test_wherever_results_are_cut_off_every_whole_line_before_it_counts(written: World, tmp_path: Path) -> None:
    content = (written.output / "results.jsonl").read_bytes()
    whole: list[CaseResult] = list(read_results(written.output / "results.jsonl"))
    cut = tmp_path / "cut.jsonl"
    for length in range(0, len(content), 3):
        cut.write_bytes(content[:length])
        assert list(read_results(cut)) == whole[: content[:length].count(b"\n")]


@pytest.mark.parametrize("length", [0, 1, 700, -1])
def test_a_report_of_results_that_were_cut_off_is_partial_and_keeps_what_was_reached(
    written: World, tmp_path: Path, length: int
) -> None:
    content = (written.output / "results.jsonl").read_bytes()
    (tmp_path / "cut.jsonl").write_bytes(content[:length])
    reached = content[:length].count(b"\n")
    ended = written.run("report", tmp_path / "cut.jsonl", "--json", tmp_path / "report.json")
    assert ended.status in (1, 3), ended
    standings = [case["standing"] for case in json.loads((tmp_path / "report.json").read_bytes())["cases"]]
    assert standings.count("not_reached") == len(VERDICTS) - reached


@pytest.mark.parametrize(("name", "kind"), [("plan.json", Plan), ("locks.json", Locks)])
def test_wherever_a_document_is_cut_off_it_is_refused_in_one_line(
    written: World, tmp_path: Path, name: str, kind: type[Plan]
) -> None:
    content = (written.output / name).read_bytes().rstrip()
    cut = tmp_path / name
    for length in range(0, len(content), 31):
        cut.write_bytes(content[:length])
        with pytest.raises(UsageError) as refusal:
            read_document(cut, kind)
        assert "\n" not in str(refusal.value)
