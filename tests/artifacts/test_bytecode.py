"""Tells which Python wrote a function's bytecode."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgate.artifacts.bytecode import family_of, names_looked_up, python_of
from loadgate.artifacts.bytecode_names import names_of

WRITTEN_BY: dict[str, dict[str, str]] = json.loads((Path(__file__).parent / "data" / "bytecode.json").read_text())
"""By Python and shape, `marshal.dumps` of the code of `lambda x: x * 2`, of a function that closes over a variable, of
a generator that does, and of one that looks up `K`, `np` and, in a comprehension, `tf`."""
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


@pytest.mark.parametrize(("python", "shape"), SAMPLES)
def test_bytecode_tells_the_names_that_it_looks_up_and_neither_attributes_nor_what_python_brings(
    python: str, shape: str
) -> None:
    wanted = {"K", "np", "tf"} if shape == "names" else set()
    assert set(names_looked_up(WRITTEN_BY[python][shape])) == wanted


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


@given(st.sampled_from(SAMPLES), st.data())
def test_the_names_of_broken_bytecode_are_told_or_not_told_but_never_raise(
    sample: tuple[str, str], data: st.DataObject
) -> None:
    python, shape = sample
    code = bytearray(base64.b64decode(WRITTEN_BY[python][shape]))
    code[data.draw(st.integers(0, len(code) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(code)))
    assert all(isinstance(name, str) for name in names_of(bytes(code[:cut]), FAMILIES[python]))


@given(st.binary())
def test_any_bytes_are_told_or_not_told(code: bytes) -> None:
    assert family_of(b"\xe3" + code) in {None, "3.4 to 3.5", *FAMILIES.values()}
