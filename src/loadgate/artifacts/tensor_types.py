"""TensorFlow's data types, as its protobufs number and spell them and as NumPy does."""

from __future__ import annotations

_NAMES = {
    0: "invalid",
    1: "float32",
    2: "float64",
    3: "int32",
    4: "uint8",
    5: "int16",
    6: "int8",
    7: "string",
    8: "complex64",
    9: "int64",
    10: "bool",
    11: "qint8",
    12: "quint8",
    13: "qint32",
    14: "bfloat16",
    15: "qint16",
    16: "quint16",
    17: "uint16",
    18: "complex128",
    19: "float16",
    20: "resource",
    21: "variant",
    22: "uint32",
    23: "uint64",
    24: "float8_e5m2",
    25: "float8_e4m3fn",
    26: "float8_e4m3fnuz",
    27: "float8_e4m3b11fnuz",
    28: "float8_e5m2fnuz",
    29: "int4",
    30: "uint4",
    31: "int2",
    32: "uint2",
    33: "float4_e2m1fn",
}
MOST = 256
"""Different types in one file at the most: more than the enum has, references included."""
_REFERENCE = 100
"""Added to a type's number where a TensorFlow 1 variable is handed over by reference."""
_SPELLED_OTHERWISE = {"float32": "FLOAT", "float64": "DOUBLE", "float16": "HALF"}


def name(number: int) -> str:
    """As NumPy spells the type with this number of the enum `DataType`; a reference is called as what it refers to."""
    if number > _REFERENCE:
        number -= _REFERENCE
    return _NAMES.get(number, f"type {number}")


def number(spelled: str) -> int | None:
    """The number of a type in the enum's own spelling, such as `DT_FLOAT`; None where there is none."""
    return _NUMBERS.get(spelled)


def _numbers() -> dict[str, int]:
    plain = {f"DT_{_SPELLED_OTHERWISE.get(name, name).upper()}": number for number, name in _NAMES.items()}
    return plain | {f"{spelled}_REF": number + _REFERENCE for spelled, number in plain.items()}


_NUMBERS = _numbers()
