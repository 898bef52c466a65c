"""Every request and every answer passes GitHub's own OpenAPI description, of the public host and of the servers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from loadgate.report.comment import Mode
from loadgate.report.github.api import Api
from loadgate.report.github.event import Head
from loadgate.report.github.patience import Patience
from loadgate.report.github.posting import Posted, Wishes, post
from loadgate.report.truth import Report
from tests.report.github.conftest import prism
from tests.report.github.description import OPERATIONS
from tests.report.github.double import REPOSITORY, GitHub, served
from tests.report.github.test_posting import BROKEN, FILES, SHA, TARGET, WORKS, pull, with_fix
from tests.report.sample_run import RUN, hostile_run


@pytest.fixture(scope="module", params=["api.github.com", "oldest server", "newest server"])
def github(
    request: pytest.FixtureRequest, node_modules: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GitHub]:
    folder = node_modules / "@octokit" / "openapi" / "generated"
    servers = sorted(path for path in folder.glob("ghes-*.json") if not path.name.endswith(".deref.json"))
    descriptions = {
        "api.github.com": folder / "api.github.com.json",
        "oldest server": servers[0],
        "newest server": servers[-1],
    }
    scratch = tmp_path_factory.mktemp("prism")
    with (
        served(GitHub()) as state,
        prism(node_modules, descriptions[request.param], state.url, scratch) as (address, described),
    ):
        state.url = address  # where the next page is
        state.description = described
        yield state


@pytest.fixture(autouse=True)
def emptied(github: GitHub) -> None:
    for items in (github.comments, github.check_runs, github.review_comments, github.files, github.pulls):
        items.clear()
    github.annotations.clear()
    github.login = None


def posted(github: GitHub, report: Report, target: object = TARGET, wishes: Wishes | None = None) -> Posted:
    api = Api("token", REPOSITORY, url=github.url, between_writes=0)
    assert isinstance(target, type(TARGET))
    return post(report, target, api, wishes or Wishes(), Patience(attempts=1))


def test_everything_that_is_posted_passes(github: GitHub) -> None:
    github.files += FILES
    github.requests.clear()
    github.login = "octocat"
    github.author = "octocat"
    for run in (7, 8):
        assert posted(github, with_fix(BROKEN), replace(TARGET, run=run)).problems == []
    github.add_comment(github.comments[0]["body"], "octocat")
    assert posted(github, WORKS, replace(TARGET, run=9), Wishes(comment=Mode.ALWAYS)).problems == []
    github.pulls.append(pull(5))
    fork = replace(
        TARGET, pull_request=None, head=Head(owner="stranger", branch="main", repository=55), trusts_results=False
    )
    assert posted(github, BROKEN, replace(fork, run=10)).problems == []

    asked = {(method, len(path.split("/"))) for method, path in github.requests}
    assert asked == {
        (method.upper(), len(path.split("/"))) for path, methods in OPERATIONS.items() for method in methods
    }
    github.author = "github-actions[bot]"


def test_a_whole_run_and_hostile_strings_pass(github: GitHub) -> None:
    assert posted(github, RUN.report).problems == []
    text = "\x1b[31m\u202e@everyone <img src=x> ```\n| a \ud800 \U0001f600"
    assert posted(github, hostile_run(text).report, replace(TARGET, run=8)).problems == []


def test_several_pages_of_comments_pass(github: GitHub) -> None:
    for number in range(150):
        github.add_comment(f"looks good {number}", "octocat")
    for run in (7, 8):
        assert posted(github, BROKEN, replace(TARGET, run=run)).problems == []

    assert len(github.comments) == 151


def test_prism_refuses_what_github_would_refuse(github: GitHub) -> None:
    wrong = {"name": "loadgate", "head_sha": SHA, "status": "completed", "conclusion": "broken"}
    answer = requests.post(f"{github.url}/repos/{REPOSITORY}/check-runs", json=wrong, timeout=10)

    assert answer.status_code == 422
    assert github.check_runs == []
