"""A disk that fills, wherever it does: one clear line, no wrong verdict, and the next run with room heals.

The disk is a small tmpfs in a mount namespace of its own, which needs no privilege where the kernel lets users have
namespaces. A limit on the size of files would not do: it stops one file at a time, and by a signal.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from loadgate.interchange import read_results
from tests.command import LOADGATE, Ended

from .world import VERDICTS, World, last_line

NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")
FILL_THEN_GROW = """
mount -t tmpfs -o size="$2" none "$1" || exit 99
cd "$3"; folder=$4; shift 4
"$@" >"$folder/full.out" 2>"$folder/full.err"; echo $? >"$folder/full.status"
FOLDER=$folder sh -c "$BETWEEN"
mount -o remount,size=1g none "$DISK"
"$@" >"$folder/grown.out" 2>"$folder/grown.err"; echo $? >"$folder/grown.status"
"""


def can_mount() -> bool:
    return shutil.which("unshare") is not None and subprocess.run([*NAMESPACE, "true"], check=False).returncode == 0


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not can_mount(), reason="this kernel lets us mount no small disk"),
]


@dataclass(frozen=True)
class Story:
    full: Ended
    grown: Ended


def told(world: World, disk: Path, size: str, *arguments: str | Path, between: str = ":", **env: str) -> Story:
    """The same command twice: with `disk` being of `size`, and with room enough."""
    disk.mkdir()
    answers = world.root / "answers"
    answers.mkdir()
    script: list[str | Path] = [
        *NAMESPACE,
        "sh",
        "-c",
        FILL_THEN_GROW,
        "sh",
        disk,
        size,
        world.root,
        answers,
        *LOADGATE,
    ]
    variables = {"DISK": str(disk), "BETWEEN": between, **env}
    ended = world.run(*arguments, before=script, **variables)
    assert ended.status == 0 or (answers / "grown.status").exists(), ended.err
    return Story(*(read(answers, name) for name in ("full", "grown")))


def read(answers: Path, name: str) -> Ended:
    status, out, err = ((answers / f"{name}.{kind}").read_text() for kind in ("status", "out", "err"))
    return Ended(int(status), out, err)


@pytest.mark.parametrize("size", ["4k", "32k", "64k"])
def test_a_disk_of_runtimes_that_is_full_is_an_error_with_its_cause(world: World, size: str) -> None:
    story = told(world, world.cache, size, "check", world.repository)
    assert story.full.status == 3, story.full
    assert "Traceback" not in story.full.err
    assert "no space left" in (story.full.err + story.full.out).lower()
    assert story.grown.status == 1, story.grown
    assert world.verdicts() == VERDICTS


@pytest.mark.parametrize("size", ["4k", "16k", "20k", "28k"])
def test_a_disk_of_results_that_is_full_is_one_line_and_keeps_what_was_reached(world: World, size: str) -> None:
    output, kept = world.root / "results", world.root / "answers" / "kept"
    keep = f"cp -r {output}/. {kept}"
    report = world.root / "report.json"
    arguments = ("check", world.repository, "--no-remedies", "--output", output, "--json", report)
    story = told(world, output, size, *arguments, between=keep)
    assert story.full.status == 3, story.full
    assert "No space left on device" in last_line(story.full)
    assert story.grown.status == 1, story.grown
    standings = {case["case"]["id"]: case["standing"] for case in json.loads(report.read_bytes())["cases"]}
    reached = list(read_results(kept / "results.jsonl")) if (kept / "results.jsonl").exists() else []
    assert {result.case: result.outcome.value for result in reached}.items() <= standings.items()


@pytest.mark.parametrize("size", ["4k", "64k"])
def test_a_full_disk_of_temporary_files_is_an_error_and_is_not_remembered_of_the_runtime(
    world: World, size: str
) -> None:
    temporary = world.root / "temporary"
    fill = f"dd if=/dev/zero of={temporary}/fill bs=1k count=9999 2>/dev/null; rm -rf {temporary}/fill"
    story = told(world, temporary, size, "check", world.repository, between=fill, TMPDIR=str(temporary))
    assert story.full.status in (1, 3), story.full
    assert "Traceback" not in story.full.err
    assert story.grown.status == 1, story.grown
    assert world.verdicts() == VERDICTS
