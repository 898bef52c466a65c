"""Which TensorFlow has which op, attribute and version of a TFLite op: what ships, held to what is known otherwise."""

from __future__ import annotations

import pytest
from packaging.version import Version

from loadgate.diagnosis import ops


def test_an_op_is_known_from_the_first_tensorflow_that_has_it() -> None:
    assert ops.first_tensorflow_with("DisableCopyOnRead") == "2.10"
    assert ops.first_tensorflow_with("MatMul") is None


def test_an_attribute_is_known_from_the_first_tensorflow_whose_op_has_it() -> None:
    assert ops.first_tensorflow_with_attribute("AssignVariableOp", "validate_shape") == "2.8"
    assert ops.first_tensorflow_with_attribute("AssignVariableOp", "dtype") is None


@pytest.mark.parametrize(
    ("op", "tensorflow", "newest"),
    [("CONV_2D", "1.15.5", 3), ("CONV_2D", "2.15.1", 8), ("GELU", "1.15.5", 0), ("NOT_AN_OP", "2.15.1", 0)],
)
def test_an_interpreter_takes_an_op_up_to_a_version(op: str, tensorflow: str, newest: int) -> None:
    assert ops.newest_tflite_version(op, Version(tensorflow)) == newest


def test_between_two_measured_versions_that_differ_nothing_is_known() -> None:
    assert ops.newest_tflite_version("CONV_2D", Version("2.0")) is None
