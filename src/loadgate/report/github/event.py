"""What an event of GitHub Actions calls for: which commit gets a check, which pull request a comment. Pure.

The event is GitHub's own word, unlike the files of a run, which a pull request from a stranger may have made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec

from loadgate.errors import UsageError
from loadgate.report.links import Links

NO_COMMIT = "0" * 40
PULL_REQUEST_EVENTS = ("pull_request", "pull_request_target")


class _Repository(msgspec.Struct):
    id: int


class _Side(msgspec.Struct):
    sha: str
    repo: _Repository | None = None
    """None where the fork was deleted."""


class _PullRequest(msgspec.Struct):
    number: int
    head: _Side
    base: _Side


class _MergeGroup(msgspec.Struct):
    head_sha: str


class _Owner(msgspec.Struct):
    login: str


class _HeadRepository(msgspec.Struct):
    id: int
    owner: _Owner


class _WorkflowRun(msgspec.Struct):
    id: int
    event: str
    head_sha: str
    head_branch: str | None = None
    run_attempt: int = 1
    head_repository: _HeadRepository | None = None


class _Payload(msgspec.Struct):
    """Of the events' payloads, what is needed of them."""

    repository: _Repository | None = None
    pull_request: _PullRequest | None = None
    merge_group: _MergeGroup | None = None
    workflow_run: _WorkflowRun | None = None
    after: str | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The branch of a pull request whose number the event does not tell."""

    owner: str
    branch: str
    repository: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    repository: str
    """`owner/name`."""
    sha: str | None
    """The commit that gets the check; None where there is nothing to check any more."""
    pull_request: int | None = None
    head: Head | None = None
    """To find the pull request by, where its number is not known."""
    from_fork: bool = False
    trusts_results: bool = True
    """False where a stranger may have made the files of the run: they are shown, and never offered as changes."""
    run: int = 0
    attempt: int = 1
    server: str = "https://github.com"
    prefix: str = ""
    """Where the repository that was checked lies in the one on GitHub, with `/` at the end."""
    action: str = ""
    action_ref: str = ""

    @property
    def links(self) -> Links:
        run = str(self.run) if self.run else ""
        return Links(
            server=self.server,
            repository=self.repository,
            sha=self.sha or "",
            run=run,
            prefix=self.prefix,
            action=self.action,
            action_ref=self.action_ref,
        )


def target_of(environment: Mapping[str, str], payload: bytes) -> Target:
    """From the variables and the payload that the runner hands over. Raises UsageError where they are not there."""
    repository = environment.get("GITHUB_REPOSITORY", "")
    if repository.count("/") != 1:
        raise UsageError("--github: GITHUB_REPOSITORY is not set; GitHub Actions sets it, or set it to owner/name")
    event = environment.get("GITHUB_EVENT_NAME", "")
    try:
        found = msgspec.json.decode(payload or b"{}", type=_Payload)
    except msgspec.DecodeError as error:
        raise UsageError(f"--github: the event in GITHUB_EVENT_PATH is no event of GitHub: {error}") from error
    frame = Target(
        repository=repository,
        sha=environment.get("GITHUB_SHA") or None,
        run=_number(environment.get("GITHUB_RUN_ID")),
        attempt=_number(environment.get("GITHUB_RUN_ATTEMPT")) or 1,
        server=environment.get("GITHUB_SERVER_URL") or "https://github.com",
        action=environment.get("LOADGATE_ACTION", ""),
        action_ref=environment.get("LOADGATE_ACTION_REF", ""),
    )
    if event in PULL_REQUEST_EVENTS and found.pull_request is not None:
        return _of_pull_request(frame, found.pull_request)
    if event == "workflow_run" and found.workflow_run is not None:
        return _of_workflow_run(frame, found.workflow_run, found.repository)
    return _of_commit(frame, event, found)


def _of_pull_request(frame: Target, pull: _PullRequest) -> Target:
    """GITHUB_SHA is a merge that nobody pushed; a check on it would be seen nowhere."""
    head, base = pull.head.repo, pull.base.repo
    from_fork = head is None or base is None or head.id != base.id
    return replace(frame, sha=pull.head.sha, pull_request=pull.number, from_fork=from_fork)


def _of_workflow_run(frame: Target, run: _WorkflowRun, repository: _Repository | None) -> Target:
    """The run that made the files, and not the one that reads them. It names no pull request where it is of a fork."""
    fork = run.head_repository
    from_fork = fork is None or repository is None or fork.id != repository.id
    is_of_pull_request = run.event in PULL_REQUEST_EVENTS
    head = (
        Head(owner=fork.owner.login, branch=run.head_branch, repository=fork.id) if fork and run.head_branch else None
    )
    return replace(
        frame,
        sha=run.head_sha,
        head=head if is_of_pull_request else None,
        from_fork=from_fork,
        trusts_results=False,
        run=run.id,
        attempt=run.run_attempt,
    )


def _of_commit(frame: Target, event: str, found: _Payload) -> Target:
    """A push, a schedule, a dispatch, a merge group, or whatever else happened to one commit of the repository."""
    sha = frame.sha
    if event == "merge_group" and found.merge_group is not None:
        sha = found.merge_group.head_sha
    elif event == "push":
        sha = None if found.deleted or found.after == NO_COMMIT else found.after or sha
    return replace(frame, sha=sha)


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0
