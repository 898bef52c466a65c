"""In which order changes are tried, of which the lab knows what to expect."""

from __future__ import annotations

from dataclasses import replace

from loadgate.diagnosis.change import Change
from loadgate.diagnosis.changes import Failure
from loadgate.diagnosis.prospect import most_promising
from loadgate.domain import Facts, Format, Loader, RemedyKind

from .failing import TENSORFLOW, keras_2_file_in_keras_3, lock_of

ENVIRONMENT = Change(kind=RemedyKind.ENVIRONMENT, env={"ACME": "1"})


def graph_with(op: str) -> Failure:
    failure = keras_2_file_in_keras_3("graph", TENSORFLOW)
    artifact = replace(failure.artifact, format=Format.GRAPH_DEF, facts=Facts(ops={op: 1}))
    case = replace(failure.case, loader=Loader.GRAPH_DEF)
    return replace(failure, artifact=artifact, case=case, lock=lock_of("2.4.4", "2.4.0", python="3.8.18"))


def release(name: str) -> Change:
    return Change(kind=RemedyKind.TENSORFLOW, tensorflow=name)


def test_a_release_that_was_measured_to_lack_an_op_comes_after_one_that_has_it() -> None:
    """DisableCopyOnRead came with TensorFlow 2.10: another environment of 2.4 is as hopeless as 2.9."""
    changes = [release("2.9.3"), ENVIRONMENT, release("2.15.1")]
    ordered = most_promising(graph_with("DisableCopyOnRead"), changes)
    assert ordered == [release("2.15.1"), release("2.9.3"), ENVIRONMENT]


def test_what_is_nearer_than_a_release_stays_before_it() -> None:
    changes = [ENVIRONMENT, release("2.9.3"), release("2.15.1")]
    assert most_promising(graph_with("AddV2"), changes)[0] == ENVIRONMENT
