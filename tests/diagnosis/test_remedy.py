"""The plan of what might mend the failures of a run, and what is made of its results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from loadgate.diagnosis.allowed import refuse_what_no_remedy_is
from loadgate.diagnosis.attempts import Attempt, Ending, Rounds, attempts, remedies, repairs
from loadgate.diagnosis.change import Change
from loadgate.diagnosis.changes import Failure, resaves
from loadgate.diagnosis.remedy import Broken, Findings, in_order, in_two, options, plan_of, resave_plan
from loadgate.domain import (
    Case,
    CaseResult,
    Device,
    Facts,
    Finding,
    FindingKind,
    Format,
    Loader,
    Locks,
    Outcome,
    Plan,
    Proposal,
    Reason,
    Remedy,
    RemedyKind,
    Requirement,
    Runtime,
    RuntimeState,
    Stage,
    StageResult,
    Trial,
)
from loadgate.errors import UsageError
from loadgate.interchange import refuse_contradictions

from .failing import TENSORFLOW, keras_2_file_in_keras_3, lock_of, unknown_layer

ENVIRONMENT = Proposal(kind=RemedyKind.ENVIRONMENT, value="TF_USE_LEGACY_KERAS=1")


def findings(*failures: Failure, passed: tuple[Case, ...] = (), broken: tuple[Broken, ...] = ()) -> Findings:
    runtimes = {failure.runtime.name: failure.runtime for failure in failures}
    runtimes |= {each.runtime.name: each.runtime for each in broken}
    artifacts = {failure.artifact.path: failure.artifact for failure in failures}
    artifacts |= {case.artifact: replace(failures[0].artifact, path=case.artifact) for case in passed}
    plan = Plan(artifacts=tuple(artifacts.values()), runtimes=tuple(runtimes.values()))
    return Findings(plan=plan, states={}, failures=failures, passed=passed, broken=broken)


def case(name: str) -> Case:
    return Case(id=name, artifact=f"models/{name}.h5", runtime="next", device=Device.CPU, loader=Loader.KERAS)


def result(identity: str, outcome: Outcome) -> CaseResult:
    reason = None if outcome is Outcome.PASSED else Reason.EXCEPTION
    stage = StageResult(stage=Stage.LOAD, outcome=outcome, reason=reason, message="TypeError: no" if reason else "")
    return CaseResult(case=identity, stages=(stage,), seconds=1.0)


def stages(identity: str, outcomes: Mapping[Stage, Outcome]) -> CaseResult:
    results = (
        StageResult(stage=stage, outcome=outcome, message="" if outcome is Outcome.PASSED else "nothing to run")
        for stage, outcome in outcomes.items()
    )
    return CaseResult(case=identity, stages=tuple(results))


def tried_after(failed: Stage, outcomes: Mapping[Stage, Outcome]) -> tuple[Attempt, ...]:
    """Where the case had failed in that stage, and each stage of the trial came to what `outcomes` says."""
    found = findings(replace(keras_2_file_in_keras_3("one", ENVIRONMENT), failed=(failed,)))
    plan = plan_of(in_order(options(found), environments=1), found)
    locks = Locks(runtimes=tuple(RuntimeState(name=r.name, lock=LOCK) for r in plan.runtimes))
    return attempts(Rounds.of(plan, locks, (stages(each.id, outcomes) for each in plan.cases)))["one"]


def rounds_of(found: Findings, outcomes: Mapping[str, Outcome], environments: int = 1) -> Rounds:
    """Where every runtime could be made, and each artifact did what `outcomes` says."""
    plan = plan_of(in_order(options(found), environments=environments), found)
    locks = Locks(runtimes=tuple(RuntimeState(name=r.name, lock=LOCK, seconds=10.0) for r in plan.runtimes))
    return Rounds.of(plan, locks, (result(each.id, outcomes[each.artifact]) for each in plan.cases))


LOCK = lock_of("2.18.1", "2.18.0")


def test_failures_that_the_same_change_might_mend_share_one_runtime() -> None:
    found = findings(keras_2_file_in_keras_3("one", ENVIRONMENT), keras_2_file_in_keras_3("two", ENVIRONMENT))
    plan = plan_of(in_order(options(found), environments=1), found)
    refuse_contradictions(plan)
    (runtime,) = plan.runtimes
    assert runtime.name == "next with tf-keras==2.18.*, TF_USE_LEGACY_KERAS=1"
    assert {trial.mends for trial in plan.trials} == {"one", "two"}


def test_what_passed_before_is_tried_in_the_candidate_too() -> None:
    found = findings(keras_2_file_in_keras_3("one", ENVIRONMENT), passed=(case("fine"),))
    plan = plan_of(in_order(options(found), environments=1), found)
    assert [trial.keeps for trial in plan.trials if trial.keeps] == ["fine"]


def test_what_might_be_mended_is_told_apart_from_what_loaded_before() -> None:
    found = findings(keras_2_file_in_keras_3("one", ENVIRONMENT), passed=(case("fine"),))
    mending, keeping = in_two(plan_of(in_order(options(found), environments=1), found))
    assert ([each.mends for each in mending.trials], [each.keeps for each in keeping.trials]) == (["one"], ["fine"])
    assert [each.artifact for each in (*mending.cases, *keeping.cases)] == ["models/one.h5", "models/fine.h5"]


def test_no_more_environments_are_made_than_is_said() -> None:
    found = findings(keras_2_file_in_keras_3("one"), unknown_layer(registered=True))
    for most in range(4):
        chosen = in_order(options(found), environments=most)
        assert len({option.environment for option in chosen if option.makes_environment}) == most
        assert any(option.change.imports for option in chosen)


def test_the_runtime_that_mends_many_is_made_before_those_that_mend_one() -> None:
    many = [keras_2_file_in_keras_3(f"old{number}", ENVIRONMENT) for number in range(3)]
    one = keras_2_file_in_keras_3("text", Proposal(kind=RemedyKind.PACKAGE, value="tensorflow-text"))
    found = findings(one, *many)
    (first,) = in_order(options(found), environments=1)
    assert first.change.env == {"TF_USE_LEGACY_KERAS": "1"}


def elsewhere(failure: Failure, runtime: str) -> Failure:
    """The same in another runtime that is declared alike."""
    return replace(
        failure,
        case=replace(failure.case, id=f"{failure.case.id} in {runtime}", runtime=runtime),
        runtime=replace(failure.runtime, name=runtime),
    )


def test_an_environment_that_serves_two_runtimes_counts_once() -> None:
    here = keras_2_file_in_keras_3("one", ENVIRONMENT)
    found = findings(here, elsewhere(here, "later"))
    chosen = in_order(options(found), environments=1)
    assert [option.runtime.name for option in chosen] == [
        "next with tf-keras==2.18.*, TF_USE_LEGACY_KERAS=1",
        "later with tf-keras==2.18.*, TF_USE_LEGACY_KERAS=1",
    ]


def test_an_environment_that_was_made_for_one_runtime_is_left_to_the_other_when_no_more_are_made() -> None:
    here = keras_2_file_in_keras_3("one", ENVIRONMENT)
    first, other = in_order(options(findings(here, elsewhere(here, "later"))), environments=1)
    assert in_order([other], environments=0, tried=[first]) == (other,)


def graph(name: str, op: str, *proposals: Proposal) -> Failure:
    """One that does not load in TensorFlow 2.4, where it says nothing of the one that it was saved with."""
    failure = keras_2_file_in_keras_3(name, *(proposals or (TENSORFLOW,)))
    artifact = replace(failure.artifact, format=Format.GRAPH_DEF, facts=Facts(ops={op: 1}))
    case = replace(failure.case, loader=Loader.GRAPH_DEF)
    return replace(failure, artifact=artifact, case=case, lock=lock_of("2.4.4", "2.4.0", python="3.8.18"))


def released(release: str) -> Proposal:
    return Proposal(kind=RemedyKind.TENSORFLOW, value=release)


def test_what_is_expected_to_mend_one_failure_is_tried_for_another_too_whatever_that_was_told() -> None:
    found = findings(graph("one", "AddV2", released("2.7.4")), graph("two", "AddV2", released("2.8.4")))
    (first,) = in_order(options(found), environments=1)
    assert {each.failure.case.id for each in first.tries} == {"one", "two"}


def test_for_what_is_not_expected_to_load_in_it_no_environment_is_made() -> None:
    """The op came with TensorFlow 2.10."""
    found = findings(graph("old", "AddV2", released("2.8.4")), graph("new", "DisableCopyOnRead", released("2.8.4")))
    tries = [each for option in options(found) if option.change.tensorflow == "2.8.4" for each in option.tries]
    assert [each.failure.case.id for each in tries] == ["old"]


def test_after_what_is_expected_to_mend_many_comes_what_is_expected_to_mend_the_one_that_is_left() -> None:
    """CompareAndBitpack went after TensorFlow 2.4, and StatelessRandomUniformV2 came with 2.6."""
    many = [graph(f"{number}", "StatelessRandomUniformV2") for number in range(8)]
    chosen = in_order(options(findings(*many, graph("one", "CompareAndBitpack"))), environments=2)
    assert [option.change.tensorflow for option in chosen] == ["2.6.5", "2.3.4"]


def test_what_is_nearest_for_most_comes_before_what_is_expected_to_mend_one_more() -> None:
    near = Proposal(kind=RemedyKind.PACKAGE, value="protobuf<4")
    many = [graph(f"{number}", "AddV2", near) for number in range(3)]
    (first,) = in_order(options(findings(*many, graph("one", "AddV2", released("2.8.4")))), environments=1)
    assert first.change.packages == ("protobuf<4",)


def test_what_was_tried_for_many_in_vain_is_followed_by_what_is_first_for_one() -> None:
    many = [keras_2_file_in_keras_3(str(n), Proposal(kind=RemedyKind.TENSORFLOW)) for n in range(3)]
    one = keras_2_file_in_keras_3("one", Proposal(kind=RemedyKind.TENSORFLOW, value="2.8"))
    every = [option for option in options(findings(*many, one)) if option.makes_environment]
    first, *left = in_order(every, environments=len(every))
    assert first.change.tensorflow == "2.15.1"
    following = in_order(left, environments=2, tried=[first])
    assert "2.8.4" in {option.change.tensorflow for option in following}


def test_a_change_that_made_it_load_is_verified_and_says_where_and_for_how_long() -> None:
    found = findings(keras_2_file_in_keras_3("one", ENVIRONMENT), passed=(case("fine"),))
    tried = attempts(rounds_of(found, {"models/one.h5": Outcome.PASSED, "models/fine.h5": Outcome.PASSED}))
    (remedy,) = remedies(tried["one"])
    assert (remedy.verified, remedy.keeps, remedy.breaks, remedy.seconds) == (True, 1, (), 11.0)
    assert remedy.tried_in == "TensorFlow 2.18.1, Keras 2.18.0, Python 3.11.7"


@pytest.mark.parametrize(
    ("pinned", "told"), [(None, "Keras 3.15.1 (which is installed with it today)"), ("3.15.1", "Keras 3.15.1")]
)
def test_of_a_keras_that_the_remedy_does_not_pin_it_is_said_that_it_is_todays(pinned: str | None, told: str) -> None:
    found = findings(keras_2_file_in_keras_3("one", Proposal(kind=RemedyKind.TENSORFLOW, value="2.17")))
    rounds = rounds_of(found, {"models/one.h5": Outcome.PASSED})
    runtimes = tuple(replace(each, keras=pinned) for each in rounds.candidates.runtimes)
    states = {name: replace(state, lock=lock_of("2.17.1", "3.15.1")) for name, state in rounds.states.items()}
    tried = attempts(replace(rounds, candidates=replace(rounds.candidates, runtimes=runtimes), states=states))
    assert remedies(tried["one"])[0].tried_in == f"TensorFlow 2.17.1, {told}, Python 3.11.7"


def test_the_command_that_writes_a_resave_stands_beside_the_one_that_it_writes() -> None:
    trial = Trial(case="one", mends="one")
    kinds = (RemedyKind.RESAVE, RemedyKind.IMPORT, RemedyKind.RESAVE)
    found = (Remedy(kind=kind, headline=str(at), verified=True, command="do it") for at, kind in enumerate(kinds))
    tried = [Attempt(trial=trial, remedy=remedy, ending=Ending.VERIFIED) for remedy in found]
    assert [(remedy.headline, remedy.command) for remedy in remedies(tried)] == [
        ("1", "do it"),
        ("0", "do it"),
        ("2", None),
    ]


def test_a_remedy_that_breaks_what_loaded_before_names_it() -> None:
    found = findings(keras_2_file_in_keras_3("one", ENVIRONMENT), passed=(case("fine"),))
    tried = attempts(rounds_of(found, {"models/one.h5": Outcome.PASSED, "models/fine.h5": Outcome.FAILED}))
    (remedy,) = remedies(tried["one"])
    assert remedy.breaks == ("models/fine.h5",)


def test_what_was_tried_and_did_not_help_is_not_recommended() -> None:
    found = findings(keras_2_file_in_keras_3("one", ENVIRONMENT))
    tried = attempts(rounds_of(found, {"models/one.h5": Outcome.FAILED}))["one"]
    assert [attempt.ending for attempt in tried] == [Ending.REFUTED]
    assert tried[0].message == "TypeError: no"
    assert remedies(tried) == ()


@pytest.mark.parametrize("ran", [{}, {Stage.COMPILE: Outcome.SKIPPED}])
def test_what_loads_where_the_stage_that_failed_is_not_run_is_suggested_and_not_verified(
    ran: Mapping[Stage, Outcome],
) -> None:
    (attempt,) = tried_after(Stage.COMPILE, {Stage.LOAD: Outcome.PASSED, **ran})
    assert attempt.ending is Ending.NOT_SHOWN
    (remedy,) = remedies([attempt])
    assert not remedy.verified
    assert remedy.why_not_verified.startswith("it loads with it, but `compile`, which failed, could not be tried there")


def test_what_made_the_stage_pass_that_failed_is_verified_whatever_else_is_not_run() -> None:
    ran = {Stage.LOAD: Outcome.PASSED, Stage.INFER: Outcome.SKIPPED, Stage.COMPILE: Outcome.PASSED}
    (attempt,) = tried_after(Stage.COMPILE, ran)
    assert attempt.ending is Ending.VERIFIED


@pytest.mark.parametrize(
    ("compared", "ending"), [(Outcome.PASSED, Ending.VERIFIED), (Outcome.SKIPPED, Ending.NOT_SHOWN)]
)
def test_what_did_not_run_is_mended_by_a_resave_that_was_compared_and_by_no_other(
    compared: Outcome, ending: Ending
) -> None:
    failure = replace(keras_2_file_in_keras_3("one", ENVIRONMENT), failed=(Stage.INFER,))
    source = replace(failure.case, id="elsewhere")
    plan = resave_plan([(failure, next(resaves(failure)))], {"one": source}, findings(failure), environments=1)
    saving, reading = plan.cases
    ran = {Stage.LOAD: Outcome.PASSED, Stage.COMPARE: compared}
    locks = Locks(runtimes=(RuntimeState(name="next", lock=LOCK),))
    (attempt,) = attempts(Rounds.of(plan, locks, (result(saving.id, Outcome.PASSED), stages(reading.id, ran))))["one"]
    assert attempt.ending is ending


def test_what_does_not_compile_is_not_saved_again_for_nobody_compiles_it_then() -> None:
    failure = replace(keras_2_file_in_keras_3("one", ENVIRONMENT), failed=(Stage.COMPILE,))
    assert list(resaves(failure)) == []


def test_what_the_bounds_left_out_is_suggested_with_the_reason() -> None:
    found = findings(keras_2_file_in_keras_3("one", ENVIRONMENT))
    plan = plan_of(in_order(options(found), environments=1), found)
    (attempt,) = attempts(Rounds.of(plan, Locks(), ()))["one"]
    assert attempt.ending is Ending.NOT_TRIED
    assert "bounds" in attempt.remedy.why_not_verified


def test_the_remedy_that_harms_nothing_comes_first_however_far_it_is() -> None:
    found = findings(keras_2_file_in_keras_3("one"), passed=(case("fine"),))
    plan = plan_of(in_order(options(found), environments=2), found)
    harmful = {runtime.name for runtime in plan.runtimes if runtime.env}
    outcomes = {
        each.id: Outcome.FAILED if each.artifact == "models/fine.h5" and each.runtime in harmful else Outcome.PASSED
        for each in plan.cases
    }
    locks = Locks(runtimes=tuple(RuntimeState(name=r.name, lock=LOCK) for r in plan.runtimes))
    tried = attempts(Rounds.of(plan, locks, (result(identity, each) for identity, each in outcomes.items())))
    assert [remedy.kind for remedy in remedies(tried["one"])] == [RemedyKind.TENSORFLOW, RemedyKind.ENVIRONMENT]


def test_a_runtime_that_could_be_made_after_all_is_a_verified_repair() -> None:
    runtime = Runtime(name="next", tensorflow="2.9.3", requirements=(Requirement(text="numpy==2.2.6"),))
    finding = Finding(kind=FindingKind.IMPORT, cause="numpy_2", headline="NumPy 2")
    failure = keras_2_file_in_keras_3("one", ENVIRONMENT)
    broken = Broken(runtime=runtime, finding=finding, cases=(case("one"),))
    found = replace(findings(failure, broken=(broken,)), failures=())
    (remedy,) = repairs(rounds_of(found, {"models/one.h5": Outcome.PASSED}))["next"]
    assert remedy.verified
    assert remedy.headline == "Require `numpy<2`; then 1 of 1 artifacts load"


@pytest.mark.parametrize("cause", ["numpy_2", "keras_backend_missing"])
def test_of_an_interpreter_that_is_broken_only_the_variables_are_repaired(cause: str) -> None:
    runtime = Runtime(name="next", interpreter="/python", env={"KERAS_BACKEND": "torch"})
    finding = Finding(kind=FindingKind.IMPORT, cause=cause, headline="It is broken.")
    broken = Broken(runtime=runtime, finding=finding, cases=(case("one"),))
    found = replace(findings(keras_2_file_in_keras_3("one"), broken=(broken,)), failures=())
    assert [option.runtime.env for option in options(found)] == (
        [{"KERAS_BACKEND": "tensorflow"}] if cause == "keras_backend_missing" else []
    )


@pytest.mark.parametrize(
    "more",
    [
        {"requirements": (Requirement(text="evil-package"),)},
        {"requirements": (Requirement(text="numpy @ https://example.com/numpy.whl"),)},
        {"requirements": (Requirement(text="--extra-index-url https://example.com"),)},
        {"interpreter": "/evil/python"},
        {"env": {"LD_PRELOAD": "evil.so"}},
    ],
)
def test_a_candidate_that_no_remedy_would_be_is_refused(more: dict[str, object]) -> None:
    found = findings(keras_2_file_in_keras_3("one"))
    plan = plan_of(in_order(options(found), environments=2), found)
    refuse_what_no_remedy_is(plan, found.plan)
    tampered = replace(plan, runtimes=(replace(plan.runtimes[0], **more),))  # type: ignore[arg-type]  # any field
    with pytest.raises(UsageError, match="is no runtime of the plan"):
        refuse_what_no_remedy_is(tampered, found.plan)


def in_an_image(name: str) -> tuple[Failure, Change, Findings]:
    """What fails in an image, and loads in another runtime of the plan."""
    failure = keras_2_file_in_keras_3(name)
    failure = replace(failure, runtime=Runtime(name="next", image="acme/next:1"))
    elsewhere = Runtime(name="now", tensorflow="2.15.1")
    found = findings(failure)
    found = replace(
        found,
        plan=replace(found.plan, runtimes=(*found.plan.runtimes, elsewhere)),
        states={"next": RuntimeState(name="next", lock=replace(failure.lock, image="sha256:1"))},
    )
    return failure, next(resaves(failure)), found


def test_what_fails_in_an_image_is_saved_again_for_a_runtime_that_is_made_alike() -> None:
    """Neither can anything be put into the container, nor taken out of it."""
    failure, change, found = in_an_image("one")
    source = replace(failure.case, id="now", runtime="now")
    plan = resave_plan([(failure, change)], {failure.case.id: source}, found, environments=1)
    saving, reading = plan.cases
    assert saving.runtime == "now"
    alike = next(runtime for runtime in plan.runtimes if runtime.name == reading.runtime)
    assert (alike.image, alike.tensorflow, alike.keras) == (None, failure.lock.tensorflow, failure.lock.keras)
    refuse_what_no_remedy_is(plan, found.plan)


def test_what_loads_in_an_image_is_saved_again_in_a_runtime_that_is_made_alike() -> None:
    failure, change, found = in_an_image("one")
    target = replace(failure, runtime=Runtime(name="now", tensorflow="2.15.1"))
    source = replace(failure.case, id="image")
    plan = resave_plan([(target, change)], {failure.case.id: source}, found, environments=1)
    assert not any(runtime.image for runtime in plan.runtimes)
    assert len(plan.cases) == len(plan.trials) == len(plan.runtimes)


def test_no_runtime_is_made_alike_beyond_the_environments_that_may_be_made() -> None:
    failure, change, found = in_an_image("one")
    source = replace(failure.case, id="now", runtime="now")
    assert not resave_plan([(failure, change)], {failure.case.id: source}, found, environments=0).cases
