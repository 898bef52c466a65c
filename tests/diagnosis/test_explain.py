"""Every cause, with failures that really happened; and what must never be claimed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgate.artifacts.discover import read_artifact
from loadgate.artifacts.identify import identify
from loadgate.diagnosis.explain import explain, match, warnings
from loadgate.diagnosis.rule import rules
from loadgate.diagnosis.rule import silent_changes as silent_rules
from loadgate.diagnosis.subject import Subject
from loadgate.domain import (
    CaseResult,
    Confidence,
    Diagnosis,
    ExceptionInfo,
    Loader,
    Outcome,
    Side,
    Stage,
    StageResult,
    StandIn,
)
from tests.endless import comes_to_an_end

from .seen import Failure, failures, silent_changes


def explained(failure: Failure) -> Diagnosis:
    found = explain(failure.artifact, failure.case, failure.runtime, failure.lock, failure.result)
    assert found is not None
    return found


def one_of(cause: str) -> Failure:
    return next(failure for failure in failures() if failure.cause == cause)


def said_by(failure: Failure) -> str:
    return failure.stage.exception.message if failure.stage.exception else ""


def with_exception(failure: Failure, exception: ExceptionInfo) -> Failure:
    return replace(failure, result=CaseResult(case="1", stages=(replace(failure.stage, exception=exception),)))


@pytest.mark.parametrize("failure", failures(), ids=lambda failure: f"{failure.cause}: {failure}")
def test_a_failure_that_happened_gets_its_cause_with_evidence_from_both_sides(failure: Failure) -> None:
    found = explained(failure)

    assert found.cause == failure.cause
    assert "unknown" not in found.headline.replace("why is not known", "")
    assert {each.side for each in found.evidence} == set(Side)
    assert all(each.text.isprintable() for each in found.evidence)


def test_a_link_is_fetched_by_git_annex_where_it_is_of_git_annex() -> None:
    failure = one_of("dangling_link")
    assert failure.artifact.stand_in is not None
    assert [proposal.value for proposal in explained(failure).proposals] == ["git annex get", ""]
    own = replace(failure.artifact.stand_in, detail="leads to ../models/a.h5, which is not there")
    other = replace(failure, artifact=replace(failure.artifact, stand_in=own))
    assert [proposal.value for proposal in explained(other).proposals] == [""]


@pytest.mark.parametrize(
    ("pointer", "command"),
    [(f"oid sha256:{'4d' * 32}\nsize 98231112\n", "git lfs pull"), ("oid sha256:4d7a\n", "")],
    ids=["whole", "cut"],
)
def test_git_lfs_is_asked_only_for_what_its_pointer_names(tmp_path: Path, pointer: str, command: str) -> None:
    (tmp_path / "model.h5").write_text(f"version https://git-lfs.github.com/spec/v1\n{pointer}")
    failure = replace(one_of("git_lfs_pointer"), artifact=read_artifact(*identify(tmp_path / "model.h5")))

    assert [proposal.value for proposal in explained(failure).proposals] == [command]


def test_a_file_that_is_too_large_to_be_read_is_not_called_damaged() -> None:
    failure = next(each for each in failures() if each.cause == "damaged_file" and each.artifact.damage)
    unread = replace(failure.artifact, damage=None, unread="too large to be read without TensorFlow")
    assert explained(replace(failure, artifact=unread)).cause != "damaged_file"


def test_every_sign_of_every_rule_has_been_seen_to_decide() -> None:
    signs = {rule.cause: rule.signs for rule in rules()}

    def deciding(failure: Failure) -> tuple[str, int]:
        seen = Subject(
            artifact=failure.artifact,
            case=failure.case,
            runtime=failure.runtime,
            lock=failure.lock,
            stage=failure.stage,
        )
        numbers = (number for number, sign in enumerate(signs[failure.cause]) if match(sign, seen) is not None)
        return failure.cause, next(numbers)

    seen = set(map(deciding, failures()))
    assert {(cause, number) for cause, these in signs.items() for number in range(len(these))} - seen == set()


def test_a_case_that_passed_has_no_cause() -> None:
    failure = failures()[0]
    passed = CaseResult(case="1", stages=(StageResult(stage=Stage.LOAD, outcome=Outcome.PASSED),))

    assert explain(failure.artifact, failure.case, failure.runtime, failure.lock, passed) is None


@pytest.mark.parametrize("load", silent_changes(), ids=lambda load: f"{load.cause}: {load}")
def test_a_load_that_changed_something_without_a_word_is_warned_of(load: Failure) -> None:
    (found,) = warnings(load.artifact, load.case, load.runtime, load.lock, load.result)

    assert found.cause == load.cause
    assert {each.side for each in found.evidence} >= {Side.ARTIFACT, Side.RUNTIME}


@pytest.mark.parametrize(
    ("constructs", "layers"),
    [
        ({"": ("is Sequential",), "Sequential": ("begins with an input",)}, {"Dense": 1}),
        ({"": ("is Functional",), "Sequential": ("begins with a shape",)}, {"Dense": 1, "Sequential": 1}),
    ],
    ids=["begins with an input", "is inside another model"],
)
def test_a_sequential_that_is_given_an_input_is_not_warned_of_its_shape(
    constructs: dict[str, tuple[str, ...]], layers: dict[str, int]
) -> None:
    load = next(each for each in silent_changes() if each.cause == "first_shape_taken_for_another")
    assert load.artifact.facts is not None
    artifact = replace(load.artifact, facts=replace(load.artifact.facts, constructs=constructs, layers=layers))

    assert warnings(artifact, load.case, load.runtime, load.lock, load.result) == ()


def test_every_silent_change_has_been_seen() -> None:
    assert {rule.cause for rule in silent_rules()} == {load.cause for load in silent_changes()}


def test_a_failed_case_has_no_warning() -> None:
    failure = failures()[0]

    assert warnings(failure.artifact, failure.case, failure.runtime, failure.lock, failure.result) == ()


def test_what_nobody_has_seen_is_unknown_and_quotes_what_was_seen() -> None:
    odd = with_exception(one_of("option_dropped_by_keras_3"), ExceptionInfo(type="acme.OddError", message="so odd"))
    found = explained(replace(odd, lock=replace(odd.lock, keras="2.15.0")))

    assert (found.cause, found.confidence) == ("unknown", Confidence.UNKNOWN)
    assert "OddError: so odd" in [each.text for each in found.evidence]


def test_the_bytes_decide_before_the_message() -> None:
    failure = one_of("git_lfs_pointer")
    misleading = one_of("option_dropped_by_keras_3").stage.exception
    assert misleading is not None

    assert explained(with_exception(failure, misleading)).cause == "git_lfs_pointer"


@pytest.mark.parametrize(("loader", "cause"), [(Loader.META_GRAPH, "damaged_file"), (Loader.CHECKPOINT, "unknown")])
def test_a_graph_beside_a_checkpoint_that_cannot_be_read_is_damage_to_who_asks_for_the_graph(
    loader: Loader, cause: str
) -> None:
    failure = one_of("meta_graph_missing")
    assert failure.artifact.facts is not None
    facts = replace(failure.artifact.facts, extra={"meta_graph": "unreadable: ends 9 bytes early, at byte 30"})
    cut = replace(failure, artifact=replace(failure.artifact, facts=facts))
    case = replace(cut.case, loader=loader)

    assert (
        explained(
            with_exception(replace(cut, case=case), ExceptionInfo(type="DecodeError", message="Error parsing message"))
        ).cause
        == cause
    )


def test_a_message_alone_names_no_custom_object() -> None:
    failure = one_of("custom_object_not_imported")
    assert failure.artifact.facts is not None
    facts = replace(failure.artifact.facts, custom_objects=())

    assert explained(replace(failure, artifact=replace(failure.artifact, facts=facts))).cause != failure.cause


def test_a_keras_2_message_in_keras_2_is_not_blamed_on_keras_3() -> None:
    failure = one_of("option_dropped_by_keras_3")

    assert explained(replace(failure, lock=replace(failure.lock, keras="2.15.0"))).cause == "unknown"


def test_a_class_that_went_with_keras_1_is_not_told_to_be_imported() -> None:
    failure = next(each for each in failures() if each.cause == "keras_1_file" and "Embedding" in said_by(each))
    unknown_class = ExceptionInfo(type="ValueError", message="Unknown layer: Merge")

    assert explained(with_exception(failure, unknown_class)).cause == "keras_1_file"


def test_a_function_without_a_name_is_given_by_hand() -> None:
    (proposal,) = explained(one_of("function_without_a_name")).proposals

    assert proposal.value == "custom_objects={'<lambda>': …}"


def test_a_type_error_that_says_nothing_of_its_reason_is_not_blamed_on_another_keras_2() -> None:
    failure = one_of("archive_of_another_keras_2")

    assert explained(with_exception(failure, ExceptionInfo(type="TypeError", message="so odd"))).cause == "unknown"


def test_a_string_that_is_called_is_no_sign_of_a_class_where_the_file_needs_none() -> None:
    failure = next(each for each in failures() if "is not callable" in said_by(each))
    assert failure.artifact.facts is not None
    facts = replace(failure.artifact.facts, custom_objects=())

    assert explained(replace(failure, artifact=replace(failure.artifact, facts=facts))).cause == "unknown"


def test_the_type_that_an_interpreter_does_not_know_is_told_by_its_name_with_the_first_that_does() -> None:
    found = explained(one_of("tflite_type_newer_than_runtime"))

    assert "of the type variant, which TensorFlow 2.4.4" in found.headline
    assert [proposal.value for proposal in found.proposals] == ["2.5", ""]


def test_a_model_that_loaded_and_does_not_run_is_not_blamed_on_its_bytes() -> None:
    failure = one_of("git_lfs_pointer")
    loaded = StageResult(stage=Stage.LOAD, outcome=Outcome.PASSED)
    later = replace(failure.stage, stage=Stage.INFER)
    run = replace(failure, result=CaseResult(case="1", stages=(loaded, later)))

    assert explained(run).cause == "unknown"


@settings(deadline=None)
@given(st.text(), st.text(), st.sampled_from(failures()))
def test_hostile_text_reaches_no_page_with_a_line_break_or_a_control_character(
    text: str, kind: str, failure: Failure
) -> None:
    stand_in = failure.artifact.stand_in and StandIn(kind=failure.artifact.stand_in.kind, file=text, detail=text)
    artifact = replace(failure.artifact, path=text, stand_in=stand_in, damage=failure.artifact.damage and text)
    exception = ExceptionInfo(type=kind, message=f"{text} Unknown layer: '{text}'", chain=(text, f"{kind}: {text}"))
    found = explained(with_exception(replace(failure, artifact=artifact), exception))

    assert found.headline.isprintable()
    assert all(each.text.isprintable() for each in found.evidence)
    assert all(each.value.isprintable() for each in found.proposals)


@pytest.mark.parametrize("piece", ["a", "'", "{", "Unknown layer: ", "attr '", "\n", "Unrecognized keyword arguments"])
def test_a_message_of_megabytes_is_not_read_for_ever(piece: str) -> None:
    flood = ExceptionInfo(type="ValueError", message=piece * 2_000_000, chain=(piece * 1_000_000,) * 10)
    some = [with_exception(failure, flood) for failure in failures()[::10]]
    for failure in some:
        with comes_to_an_end():
            explained(failure)
