"""The few things that loadgate asks of GitHub, through PyGithub. Nothing else imports it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import github
import requests
from github.Auth import Token
from github.GithubObject import NotSet

from loadgate.report.github.patience import GitHubError
from loadgate.report.github.remote import ChangedFile, CheckRun, Comment, Output, PullRequest

T = TypeVar("T")

TIMEOUT = 30
"""Seconds until an answer begins."""
BETWEEN_WRITES = 1.0
"""Seconds; GitHub asks for as much where many are made."""
MOST_ITEMS = 10_000
"""Of any list; a pull request has 2,500 comments at the most."""


class Api:
    """One repository. Every method raises GitHubError and nothing else."""

    def __init__(
        self,
        token: str,
        repository: str,
        *,
        url: str = "https://api.github.com",
        timeout: int = TIMEOUT,
        between_writes: float = BETWEEN_WRITES,
    ) -> None:
        self._github = github.Github(
            auth=Token(token),
            base_url=url.rstrip("/"),
            per_page=100,
            timeout=timeout,
            retry=None,  # PyGithub would repeat a POST that may have been carried out
            seconds_between_requests=0,
            seconds_between_writes=between_writes,
            lazy=True,
        )
        self._repository = self._github.get_repo(repository)

    # --- who we are -------------------------------------------------------------------------------------------

    def login(self) -> str | None:
        """None for a token that stands for an app and not for a person, such as GITHUB_TOKEN."""
        try:
            with _translated():
                return self._github.get_user().login
        except GitHubError as error:
            if error.status in (403, 404):
                return None
            raise

    # --- the comment ------------------------------------------------------------------------------------------

    def comments(self, pull_request: int) -> Sequence[Comment]:
        """All of them, oldest first."""
        return _listed(lambda: self._repository.get_issue(pull_request).get_comments(), _comment)

    def create_comment(self, pull_request: int, body: str) -> Comment:
        with _translated():
            return _comment(self._repository.get_issue(pull_request).create_comment(body))

    def edit_comment(self, pull_request: int, comment: int, body: str) -> None:
        with _translated():
            self._repository.get_issue(pull_request).get_comment(comment).edit(body)

    def delete_comment(self, pull_request: int, comment: int) -> None:
        with _translated():
            self._repository.get_issue(pull_request).get_comment(comment).delete()

    # --- the check run ----------------------------------------------------------------------------------------

    def check_runs(self, sha: str, name: str) -> Sequence[CheckRun]:
        """The latest of this name, of each app."""
        return _listed(
            lambda: self._repository.get_commit(sha).get_check_runs(check_name=name, filter="latest"), _check_run
        )

    def create_check_run(  # noqa: PLR0913 - as many as GitHub wants
        self, sha: str, name: str, conclusion: str, output: Output, *, external_id: str, details: str | None
    ) -> CheckRun:
        with _translated():
            return _check_run(
                self._repository.create_check_run(
                    name,
                    sha,
                    status="completed",
                    conclusion=conclusion,
                    completed_at=datetime.now(UTC),
                    external_id=external_id,
                    details_url=details or NotSet,
                    output=_output(output),
                )
            )

    def update_check_run(
        self, check_run: int, conclusion: str, output: Output, *, external_id: str, details: str | None
    ) -> None:
        """The annotations are added to those that are there; GitHub knows no other way."""
        with _translated():
            self._repository.get_check_run(check_run).edit(
                status="completed",
                conclusion=conclusion,
                completed_at=datetime.now(UTC),
                external_id=external_id,
                details_url=details or NotSet,
                output=_output(output),
            )

    def check_annotations(self, check_run: int) -> Sequence[tuple[str, int, str, str]]:
        """File, line, title and message of each."""
        return _listed(
            lambda: self._repository.get_check_run(check_run).get_annotations(),
            lambda each: (each.path, each.start_line, each.title or "", each.message),
        )

    # --- pull requests and their lines ------------------------------------------------------------------------

    def open_pull_requests(self, owner: str, branch: str) -> Sequence[PullRequest]:
        """Those from a branch of a repository of `owner`, which may be a fork."""
        return _listed(lambda: self._repository.get_pulls(state="open", head=f"{owner}:{branch}"), _pull_request)

    def changed_files(self, pull_request: int) -> Sequence[ChangedFile]:
        """GitHub lists 3,000 at the most."""
        return _listed(
            lambda: self._repository.get_pull(pull_request).get_files(),
            lambda each: ChangedFile(path=each.filename, patch=each.patch or ""),
        )

    def review_comments(self, pull_request: int) -> Sequence[Comment]:
        return _listed(lambda: self._repository.get_pull(pull_request).get_review_comments(), _comment)

    def create_review_comment(self, pull_request: int, sha: str, body: str, path: str, line: int | None) -> None:
        """On a line of the new side, or on the file as a whole, which is all that a binary one takes."""
        with _translated():
            pull = self._repository.get_pull(pull_request)
            if line is None:
                pull.create_review_comment(body, sha, path, subject_type="file")
            else:
                pull.create_review_comment(body, sha, path, line=line, side="RIGHT")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except github.GithubException as error:
        raise GitHubError(_message_of(error), error.status, error.headers) from error
    except requests.RequestException as error:
        raise GitHubError(f"no answer: {type(error).__name__}") from error
    except (github.BadAttributeException, AssertionError, TypeError, ValueError, KeyError, AttributeError) as error:
        # what PyGithub makes of an answer that is none of GitHub's, such as a proxy's page
        raise GitHubError(f"an answer that is not GitHub's: {type(error).__name__}") from error


def _message_of(error: github.GithubException) -> str:
    data = error.data
    message = data.get("message") if isinstance(data, dict) else None
    return str(message or error.message or "no reason given")[:300]


def _listed(ask: Callable[[], Iterable[Any]], convert: Callable[[Any], T]) -> tuple[T, ...]:
    found: list[T] = []
    with _translated():
        for item in ask():
            found.append(convert(item))
            if len(found) >= MOST_ITEMS:
                break
    return tuple(found)


def _comment(raw: Any) -> Comment:  # PyGithub's two kinds of comments share these and no class
    return Comment(id=raw.id, author=raw.user.login if raw.user else "", body=raw.body or "")


def _check_run(raw: Any) -> CheckRun:
    author = f"{raw.app.slug}[bot]" if raw.app and raw.app.slug else None
    return CheckRun(id=raw.id, external_id=raw.external_id or "", url=raw.html_url or "", author=author)


def _pull_request(raw: Any) -> PullRequest:
    repository = raw.head.repo
    return PullRequest(number=raw.number, sha=raw.head.sha, head_repository=repository.id if repository else None)


def _output(output: Output) -> dict[str, Any]:
    annotations = [
        {
            "path": annotation.file,
            "start_line": annotation.line,
            "end_line": annotation.line,
            "annotation_level": annotation.level.value,
            "title": annotation.title,
            "message": annotation.message,
        }
        for annotation in output.annotations
    ]
    return {"title": output.title, "summary": output.summary, "annotations": annotations}
