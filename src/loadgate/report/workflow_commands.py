"""Annotations as commands to the runner of GitHub Actions, which takes ten errors and ten warnings a step. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from loadgate.report.annotations import Annotation, Level

MOST_OF_A_LEVEL = 10
COMMANDS = {Level.FAILURE: "error", Level.WARNING: "warning", Level.NOTICE: "notice"}


def commands(annotations: Sequence[Annotation]) -> Iterator[str]:
    """One line each, in their order; where there are too many of a level, the last one counts the rest."""
    for level in Level:
        found = [annotation for annotation in annotations if annotation.level is level]
        room = MOST_OF_A_LEVEL if len(found) <= MOST_OF_A_LEVEL else MOST_OF_A_LEVEL - 1
        for annotation in found[:room]:
            yield command(annotation)
        if len(found) > room:
            rest = len(found) - room
            yield f"::{COMMANDS[level]} title=loadgate::and {rest:,} more, which the step's summary has"


def command(annotation: Annotation) -> str:
    properties = {"file": annotation.file, "line": str(annotation.line), "title": annotation.title}
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{COMMANDS[annotation.level]} {listed}::{_data(annotation.message)}"


def _data(text: str) -> str:
    """As the runner reads it back: these three, the percent sign first. Its older form of command has no escape."""
    text = text.replace("##[", "# #[")
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
