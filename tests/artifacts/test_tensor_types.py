from __future__ import annotations

import pytest

from loadgate.artifacts import tensor_types


@pytest.mark.parametrize(
    ("spelled", "number", "name"),
    [
        ("DT_FLOAT", 1, "float32"),
        ("DT_DOUBLE", 2, "float64"),
        ("DT_HALF", 19, "float16"),
        ("DT_STRING", 7, "string"),
        ("DT_QINT8", 11, "qint8"),
        ("DT_BFLOAT16", 14, "bfloat16"),
        ("DT_FLOAT8_E5M2", 24, "float8_e5m2"),
        ("DT_INT4", 29, "int4"),
        ("DT_FLOAT_REF", 101, "float32"),
    ],
)
def test_types_are_spelled_as_numpy_does(spelled: str, number: int, name: str) -> None:
    assert tensor_types.number(spelled) == number
    assert tensor_types.name(number) == name


def test_a_type_that_nobody_knows_yet_is_called_by_its_number() -> None:
    assert tensor_types.name(77) == "type 77"
    assert tensor_types.number("DT_TERNARY") is None
