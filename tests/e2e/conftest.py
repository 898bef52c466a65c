from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.acting import ROOT, Runner, copy_of_the_action
from tests.report.conftest import node_modules

__all__ = ["node_modules"]

BASE = "debian:bookworm-slim"
MADE_BY = "script/setup-engine installs and starts one"
"""Or why it could not, which CI knows."""
SERVING = "loadgate-tests/serving:2.15"
SERVING_FILE = """\
FROM debian:bookworm-slim
RUN apt-get update \\
  && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends python3 python3-venv
RUN python3 -m venv /opt/serving && /opt/serving/bin/pip install --quiet --no-cache-dir tensorflow-cpu==2.15.1
ENV PATH=/opt/serving/bin:$PATH
"""
"""A serving image as somebody would write one: a Python of its own, and nothing of loadgate."""


@pytest.fixture(scope="session")
def engine() -> None:
    missing = what_is_missing()
    if missing is not None:
        pytest.skip(f"no container engine: {missing}; {os.environ.get('LOADGATE_NO_ENGINE') or MADE_BY}")


def what_is_missing() -> str | None:
    if shutil.which("docker") is None:
        return "there is no docker"
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode != 0:
        return "docker does not answer"
    if subprocess.run(["docker", "image", "inspect", BASE], capture_output=True, check=False).returncode != 0:
        return f"there is no {BASE}"
    if os.geteuid() != 0:
        return "these tests hand folders to another user, which takes root"
    return None


@pytest.fixture(scope="session")
def place(engine: None) -> Iterator[Path]:  # noqa: ARG001 - it must be there
    """A folder that every user may pass through, which pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="loadgate-e2e-", dir="/var/tmp", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="session")
def runner(place: Path, node_modules: Path) -> Runner:  # noqa: ARG001 - they must be there
    action = copy_of_the_action(place / "action")
    home = place / "runner"
    home.mkdir()
    return Runner(place=home, action=action)


@pytest.fixture(scope="session")
def image(runner: Runner) -> str:
    """The image that the action builds where none was released."""
    said = subprocess.run([runner.action / "container" / "image.sh"], capture_output=True, text=True, check=True).stdout
    return said.strip().removeprefix("image=")


@pytest.fixture(scope="session")
def serving_image(engine: None) -> str:  # noqa: ARG001 - it must be there
    subprocess.run(
        ["docker", "build", "--quiet", "--tag", SERVING, "-"],
        input=SERVING_FILE,
        text=True,
        capture_output=True,
        check=True,
    )
    return SERVING


def repository(folder: Path, spec: str, *artifacts: str) -> Path:
    """A workspace with some of the models of examples/, as a job has it after actions/checkout."""
    for name in artifacts:
        source, target = ROOT / "examples" / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)
    (folder / "loadgate.yml").write_text(spec)
    for command in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", "-C", folder, *command], check=True)
    return folder
