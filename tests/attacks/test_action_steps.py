"""What containers leave for the action to take: a link in its place would have any file of the runner uploaded.

The steps are those of action.yml; what stands for Docker leaves what a hostile package, or a model, could.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SECRET = "canary-of-the-runner"  # noqa: S105 - made up, and looked for where it must not be
LEFT = (
    *("planned/plan.json", "made/locks.json", "loaded/results.jsonl", "loaded/candidates.json"),
    *("made/candidate-locks.json", "tried/candidate-results.jsonl"),
)
DOCKER = f"""#!/bin/sh
for place in {" ".join(LEFT)}; do [ -e "$WORK/$place" ] || ln -s "$CREDENTIALS" "$WORK/$place"; done
"""
CARE = re.compile(r" (?:&& !|\|\|) -L \S+")
"""What of a step tells a link from a file."""


def steps() -> dict[str, dict[str, Any]]:
    return {step["name"]: step for step in yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"]}


TAKING = [name for name, step in steps().items() if CARE.search(step.get("run", ""))]
UPLOADED = steps()["Keep the reports"]["with"]["path"].replace("${{ steps.begin.outputs.work }}/", "").split()


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """The folder of a job, as the step `Prepare` makes it."""
    for names in re.findall(r'"\$work"/\{(.*?)\}', steps()["Prepare"]["run"]):
        for name in names.split(","):
            (tmp_path / "work" / name).mkdir(parents=True, exist_ok=True)
    (tmp_path / "work/results/candidates.json").write_text("{}")
    (tmp_path / "work/locks/candidate-locks.json").write_text("{}")
    (tmp_path / "credentials").write_text(SECRET)
    (tmp_path / "docker").write_text(DOCKER)
    (tmp_path / "docker").chmod(0o755)
    return tmp_path / "work"


def is_taken_by(script: str, step: dict[str, Any], work: Path) -> bool:
    """Whether a file of the runner was copied to where the job goes on with it."""
    place = work.parent
    variables = dict.fromkeys(step["env"], "") | {"WORK": str(work), "REQUIRE_ARTIFACTS": "false"}
    files = {"GITHUB_OUTPUT": str(place / "output"), "GITHUB_ACTION_PATH": str(ROOT)}
    subprocess.run(
        ["bash", "-ec", script],
        env=variables | files | {"PATH": f"{place}:{os.environ['PATH']}", "CREDENTIALS": str(place / "credentials")},
        check=False,
        capture_output=True,
    )
    found = [file for file in work.rglob("*") if file.is_file() and SECRET in file.read_text()]
    assert any(file.is_symlink() for file in found), "nothing left a link"
    return not all(file.is_symlink() for file in found)


def test_all_that_is_taken_from_a_container_is_tried() -> None:
    assert TAKING == ["Plan", "Provision", "Load", "Provision what may mend", "Load what may mend"]


def test_nothing_is_uploaded_from_where_a_container_may_leave_a_link() -> None:
    left = {place.partition("/")[0] for place in LEFT}
    assert left.isdisjoint(place.partition("/")[0] for place in UPLOADED)


@pytest.mark.parametrize("name", TAKING)
def test_a_link_that_a_container_leaves_is_not_taken_for_its_file(name: str, work: Path) -> None:
    step = steps()[name]
    assert not is_taken_by(step["run"], step, work)


@pytest.mark.parametrize("name", TAKING)
def test_it_would_be_where_the_step_did_not_look_whether_it_is_a_link(name: str, work: Path) -> None:
    step = steps()[name]
    assert is_taken_by(CARE.sub("", step["run"]), step, work)
