"""The action from end to end: real containers, real TensorFlows, GitHub's own parser and expressions."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from junitparser import JUnitXml

from tests.containers import SERVING_RUNTIME
from tests.e2e.acting import Act, Container, Runner, github_for_containers
from tests.e2e.conftest import repository
from tests.report.github.double import Fault, GitHub

pytestmark = pytest.mark.runtime

TOKEN = "ghs_0123456789abcdefghijklmnopqrstuvwxyz"  # noqa: S105 - made up, and looked for where it must not be
SPEC = f"""\
version: 1
runtimes:
  serving: {SERVING_RUNTIME}
  next: {{python: "3.11", tensorflow: "2.21.0", keras: "3.15.1"}}
  image: {{image: "loadgate-tests/serving:2.15"}}
remedies: {{runtimes: 1, time: 240}}
"""
CUSTOM = "models/vision/defects.keras"
"""With a layer that the repository defines, and nobody imports."""
EXPECTED = {
    ("models/churn/churn_2019.h5", "serving"): "passed",
    ("models/churn/churn_2019.h5", "next"): "failed",
    ("models/churn/churn_2019.h5", "image"): "passed",
    ("models/churn/churn_2026.keras", "serving"): "failed",
    ("models/churn/churn_2026.keras", "next"): "passed",
    ("models/churn/churn_2026.keras", "image"): "failed",
    ("models/fraud/1", "serving"): "passed",
    ("models/fraud/1", "next"): "passed",
    ("models/fraud/1", "image"): "passed",
    (CUSTOM, "serving"): "failed",
    (CUSTOM, "next"): "failed",
    (CUSTOM, "image"): "failed",
}
ARTIFACTS = sorted({artifact for artifact, _ in EXPECTED})
NOBODY = "65532:65532"
SEES_MODELS = ("plan", "load", "listen")
HAS_NETWORK = ("provision", "report")


@dataclass(frozen=True)
class Runs:
    first: Act
    second: Act
    report: dict[str, Any]
    github: GitHub


@pytest.fixture(scope="module")
def runs(runner: Runner, place: Path, serving_image: str) -> Runs:  # noqa: ARG001 - the spec names it
    """The same job twice, with nothing kept between the two but what actions/cache keeps; GitHub refuses the second."""
    workspace = repository(place / "workspace", SPEC, "acme", *ARTIFACTS)
    with github_for_containers() as github:
        first = runner.act(workspace, {"token": TOKEN}, github={"api_url": github.url})
        told = report_of(first)
        github.always = lambda *_: Fault(status=401)
        second = runner.act(workspace, {"token": TOKEN}, github={"api_url": github.url})
    return Runs(first, second, told, github)


def report_of(first: Act) -> dict[str, Any]:
    report = Path(first.outputs["reports"], "report.json")
    assert report.exists(), first.log
    told: dict[str, Any] = json.loads(report.read_text())
    kept = JUnitXml.fromfile(first.outputs["junit"])
    assert (kept.tests, kept.failures, kept.errors) == (len(EXPECTED) + 3, 6, 0)
    return told


def test_every_model_gets_its_true_verdict_in_every_runtime(runs: Runs) -> None:
    found = {(case["case"]["artifact"], case["case"]["runtime"]): case["standing"] for case in runs.report["cases"]}
    assert found == EXPECTED, runs.first.log


def test_the_outputs_say_what_the_report_says(runs: Runs) -> None:
    outputs = runs.first.outputs
    assert (outputs["verdict"], outputs["exit-status"]) == ("failed", "1")
    assert (outputs["artifacts"], outputs["cases"], outputs["passed"], outputs["failed"]) == ("4", "12", "6", "6")
    assert (outputs["errors"], outputs["skipped"]) == ("0", "0")


def test_the_gate_alone_fails_and_with_the_verdicts_status(runs: Runs) -> None:
    assert not runs.first.succeeded
    assert [step.name for step in runs.first.steps if step.outcome == "failure"] == ["Gate"], runs.first.log
    assert runs.first.step("Gate").status == 1


def test_the_summary_begins_with_the_verdict(runs: Runs) -> None:
    assert "3 of 4 artifacts do not load" in runs.first.summary.splitlines()[0]


def test_a_remedy_was_tried_in_the_second_round(runs: Runs) -> None:
    assert runs.first.step("Load what may mend").outcome == "success", runs.first.log
    remedies = [remedy for case in runs.report["cases"] for remedy in (case["diagnosis"] or {}).get("remedies", ())]
    assert any(remedy["verified"] for remedy in remedies), remedies


def test_the_second_run_finds_its_runtimes_and_makes_none(runs: Runs) -> None:
    restored = runs.second.step("Runtimes that are known")
    assert restored.outputs["cache-matched-key"] == runs.first.step("What is kept of the runtimes").outputs["cache_key"]
    log = runs.second.step("Provision").log
    assert sorted(re.findall(r"runtime (\w+): .*\(from the cache", log)) == ["next", "serving"], log
    assert runs.second.step("Keep the runtimes").outcome == "skipped"


def test_both_runs_say_the_same(runs: Runs) -> None:
    differing = ("reports", "junit", "sarif")
    first, second = ({k: v for k, v in run.outputs.items() if k not in differing} for run in (runs.first, runs.second))
    assert first == second


def test_github_is_told_once_and_a_refusal_is_said(runs: Runs) -> None:
    """Of the second run it took nothing, and that run came to the same end."""
    assert len(runs.github.check_runs) == len(runs.github.comments) == 1
    assert "could not be posted" not in runs.first.step("Report").log
    assert "could not be posted: GitHub does not know the token (401)" in runs.second.step("Report").log


# --- the wall, as Docker sees it ----------------------------------------------------------------------------------


def test_each_phase_was_a_container_of_its_own(runs: Runs) -> None:
    """And what mends a failure in an image, and leaves the image as it is, was tried in that image."""
    phases = ("plan", "describe", "provision", "listen", "load", "report")
    assert [container.role for container in runs.first.containers if container.role in phases] == [
        "plan", "describe", "provision", "listen", "load", "describe", "provision", "listen", "load", "report",
    ]  # fmt: skip
    first, second = (container.inspected["Image"] for container in runs.first.of_role("listen"))
    assert first == second


def test_a_model_is_seen_to_load_in_an_image_with_what_its_failure_there_asks_for(runs: Runs) -> None:
    (case,) = (
        case
        for case in runs.report["cases"]
        if (case["case"]["artifact"], case["case"]["runtime"]) == (CUSTOM, "image")
    )
    best = case["diagnosis"]["remedies"][0]
    assert (best["kind"], best["verified"]) == ("import", True), best
    assert "imports: [acme.layers" in best["edits"][0]["new"]


def test_no_container_is_root_or_can_become_it(runs: Runs) -> None:
    for container in runs.first.containers:
        assert container.inspected["Config"]["User"] not in ("", "0", "root"), container.role
        assert container.host["CapDrop"] == ["ALL"], container.role
        assert container.host["CapAdd"] in (None, []), container.role
        assert "no-new-privileges" in container.host["SecurityOpt"], container.role
        assert container.host["Privileged"] is False, container.role


def test_every_system_is_read_only(runs: Runs) -> None:
    assert all(container.host["ReadonlyRootfs"] or container.role == "/left" for container in runs.first.containers)


def test_what_sees_models_has_no_network_and_what_has_the_network_sees_no_model(runs: Runs) -> None:
    for container in runs.first.containers:
        if container.role not in HAS_NETWORK:
            assert container.host["NetworkMode"] == "none", container.role
        assert ("/repository" in container.mounts) == (container.role in SEES_MODELS), container.role


def test_the_repository_and_the_runtimes_cannot_be_written_where_models_are(runs: Runs) -> None:
    for container in runs.first.containers:
        if container.role in SEES_MODELS:
            assert container.mounts["/repository"] is False
            assert container.mounts.get("/cache", False) is False
            assert container.inspected["Config"]["User"] == NOBODY


@pytest.mark.parametrize(
    ("role", "writable"),
    [
        ("plan", {"/loadgate/planned"}),
        ("describe", {"/loadgate/answer"}),
        ("provision", {"/cache", "/loadgate/made"}),
        ("load", {"/loadgate/loaded"}),
        ("listen", {"/loadgate/door"}),
        ("report", {"/loadgate/report"}),
    ],
)
def test_each_phase_writes_where_the_design_says_and_nowhere_else(runs: Runs, role: str, writable: set[str]) -> None:
    found = runs.first.of_role(role)[0]
    assert {place for place, may_write in found.mounts.items() if may_write} == writable


def test_the_token_is_in_the_report_phase_alone(runs: Runs) -> None:
    for container in runs.first.containers:
        holds = TOKEN in json.dumps(container.inspected)
        assert holds == (container.role == "report"), container.role


def test_loads_have_a_limit_of_memory_and_of_processes(runs: Runs) -> None:
    for role in ("load", "listen", "describe"):
        for container in runs.first.of_role(role):
            assert 0 < container.host["Memory"] == container.host["MemorySwap"] <= available()
            assert 0 < container.host["PidsLimit"] <= 4096


def available() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def test_no_container_sees_docker(runs: Runs) -> None:
    for container in runs.first.containers:
        assert "docker.sock" not in json.dumps(container.inspected["Mounts"]), container.role


INSIDE = """
import json, os, socket
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
def writes(place):
    try:
        with open(place + "/mine", "w"):
            return True
    except OSError:
        return False
