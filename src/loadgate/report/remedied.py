"""The report with what mends each failure, from what was tried in the second round. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from loadgate.diagnosis.attempts import Attempt, Rounds, attempts, repairs
from loadgate.diagnosis.changes import Failure
from loadgate.diagnosis.suggestions import recommended
from loadgate.domain import Artifact, Definition, Remedy
from loadgate.report.truth import CaseReport, Report, RuntimeReport, Standing

NOT_ASKED = "no remedy was tried in this run"
NOTHING_DEFINED: Mapping[str, tuple[Definition, ...]] = MappingProxyType({})
OUT_OF_BOUNDS = "not tried: `remedies` in the spec says how many runtimes and how long"


def remedied(
    report: Report,
    rounds: Sequence[Rounds] = (),
    definitions: Mapping[str, tuple[Definition, ...]] = NOTHING_DEFINED,
    *,
    why_not: str = OUT_OF_BOUNDS,
) -> Report:
    """`definitions`: what the repository defines of what the failed artifacts need, where somebody has looked.

    `why_not`: why what was not tried was not, where something was to be.
    """
    tried: dict[str, tuple[Attempt, ...]] = {}
    mended: dict[str, tuple[Remedy, ...]] = {}
    for each in rounds:
        tried |= attempts(each)
        mended |= repairs(each)
    artifacts = {artifact.path: artifact for artifact in report.artifacts}
    runtimes = {runtime.name: runtime for runtime in report.runtimes}
    why_not = why_not if rounds else NOT_ASKED
    return replace(
        report,
        cases=tuple(_case(case, artifacts, runtimes, tried, why_not, definitions) for case in report.cases),
        runtimes=tuple(replace(each, remedies=mended.get(each.name, ())) for each in report.runtimes),
    )


def _case(  # noqa: PLR0913, PLR0917 - what is known of one case, from as many sides
    case: CaseReport,
    artifacts: Mapping[str, Artifact],
    runtimes: Mapping[str, RuntimeReport],
    tried: Mapping[str, tuple[Attempt, ...]],
    why_not: str,
    definitions: Mapping[str, tuple[Definition, ...]],
) -> CaseReport:
    runtime = runtimes[case.case.runtime]
    if case.standing is not Standing.FAILED or case.diagnosis is None or runtime.lock is None:
        return case
    failure = Failure(
        case=case.case,
        artifact=artifacts[case.case.artifact],
        runtime=runtime.runtime,
        lock=runtime.lock,
        diagnosis=case.diagnosis,
        definitions=definitions,
        failed=case.result.failed if case.result else (),
    )
    found = recommended(failure, tried.get(case.case.id, ()), why_not)
    return replace(case, diagnosis=replace(case.diagnosis, remedies=found))
