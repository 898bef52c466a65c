"""Files that ask for more than any file is worth are answered through the public door, in time and in little memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import LOADGATE, environment

from .absurd import ABSURD
from .reading import LONGEST, MOST_MEMORY
from .seeds import REPOSITORY
from .usage import usage_of

HINTS_OF_A_TRACEBACK = ("Traceback", "this is a bug of ours")


def made(name: str, folder: Path) -> Path:
    """In a process of its own: what is started later is said to have had all the memory of who started it."""
    command = [sys.executable, "-m", "tests.broken.absurd", name, str(folder)]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return Path(ended.stdout.rstrip("\n"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ABSURD)
def test_an_absurd_file_is_answered_in_time_and_in_little_memory(name: str, tmp_path: Path) -> None:
    path = made(name, tmp_path)
    output, errors = tmp_path / "out", tmp_path / "err"
    used = usage_of([*LOADGATE, "inspect", "--json", path], environment(), output, errors, tmp_path / "used")
    told = errors.read_text()
    assert not any(hint in told for hint in HINTS_OF_A_TRACEBACK), told
    assert used.returncode in (0, 2), told
    assert told.count("\n") == (1 if used.returncode else 0)
    if used.returncode == 0:
        (artifact,) = json.loads(output.read_bytes())
        assert artifact["facts"] or artifact["damage"] or artifact["unread"] or artifact["stand_in"]
    assert used.seconds < LONGEST
    assert used.memory < MOST_MEMORY


@pytest.mark.parametrize(
    "content",
    [
        "outs:\n- path: m.h5\n  size: !!bool foo\n",
        "outs:\n- path: m.h5\n  size: !!timestamp foo\n",
        'outs:\n- path: m.h5\n  size: !!int ""\n',
        'outs:\n- path: "m\\0.h5"\n',
        'outs:\n- path: "m\\ud800.h5"\n',
        "outs: &a\n- *a\n",
        "a: &a\n  <<: *a\nouts: []\n",
        "a: 1" + ":1" * 32_000 + "\n",
        "? " * 30_000 + "\n",
        "outs:\n" + "- " * 30_000 + "\n",
        "a0: &a0\n  x: 1\n"
        + "".join(f"a{n}: &a{n}\n  <<:\n  - *a{n - 1}\n  - *a{n - 1}\n" for n in range(1, 30))
        + "outs:\n- path: m.h5\n",
    ],
    ids=lambda content: content[:24].replace("\n", " "),
)
def test_a_pointer_that_is_an_attack_on_its_parser_costs_a_plan_nothing(tmp_path: Path, content: str) -> None:
    from loadgate.artifacts.discover import discover, read_artifact

    (tmp_path / "m.h5.dvc").write_text(content)
    for sighting in discover(tmp_path):
        assert read_artifact(tmp_path, sighting).stand_in is not None
