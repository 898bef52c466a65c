"""The check run of a commit: the gate that a branch protection may require, and the annotations on its lines."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loadgate import untrusted
from loadgate.report.annotations import Annotation
from loadgate.report.github.patience import GitHubError, Patience
from loadgate.report.github.remote import CheckRun, Output
from loadgate.report.truth import Report
from loadgate.report.wording import path_bytes

if TYPE_CHECKING:
    from loadgate.report.github.api import Api

BATCH = 50
"""Annotations that GitHub takes in a request."""
MOST = 250
"""Annotations in all; the summary counts the rest. Nobody reads the two hundred and fifty-first."""
MOST_REFUSED = 5
UNPROCESSABLE = 422
TITLE = 200

Key = tuple[str, int, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What a check run is to say."""

    name: str
    sha: str
    conclusion: str
    title: str
    summary: str
    """Markdown of at most 65,535 characters."""
    annotations: tuple[Annotation, ...]
    details: str | None = None
    """Address of the workflow run."""
    run: int = 0
    """Id and attempt of the workflow run, which grow."""
    attempt: int = 1

    @property
    def gate(self) -> str:
        """By which a repeat finds what it would otherwise post again."""
        return f"loadgate-{hashlib.sha256(path_bytes(self.name)).hexdigest()[:16]}"

    @property
    def external_id(self) -> str:
        return f"{self.gate}-{self.run}-{self.attempt}"

    def is_outdated(self, other: CheckRun) -> bool:
        """A later run has spoken already: two that race end as if they had come in order."""
        numbers = re.fullmatch(r"(\d{1,20})-(\d{1,20})", other.external_id.removeprefix(f"{self.gate}-"))
        return numbers is not None and (int(numbers[1]), int(numbers[2])) > (self.run, self.attempt)


def conclusion_of(report: Report) -> str:
    """No verdict is a failure here: GitHub lets `neutral` and `skipped` pass where a check is required."""
    if report.exit_status != 0:
        return "failure"
    return "neutral" if report.totals.failed else "success"


def title_of(report: Report) -> str:
    return untrusted.line(report.headline, TITLE)


@dataclass(slots=True)
class Posting:
    """One check run on its way. `refused` counts annotations that GitHub would not take."""

    api: Api
    patience: Patience
    check: Check
    run: CheckRun | None = None
    refused: int = 0
    _there: set[Key] = field(default_factory=set)

    def post(self) -> CheckRun:
        """Make the check run, or bring the one that is there up to date; that of a later run stays as it is. Raises
        GitHubError."""
        wanted = self.check.annotations[:MOST]
        run = self.patience.carry_out(lambda: self._found_or_made(wanted))
        self.run = run
        if not self.check.is_outdated(run):
            self._append([each for each in wanted if _key(each) not in self._there], run)
        return run

    def _found_or_made(self, wanted: Sequence[Annotation]) -> CheckRun:
        """Annotations cannot be taken back: where some of an earlier run do not hold any more, a new run of the same
        name takes its place, as GitHub shows the latest."""
        check = self.check
        runs = self.api.check_runs(check.sha, check.name)
        found = max((run for run in runs if run.external_id.startswith(check.gate)), key=lambda r: r.id, default=None)
        if found is not None and check.is_outdated(found):
            return found
        if found is not None:
            self._there = set(self.api.check_annotations(found.id))
            if self._there <= {_key(each) for each in wanted}:
                self._update(found, self._output())
                return found
        self._there = set()
        return self.api.create_check_run(
            check.sha,
            check.name,
            check.conclusion,
            self._output(),
            external_id=check.external_id,
            details=check.details,
        )

    def _update(self, run: CheckRun, output: Output) -> None:
        check = self.check
        self.api.update_check_run(
            run.id, check.conclusion, output, external_id=check.external_id, details=check.details
        )

    def _append(self, missing: Sequence[Annotation], run: CheckRun) -> None:
        for start in range(0, len(missing), BATCH):
            self._append_batch(missing[start : start + BATCH], run)

    def _append_batch(self, batch: Sequence[Annotation], run: CheckRun) -> None:
        """Where GitHub refuses a batch, the halves are tried, so that one bad path costs only itself."""
        if self.refused >= MOST_REFUSED:
            self.refused += len(batch)
            return
        try:
            self.patience.carry_out(_Appending(self, batch, run))
        except GitHubError as error:
            if error.status != UNPROCESSABLE:
                raise
            if len(batch) == 1:
                self.refused += 1
                return
            middle = len(batch) // 2
            self._append_batch(batch[:middle], run)
            self._append_batch(batch[middle:], run)

    def _output(self, annotations: Sequence[Annotation] = ()) -> Output:
        return Output(title=self.check.title, summary=self.check.summary, annotations=annotations)


@dataclass(slots=True)
class _Appending:
    """Appends a batch. Repeated after a failure, it looks which of it arrived: a second copy would stay for ever."""

    posting: Posting
    batch: Sequence[Annotation]
    run: CheckRun
    is_repeated: bool = False

    def __call__(self) -> None:
        left = self.batch
        if self.is_repeated:
            there = set(self.posting.api.check_annotations(self.run.id))
            left = [each for each in self.batch if _key(each) not in there]
        self.is_repeated = True
        if left:
            self.posting._update(self.run, self.posting._output(left))


def _key(annotation: Annotation) -> Key:
    return annotation.file, annotation.line, annotation.title, annotation.message
