"""The programs that a contributor calls."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
SHELL_SCRIPTS = sorted(
    path
    for folder in ("script", ".ci", "container", "src/loadgate/runtimes", "tests/e2e")
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


@pytest.mark.runtime
def test_a_fresh_copy_sets_itself_up_silently_and_does_it_once(tmp_path: Path) -> None:
    copy = tmp_path / "loadgate"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, copy)
    for folder in ("src", "script"):
        shutil.copytree(REPOSITORY / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))

    first = subprocess.run([copy / "script/setup"], capture_output=True, text=True, check=False)
    assert (first.returncode, first.stdout, first.stderr) == (0, "", "")
    made = subprocess.run(
        [copy / ".venv/bin/python", "-c", "import loadgate; print(loadgate.__file__)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert made.stdout.strip() == str(copy / "src/loadgate/__init__.py")

    stamp = copy / ".venv/.setup"
    written = stamp.stat().st_mtime_ns
    second = subprocess.run([copy / "script/setup"], capture_output=True, text=True, check=False)
    assert second.returncode == 0
    assert stamp.stat().st_mtime_ns == written


@pytest.mark.runtime
def test_a_setup_that_fails_says_why_and_leaves_no_mark_of_success(tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "script", tmp_path / "script")
    (tmp_path / "pyproject.toml").write_text("[project\n")
    ran = subprocess.run([tmp_path / "script/setup"], capture_output=True, text=True, check=False)
    assert ran.returncode != 0
    assert "pyproject.toml" in ran.stderr
    assert ran.stderr.endswith("script/setup: .venv could not be made, for the reason above\n")
    assert not (tmp_path / ".venv/.setup").exists()
