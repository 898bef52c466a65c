"""What a repository brings beside its models to get through without one: links, variables, addresses, git's settings.

Each does what it is for where a program takes no care, and nothing when the real command is run on it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from loadgate.domain import Locks, Plan
from loadgate.interchange import write_document, write_whole
from tests.command import loadgate

RC = "alias ls='ls --color'\n"


# --- links where loadgate writes ----------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / ".bashrc").write_text(RC)
    return folder


@pytest.fixture
def repository(tmp_path: Path, home: Path) -> Path:  # noqa: ARG001 - what its links lead to
    """Beside the home of whoever has checked it out."""
    folder = tmp_path / "repository"
    folder.mkdir()
    return folder


def in_the_home(home: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in home.iterdir()}


LOAD = ("load", "--plan=plan.json", "--locks=locks.json")
LINKS = [
    (".loadgate/results.jsonl", "../../home/.bashrc", LOAD),
    (".loadgate/.gitignore", "../../home/.hushlogin", ("check", "--predict")),
    (".loadgate", "../home", ("plan",)),
    (".loadgate", "../home", ("check", "--predict")),
    ("loadgate.yml", "../home/.hushlogin", ("init",)),
    ("loadgate.yml", "../home/.bashrc", ("init", "--force")),
]
"""What is a link, where it leads, and who writes there."""


@pytest.mark.parametrize(("place", "target", "command"), LINKS)
def test_a_link_where_loadgate_writes_does_not_lead_it_out_of_the_repository(
    repository: Path, home: Path, place: str, target: str, command: tuple[str, ...]
) -> None:
    write_document(repository / "plan.json", Plan(repository=str(repository)))
    write_document(repository / "locks.json", Locks())
    link = repository / place
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(target)
    written = link / "plan.json" if link.is_dir() else link
    written.write_text("hostile")
    assert "hostile" in in_the_home(home).values()
    written.resolve().unlink()
    (home / ".bashrc").write_text(RC)
    ended = loadgate(*command, cwd=repository)
    assert in_the_home(home) == {".bashrc": RC}
    assert "Traceback" not in ended.err


def test_a_link_in_place_of_what_is_not_yet_written_to_its_end_is_not_followed(repository: Path, home: Path) -> None:
    # a process in a container of its own has a number that anybody can tell
    (repository / f".plan.json.{os.getpid()}").symlink_to("../home/.bashrc")
    write_whole(repository / "plan.json", b"hostile")
    assert in_the_home(home) == {".bashrc": RC}
    assert (repository / "plan.json").read_bytes() == b"hostile"
