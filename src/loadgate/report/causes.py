"""The failures by their cause, and the warnings by theirs: what many cases have in common is said once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from loadgate.domain import Confidence, Diagnosis
from loadgate.report.truth import CaseReport, Report

UNKNOWN = "unknown"
"""The cause that has no page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseGroup:
    diagnosis: Diagnosis
    """That of the first case; the others differ from it in their evidence at most."""
    cases: tuple[CaseReport, ...]
    """In the order of the plan."""


def failures(report: Report) -> tuple[CauseGroup, ...]:
    """Every failed case that has a diagnosis, in the order of the plan: those together that one fix mends."""
    return _grouped((case.diagnosis, case) for case in report.cases if case.diagnosis is not None)


def warnings(report: Report) -> tuple[CauseGroup, ...]:
    return _grouped((warning, case) for case in report.cases for warning in case.warnings)


def command(cause: str) -> str:
    """What tells more of it wherever loadgate is installed; docs/causes has the same as pages."""
    return f"loadgate explain {cause}"


def _grouped(found: Iterable[tuple[Diagnosis, CaseReport]]) -> tuple[CauseGroup, ...]:
    groups: dict[tuple[object, ...], tuple[Diagnosis, list[CaseReport]]] = {}
    for diagnosis, case in found:
        _, cases = groups.setdefault(_key(diagnosis, case), (diagnosis, []))
        cases.append(case)
    return tuple(CauseGroup(diagnosis=diagnosis, cases=_once(cases)) for diagnosis, cases in groups.values())


def _key(diagnosis: Diagnosis, case: CaseReport) -> tuple[object, ...]:
    """What is not known has nothing in common with anything else that is not known."""
    if diagnosis.confidence is Confidence.UNKNOWN:
        return diagnosis.cause, case.case.id
    fixes = tuple((remedy.headline, remedy.verified) for remedy in diagnosis.remedies)
    return diagnosis.cause, diagnosis.headline, fixes


def _once(cases: Sequence[CaseReport]) -> tuple[CaseReport, ...]:
    return tuple({case.case.id: case for case in cases}.values())