def reaches(family, address):
    try:
        with socket.socket(family) as one:
            one.settimeout(3)
            one.connect(address)
        return True
    except OSError:
        return False
print(json.dumps({
    "user": os.getuid(),
    "capabilities": [int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")],
    "no_new_privileges": status["NoNewPrivs"],
    "interfaces": os.listdir("/sys/class/net"),
    "reaches": [reaches(socket.AF_INET, ("%s", 9)), reaches(socket.AF_UNIX, "/var/run/docker.sock")],
    "writes": [place for place in ("/", "/opt/loadgate", "/cache", "/repository", "/loadgate/plan", "/loadgate/locks")
               if writes(place)],
    "variables": sorted(name for name in os.environ if "TOKEN" in name or "GITHUB" in name or "SECRET" in name),
}))
"""


def test_a_program_where_models_are_loaded_finds_every_wall_standing(runs: Runs) -> None:
    (load, *_) = runs.second.of_role("load")
    image = load.inspected["Config"]["Image"]
    options = load.arguments[: load.arguments.index(image)]
    with socket.socket() as listener:  # of this machine's own, at an address that a container with a network can reach
        listener.bind(("0.0.0.0", 9))  # noqa: S104 - for a container to try
        listener.listen()
        host = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=True).stdout.split()[0]
        program = ["--entrypoint", "python", image, "-c", INSIDE.replace("%s", host)]
        ran = subprocess.run(["docker", "run", *options, *program], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {
        "user": 65532,
        "capabilities": [0, 0, 0, 0, 0],
        "no_new_privileges": "1",
        "interfaces": ["lo"],
        "reaches": [False, False],
        "writes": [],
        "variables": [],
    }


def test_nothing_is_left_running(runs: Runs) -> None:
    for container in runs.first.containers:
        assert not is_there(container), container.role


def is_there(container: Container) -> bool:
    command = ["docker", "inspect", container.inspected["Id"]]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
