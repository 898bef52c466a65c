"""What the action does before and beside the loads: inputs, mistakes, names, users, where the image comes from."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from loadgate import __version__
from tests.e2e.acting import ROOT, Runner
from tests.e2e.conftest import repository

pytestmark = pytest.mark.runtime

SPEC = 'version: 1\nruntimes:\n  serving: {python: "3.11", tensorflow: "2.15.1"}\n'
INPUTS = yaml.safe_load((ROOT / "action.yml").read_text())["inputs"]


@pytest.fixture
def workspace(place: Path) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="workspace-", dir=place))
    folder.chmod(0o755)
    return folder


def test_a_repository_without_models_passes_though_nothing_was_made(runner: Runner, workspace: Path) -> None:
    act = runner.act(repository(workspace, SPEC))
    assert act.succeeded, act.log
    assert (act.outputs["verdict"], act.outputs["exit-status"], act.outputs["cases"]) == ("passed", "0", "0")
    assert {container.role for container in act.containers} == {"plan", "outline", "report", "/left"}


def test_inputs_left_empty_mean_what_inputs_not_given_mean(runner: Runner, workspace: Path) -> None:
    repository(workspace, SPEC)
    without = runner.act(workspace)
    empty = runner.act(workspace, dict.fromkeys(INPUTS, ""))
    assert [step.outcome for step in empty.steps] == [step.outcome for step in without.steps], empty.log
    where = ("reports", "junit", "sarif")
    assert all(empty.outputs[name] == without.outputs[name] for name in empty.outputs if name not in where)


def test_no_model_is_an_error_where_one_is_required(runner: Runner, workspace: Path) -> None:
    act = runner.act(repository(workspace, SPEC), {"require-artifacts": "true"})
    assert act.step("Plan").status == 2, act.log
    assert any("no model" in each["message"] for each in act.step("Plan").commands)


@pytest.mark.parametrize("name", ["require-artifacts", "suggestions", "upload"])
def test_what_is_neither_true_nor_false_is_not_taken_for_either(runner: Runner, workspace: Path, name: str) -> None:
    act = runner.act(repository(workspace, SPEC), {name: "yes"})
    assert act.step("Prepare").status == 2
    assert [each["message"] for each in act.step("Prepare").commands] == [f"{name}: yes is neither true nor false"]


@pytest.mark.parametrize(("checkout", "prefix"), [(".", "services/ml"), ("services", "ml"), ("services/ml", "")])
def test_files_are_named_from_the_root_of_the_checkout(
    runner: Runner, workspace: Path, checkout: str, prefix: str
) -> None:
    folder = workspace / "services" / "ml"
    folder.mkdir(parents=True)
    repository(workspace / checkout, SPEC)
    (folder / "loadgate.yml").write_text(SPEC)
    act = runner.act(workspace, {"path": "services/ml"})
    assert act.succeeded, act.log
    assert act.step("Prepare").outputs["prefix"] == prefix


def test_a_gate_finds_the_last_report_of_the_branch_and_no_other_gate_does(runner: Runner, workspace: Path) -> None:
    repository(workspace, SPEC)
    first, again, other = (
        runner.act(workspace, {"name": name}, event={"name": "push"}) for name in ("release", "release", "release-next")
    )
    assert first.succeeded, first.log
    logs = [each.step("The branch's last report").log for each in (first, again, other)]
    assert ["restored" in log for log in logs] == [False, True, False], logs


def test_a_mistake_in_the_spec_ends_the_job_with_its_line_before_anything_runs(runner: Runner, workspace: Path) -> None:
    act = runner.act(repository(workspace, "version: 1\nruntime: {}\n"))
    assert act.step("Plan").status == 2
    assert "loadgate.yml:2:1" in act.step("Plan").log
    assert {container.role for container in act.containers} == {"plan", "/left"}


@pytest.mark.parametrize("path", ["..", "/etc", "link"])
def test_a_path_out_of_the_workspace_is_refused(runner: Runner, workspace: Path, path: str) -> None:
    repository(workspace, SPEC)
    (workspace / "link").symlink_to("/etc")
    act = runner.act(workspace, {"path": path})
    assert act.step("Prepare").status == 2, act.log
    assert act.containers == []


def test_a_workspace_that_is_closed_to_others_is_said_to_be(runner: Runner, workspace: Path) -> None:
    repository(workspace, SPEC).chmod(0o700)
    act = runner.act(workspace)
    assert act.step("Prepare").status == 2
    assert any("chmod -R o+rX" in each["message"] for each in act.step("Prepare").commands), act.log


def test_a_files_name_is_no_command_for_the_runner(runner: Runner, workspace: Path) -> None:
    repository(workspace, SPEC)
    (workspace / "a\n::set-output name=verdict::passed\n::add-mask::loadgate\n.h5").write_bytes(b"no model")
    act = runner.act(workspace)
    assert act.step("Plan").outcome == "success", act.log
    assert [each["command"] for each in act.step("Plan").commands] == []


def test_a_runner_that_is_root_is_served_as_well_and_its_containers_are_not_root(
    runner: Runner, workspace: Path
) -> None:
    act = replace(runner, user=0).act(repository(workspace, SPEC))
    assert act.succeeded, act.log
    assert {container.inspected["Config"]["User"] for container in act.containers} == {"65532:65532"}


# --- where the image comes from -----------------------------------------------------------------------------------


@pytest.fixture
def registry(place: Path) -> Iterator[str]:
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("no container engine: there is no docker-registry; script/setup-engine installs it")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    configuration = place / "registry.yml"
    configuration.write_text(
        f"version: 0.1\nhttp: {{addr: '{address}'}}\nstorage: {{filesystem: {{rootdirectory: {place}/registry}}}}\n"
    )
    log = (place / "registry.log").open("wb")
    process = subprocess.Popen([program, "serve", configuration], stdout=log, stderr=log)
    try:
        while (
            subprocess.run(
                ["docker", "pull", f"{address}/no"], capture_output=True, text=True, check=False
            ).stderr.find("connection refused")
            >= 0
        ):
            time.sleep(0.05)  # a port cannot be waited for otherwise
        yield address
    finally:
        process.terminate()
        process.wait()
        log.close()


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout.strip()


def chosen(action: Path, *arguments: str) -> tuple[str, str]:
    """The image that the action would run, and what it said on the way."""
    ran = subprocess.run([action / "container/image.sh", *arguments], capture_output=True, text=True, check=True)
    return ran.stdout.strip().removeprefix("image="), ran.stderr


def test_a_released_action_pulls_the_image_of_its_version_by_digest(
    runner: Runner, image: str, registry: str, place: Path
) -> None:
    name = f"{registry}/loadgate:{__version__}"
    docker("tag", image, name)
    docker("push", "--quiet", name)
    digests = docker("image", "inspect", "--format", "{{range .RepoDigests}}{{println .}}{{end}}", image).splitlines()
    digest = next(line for line in digests if line.startswith(registry))
    docker("image", "rm", name)
    action = Path(shutil.copytree(runner.action, place / "released"))
    (action / "container/image").write_text(f"{name}@{digest.partition('@')[2]}\n")
    found, said = chosen(action)
    assert found == image
    assert "building" not in said


def test_where_that_image_cannot_be_had_it_is_built_from_the_actions_own_dockerfile(
    runner: Runner, image: str, place: Path
) -> None:
    action = Path(shutil.copytree(runner.action, place / "cut-off"))
    (action / "container/image").write_text(f"127.0.0.1:9/loadgate:{__version__}@sha256:{'0' * 64}\n")
    found, said = chosen(action)
    assert found == image
    assert "cannot be had, so it is built here" in said


def test_an_image_that_was_asked_for_and_cannot_be_had_is_an_error(runner: Runner, workspace: Path) -> None:
    act = runner.act(repository(workspace, SPEC), {"image": "127.0.0.1:9/loadgate:mirror"})
    assert act.step("Image").status == 2
    assert any("cannot be had" in each["message"] for each in act.step("Image").commands), act.log


def test_the_image_is_of_this_version_and_small(image: str) -> None:
    assert docker("run", "--rm", "--network", "none", image, "--version") == f"loadgate {__version__}"
    assert int(docker("image", "inspect", "--format", "{{.Size}}", image)) < 250e6


def test_the_image_has_nothing_of_tensorflow_and_nothing_that_could_gain_rights(image: str) -> None:
    find = (
        "find / -xdev \\( -name 'tensorflow*' -o -perm -4000 -o -perm -2000 \\) -not -path '/proc/*' 2>/dev/null; true"
    )
    found = docker("run", "--rm", "--network", "none", "--entrypoint", "sh", image, "-c", find).splitlines()
    assert [path for path in found if "tensorflow" in path.rpartition("/")[2] or "bin/" in path] == []
