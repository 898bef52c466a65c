"""Predict: what is expected of every case of the plan. Makes no runtime and loads nothing: no case has a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from loadgate.diagnosis.predict import predict
from loadgate.domain import CaseResult, FailOn, Forecast, Locks, Outcome, Plan, Prediction, Reason, Stage, StageResult
from loadgate.errors import UsageError
from loadgate.infer.expected import Expected, expected
from loadgate.interchange import write_document
from loadgate.phases.check import Request, claim, own_outputs, refuse_unwritable
from loadgate.phases.plan import plan
from loadgate.phases.report import write_outputs
from loadgate.report.assembly import assemble
from loadgate.report.expectations import headline
from loadgate.report.truth import Report, Verdict


def foresee(request: Request) -> Report:
    """Plan, and report what is expected. Ends with 1 where something is not expected to load, with 3 where nothing
    is, but of something nothing is known, and with 0 where all of it is expected to load."""
    planned = plan(
        request.repository, spec_file=request.spec_file, artifacts=request.artifacts, runtimes=request.runtimes
    )
    if request.require_artifacts and not planned.artifacts:
        raise UsageError(f"{request.repository}: no model artifact was found, and --require-artifacts asks for one")
    with claim(request.folder):
        for output in request.outputs.files:
            refuse_unwritable(output)
        write_document(request.folder / "plan.json", planned)
        report = foreseen(planned, request.gate.fail_on or planned.policy.fail_on)
        for outputs in (own_outputs(request.folder), request.outputs):
            write_outputs(report, outputs)
    return report


def foreseen(planned: Plan, fail_on: FailOn) -> Report:
    repository = Path(planned.repository)
    targets = {runtime.name: expected(runtime, repository) for runtime in planned.runtimes}
    found = predictions(planned, targets)
    assembled = assemble(planned, Locks(), [unloaded(case, each) for case, each in found.items()])
    runtimes = tuple(
        replace(each, runtime=replace(each.runtime, notes=(*each.runtime.notes, *targets[each.name].notes)))
        for each in assembled.runtimes
    )
    return replace(
        assembled,
        verdict=Verdict.NONE if planned.cases else Verdict.PASSED,
        exit_status=exit_status(found, fail_on),
        headline=headline(list(found.values())),
        cases=tuple(replace(each, prediction=found[each.case.id]) for each in assembled.cases),
        runtimes=runtimes,
    )


def predictions(planned: Plan, targets: Mapping[str, Expected]) -> dict[str, Prediction]:
    artifacts = {artifact.path: artifact for artifact in planned.artifacts}
    return {
        case.id: predict(artifacts[case.artifact], case.loader, targets[case.runtime].target) for case in planned.cases
    }


def unloaded(case: str, prediction: Prediction) -> CaseResult:
    stage = StageResult(
        stage=Stage.LOAD,
        outcome=Outcome.SKIPPED,
        reason=Reason.PREDICTED,
        message=f"predicted, not loaded: {prediction.headline}",
    )
    return CaseResult(case=case, stages=(stage,))


def exit_status(found: Mapping[str, Prediction], fail_on: FailOn) -> int:
    forecasts = {each.forecast for each in found.values()}
    if Forecast.WILL_NOT_LOAD in forecasts and fail_on is not FailOn.NEVER:
        return 1
    return 3 if Forecast.NOT_KNOWN in forecasts else 0
