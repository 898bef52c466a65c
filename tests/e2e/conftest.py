from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.acting import ROOT

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
