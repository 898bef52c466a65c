"""Which TensorFlow releases are tried, and with which Python."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgate.diagnosis.releases import other_releases, python_for, reads, saver_of, tensorflow_of_keras
from loadgate.domain import Artifact, Facts, Format, LambdaLayer, SavedWith
from loadgate.runtimes.supported_pythons import supports

RELEASES = {release for support in supports() for release in support.releases}


def artifact(form: Format, *, tensorflow: str | None = None, keras: str | None = None) -> Artifact:
    facts = Facts(saved_with=SavedWith(tensorflow=tensorflow, keras=keras))
    return Artifact(path="m", format=form, files=("m",), bytes=1, facts=facts)


@pytest.mark.parametrize(
    ("keras", "tensorflow"),
    [
        ("2.0.5", "1.15"),
        ("2.2.4-tf", "1.15"),
        ("2.3.0-tf", "2.2"),
        ("2.4.0", "2.4"),
        ("2.15.0", "2.15"),
        ("3.8.0", "2.16"),
    ],
)
def test_a_keras_tells_the_tensorflow_that_it_came_with(keras: str, tensorflow: str) -> None:
    assert tensorflow_of_keras(keras) == tensorflow


def test_from_keras_3_the_way_back_begins_at_the_last_release_with_keras_2() -> None:
    assert other_releases(artifact(Format.KERAS_H5, keras="2.9.0"), "2.18.1")[:2] == ("2.15.1", "2.9.3")


def test_to_keras_3_the_way_begins_at_its_first_release() -> None:
    assert other_releases(artifact(Format.KERAS_H5, keras="3.8.0"), "2.15.1")[0] == "2.16.2"


def test_an_archive_of_keras_3_is_tried_in_no_keras_2_before_every_keras_3() -> None:
    found = other_releases(artifact(Format.KERAS_V3, keras="3.12.1"), "2.9.3")
    with_keras_2 = [tuple(map(int, release.split(".")[:2])) < (2, 16) for release in found]
    assert found[0] == "2.16.2"
    assert with_keras_2 == sorted(with_keras_2)


def test_a_savedmodel_of_a_newer_tensorflow_is_tried_in_the_next_one_the_last_with_keras_2_and_its_own() -> None:
    found = other_releases(artifact(Format.SAVED_MODEL, tensorflow="2.18.1"), "2.9.3")
    assert found[:3] == ("2.10.1", "2.15.1", "2.18.1")


def test_after_the_saver_and_its_neighbours_the_nearest_comes_first() -> None:
    assert other_releases(artifact(Format.KERAS_H5, keras="2.2.4"), "1.15.5")[2:5] == ("2.3.4", "2.6.5", "2.9.3")


def test_a_rule_that_names_a_release_gets_that_one() -> None:
    assert other_releases(artifact(Format.TFLITE), "2.4.4", "2.8") == ("2.8.4",)


@given(
    form=st.sampled_from(list(Format)),
    saver=st.one_of(st.none(), st.text(max_size=8), st.sampled_from(sorted(RELEASES))),
    running=st.sampled_from(sorted(RELEASES)),
    wanted=st.sampled_from(["", "<2.16", ">=2.4", "nonsense"]),
)
def test_whatever_a_file_says_only_releases_that_exist_are_tried_and_never_the_running_minor(
    form: Format, saver: str | None, running: str, wanted: str
) -> None:
    found = other_releases(artifact(form, tensorflow=saver, keras=saver), running, wanted)
    assert set(found) <= RELEASES
    assert not any(release.split(".")[:2] == running.split(".")[:2] for release in found)


def test_the_python_stays_where_the_release_has_builds_for_it() -> None:
    assert python_for("2.15.1", "3.11") == "3.11"


def test_a_python_that_is_too_new_becomes_one_with_which_the_release_was_seen_to_import() -> None:
    assert python_for("1.15.5", "3.11") == "3.7"


@pytest.mark.parametrize(("keras", "python"), [("3.10.0", "3.9"), ("3.12.1", "3.11"), ("3.15.1", "3.11")])
def test_a_python_on_which_the_keras_does_not_install_becomes_the_nearest_seen_one(keras: str, python: str) -> None:
    assert python_for("2.16.2", "3.9", keras=keras) == python


@pytest.mark.parametrize(("python", "readable"), [("3.9", True), ("3.11", False)])
def test_bytecode_is_read_by_its_own_family_alone(python: str, *, readable: bool) -> None:
    assert reads(python, LambdaLayer(name="f", python="3.8 to 3.10")) is readable


def test_a_file_without_facts_has_no_saver() -> None:
    assert saver_of(Artifact(path="m", format=Format.GRAPH_DEF, files=("m",), bytes=1)) is None
