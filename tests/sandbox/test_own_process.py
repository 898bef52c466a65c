"""Bytes of artifacts are parsed behind walls alone: loadgate's own process opens them for their digest, and no more."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.command import environment
from tests.faults import world as worlds
from tests.faults.world import World

EXAMPLES = Path(__file__).parents[2] / "examples"
OWN_PROCESS = Path(__file__).with_name("own_process.py")
NO_MODELS = {"customers.h5", "transaction.pb"}
"""Of those files. The first of them would be the last that `inspect` looks at."""


@dataclass(frozen=True)
class Told:
    opened: frozenset[Path]
    digested: frozenset[Path]
    imported: frozenset[str]
    threads: frozenset[str]
    """How many there were whenever it forked."""


def told(file: Path) -> Told:
    lines = [line.split(" ", 1) for line in file.read_text().splitlines()]
    opened, digested, imported, threads = (
        [rest for word, rest in lines if word == wanted] for wanted in ("open", "digest_of", "import", "fork")
    )
    return Told(frozenset(map(Path, opened)), frozenset(map(Path, digested)), frozenset(imported), frozenset(threads))


def files_of(repository: Path) -> set[Path]:
    """Those of its models, and what stands in for one."""
    return {path.resolve() for path in (repository / "models").rglob("*") if path.is_file() and path.suffix != ".py"}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A model of each format."""
    repository = tmp_path / "repository"
    shutil.copytree(EXAMPLES / "models", repository / "models")
    (repository / "requirements.txt").write_text("tensorflow==2.15.1\n")
    return repository


@pytest.mark.parametrize("command", ["plan", "check --predict", "init", "inspect"])
def test_no_command_parses_a_model_in_its_own_process(repository: Path, tmp_path: Path, command: str) -> None:
    files = files_of(repository)
    subjects = [str(repository)]
    if command == "inspect":
        models = (file for file in files if file.suffix in {".h5", ".keras", ".tflite", ".index", ".pb"})
        subjects = [str(file) for file in models if file.name not in NO_MODELS]
    arguments = [sys.executable, str(OWN_PROCESS), str(tmp_path / "told"), *command.split(), *subjects]
    ended = subprocess.run(arguments, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    assert "Traceback" not in ended.stderr, ended.stderr
    assert ended.returncode in (0, 1, 3), ended.stderr
    own = told(tmp_path / "told")
    assert own.opened & files == set()
    assert own.imported == set()
    assert own.threads == {"1"}  # beside another, a lock may be held for ever
    assert bool(own.digested & files) is (command != "init")


def test_nor_does_a_whole_check(tmp_path: Path) -> None:
    world: World = worlds.make(tmp_path, tmp_path / "uv-cache")
    ended = world.run("check", world.repository, before=[sys.executable, OWN_PROCESS, tmp_path / "told"])
    assert ended.status == 1, ended
    assert world.verdicts() == worlds.VERDICTS
    models = {(world.repository / name).resolve() for name in worlds.VERDICTS}
    own = told(tmp_path / "told")
    assert own.opened & models == set()
    assert own.imported == set()
    assert own.threads == {"1"}
    assert own.digested & models == models
