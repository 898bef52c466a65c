"""Reads protobuf messages from their bytes alone: no generated code, no copy of what is not asked for.

A field that is delimited by a length is stepped over without touching its bytes, which is why a graph with a gigabyte
of constants costs no more than its nodes. What a message holds is declared once, as a `Layout` (see `protos.py`).
Every error is an `Unreadable`; its kind is TRUNCATED where the bytes end inside a field.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NoReturn

from loadgate.artifacts.interface import TooLarge, Unreadable
from loadgate.artifacts.mapped import Buffer
from loadgate.domain import StandInKind

VARINT, FIXED64, DELIMITED, FIXED32 = 0, 1, 2, 5
CONTINUED = 0x80
"""Set in each byte of a varint but its last."""
_VARINT_BYTES = 10
_FIXED_BYTES = {FIXED32: 4, FIXED64: 8}
_FIRST_KEY, _KEY_BITS = 1 << 3, 32
_MAX_TEXT = 64 * 1024
"""Bytes of the longest name, version or tag that is believed."""
_MAX_FIELDS = 3_000_000
"""Fields visited in one file, those that are visited again included: some 1 s of work, and a graph of 250,000 nodes."""
FIELDS_TO_KNOW = 750_000
"""As many of them until it is known what a file is: more than any has beside its nodes whose facts can be read."""
_COST_OF_MESSAGE = 3
"""What beginning to read one costs, in fields: an empty one is work too."""
_RELEASE_EVERY = 32 * 1024**2
"""Bytes of a mapped file after which the pages seen so far are given back, so that memory stays flat."""


@dataclass(frozen=True, slots=True)
class Field:
    """How one field of a message is written."""

    number: int
    wire_type: int
    layout: Layout | None = None
    """What a message in it holds."""
    is_enum: bool = False

    @property
    def key(self) -> int:
        return self.number << 3 | self.wire_type


class Layout:
    """The fields of a message by name. Where it is `partial`, there are more than are declared."""

    def __init__(self, *, partial: bool = False, **fields: Field) -> None:
        self.partial = partial
        self.fields: Mapping[str, Field] = fields
        self.keys = frozenset(field.key for field in fields.values())
        """Of the fields that are declared."""
        self.names: Mapping[int, str] = {field.key: name for name, field in fields.items() if field.wire_type == VARINT}
        """Of the integers, by key."""

    def key(self, name: str) -> int:
        """The number that stands before each occurrence of a field on the wire."""
        return self.fields[name].key


def integer(number: int) -> Field:
    return Field(number, VARINT)


def enumeration(number: int) -> Field:
    return Field(number, VARINT, is_enum=True)


def text(number: int) -> Field:
    return Field(number, DELIMITED)


def message(number: int, layout: Layout) -> Field:
    return Field(number, DELIMITED, layout)


def mapping(number: int, layout: Layout) -> Field:
    """A `map<string, message>`."""
    return message(number, Layout(key=text(1), value=message(2, layout)))


class Budget:
    """Work that may still be done on one file, shared by all of its messages."""

    __slots__ = ("left",)

    def __init__(self, fields: int = _MAX_FIELDS) -> None:
        self.left = fields

    def spend(self, fields: int) -> None:
        self.left -= fields
        if self.left < 0:
            raise TooLarge("more fields than any known graph has")


@dataclass(frozen=True, slots=True)
class Message:
    """The bytes from `start` to `end` of `buffer`, to be read as `layout` says."""

    layout: Layout
    buffer: Buffer
    start: int
    end: int
    budget: Budget

    @classmethod
    def whole(cls, layout: Layout, buffer: Buffer) -> Message:
        return cls(layout, buffer, 0, len(buffer), Budget())

    def raw(self) -> Iterator[tuple[int, int, int]]:
        """(key, start, end) of every field in turn; for a varint, `start` is its value."""
        return walk(self.buffer, self.start, self.end, self.budget)

    def spans(self, name: str) -> Iterator[tuple[int, int]]:
        """Start and end of each occurrence of a field; for a varint, `start` is its value."""
        wanted = self.layout.fields[name].key
        for key, start, end in self.raw():
            if key == wanted:
                yield start, end

    def copy(self, limit: int) -> bytes:
        """A copy of all of it. Raises `Unreadable` where it is longer than `limit`."""
        if self.end - self.start > limit:
            raise Unreadable(f"{self.end - self.start:,} bytes where at most {limit:,} are expected")
        return self.buffer[self.start : self.end]

    def has(self, name: str) -> bool:
        return any(True for _ in self.spans(name))

    def integer(self, name: str, default: int = 0) -> int:
        """A signed integer; of several occurrences the last counts, as everywhere in protobuf."""
        value = default
        for start, _ in self.spans(name):
            value = signed(start)
        return value

    def integers(self) -> dict[str, int]:
        """Every signed integer that is there, by name, in one pass."""
        names = self.layout.names
        found = {}
        for key, value, _ in self.raw():
            if key in names:
                found[names[key]] = value - (1 << 64) if value >> 63 else value
        return found

    def texts(self, name: str) -> Iterator[str]:
        for start, end in self.spans(name):
            yield self.text_between(start, end)

    def text(self, name: str) -> str:
        value = ""
        for start, end in self.spans(name):
            value = self.text_between(start, end)
        return value

    def messages(self, name: str) -> Iterator[Message]:
        layout = self.layout.fields[name].layout or _NOTHING
        for start, end in self.spans(name):
            yield Message(layout, self.buffer, start, end, self.budget)

    def message(self, name: str) -> Message:
        """An empty one where the field is not there."""
        found = Message(self.layout.fields[name].layout or _NOTHING, self.buffer, 0, 0, self.budget)
        for found in self.messages(name):  # noqa: B007 - the last occurrence is the one that counts
            pass
        return found

    def entries(self, name: str) -> Iterator[tuple[str, Message]]:
        """The keys and values of a map."""
        for entry in self.messages(name):
            yield entry.text("key"), entry.message("value")

    def is_admissible(self) -> bool:
        """Whether it has no field that its layout does not declare. Raises `Unreadable` as reading does."""
        is_partial, declared = self.layout.partial, self.layout.keys
        for key, _, _ in self.raw():  # noqa: SIM110 - a generator more would take half as long again
            if key not in declared and not is_partial:
                return False
        return True

    def text_between(self, start: int, end: int) -> str:
        if end - start > _MAX_TEXT:
            raise Unreadable(f"{end - start:,} bytes where a name is expected, at byte {start:,}")
        return self.buffer[start:end].decode("utf-8", "replace")


_NOTHING = Layout(partial=True)


def walk(buffer: Buffer, position: int, end: int, budget: Budget) -> Iterator[tuple[int, int, int]]:  # noqa: C901, PLR0912 - a call less for each field halves the time
    """(key, start, end) of every field between `position` and `end`. The innermost loop of all reading."""
    release = position + _RELEASE_EVERY if isinstance(buffer, mmap.mmap) else end
    spent, limit = _COST_OF_MESSAGE, budget.left
    try:
        while position < end:
            spent += 1
            if spent > limit:
                raise TooLarge("more fields than any known graph has")
            key = buffer[position]
            position += 1
            if key >= CONTINUED:
                key, position = varint(buffer, position - 1, end)
            wire_type = key & 7
            if key < _FIRST_KEY or key >> _KEY_BITS:
                raise Unreadable(f"no protobuf field at byte {position:,}")
            if wire_type == DELIMITED:
                if position < end and (length := buffer[position]) < CONTINUED:
                    start = position + 1
                else:
                    length, start = varint(buffer, position, end)
                position = start + length
                if position > end:
                    _overrun(buffer, start, end, length)
                yield key, start, position
            elif wire_type == VARINT:
                if position < end and (value := buffer[position]) < CONTINUED:
                    position += 1
                else:
                    value, position = varint(buffer, position, end)
                yield key, value, position
            elif wire_type in _FIXED_BYTES:
                start, position = position, position + _FIXED_BYTES[wire_type]
                if position > end:
                    _overrun(buffer, start, end, position - start)
                yield key, start, position
            else:
                raise Unreadable(f"no protobuf field at byte {position:,}: wire type {wire_type}")
            if position > release:
                buffer.madvise(mmap.MADV_DONTNEED)  # type: ignore[union-attr]  # only a mapped file is ever released
                release = position + _RELEASE_EVERY
    finally:
        budget.left -= spent


def signed(value: int) -> int:
    """What a varint stands for in a field that may be negative."""
    return value - (1 << 64) if value >> 63 else value


def varint(buffer: Buffer, position: int, end: int) -> tuple[int, int]:
    """The unsigned number at `position`, and the position behind it."""
    if position < end and (value := buffer[position]) < CONTINUED:
        return value, position + 1
    value = shift = 0
    for at in range(position, min(end, position + _VARINT_BYTES)):
        byte = buffer[at]
        value |= (byte & 0x7F) << shift
        if byte < CONTINUED:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at + 1
        shift += 7
    if end - position >= _VARINT_BYTES:
        raise Unreadable(f"a number of more than {_VARINT_BYTES} bytes at byte {position:,}")
    return _overrun(buffer, position, end, end - position + 1)


def _overrun(buffer: Buffer, start: int, end: int, length: int) -> NoReturn:
    if end == len(buffer):
        missing = start + length - end
        raise Unreadable(f"ends {missing:,} bytes early, at byte {end:,}", StandInKind.TRUNCATED)
    raise Unreadable(f"a field of {length:,} bytes at byte {start:,} does not fit into what holds it")
