"""Broken files through the commands: a plan is made of whatever lies about, and what cannot be read is one line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadgate.domain import Format
from tests.command import Ended, loadgate

from .mutations import mutated
from .seeds import EXAMPLES, seeds_of


def write_broken(root: Path, count: int) -> list[Path]:
    """So many broken files of each format, each in a folder of its own; the artifacts that they were meant to be."""
    subjects = []
    for kind in Format:
        seeds = seeds_of(kind)
        for number in range(count):
            seed, folder = seeds[number % len(seeds)], root / kind / str(number)
            content = mutated(seed.content, zlib.crc32(f"door {kind} {number}".encode()))
            for name, inner in {**seed.beside, seed.name: content}.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(inner)
            subjects.append(folder / seed.subject)
    return subjects


def require_a_plan(root: Path) -> None:
    (root / "loadgate.yml").write_text("version: 1\nruntimes: {serving: {image: acme}}\n")
    ended = loadgate("plan", ".", "--output", "p.json", cwd=root)
    assert (ended.status, ended.err, ended.out.count("\n")) == (0, "", 1)
    artifacts = json.loads((root / "p.json").read_bytes())["artifacts"]
    assert artifacts
    assert all(each["facts"] or each["stand_in"] or each["damage"] or each["unread"] for each in artifacts)


def require_one_line(ended: Ended) -> None:
    """Of the two: a sheet on the artifact, or one line on why there is none."""
    assert ended.status in (0, 2), ended
    assert (ended.err.count("\n"), bool(ended.out)) == ((0, True) if ended.status == 0 else (1, False))


def test_a_plan_is_made_of_broken_files_and_each_can_be_inspected(tmp_path: Path) -> None:
    subjects = write_broken(tmp_path, 20)
    require_a_plan(tmp_path)
    for subject in subjects[::20]:
        require_one_line(loadgate("inspect", subject, cwd=tmp_path))


@pytest.mark.slow
def test_a_plan_is_made_of_very_many_broken_files(tmp_path: Path) -> None:
    subjects = write_broken(tmp_path, 500)
    require_a_plan(tmp_path)
    for subject in subjects[::100]:
        require_one_line(loadgate("inspect", "--json", subject, cwd=tmp_path))


def test_links_that_lead_in_circles_or_nowhere_are_told_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "model.h5").symlink_to("other.h5")
    (tmp_path / "other.h5").symlink_to("model.h5")
    (tmp_path / "gone.keras").symlink_to("nowhere")
    (tmp_path / "self").symlink_to(".", target_is_directory=True)
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved/saved_model.pb").symlink_to("../saved/saved_model.pb")
    (tmp_path / "saved/variables").symlink_to("../saved", target_is_directory=True)
    (tmp_path / "loadgate.yml").write_text("version: 1\nruntimes: {serving: {image: acme}}\n")
    assert loadgate("plan", ".", "--output", "p.json", cwd=tmp_path).status == 0
    artifacts = json.loads((tmp_path / "p.json").read_bytes())["artifacts"]
    assert [each["path"] for each in artifacts] == ["gone.keras", "model.h5", "other.h5", "saved"]
    assert all(each["stand_in"]["kind"] == "dangling_link" and each["facts"] is None for each in artifacts)
    why = {
        "model.h5": "Too many levels",
        "gone.keras": "is not there",
        "self": "no SavedModel",
        "saved": "is not there",
    }
    for name, reason in why.items():
        ended = loadgate("inspect", name, cwd=tmp_path)
        assert (ended.status, ended.err.count("\n")) == (2, 1), ended
        assert reason in ended.err


@pytest.fixture
def abyss(tmp_path: Path) -> Iterator[Path]:
    """Folders in folders until no path can name the innermost. pytest's own clearing away does not get through."""
    folder = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1_000):
        os.mkdir("ddddd", dir_fd=folder)
        outer, folder = folder, os.open("ddddd", os.O_RDONLY, dir_fd=folder)
        os.close(outer)
    os.close(folder)
    yield tmp_path
    subprocess.run(["rm", "-rf", tmp_path / "ddddd"], check=True)


def test_folders_deeper_than_any_path_are_walked_as_far_as_they_can_be(abyss: Path) -> None:
    (abyss / "loadgate.yml").write_text("version: 1\nruntimes: {serving: {image: acme}}\n")
    ended = loadgate("plan", ".", "--output", "p.json", cwd=abyss)
    assert (ended.status, ended.err) == (0, "")


def test_a_file_of_a_terabyte_that_is_all_holes_is_answered_at_once(tmp_path: Path) -> None:
    shutil.copy(EXAMPLES / "churn/churn_2019.h5", tmp_path / "model.h5")
    os.truncate(tmp_path / "model.h5", 1024**4)
    ended = loadgate("inspect", "--json", "model.h5", cwd=tmp_path)
    (artifact,) = json.loads(ended.out)
    assert artifact["bytes"] == 1024**4
    assert artifact["digest"] is None
    assert artifact["facts"]["layers"]
