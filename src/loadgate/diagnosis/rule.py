"""A cause as data: what must be seen for it, what to say of it, and what to try. One entry in `rules/` is one cause."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

import msgspec
import yaml

from loadgate.domain import Confidence, Format, Loader, Proposal, Reason, RemedyKind, Stage

FILES = (
    "bytes",
    "loaders",
    "graphs",
    "tflite",
    "checkpoints",
    "keras_1",
    "custom_objects",
    "lambdas",
    "keras",
    "endings",
)
"""In this order the rules are tried: what the bytes tell before what a message says, the general last."""
FILES_OF_SILENT_CHANGES = ("silent",)


class Sign(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way in which a cause shows. Everything that it names must be seen."""

    reason: tuple[Reason, ...] = ()
    stage: tuple[Stage, ...] = (Stage.LOAD,)
    format: tuple[Format, ...] = ()
    loader: tuple[Loader, ...] = ()
    exception: tuple[str, ...] = ()
    """Names without their module, of the exception or of one behind it."""
    message: str | None = None
    """Regular expression, found anywhere in the message or in those behind it. Its named groups can be quoted."""
    log: str | None = None
    stack: str | None = None
    """The same for the traceback, or for where it hung or crashed."""
    that: Mapping[str, str] = {}
    """Named conditions, each with what it wants: see `conditions`."""
    confidence: Confidence | None = None
    """Where this sign is weaker than the others of its cause."""

    @property
    def expressions(self) -> tuple[str, ...]:
        return tuple(text for text in (self.message, self.log, self.stack) if text is not None)


class Suggestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A proposal whose value may quote what was seen; one whose value cannot be told is left out, but for a file."""

    kind: RemedyKind
    value: str = ""


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    cause: str
    title: str
    """Of the page: the cause without the particulars of a case."""
    headline: str
    """One sentence; `{name}` quotes what was seen."""
    explanation: str
    """Why this happens: Markdown, as it stands on the page."""
    remedy: str
    """What to do: Markdown, as it stands on the page."""
    signs: tuple[Sign, ...]
    confidence: Confidence = Confidence.CERTAIN
    proposals: tuple[Suggestion, ...] = ()


@cache
def rules() -> tuple[Rule, ...]:
    """The causes of failures, in the order in which they are tried."""
    return tuple(_read(FILES))


@cache
def silent_changes() -> tuple[Rule, ...]:
    """What can change although the load passes."""
    return tuple(_read(FILES_OF_SILENT_CHANGES))


@cache
def compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression)


def proposal(suggestion: Suggestion, value: str) -> Proposal:
    return Proposal(kind=suggestion.kind, value=value)


def _read(names: tuple[str, ...]) -> Iterator[Rule]:
    folder = files("loadgate.diagnosis").joinpath("rules")
    for name in names:
        text = folder.joinpath(f"{name}.yml").read_text(encoding="utf-8")
        content = yaml.load(text, Loader=_loader())  # noqa: S506 - a safe loader either way
        yield from msgspec.convert(content, tuple[Rule, ...])


def _loader() -> type[yaml.SafeLoader]:
    """libyaml's where PyYAML was built with it: ten times faster."""
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)
