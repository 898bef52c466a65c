"""Reads FlatBuffers tables from their bytes alone. Every offset is checked before it is followed.

Every error is an `Unreadable`; its kind is TRUNCATED where something should lie behind the end of the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from loadgate.artifacts.interface import TooLarge, Unreadable
from loadgate.artifacts.mapped import Buffer
from loadgate.domain import StandInKind

IDENTIFIER = slice(4, 8)
"""Where a file may say what it is."""
_MAX_TABLES = 250_000
"""Tables visited in one file. They can refer to each other many times over, so a small file can hold any number."""
_BYTES_A_TABLE = 2
"""Of a file, for each table visited in it. To refer to one takes four, the table eight more; few are visited twice."""
_FEW_TABLES = 64
_MAX_COPIED = 4 * 1024**2
"""Bytes of texts and numbers taken from one file, for the same reason."""
_MAX_TEXT = 64 * 1024
_DIRECTORY_HEADER = 4
"""Bytes before the offsets in a table's directory: its own size, and that of the table."""


class Budget:
    """Tables that may still be visited in one file, and bytes that may still be copied."""

    __slots__ = ("bytes", "limit", "tables")

    def __init__(self, size: int) -> None:
        self.limit = min(_MAX_TABLES, _FEW_TABLES + size // _BYTES_A_TABLE)
        self.tables = self.limit
        self.bytes = _MAX_COPIED

    def spend(self) -> None:
        self.tables -= 1
        if self.tables < 0:
            raise TooLarge(f"more than {self.limit:,} tables")

    def copy(self, buffer: Buffer, start: int, length: int) -> bytes:
        self.bytes -= length
        if self.bytes < 0:
            raise TooLarge(f"names and shapes of more than {_MAX_COPIED:,} bytes")
        return buffer[start : start + length]


@dataclass(frozen=True, slots=True)
class Table:
    """A table at `position` whose fields are found through its directory at `directory`."""

    buffer: Buffer
    position: int
    directory: int
    slots: int
    budget: Budget

    @classmethod
    def root(cls, buffer: Buffer) -> Table:
        return cls._at(buffer, _unsigned(buffer, 0, 4), Budget(len(buffer)))

    @classmethod
    def _at(cls, buffer: Buffer, position: int, budget: Budget) -> Table:
        budget.spend()
        distance = int.from_bytes(_bytes(buffer, position, 4), "little", signed=True)
        directory = position - distance
        if directory < 0:
            raise Unreadable(f"no table at byte {position:,}")
        size = _unsigned(buffer, directory, 2)
        if size < _DIRECTORY_HEADER or size % 2:
            raise Unreadable(f"no table at byte {position:,}")
        _bytes(buffer, directory + size - 2, 2)
        return cls(buffer, position, directory, (size - _DIRECTORY_HEADER) // 2, budget)

    def integer(self, slot: int, width: int, default: int = 0, *, signed: bool = False) -> int:
        """The number of `width` bytes in a field."""
        where = self._field(slot)
        if where is None:
            return default
        return int.from_bytes(_bytes(self.buffer, where, width), "little", signed=signed)

    def text(self, slot: int) -> str:
        """Empty where the field is not there."""
        start, length = self._vector(slot, 1)
        if length > _MAX_TEXT:
            raise Unreadable(f"{length:,} bytes where a name is expected, at byte {start:,}")
        return self.budget.copy(self.buffer, start, length).decode("utf-8", "replace")

    def copy(self, slot: int, limit: int) -> bytes:
        """At most `limit` bytes of a vector of bytes."""
        start, length = self._vector(slot, 1)
        return self.budget.copy(self.buffer, start, min(length, limit))

    def length(self, slot: int, width: int) -> int:
        """Elements, of `width` bytes each, of a vector; it is certain that they lie in the file."""
        return self._vector(slot, width)[1]

    def integers(self, slot: int, limit: int) -> tuple[int, ...]:
        """The signed numbers of a vector of 4 bytes each. Raises `Unreadable` where there are more than `limit`."""
        start, length = self._vector(slot, 4)
        if length > limit:
            raise Unreadable(f"{length:,} numbers where at most {limit:,} are expected, at byte {start:,}")
        content = self.budget.copy(self.buffer, start, 4 * length)
        return tuple(int.from_bytes(content[at : at + 4], "little", signed=True) for at in range(0, 4 * length, 4))

    def has(self, slot: int) -> bool:
        return self._field(slot) is not None

    def table(self, slot: int) -> Table | None:
        where = self._field(slot)
        return None if where is None else self._follow(where)

    def tables(self, slot: int) -> Iterator[Table]:
        start, length = self._vector(slot, 4)
        for at in range(start, start + 4 * length, 4):
            yield self._follow(at)

    def element(self, slot: int, index: int) -> Table | None:
        """One table of a vector; None where there is none of that index."""
        start, length = self._vector(slot, 4)
        return self._follow(start + 4 * index) if 0 <= index < length else None

    def _follow(self, where: int) -> Table:
        return Table._at(self.buffer, where + _unsigned(self.buffer, where, 4), self.budget)

    def _field(self, slot: int) -> int | None:
        if slot >= self.slots:
            return None
        offset = _unsigned(self.buffer, self.directory + _DIRECTORY_HEADER + 2 * slot, 2)
        return self.position + offset if offset else None

    def _vector(self, slot: int, width: int) -> tuple[int, int]:
        """Where its elements of `width` bytes begin, and how many there are."""
        where = self._field(slot)
        if where is None:
            return 0, 0
        start = where + _unsigned(self.buffer, where, 4)
        length = _unsigned(self.buffer, start, 4)
        if start + 4 + width * length > len(self.buffer):
            raise _behind_the_end(start + 4 + width * length, self.buffer)
        return start + 4, length


def _unsigned(buffer: Buffer, position: int, width: int) -> int:
    return int.from_bytes(_bytes(buffer, position, width), "little")


def _bytes(buffer: Buffer, position: int, width: int) -> bytes:
    if position + width > len(buffer):
        raise _behind_the_end(position + width, buffer)
    return buffer[position : position + width]


def _behind_the_end(needed: int, buffer: Buffer) -> Unreadable:
    detail = f"ends at byte {len(buffer):,}, and {needed:,} bytes are referred to"
    return Unreadable(detail, StandInKind.TRUNCATED)
