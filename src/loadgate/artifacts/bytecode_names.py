"""Which names the bytecode of a Lambda looks up outside of itself. Walks the bytes; unmarshals and runs nothing.

As `Python/marshal.c` of 3.6 to 3.13 writes it. What it does not know, or what is cut off, has no names that are told.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

MAX_DEPTH = 20
MAX_ELEMENTS = 20_000
MAX_NAMES = 20
MAX_NAME = 80

_BUILT_IN = frozenset(dir(builtins))
_REFERENCE = 0x80
_FIXED = {**dict.fromkeys("0NFTS.", 0), "i": 4, "I": 8, "g": 8, "y": 16}
_TEXTS = {**dict.fromkeys("stuaA", 4), "z": 1, "Z": 1}
_MANY = {")": 1, "(": 4, "[": 4, "<": 4, ">": 4}


@dataclass(frozen=True, slots=True)
class _Dialect:
    counts: int
    """32-bit integers before the instructions."""
    before_line: int
    """Objects between the names and the number of the first line."""
    after_line: int
    load_global: int
    extended: int
    shift: int
    """The lowest bits of an argument that are no part of an index."""


_OF_FAMILY: Mapping[str, _Dialect] = {
    "3.6 to 3.7": _Dialect(5, 5, 1, load_global=116, extended=144, shift=0),
    "3.8 to 3.10": _Dialect(6, 5, 1, load_global=116, extended=144, shift=0),
    "3.11 to 3.12": _Dialect(5, 5, 2, load_global=116, extended=144, shift=1),
    "3.13 or later": _Dialect(5, 5, 2, load_global=91, extended=71, shift=1),
}


def names_of(code: bytes, family: str | None) -> tuple[str, ...]:
    """In order and once each, without what Python itself brings. `family` is as `family_of` tells it."""
    dialect = _OF_FAMILY.get(family or "")
    if dialect is None:
        return ()
    walk = _Walk(code, dialect)
    try:
        walk.value(0)
    except (_UnknownError, IndexError):
        return ()
    found = {name: None for name in walk.found if name not in _BUILT_IN and len(name) <= MAX_NAME}
    return tuple(found)[:MAX_NAMES]


class _UnknownError(Exception):
    pass


@dataclass
class _Walk:
    code: bytes
    dialect: _Dialect
    at: int = 0
    elements: int = 0
    references: list[object] = field(default_factory=list)
    found: list[str] = field(default_factory=list)

    def value(self, depth: int) -> object:
        """A text, a sequence of values, or None for all else."""
        self.elements += 1
        if depth > MAX_DEPTH or self.elements > MAX_ELEMENTS:
            raise _UnknownError
        mark = self.code[self.at]
        self.at += 1
        if not mark & _REFERENCE:
            return self._content(chr(mark), depth)
        place = len(self.references)
        self.references.append(None)
        self.references[place] = self._content(chr(mark & ~_REFERENCE), depth)
        return self.references[place]

    def _content(self, kind: str, depth: int) -> object:
        if kind in _FIXED:
            self._bytes(_FIXED[kind])
        elif kind == "l":
            self._bytes(2 * abs(int.from_bytes(self._bytes(4), "little", signed=True)))
        elif kind in _TEXTS:
            return self._bytes(self._count(_TEXTS[kind])).decode("utf-8", "replace")
        elif kind in _MANY:
            return [self.value(depth + 1) for _ in range(self._count(_MANY[kind]))]
        elif kind == "r":
            return self.references[self._count(4)]
        elif kind == "c":
            self._function(depth)
        else:
            raise _UnknownError
        return None

    def _function(self, depth: int) -> None:
        self._bytes(4 * self.dialect.counts)
        start = self.at
        self.value(depth + 1)
        instructions = self.code[start + 5 : self.at]
        self.value(depth + 1)  # its constants, and among them the functions inside it
        names = self.value(depth + 1)
        for _ in range(self.dialect.before_line):
            self.value(depth + 1)
        self._bytes(4)
        for _ in range(self.dialect.after_line):
            self.value(depth + 1)
        if isinstance(names, list):
            self.found += [name for name in self._looked_up(instructions, names) if isinstance(name, str)]

    def _looked_up(self, instructions: bytes, names: Sequence[object]) -> Iterator[object]:
        more = 0
        for opcode, argument in zip(instructions[::2], instructions[1::2], strict=False):
            index = more << 8 | argument
            more = index if opcode == self.dialect.extended else 0
            if opcode == self.dialect.load_global and index >> self.dialect.shift < len(names):
                yield names[index >> self.dialect.shift]

    def _count(self, size: int) -> int:
        return int.from_bytes(self._bytes(size), "little")

    def _bytes(self, number: int) -> bytes:
        if number > len(self.code) - self.at:
            raise _UnknownError
        self.at += number
        return self.code[self.at - number : self.at]
