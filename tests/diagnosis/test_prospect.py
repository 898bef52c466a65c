"""In which order changes are tried, of which the lab knows what to expect."""

from __future__ import annotations

from dataclasses import replace

from loadgate.diagnosis.change import Change
from loadgate.diagnosis.changes import LEGACY_KERAS, Failure
from loadgate.diagnosis.prospect import most_promising, prospect
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


def in_order(op: str, changes: list[Change]) -> list[Change]:
    return [each.change for each in most_promising(graph_with(op), changes)]


def test_a_release_that_was_measured_to_lack_an_op_is_worth_no_environment() -> None:
    """DisableCopyOnRead came with TensorFlow 2.10: a variable for 2.4 is as hopeless as 2.9, but costs nothing."""
    changes = [release("2.9.3"), ENVIRONMENT, release("2.15.1")]
    assert in_order("DisableCopyOnRead", changes) == [release("2.15.1"), ENVIRONMENT]


def test_what_is_nearer_than_a_release_stays_before_it() -> None:
    changes = [ENVIRONMENT, release("2.9.3"), release("2.15.1")]
    assert in_order("AddV2", changes)[0] == ENVIRONMENT


def test_out_of_the_legacy_keras_what_counts_is_the_keras_beside_it() -> None:
    failure = keras_2_file_in_keras_3()
    lock = lock_of("2.18.1", "2.18.0", **{"tf-keras": "2.18.0"})
    packages = {**lock.packages, "keras": "3.8.0"}
    legacy = replace(
        failure,
        runtime=replace(failure.runtime, env={LEGACY_KERAS: "1"}),
        lock=replace(lock, keras_module="tf_keras", packages=packages),
    )
    assert prospect(legacy, Change(kind=RemedyKind.ENVIRONMENT, env={LEGACY_KERAS: "0"})) == prospect(
        failure, Change(kind=RemedyKind.OTHER)
    )
