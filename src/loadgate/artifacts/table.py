"""Reads the sorted string tables in which TensorFlow keeps checkpoints: LevelDB's format, version 1.

A table is data blocks, an index block that says where they are, and a footer of fixed size that says where the index
is. In a block each key shares a prefix with the one before it. Checksums are not verified: facts explain, they never
decide, and the loader verifies them.
"""

from __future__ import annotations

from collections.abc import Iterator

from loadgate.artifacts.interface import TooLarge, Unreadable
from loadgate.artifacts.mapped import Buffer
from loadgate.artifacts.wire import Budget, varint
from loadgate.domain import StandInKind

MAGIC = bytes.fromhex("57fb808b247547db")
"""The last bytes of every table."""
_FOOTER = 48
_TRAILER = 5
"""Bytes behind each block: how it is compressed, and its checksum."""
_PLAIN, _SNAPPY = 0, 1
_MAX_KEY = 8 * 1024
"""Bytes; keys are names of variables, and a longer one would be built again for each entry."""
_FIELDS_IN_AN_ENTRY = 8
"""What reading one costs, in fields of a message."""
_LONGEST_SHORT_LITERAL = 59
_MAX_UNPACKED = 8 * 1024**2


def is_table(buffer: Buffer) -> bool:
    return len(buffer) >= _FOOTER and buffer[-len(MAGIC) :] == MAGIC


def entries(table: Buffer, budget: Budget) -> Iterator[tuple[bytes, Buffer, int, int]]:
    """(key, buffer, start, end) of each entry in order; the value is `buffer[start:end]`. Raises `Unreadable`."""
    if not is_table(table):
        raise Unreadable("ends without the mark at the end of a table", StandInKind.TRUNCATED)
    footer = len(table) - _FOOTER
    _, position = _handle(table, footer, len(table))
    index, _ = _handle(table, position, len(table))
    seen = 0
    for _, block, start, end in _block(table, *index, budget):
        (offset, size), _ = _handle(block, start, end)
        if offset < seen:
            raise Unreadable(f"the block at byte {offset:,} overlaps the one before it")
        seen = offset + size
        yield from _block(table, offset, size, budget)


def _handle(buffer: Buffer, position: int, end: int) -> tuple[tuple[int, int], int]:
    """Offset and size of a block, and the position behind them."""
    offset, position = varint(buffer, position, end)
    size, position = varint(buffer, position, end)
    return (offset, size), position


def _block(table: Buffer, offset: int, size: int, budget: Budget) -> Iterator[tuple[bytes, Buffer, int, int]]:
    if offset + size + _TRAILER > len(table) - _FOOTER:
        raise Unreadable(f"a block of {size:,} bytes at byte {offset:,} does not fit into the table")
    compression = table[offset + size]
    if compression == _PLAIN:
        return _entries(table, offset, offset + size, budget)
    if compression != _SNAPPY:
        raise Unreadable(f"the block at byte {offset:,} is compressed in an unknown way, {compression}")
    budget.spend(size)
    unpacked = unpack_snappy(table, offset, offset + size)
    return _entries(unpacked, 0, len(unpacked), budget)


def _entries(buffer: Buffer, position: int, end: int, budget: Budget) -> Iterator[tuple[bytes, Buffer, int, int]]:
    """The entries of one block, which ends with a list of restarts: 4 bytes each, then 4 that say how many."""
    restarts = int.from_bytes(buffer[max(position, end - 4) : end], "little")
    stop = end - 4 * (restarts + 1)
    if stop < position:
        raise Unreadable(f"the block that ends at byte {end:,} is too small for its {restarts:,} restarts")
    key = b""
    while position < stop:
        budget.spend(_FIELDS_IN_AN_ENTRY)
        lengths = buffer[position : position + 3]
        if position + 3 <= stop and lengths.isascii():  # three numbers of one byte each, as nearly always
            shared, unshared, length = lengths
            position += 3
        else:
            shared, position = varint(buffer, position, stop)
            unshared, position = varint(buffer, position, stop)
            length, position = varint(buffer, position, stop)
        start = position + unshared
        if shared > len(key) or shared + unshared > _MAX_KEY or start + length > stop:
            raise Unreadable(f"the entry at byte {position:,} does not fit into its block")
        key = key[:shared] + buffer[position:start]
        position = start + length
        yield key, buffer, start, position


def unpack_snappy(packed: Buffer, position: int, end: int) -> bytes:
    """The block between `position` and `end`, unpacked. Raises `Unreadable`, also beyond 8 MiB."""
    size, position = varint(packed, position, end)
    if size > _MAX_UNPACKED:
        raise TooLarge(f"a packed block of {size:,} bytes; more than {_MAX_UNPACKED:,} are not read")
    unpacked = bytearray()
    while position < end:
        tag = packed[position]
        if tag & 3 == 0:
            start, position = _literal(packed, tag, position + 1)
            if position > end:
                raise Unreadable("a packed block ends inside a literal")
            unpacked += packed[start:position]
        else:
            width = (0, 1, 2, 4)[tag & 3]
            if position + 1 + width > end:
                raise Unreadable("a packed block ends inside a reference")
            offset = int.from_bytes(packed[position + 1 : position + 1 + width], "little")
            position += 1 + width
            if tag & 3 == 1:
                _repeat(unpacked, offset | (tag >> 5) << 8, 4 + (tag >> 2 & 7))
            else:
                _repeat(unpacked, offset, 1 + (tag >> 2))
        if len(unpacked) > size:
            break
    if len(unpacked) != size:
        raise Unreadable(f"a packed block is {len(unpacked):,} bytes long where it says {size:,}")
    return bytes(unpacked)


def _literal(packed: Buffer, tag: int, position: int) -> tuple[int, int]:
    """Start and end of the bytes that are stored as they are; a long length is in the 1 to 4 bytes behind."""
    length = tag >> 2
    if length > _LONGEST_SHORT_LITERAL:
        width = length - _LONGEST_SHORT_LITERAL
        length = int.from_bytes(packed[position : position + width], "little")
        position += width
    return position, position + length + 1


def _repeat(unpacked: bytearray, offset: int, length: int) -> None:
    """Appends `length` bytes from `offset` bytes back, which may be bytes that this very call appends."""
    if not 0 < offset <= len(unpacked):
        raise Unreadable("a packed block refers to bytes before its beginning")
    piece = unpacked[len(unpacked) - offset :]
    unpacked += (piece * (length // offset + 1))[:length]
