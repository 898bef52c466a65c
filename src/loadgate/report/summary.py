"""The summary of a step in GitHub Actions: the report as Markdown, within what the runner takes."""

from __future__ import annotations

from pathlib import Path

from loadgate.errors import LoadgateError
from loadgate.report.links import Links
from loadgate.report.markdown_page import Page, render
from loadgate.report.truth import Report

LIMIT = 1024**2
"""Bytes of a step's whole summary; what is longer is not shown at all."""
LEAST = 4_096


def append_summary(  # noqa: PLR0913 - each is one thing that the summary tells
    path: Path,
    report: Report,
    *,
    name: str = "loadgate",
    links: Links | None = None,
    call: str = "",
    problems: tuple[str, ...] = (),
) -> None:
    """After what the step has written there already. Nothing where there is no room for a page."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as stream:
            room = LIMIT - stream.tell() - 2
            if room < LEAST:
                return
            page = Page(limit=room, name=name, links=links or Links(), call=call, problems=problems)
            stream.write(b"\n" * (stream.tell() > 0) + render(report, page).encode())
    except OSError as error:
        raise LoadgateError(f"{path}: cannot be written: {error.strerror}") from error
