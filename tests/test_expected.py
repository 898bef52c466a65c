"""Which versions a runtime will have, from its own words: nothing is made, and no network is asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.version import Version

from loadgate.diagnosis.target import Target
from loadgate.domain import Requirement, Runtime
from loadgate.infer.expected import expected


def target_of(repository: Path, **asked: object) -> Target:
    return expected(Runtime(name="serving", **asked), repository).target  # type: ignore[arg-type]  # keywords of Runtime


def test_pins_are_taken_as_they_are(tmp_path: Path) -> None:
    requirements = (Requirement(text="tensorflow==2.18.1"), Requirement(text="keras==3.8.0"))
    target = target_of(tmp_path, python="3.11", requirements=requirements)
    assert (target.tensorflow, target.keras, target.python) == (Version("2.18.1"), Version("3.8.0"), Version("3.11"))


def test_the_keras_of_a_tensorflow_from_2_16_on_is_not_known_unless_it_is_pinned(tmp_path: Path) -> None:
    assert target_of(tmp_path, tensorflow="2.18.1").keras is None


def test_legacy_keras_is_the_tf_keras_of_that_tensorflow(tmp_path: Path) -> None:
    target = target_of(tmp_path, tensorflow="2.18.1", env={"TF_USE_LEGACY_KERAS": "1"})
    assert target.is_legacy
    assert target.tf_keras == Version("2.18")


def test_of_a_range_the_newest_known_release_is_taken_and_that_is_said(tmp_path: Path) -> None:
    found = expected(Runtime(name="serving", python="3.11", tensorflow=">=2.13,<2.15"), tmp_path)
    assert found.target.tensorflow == Version("2.14.1")
    assert found.notes == ("TensorFlow is not pinned; 2.14.1 is the newest known that fits.",)


LINES = (
    Requirement(text='tensorflow==2.10.1 ; python_version >= "3.8" and python_version < "3.11"'),
    Requirement(text='keras==3.8.0 ; python_version >= "3.11"'),
)


def test_a_line_counts_in_the_python_of_the_runtime_and_not_in_our_own(tmp_path: Path) -> None:
    target = target_of(tmp_path, python="3.10", requirements=LINES)
    assert (target.tensorflow, target.keras, target.python) == (Version("2.10.1"), None, Version("3.10"))


def test_a_python_that_is_not_named_is_one_in_which_the_line_for_tensorflow_holds(tmp_path: Path) -> None:
    target = target_of(tmp_path, requirements=LINES)
    assert (target.tensorflow, target.python) == (Version("2.10.1"), Version("3.10"))


def test_an_environment_is_read_and_its_python_is_not_started(tmp_path: Path) -> None:
    site = tmp_path / ".venv/lib/python3.10/site-packages"
    for name, version in (("tensorflow_cpu", "2.16.2"), ("keras", "3.3.3"), ("tf_keras", "2.16.0")):
        (site / f"{name}-{version}.dist-info").mkdir(parents=True)
        (site / f"{name}-{version}.dist-info/METADATA").write_text(f"Name: {name}\nVersion: {version}\n")
    target = target_of(tmp_path, interpreter=".venv/bin/python")
    assert (target.tensorflow, target.keras, target.tf_keras) == (
        Version("2.16.2"),
        Version("3.3.3"),
        Version("2.16.0"),
    )
    assert target.python == Version("3.10")


def test_of_an_image_its_tag_tells_the_tensorflow(tmp_path: Path) -> None:
    target = target_of(tmp_path, image="tensorflow/tensorflow:2.14.0")
    assert target.tensorflow == Version("2.14.0")


@pytest.mark.parametrize("interpreter", ["/usr/bin/python3", "nowhere/bin/python"])
def test_an_interpreter_without_packages_of_its_own_tells_nothing_and_that_is_said(
    tmp_path: Path, interpreter: str
) -> None:
    found = expected(Runtime(name="serving", interpreter=interpreter), tmp_path)
    assert found.target.tensorflow is None
    assert found.notes
