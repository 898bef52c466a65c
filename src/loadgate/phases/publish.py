"""The part of the report phase that talks to GitHub. It holds the token, and nothing that it meets fails the run."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from loadgate.errors import UsageError
from loadgate.report.annotations import annotated
from loadgate.report.github.event import Target, target_of
from loadgate.report.github.posting import Posted, Wishes, post
from loadgate.report.summary import append_summary
from loadgate.report.truth import Report
from loadgate.report.workflow_commands import commands

LONGEST_EVENT = 32 * 1024**2
PUBLIC_API = "https://api.github.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """Where to post, and with what."""

    target: Target
    wishes: Wishes
    api: str
    """Address of the API; GitHub Enterprise Server has its own."""
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    problems: tuple[str, ...] = ()
    """What could not be posted: one sentence each."""
    commands: tuple[str, ...] = ()
    """Lines for the runner, where annotations did not reach the check run."""


def publication(environment: Mapping[str, str], wishes: Wishes, *, prefix: str = "") -> Publication:
    """From the variables that GitHub Actions sets. Raises UsageError where this is no workflow."""
    event = environment.get("GITHUB_EVENT_PATH", "")
    target = target_of(environment, read_event(Path(event)) if event else b"")
    return Publication(
        target=replace(target, prefix=prefix),
        wishes=wishes,
        api=environment.get("GITHUB_API_URL") or PUBLIC_API,
        token=environment.get("GITHUB_TOKEN", ""),
    )


def read_event(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(LONGEST_EVENT)
    except OSError as error:
        raise UsageError(f"--github: GITHUB_EVENT_PATH, {path}, cannot be read: {error.strerror}") from error


def publish(report: Report, to: Publication, summary: Path | None = None) -> Published:
    """The summary is appended to last, for it tells what could not be posted."""
    posted = posted_to(report, to)
    problems = tuple(posted.problems)
    if summary is not None:
        append_summary(summary, report, name=to.wishes.name, links=to.target.links, problems=problems)
    if posted.check_run is not None:
        return Published(problems=problems)
    return Published(problems=problems, commands=tuple(commands(annotated(report, to.target.prefix))))


def posted_to(report: Report, to: Publication) -> Posted:
    from loadgate.report.github.api import Api
    from loadgate.report.github.patience import Patience

    if not to.token:
        return Posted(problems=["nothing could be posted: GITHUB_TOKEN is not set"])
    try:
        return post(report, to.target, Api(to.token, to.target.repository, url=to.api), to.wishes, Patience())
    except Exception as error:  # noqa: BLE001 - a bug of ours here must not change what the run says of the models
        traceback.print_exc()
        return Posted(problems=[f"not everything could be posted, for a bug of ours: {type(error).__name__}"])
