"""Everything that a run posts to GitHub. What cannot be posted is said, and changes nothing of the run's outcome."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from loadgate.report import comment, suggestions, wording
from loadgate.report.annotations import annotated
from loadgate.report.comment import Mode
from loadgate.report.github import check, pull_comment
from loadgate.report.github.event import Target
from loadgate.report.github.patience import GitHubError, Patience
from loadgate.report.github.remote import CheckRun
from loadgate.report.markdown_page import Page, render
from loadgate.report.truth import Report

if TYPE_CHECKING:
    from loadgate.report.github.api import Api

T = TypeVar("T")

SUMMARY = 64_000
"""Bytes of a check run's summary; GitHub takes 65,535 characters."""
UNAUTHORISED, FORBIDDEN, NOT_FOUND = 401, 403, 404


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    name: str = "loadgate"
    comment: Mode = Mode.ON_FAILURE
    suggestions: bool = True


@dataclass(slots=True)
class Posted:
    """What came of it."""

    check_run: CheckRun | None = None
    """None where it could not be posted."""
    comment: bool = False
    suggestions: int = 0
    problems: list[str] = field(default_factory=list)
    """What could not be posted, why, and what to do: one sentence each."""


def post(report: Report, target: Target, api: Api, wishes: Wishes, patience: Patience) -> Posted:
    """The check first, for merging waits for it; the comment last, for it tells what could not be posted."""
    run = _Run(report=report, target=target, api=api, wishes=wishes, patience=patience)
    if target.sha is not None:
        run.attempt("the check run", "checks", run.check)
    number = run.attempt("the comment", "pull-requests", run.pull_request)
    if number is not None:
        run.attempt("the suggestions", "pull-requests", lambda: run.suggest(number))
        run.attempt("the comment", "pull-requests", lambda: run.comment(number))
    return run.posted


@dataclass(slots=True, kw_only=True)
class _Run:
    report: Report
    target: Target
    api: Api
    wishes: Wishes
    patience: Patience
    posted: Posted = field(default_factory=Posted)

    def attempt(self, what: str, permission: str, procedure: Callable[[], T]) -> T | None:
        try:
            return procedure()
        except GitHubError as error:
            why = in_plain_words(error, permission, from_fork=self.target.from_fork)
            self.posted.problems.append(f"{what} could not be posted: {why}")
            return None

    def check(self) -> None:
        found = annotated(self.report, self.target.prefix)
        page = Page(limit=SUMMARY, name=self.wishes.name, links=self.target.links)
        posting = check.Posting(
            api=self.api,
            patience=self.patience,
            check=check.Check(
                name=self.wishes.name,
                sha=self.target.sha or "",
                conclusion=check.conclusion_of(self.report),
                title=check.title_of(self.report),
                summary=render(self.report, page),
                annotations=found,
                details=self.target.links.to_run,
                run=self.target.run,
                attempt=self.target.attempt,
            ),
        )
        try:
            posting.post()
        finally:
            self.posted.check_run = posting.run
        if len(found) > check.MOST:
            rest = len(found) - check.MOST
            self.posted.problems.append(f"{rest:,} annotations beyond the first {check.MOST} were left out")
        if posting.refused:
            refused = wording.count(posting.refused, "annotation")
            self.posted.problems.append(f"{refused} could not be posted: GitHub refused them (422)")

    def pull_request(self) -> int | None:
        """Where the event does not tell its number, the open one whose head is the very commit that was run."""
        head = self.target.head
        if self.target.pull_request is not None or head is None:
            return self.target.pull_request
        found = self.patience.carry_out(lambda: self.api.open_pull_requests(head.owner, head.branch))
        wanted = (self.target.sha, head.repository)
        return next((each.number for each in found if (each.sha, each.head_repository) == wanted), None)

    def suggest(self, pull_request: int) -> None:
        if not (self.wishes.suggestions and self.target.trusts_results and self.report.totals.failed):
            return
        files = self.patience.carry_out(lambda: self.api.changed_files(pull_request))
        prefix = self.target.prefix
        patches = {file.path.removeprefix(prefix): file.patch for file in files if file.path.startswith(prefix)}
        for suggestion in suggestions.suggestions(self.report, patches):
            self.posted.suggestions += self.patience.carry_out(partial(self._say, suggestion, pull_request))

    def _say(self, suggestion: suggestions.Suggestion, pull_request: int) -> bool:
        """False where it was said before, by an earlier run or by an attempt whose answer was lost."""
        if any(suggestion.marker in each.body for each in self.api.review_comments(pull_request)):
            return False
        sha = self.target.sha or ""
        path = self.target.prefix + suggestion.path
        self.api.create_review_comment(pull_request, sha, suggestion.body, path, suggestion.line)
        return True

    def comment(self, pull_request: int) -> None:
        posting = pull_comment.Posting(
            api=self.api,
            pull_request=pull_request,
            report=self.report,
            name=self.wishes.name,
            mode=self.wishes.comment,
            state=comment.state_of(
                self.report, sha=self.target.sha or "", run=self.target.run, attempt=self.target.attempt
            ),
            links=self.target.links,
            problems=tuple(self.posted.problems),
            app=self.posted.check_run.author if self.posted.check_run else None,
        )
        self.posted.comment = self.patience.carry_out(posting)


def in_plain_words(error: GitHubError, permission: str, *, from_fork: bool) -> str:
    if error.status == UNAUTHORISED:
        return "GitHub does not know the token (401); see what the workflow gives as GITHUB_TOKEN"
    if error.status == FORBIDDEN and "rate limit" not in error.message.lower():
        if from_fork:
            return (
                "the token of a pull request from a fork may only read (403); "
                "a second workflow can post it, see docs/how-to/github-pull-requests.md"
            )
        return f"the token may not do that (403); give the job `permissions: {permission}: write`"
    if error.status == NOT_FOUND:
        return f"GitHub does not find it, or the token may not see it (404): {error.message}"
    return f"GitHub said {error}"
