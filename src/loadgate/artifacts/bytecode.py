"""Tells which Pythons wrote the bytecode of a Lambda, from its first bytes: nothing is unmarshalled, let alone run.

Measured with `marshal.dumps` of 2.7, 3.6 to 3.13. A code object is `c`, its counts as 32-bit integers, then its
instructions as a byte string. How many counts there are changed with 3.8 and with 3.11; what else changed shows in
the instructions.
"""

from __future__ import annotations

import base64

from loadgate.artifacts.bytecode_names import names_of

MAX_CODE = 4 * 1024**2
"""Characters of encoded bytecode that are looked at."""

_REFERENCE = 0x80
_CODE = ord("c")
_BYTES = ord("s")
_RETURN_VALUE = 83
"""Up to 3.12."""
_WORDCODE = bytes([_RETURN_VALUE, 0])

# Before a function's first RESUME there are only COPY_FREE_VARS, MAKE_CELL, RETURN_GENERATOR and POP_TOP.
_RESUME_311, _PROLOGUE_311 = 151, frozenset({149, 135, 75, 1})
_RESUME_313, _PROLOGUE_313 = 149, frozenset({62, 94, 35, 32})


def python_of(encoded: str) -> str | None:
    """The Pythons that can unmarshal a function as Keras stores it, such as `3.8 to 3.10`; None where none is known."""
    return family_of(_decoded(encoded[:MAX_CODE]))


def names_looked_up(encoded: str) -> tuple[str, ...]:
    """What a function as Keras stores it takes from outside of itself; empty where that cannot be told."""
    code = _decoded(encoded[:MAX_CODE])
    return names_of(code, family_of(code))


def family_of(code: bytes) -> str | None:
    """As `python_of`, for the marshalled code object itself."""
    if not code or code[0] & ~_REFERENCE != _CODE:
        return None
    if not code[0] & _REFERENCE:
        return "2.7" if _instructions(code, counts=4) else None
    if _instructions(code, counts=6):
        return "3.8 to 3.10"
    instructions = _instructions(code, counts=5)
    return _by_instructions(instructions) if instructions else None


def _by_instructions(instructions: bytes) -> str | None:
    if _resumes(instructions, _RESUME_311, _PROLOGUE_311):
        return "3.11 to 3.12"
    if _resumes(instructions, _RESUME_313, _PROLOGUE_313):
        return "3.13 or later"
    if len(instructions) % 2 == 0 and instructions.endswith(_WORDCODE):
        return "3.6 to 3.7"
    return "3.4 to 3.5" if instructions[-1] == _RETURN_VALUE else None


def _decoded(encoded: str) -> bytes:
    """Base64 since Keras 2.1; before, every byte was a character of its own, of which some are always zero."""
    if "\0" in encoded:
        return encoded.encode("latin-1", "replace")
    try:
        return base64.b64decode(encoded)
    except ValueError:
        return b""


def _instructions(code: bytes, counts: int) -> bytes | None:
    start = 1 + 4 * counts
    if len(code) < start + 5 or code[start] & ~_REFERENCE != _BYTES:
        return None
    length = int.from_bytes(code[start + 1 : start + 5], "little")
    instructions = code[start + 5 : start + 5 + length]
    return instructions if length and len(instructions) == length else None


def _resumes(instructions: bytes, resume: int, prologue: frozenset[int]) -> bool:
    return next((opcode for opcode in instructions[::2] if opcode not in prologue), None) == resume
