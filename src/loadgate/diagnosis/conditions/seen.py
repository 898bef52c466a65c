"""What a condition answers, and what they have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from loadgate.diagnosis.subject import Subject
from loadgate.domain import Evidence, Side

QUOTED = 3
"""So many of a list are quoted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A condition holds."""

    evidence: tuple[Evidence, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    """What a headline may quote."""


Condition = Callable[[Subject, str], Seen | None]


def version_is(found: Version | None, wanted: str, evidence: Evidence) -> Seen | None:
    if found is None or not SpecifierSet(wanted).contains(found, prereleases=True):
        return None
    return Seen(evidence=(evidence,))


def artifact_says(text: str) -> Evidence:
    return Evidence(side=Side.ARTIFACT, text=text)


def runtime_says(text: str) -> Evidence:
    return Evidence(side=Side.RUNTIME, text=text)
