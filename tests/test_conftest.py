"""The guard against silent skips, in a pytest of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def run_pytest(directory: Path, test: str, *, no_skips: bool) -> subprocess.CompletedProcess[str]:
    shutil.copy(Path(__file__).with_name("refused_skips.py"), directory / "conftest.py")
    (directory / "test_it.py").write_text(f"import pytest\n\n{test}")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LOADGATE_", "PYTEST_"))}
    if no_skips:
        environment["LOADGATE_NO_SKIPS"] = "1"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(directory)]
    return subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)


SKIPS = {
    "mark": '@pytest.mark.skipif(True, reason="git is not installed")\ndef test_it(): pass\n',
    "call": 'def test_it(): pytest.skip("git is not installed")\n',
    "fixture": ('@pytest.fixture\ndef it(): pytest.skip("git is not installed")\n\ndef test_it(it): pass\n'),
    "module": 'pytest.skip("git is not installed", allow_module_level=True)\n',
}


@pytest.mark.parametrize("test", SKIPS.values(), ids=SKIPS.keys())
def test_a_skip_fails_the_run_and_names_its_reason_where_skips_are_refused(tmp_path: Path, test: str) -> None:
    run = run_pytest(tmp_path, test, no_skips=True)
    assert run.returncode != 0
    assert "LOADGATE_NO_SKIPS is set: git is not installed" in run.stdout


def test_a_skip_is_a_skip_elsewhere(tmp_path: Path) -> None:
    run = run_pytest(tmp_path, SKIPS["call"], no_skips=False)
    assert "1 skipped" in run.stdout
    assert "failed" not in run.stdout


def test_what_no_machine_of_ours_can_install_may_be_skipped(tmp_path: Path) -> None:
    run = run_pytest(tmp_path, 'def test_it(): pytest.skip("no GPU is visible")\n', no_skips=True)
    assert "1 skipped" in run.stdout
    assert "failed" not in run.stdout


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    run = run_pytest(tmp_path, "@pytest.mark.xfail\ndef test_it(): assert False\n", no_skips=True)
    assert "1 xfailed" in run.stdout
    assert run.returncode == 0
