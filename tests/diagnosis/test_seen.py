"""What is looked up for a remedy, because this run has made or loaded it already."""

from __future__ import annotations

from dataclasses import replace

from loadgate.asked import of_environment
from loadgate.diagnosis.seen import results_of, states_of
from loadgate.domain import (
    Case,
    CaseResult,
    Device,
    Format,
    Loader,
    Outcome,
    Plan,
    Reason,
    Runtime,
    RuntimeState,
    Stage,
    StageResult,
    Trial,
)

SERVING = Runtime(name="serving", python="3.11", tensorflow="2.15.1")
CANDIDATE = replace(SERVING, name="next with TensorFlow 2.15.1")


def plan_in(runtime: Runtime, *trials: Trial, loader: Loader = Loader.KERAS) -> Plan:
    case = Case(id=runtime.name, artifact="m.h5", runtime=runtime.name, device=Device.CPU, loader=loader)
    return Plan(runtimes=(runtime,), cases=(case,), trials=trials)


def ended(outcome: Outcome) -> CaseResult:
    reason = None if outcome is Outcome.PASSED else Reason.EXCEPTION
    return CaseResult(case="serving", stages=(StageResult(stage=Stage.LOAD, outcome=outcome, reason=reason),))


def test_the_same_load_in_a_runtime_of_another_name_is_looked_up() -> None:
    for outcome in (Outcome.PASSED, Outcome.FAILED):
        found = results_of(plan_in(CANDIDATE), [(plan_in(SERVING), {"serving": ended(outcome)})])
        assert found == {CANDIDATE.name: replace(ended(outcome), case=CANDIDATE.name)}


def test_another_environment_import_or_call_is_another_load() -> None:
    known = [(plan_in(SERVING), {"serving": ended(Outcome.PASSED)})]
    for other in (
        replace(CANDIDATE, env={"TF_USE_LEGACY_KERAS": "1"}),
        replace(CANDIDATE, imports=("acme.layers",)),
        replace(CANDIDATE, tensorflow="2.16.2"),
    ):
        assert results_of(plan_in(other), known) == {}
    assert results_of(plan_in(CANDIDATE, loader=Loader.TF_KERAS), known) == {}


def test_what_had_no_verdict_is_loaded_again() -> None:
    assert results_of(plan_in(CANDIDATE), [(plan_in(SERVING), {"serving": ended(Outcome.ERROR)})]) == {}


def test_what_was_saved_again_is_another_file() -> None:
    saved = plan_in(SERVING, Trial(case="serving", saves=Format.KERAS_H5))
    assert results_of(plan_in(CANDIDATE), [(saved, {"serving": ended(Outcome.PASSED)})]) == {}


def test_an_environment_that_was_made_under_another_name_is_not_made_again() -> None:
    state = RuntimeState(name="serving", asked=of_environment(SERVING), seconds=60.0)
    other = replace(CANDIDATE, name="other", python="3.10")
    assert states_of([CANDIDATE, other], [state]) == {CANDIDATE.name: replace(state, name=CANDIDATE.name)}
