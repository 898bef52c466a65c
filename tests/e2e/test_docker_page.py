"""What docs/how-to/docker.md says is done as it is written there: by hand, by GitLab and by Jenkins."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from junitparser import JUnitXml

from tests.containers import SERVING_RUNTIME
from tests.e2e.acting import ROOT, USER, Runner, give
from tests.e2e.conftest import repository

pytestmark = pytest.mark.runtime

PAGE = (ROOT / "docs/how-to/docker.md").read_text()
BUILD, TOGETHER, APART = re.findall(r"^```bash\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
GITLAB = yaml.safe_load(re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[-1])["loadgate"]
JENKINS = re.findall(r"^```groovy\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[0]
SPEC = f"version: 1\nruntimes:\n  serving: {SERVING_RUNTIME}\nremedies: {{try: false}}\n"


@pytest.fixture(scope="module")
def volume(runner: Runner, action_cache: Path, image: str) -> Iterator[str]:
    """The image by the name of the page, and its volumes, with runtimes that are made already."""
    subprocess.run(["docker", "tag", image, "loadgate"], check=True)
    options = [f"--opt={option}" for option in ("type=none", "o=bind", f"device={action_cache}")]
    give(action_cache, runner.user)
    volumes = sorted(set(re.findall(r"--volume (\w[\w-]*):", PAGE)))
    for name in volumes:
        subprocess.run(["docker", "volume", "create", *options, name], check=True, capture_output=True)
    yield "loadgate"
    for command in (["volume", "rm", *volumes], ["image", "rm", "loadgate"]):
        subprocess.run(["docker", *command], check=True, capture_output=True)


@pytest.fixture
def workspace(place: Path, volume: str) -> Path:  # noqa: ARG001 - the page names it
    folder = Path(tempfile.mkdtemp(prefix="page-", dir=place))
    folder.chmod(0o755)
    repository(folder, SPEC, "models/churn/churn_2019.h5", "models/churn/churn_2026.keras")
    give(folder, USER)
    return folder


def by_hand(commands: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """As a user of the machine, who may use Docker."""
    group = Path("/var/run/docker.sock").stat().st_gid
    who = ["setpriv", f"--reuid={USER}", f"--regid={USER}", f"--groups={group}"]
    return subprocess.run(
        [*who, "bash", "-euc", commands],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def counted(file: Path) -> tuple[int, int]:
    report = JUnitXml.fromfile(str(file))
    return report.failures, report.errors


def test_the_image_is_built_by_the_command_of_the_page(runner: Runner, volume: str) -> None:
    built = subprocess.run(["bash", "-euc", BUILD], cwd=runner.action, capture_output=True, text=True, check=False)
    assert (built.returncode, volume) == (0, "loadgate"), built.stderr


def test_all_phases_in_one_container_give_the_verdict(workspace: Path) -> None:
    ran = by_hand(TOGETHER, workspace)
    assert ran.returncode == 1, ran.stderr
    assert "1 of 2 artifacts does not load in serving" in ran.stdout
    assert counted(workspace / ".loadgate/junit.xml") == (1, 0)


def test_each_phase_in_a_container_of_its_own_gives_the_same(workspace: Path) -> None:
    ran = by_hand(APART, workspace)
    assert ran.returncode == 1, ran.stderr
    assert "1 of 2 artifacts does not load in serving" in ran.stdout


def in_a_job(options: list[str], script: list[str], workspace: Path) -> subprocess.CompletedProcess[str]:
    """As both runners do it: the workspace at its own path, a shell in place of the image's own command."""
    mount = f"--volume={workspace}:{workspace}"
    shell = ["loadgate", "sh", "-ec", "\n".join(script)]
    return subprocess.run(
        ["docker", "run", "--rm", mount, f"--workdir={workspace}", *options, *shell],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_job_of_gitlab_writes_its_report_and_fails(workspace: Path, action_cache: Path) -> None:
    variables = {name: value.replace("$CI_PROJECT_DIR", str(workspace)) for name, value in GITLAB["variables"].items()}
    (workspace / ".loadgate-cache").mkdir()
    workspace.chmod(0o777)  # as GitLab's runner leaves a checkout, for images whose user is not root
    options = [f"--env={name}={value}" for name, value in variables.items()]
    options += ["--entrypoint=", f"--volume={action_cache}:{variables['LOADGATE_CACHE']}"]  # what GitLab has kept
    ran = in_a_job(options, GITLAB["script"], workspace)
    assert ran.returncode == 1, ran.stderr
    assert counted(workspace / GITLAB["artifacts"]["reports"]["junit"]) == (1, 0)


def test_the_stage_of_jenkins_writes_its_report_and_fails(workspace: Path) -> None:
    (arguments,) = re.findall(r"args '(.*?)'", JENKINS)
    (script,) = re.findall(r"sh '(.*?)'", JENKINS)
    (report,) = re.findall(r"junit '(.*?)'", JENKINS)
    ran = in_a_job([f"--user={USER}:{USER}", *arguments.split()], [script], workspace)
    assert ran.returncode == 1, ran.stderr
    assert counted(workspace / report) == (1, 0)
