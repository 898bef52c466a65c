"""What GitHub's own example events come to."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from loadgate.errors import UsageError
from loadgate.report.github.event import Target, target_of

Payloads = Callable[[str], list[dict[str, Any]]]
MERGE = "c" * 40
ENVIRONMENT = {
    "GITHUB_REPOSITORY": "octo-org/octo-repo",
    "GITHUB_SHA": MERGE,
    "GITHUB_RUN_ID": "42",
    "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_SERVER_URL": "https://github.example.com",
}


def target(event: str, payload: dict[str, Any] | None = None) -> Target:
    return target_of(ENVIRONMENT | {"GITHUB_EVENT_NAME": event}, json.dumps(payload or {}).encode())


@pytest.mark.parametrize("event", ["pull_request", "pull_request_target"])
def test_a_pull_request_gets_a_check_on_its_head_and_not_on_the_merge(payloads: Payloads, event: str) -> None:
    for payload in payloads("pull_request"):
        found = target(event, payload)

        assert found.sha == payload["pull_request"]["head"]["sha"] != MERGE
        assert found.pull_request == payload["number"]
        assert not found.from_fork
        assert found.trusts_results


def test_a_pull_request_from_a_fork_is_known_as_one(payloads: Payloads) -> None:
    payload = payloads("pull_request")[0]
    payload["pull_request"]["head"]["repo"]["id"] += 1

    assert target("pull_request", payload).from_fork
    payload["pull_request"]["head"]["repo"] = None
    assert target("pull_request", payload).from_fork


def test_a_push_gets_a_check_on_what_was_pushed_and_a_deleted_branch_none(payloads: Payloads) -> None:
    found = {payload["deleted"]: target("push", payload) for payload in payloads("push")}

    assert found[True].sha is None
    assert found[False].sha not in (None, MERGE)
    assert found[False].pull_request is None


def test_a_merge_group_gets_a_check_on_its_head(payloads: Payloads) -> None:
    payload = payloads("merge_group")[0]
    found = target("merge_group", payload)

    assert (found.sha, found.pull_request) == (payload["merge_group"]["head_sha"], None)


@pytest.mark.parametrize("event", ["workflow_dispatch", "schedule", "release"])
def test_other_events_get_a_check_on_the_commit_of_the_run(event: str) -> None:
    found = target(event, {"schedule": "0 0 * * *"})

    assert (found.sha, found.pull_request, found.head) == (MERGE, None, None)
    assert (found.run, found.attempt, found.server) == (42, 2, "https://github.example.com")


def test_a_second_workflow_tells_of_the_run_before_it_and_trusts_nothing_of_it(payloads: Payloads) -> None:
    for payload in payloads("workflow_run"):
        run = payload["workflow_run"]
        found = target("workflow_run", payload)

        assert (found.sha, found.run, found.attempt) == (run["head_sha"], run["id"], run["run_attempt"])
        assert found.head is None  # of a push
        assert not found.trusts_results


def test_the_pull_request_of_a_second_workflow_is_looked_for_by_the_head_that_github_names(payloads: Payloads) -> None:
    payload = payloads("workflow_run")[0]
    payload["workflow_run"] |= {"event": "pull_request", "head_branch": "main"}
    payload["workflow_run"]["head_repository"] |= {"id": 99, "owner": {"login": "stranger"}}
    found = target("workflow_run", payload)

    assert found.head is not None
    assert (found.head.owner, found.head.branch, found.head.repository) == ("stranger", "main", 99)
    assert found.from_fork


@pytest.mark.parametrize("payload", [b"[]", b"{", b'{"pull_request": {"number": "1"}}', b"\xff"])
def test_a_payload_that_is_none_of_github_is_a_mistake_of_the_call(payload: bytes) -> None:
    with pytest.raises(UsageError, match="is no event of GitHub"):
        target_of(ENVIRONMENT | {"GITHUB_EVENT_NAME": "pull_request"}, payload)


def test_outside_of_a_workflow_it_is_said_what_is_missing() -> None:
    with pytest.raises(UsageError, match="GITHUB_REPOSITORY is not set"):
        target_of({}, b"")
