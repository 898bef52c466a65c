"""What tests with real containers need, and share: an engine, a runner with the action, and runtimes that it made."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.acting import Runner, copy_of_the_action
from tests.in_memory import memory
from tests.report.conftest import node_modules

__all__ = ["action_cache", "engine", "image", "node_modules", "place", "runner"]

BASE = "debian:bookworm-slim"
MADE_BY = "script/setup-engine installs and starts one"
"""Or why it could not, which CI knows."""
SERVING_RUNTIME = '{python: "3.11", tensorflow: "2.15.1", packages: ["numpy==1.26.4"]}'
"""As a spec has it; the same wherever it will do, so that it is made once."""


ROOM = 10 * 1024**3
"""Bytes: twice what all these tests together were seen to take."""
ON_DISK = Path("/var/tmp")  # noqa: S108 - the folder in it has a name that nobody can foresee


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
    folders = memory(ROOM) or ON_DISK
    with tempfile.TemporaryDirectory(prefix="loadgate-e2e-", dir=folders, ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="session")
def runner(place: Path, node_modules: Path) -> Runner:  # noqa: ARG001 - they must be there
    action = copy_of_the_action(place / "action")
    home = place / "runner"
    home.mkdir()
    return Runner(place=home, action=action)


@pytest.fixture(scope="session")
def action_cache(runner: Runner) -> Path:
    """A folder of runtimes, as a self-hosted runner keeps one."""
    folder = runner.place / "cache"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def image(runner: Runner) -> str:
    """The image that the action builds where none was released."""
    said = subprocess.run([runner.action / "container" / "image.sh"], capture_output=True, text=True, check=True).stdout
    return said.strip().removeprefix("image=")
