"""What changed between two runs: newly broken, still broken, fixed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from loadgate.domain import Case, Stage
from loadgate.report.truth import CaseReport, Change, Report, Standing

Broken = Mapping[str, Stage]
"""Case id → the stage at which it failed."""

ORDER = tuple(Stage)


def broken(report: Report) -> dict[str, Stage]:
    return {case.case.id: failing_stage(case) for case in report.cases if case.standing is Standing.FAILED}


def failing_stage(case: CaseReport) -> Stage:
    return case.decisive.stage if case.decisive else Stage.LOAD


def compared(report: Report, base: Report) -> Report:
    """The report with each case's change since `base`. An artifact that was only moved is the one it was."""
    before = broken(base)
    moved = _broken_contents(base)
    contents = {artifact.path: artifact.digest for artifact in report.artifacts}
    known = {case.case.id for case in base.cases}
    for case in report.cases:
        stage = moved.get(_content(case.case, contents.get(case.case.artifact)))
        if case.case.id not in known and stage is not None:
            before[case.case.id] = stage
    found = changes(report, before)
    return replace(report, cases=tuple(replace(case, change=found.get(case.case.id)) for case in report.cases))


def changes(report: Report, before: Broken) -> dict[str, Change]:
    """Case id → what became of it, for every case that fails now, or failed before and passes now.

    A failure at an earlier stage than before is a new one: the model that did not run does not even load now.
    """
    found: dict[str, Change] = {}
    for case in report.cases:
        stage = before.get(case.case.id)
        if case.standing is Standing.FAILED:
            is_old = stage is not None and ORDER.index(failing_stage(case)) >= ORDER.index(stage)
            found[case.case.id] = Change.STILL_BROKEN if is_old else Change.NEWLY_BROKEN
        elif case.standing is Standing.PASSED and stage is not None:
            found[case.case.id] = Change.FIXED
    return found


Content = tuple[str | None, str, str, str]


def _content(case: Case, digest: str | None) -> Content:
    return digest, case.runtime, case.device.value, case.loader.value


def _broken_contents(report: Report) -> dict[Content, Stage]:
    digests = {artifact.path: artifact.digest for artifact in report.artifacts}
    return {
        _content(case.case, digest): failing_stage(case)
        for case in report.cases
        if case.standing is Standing.FAILED and (digest := digests.get(case.case.artifact)) is not None
    }
