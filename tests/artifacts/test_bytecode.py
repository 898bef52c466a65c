"""Tells which Python wrote a function's bytecode."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgate.artifacts.bytecode import family_of, python_of

WRITTEN_BY: dict[str, dict[str, str]] = json.loads((Path(__file__).parent / "data" / "bytecode.json").read_text())
"""By Python and shape, `marshal.dumps` of the code of `lambda x: x * 2`, of a function that closes over a variable, and
of a generator that does."""
SAMPLES = [(python, shape) for python, by_shape in WRITTEN_BY.items() for shape in by_shape]
FAMILIES = {
    "2.7": "2.7",
    "3.6": "3.6 to 3.7",
    "3.7": "3.6 to 3.7",
    "3.8": "3.8 to 3.10",
    "3.9": "3.8 to 3.10",
    "3.10": "3.8 to 3.10",
    "3.11": "3.11 to 3.12",
    "3.12": "3.11 to 3.12",
    "3.13": "3.13 or later",
}


@pytest.mark.parametrize(("python", "shape"), SAMPLES)
def test_bytecode_tells_the_pythons_that_can_unmarshal_it(python: str, shape: str) -> None:
    assert python_of(WRITTEN_BY[python][shape]) == FAMILIES[python]


def test_bytecode_of_keras_before_2_1_is_not_encoded() -> None:
    code = base64.b64decode(WRITTEN_BY["3.6"]["plain"]).decode("latin-1")
    assert python_of(code) == "3.6 to 3.7"


@pytest.mark.parametrize("text", ["", "e", "lambda x: x", "\u20ac\0", "4w==", "A" * 5_000_000])
def test_what_is_no_bytecode_has_no_python(text: str) -> None:
    assert python_of(text) is None


@given(st.sampled_from(SAMPLES), st.integers(0, 200))
def test_bytecode_cut_anywhere_is_told_or_not_told_but_never_raises(sample: tuple[str, str], length: int) -> None:
    python, shape = sample
    assert family_of(base64.b64decode(WRITTEN_BY[python][shape])[:length]) in {None, FAMILIES[python]}


@given(st.binary())
def test_any_bytes_are_told_or_not_told(code: bytes) -> None:
    assert family_of(b"\xe3" + code) in {None, "3.4 to 3.5", *FAMILIES.values()}
