"""The programs that a contributor calls."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
SHELL_SCRIPTS = sorted(
    path
    for folder in ("script", ".ci")
    for path in (REPOSITORY / folder).iterdir()
    if path.is_file() and path.read_bytes().startswith(b"#!/usr/bin/env bash\n")
)


@pytest.mark.parametrize("script", SHELL_SCRIPTS, ids=lambda path: path.name)
def test_a_script_passes_shellcheck(script: Path) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    checked = subprocess.run(["shellcheck", script], capture_output=True, text=True, check=False)
    assert checked.stdout == ""


@pytest.mark.parametrize("script", SHELL_SCRIPTS, ids=lambda path: path.name)
def test_a_script_stops_at_its_first_mistake(script: Path) -> None:
    assert "\nset -euo pipefail\n" in script.read_text()


def test_an_unknown_benchmark_is_named_before_anything_runs() -> None:
    ran = subprocess.run([REPOSITORY / "script/bench", "nosuch"], capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert ran.stderr == "script/bench: there is no benchmark nosuch in script/bench.d\n"
    assert ran.stdout == ""
