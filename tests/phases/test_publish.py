"""`loadgate report --github` as a workflow runs it, against a GitHub of our own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from loadgate.interchange import append_result, write_document
from loadgate.phases.publish import publication
from loadgate.report.github.posting import Wishes
from loadgate.report.report_json import read_report
from tests.command import Ended, environment, loadgate
from tests.report.github.double import REPOSITORY, Fault, GitHub, served
from tests.report.sample_run import RUN, Run, hostile_run

SHA = "6dcb09b5b57875f334f61aebed695e2e4193db5e"
TOKEN = "ghs_16C7e42F292c6912E7710c838347Ae178B4a"  # noqa: S105 - GitHub's own example of one
SIDE = {"sha": SHA, "repo": {"id": 1}}
PULL_REQUEST = {"pull_request": {"number": 1, "head": SIDE, "base": SIDE}}
WORKFLOW = Path(__file__).parents[2] / "docs" / "how-to" / "workflows" / "loadgate-report.yml"


@pytest.fixture
def github() -> Iterator[GitHub]:
    with served(GitHub()) as state:
        yield state


def written(folder: Path, run: Run = RUN) -> None:
    write_document(folder / "plan.json", run.plan)
    write_document(folder / "locks.json", run.locks)
    with (folder / "results.jsonl").open("wb") as stream:
        for result in run.results:
            append_result(stream, result)


def variables(github: GitHub, folder: Path, event: str = "pull_request", payload: object = None) -> dict[str, str]:
    (folder / "event.json").write_text(json.dumps(PULL_REQUEST if payload is None else payload))
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": github.url,
        "GITHUB_EVENT_NAME": event,
        "GITHUB_EVENT_PATH": str(folder / "event.json"),
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_RUN_ID": "42",
        "GITHUB_SHA": "c" * 40,
        "GITHUB_TOKEN": TOKEN,
    }


def reported(folder: Path, env: dict[str, str], *arguments: str) -> Ended:
    files = ("--plan", "plan.json", "--locks", "locks.json", "--summary", "summary.md", "--json", "report.json")
    return loadgate(
        "report", "--github", *files, "--junit", "junit.xml", *arguments, "results.jsonl", cwd=folder, env=env
    )


def test_a_report_is_posted_and_the_exit_status_is_the_runs_own(github: GitHub, tmp_path: Path) -> None:
    written(tmp_path)
    ended = reported(tmp_path, variables(github, tmp_path))

    assert (ended.status, ended.err) == (1, "")
    assert [run["head_sha"] for run in github.check_runs] == [SHA]
    assert len(github.comments) == 1
    assert "::error" not in ended.out
    assert (tmp_path / "summary.md").read_text().startswith("### ✗ loadgate: ")


@pytest.mark.parametrize("fault", [Fault(status=401), Fault(status=403), Fault(status=404), Fault(status=422)])
def test_what_github_refuses_changes_no_verdict_and_is_said(github: GitHub, tmp_path: Path, fault: Fault) -> None:
    github.always = lambda *_: fault
    written(tmp_path)
    ended = reported(tmp_path, variables(github, tmp_path))

    assert ended.status == 1
    assert "loadgate: the check run could not be posted: " in ended.err
    assert "Not everything could be posted" in (tmp_path / "summary.md").read_text()
    assert read_report(tmp_path / "report.json").totals == RUN.report.totals
    assert (tmp_path / "junit.xml").read_text().count("<failure") == 6
    assert len(re.findall(r"^::error file=", ended.out, re.MULTILINE)) == 6


def test_without_a_token_annotations_are_printed_and_nothing_is_asked(github: GitHub, tmp_path: Path) -> None:
    written(tmp_path)
    ended = reported(tmp_path, variables(github, tmp_path) | {"GITHUB_TOKEN": ""})

    assert ended.status == 1
    assert ended.err == "loadgate: nothing could be posted: GITHUB_TOKEN is not set\n"
    assert "::error file=loadgate.yml,line=14," in ended.out
    assert github.requests == []


def test_the_token_is_shown_nowhere(github: GitHub, tmp_path: Path) -> None:
    written(tmp_path)
    github.always = lambda *_: Fault(status=401)
    ended = reported(tmp_path, variables(github, tmp_path), "--verbose")
    files = [path.read_text() for path in tmp_path.iterdir()]

    assert not any(TOKEN in text for text in (ended.out, ended.err, *files))
    assert TOKEN not in repr(publication(variables(github, tmp_path), Wishes()))


def test_outside_of_a_workflow_it_is_a_mistake_of_the_call(tmp_path: Path) -> None:
    written(tmp_path)
    nowhere = {name: "" for name in os.environ if name.startswith("GITHUB_")}
    ended = reported(tmp_path, nowhere | {"GITHUB_REPOSITORY": ""})

    assert ended.status == 2
    assert ended.err.startswith("loadgate: --github: GITHUB_REPOSITORY is not set")


def test_no_string_of_a_hostile_run_becomes_a_command(github: GitHub, tmp_path: Path) -> None:
    written(tmp_path, hostile_run("\n::error::x\r\n::set-output name=a::b\n##[error]x"))
    github.always = lambda *_: Fault(status=403)
    ended = reported(tmp_path, variables(github, tmp_path), "--verbose")
    own = [line for line in ended.out.splitlines() if re.match(r" *::", line)]

    assert all(re.match(r"::(error|warning) (file=[^:]*,line=\d+,)?title=", line) for line in own)
    assert "##[" not in ended.out


# --- the second workflow -------------------------------------------------------------------------------------


def of_a_fork() -> dict[str, object]:
    run = {"id": 7, "event": "pull_request", "head_sha": SHA, "head_branch": "main", "run_attempt": 1}
    return {
        "repository": {"id": 1},
        "workflow_run": run | {"head_repository": {"id": 55, "owner": {"login": "stranger"}}},
    }


@pytest.mark.parametrize("results", ["results.jsonl", "1.jsonl"], ids=["of one job", "of shards"])
def test_the_second_workflow_posts_what_the_run_of_a_fork_could_not(
    results: str, github: GitHub, tmp_path: Path
) -> None:
    for name in ("plan", "locks", "results"):
        (tmp_path / "run" / name).mkdir(parents=True)
    written(tmp_path)
    for name in ("plan/plan.json", "locks/locks.json", "results/results.jsonl"):
        shutil.move(tmp_path / Path(name).name, tmp_path / "run" / name)
    (tmp_path / "run" / "results" / "results.jsonl").rename(tmp_path / "run" / "results" / results)
    github.pulls = [{"number": 5, "head": {"label": "stranger:main", "sha": SHA, "repo": {"id": 55}}}]
    steps = yaml.safe_load(WORKFLOW.read_text())["jobs"]["report"]["steps"]
    (script,) = (step["run"] for step in steps if step["name"] == "Report")
    here = Path(sys.executable).parent
    env = environment(variables(github, tmp_path, "workflow_run", of_a_fork()))
    env |= {"PATH": f"{here}:{env['PATH']}", "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")}
    env["BASE"] = str(tmp_path / "none" / "report.json")
    done = subprocess.run(
        ["bash", "-e", "-c", script], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert [run["head_sha"] for run in github.check_runs] == [SHA]
    assert ("POST", f"/repos/{REPOSITORY}/issues/5/comments") in github.requests


def test_the_second_workflow_runs_nothing_of_the_pull_request_and_pins_what_it_uses() -> None:
    workflow = yaml.safe_load(WORKFLOW.read_text())
    job = workflow["jobs"]["report"]

    assert workflow["permissions"] == {}
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"]) for step in job["steps"] if "uses" in step)
    assert not any("${{" in step.get("run", "") for step in job["steps"])
    assert [step["with"]["repository"] for step in job["steps"] if "checkout" in step.get("uses", "")] == [
        "OWNER/loadgate"
    ]
