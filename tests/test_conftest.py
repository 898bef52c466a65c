"""The guard against silent skips, in a pytest of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

SKIPPED = 'pytest.skip("git is not installed")'
TESTS = {
    "mark": '@pytest.mark.skipif(True, reason="git is not installed")\ndef test_it(): pass\n',
    "call": f"def test_it(): {SKIPPED}\n",
    "fixture": f"@pytest.fixture\ndef it(): {SKIPPED}\n\ndef test_it(it): pass\n",
    "module": 'pytest.skip("git is not installed", allow_module_level=True)\n',
    "expected": "@pytest.mark.xfail\ndef test_it(): assert False\n",
    "gpu": 'def test_it(): pytest.skip("no GPU is visible")\n',
}
"""A file of each. A module that is skipped fails as a whole, and is no test then."""


def outcomes(directory: Path, *, no_skips: bool) -> dict[str, str]:
    """Name → what became of it, with why."""
    shutil.copy(Path(__file__).with_name("refused_skips.py"), directory / "conftest.py")
    for name, test in TESTS.items():
        (directory / f"test_{name}.py").write_text(f"import pytest\n\n{test}")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LOADGATE_", "PYTEST_"))}
    if no_skips:
        environment["LOADGATE_NO_SKIPS"] = "1"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(directory)]
    command += ["--continue-on-collection-errors", "--junit-xml", str(directory / "junit.xml")]
    run = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == (1 if no_skips else 0), run.stdout
    cases = ElementTree.parse(directory / "junit.xml").iter("testcase")  # noqa: S314 - pytest wrote it
    return {name_of(case): ", ".join(f"{each.tag} {each.attrib} {each.text}" for each in case) for case in cases}


def name_of(case: ElementTree.Element) -> str:
    (name,) = re.findall(r"test_(mark|call|fixture|module|expected|gpu)", f"{case.get('classname')} {case.get('name')}")
    return str(name)


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return outcomes(tmp_path_factory.mktemp("refused"), no_skips=True)


@pytest.fixture(scope="module")
def allowed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return outcomes(tmp_path_factory.mktemp("allowed"), no_skips=False)


@pytest.mark.parametrize("name", ["mark", "call", "fixture", "module"])
def test_a_skip_fails_the_run_and_names_its_reason_where_skips_are_refused(refused: dict[str, str], name: str) -> None:
    assert refused[name].startswith(("failure", "error"))
    assert "LOADGATE_NO_SKIPS is set: git is not installed" in refused[name]


@pytest.mark.parametrize("name", ["mark", "call", "fixture", "module", "gpu"])
def test_a_skip_is_a_skip_elsewhere(allowed: dict[str, str], name: str) -> None:
    assert allowed[name].startswith("skipped")


def test_what_no_machine_of_ours_can_install_may_be_skipped(refused: dict[str, str]) -> None:
    assert refused["gpu"].startswith("skipped")


def test_an_expected_failure_is_no_skip(refused: dict[str, str]) -> None:
    assert "pytest.xfail" in refused["expected"]
    assert refused["expected"].startswith("skipped")  # as JUnit calls it
