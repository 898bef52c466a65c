"""The one comment of a pull request: found by its marker and its author, edited in place, whoever else runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loadgate.report import comment
from loadgate.report.comment import Mode, State
from loadgate.report.github.patience import GitHubError
from loadgate.report.github.remote import Comment
from loadgate.report.links import Links
from loadgate.report.truth import Report

if TYPE_CHECKING:
    from loadgate.report.github.api import Api

ACTIONS = "github-actions[bot]"
"""Who GITHUB_TOKEN is."""
GONE = (404, 410)
CONFLICT = 409


@dataclass(slots=True)
class Posting:
    """Callable as often as it takes: each time it looks before it writes."""

    api: Api
    pull_request: int
    report: Report
    name: str
    mode: Mode
    state: State
    links: Links
    problems: tuple[str, ...] = ()
    app: str | None = None
    """As whom the token's app writes, where something that it wrote has told."""
    _authors: set[str] = field(default_factory=set)

    def __call__(self) -> bool:
        """Whether a comment of this run is there now. Raises GitHubError."""
        if self.mode is Mode.NEVER:
            return False
        if not self._authors:
            self._authors = {self.api.login() or self.app or ACTIONS}
        ours = self._ours(self.api.comments(self.pull_request))
        last = comment.decode(ours[0].body) if ours else None
        if comment.is_outdated(self.state, last):
            return False
        if not comment.is_wanted(self.mode, self.report, last, is_there=bool(ours)):
            return False
        if ours:
            self._keep(ours, self._body(last))
        else:
            self._create()
        return True

    def _body(self, last: State | None) -> str:
        return comment.body(
            self.report, name=self.name, links=self.links, state=self.state, last=last, problems=self.problems
        )

    def _ours(self, comments: Sequence[Comment]) -> list[Comment]:
        """Oldest first. A marker alone proves nothing: anybody can write one."""
        found = [each for each in comments if each.author in self._authors and comment.is_of(self.name, each.body)]
        return sorted(found, key=lambda each: each.id)

    def _create(self) -> None:
        """Then look again: of two runs that created one each, both keep the older, and the author is known now."""
        created = self.api.create_comment(self.pull_request, self._body(None))
        self._authors.add(created.author)
        ours = self._ours(self.api.comments(self.pull_request))
        if len(ours) > 1:
            last = comment.decode(ours[0].body)
            latest = ours[0].body if comment.is_outdated(self.state, last) else self._body(last)
            self._keep(ours, latest)

    def _keep(self, ours: Sequence[Comment], text: str) -> None:
        first, *others = ours
        if first.body != text:
            try:
                self.api.edit_comment(self.pull_request, first.id, text)
            except GitHubError as error:
                if error.status in GONE:
                    raise GitHubError("the comment went away while it was edited", CONFLICT) from error
                raise
        for other in others:
            self._delete(other)

    def _delete(self, other: Comment) -> None:
        try:
            self.api.delete_comment(self.pull_request, other.id)
        except GitHubError as error:
            if error.status not in GONE:
                raise
