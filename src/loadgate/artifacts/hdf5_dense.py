"""Dense storage of HDF5: links and attributes that are too many for an object header.

They lie in a fractal heap, and a B-tree of the second version says where in it. Field by field as in sections III.A.2
and III.G of the HDF5 File Format Specification 3.0.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cached_property

from loadgate.artifacts.hdf5_groups import DamagedError
from loadgate.artifacts.hdf5_source import UNDEFINED, Source

_MAX_TREE_DEPTH = 8
_MAX_HEAP_DEPTH = 8
_LINK_NAMES, _ATTRIBUTE_NAMES, _HUGE_OBJECTS = 5, 8, 1
_MANAGED, _HUGE, _TINY = 0, 1, 2


def stored_messages(source: Source, heap: int, tree: int) -> Iterator[bytes]:
    """The link or attribute messages that lie in the heap at one address, in the order of the tree at another."""
    storage = _Heap(source, heap)
    for kind, record in _records(source, tree):
        if kind == _LINK_NAMES:
            yield storage.read(record[4:])
        elif kind == _ATTRIBUTE_NAMES:
            yield storage.read(record[:8])
        else:
            raise DamagedError("a name index of the HDF5 file is not one")


# --- B-tree -------------------------------------------------------------------------------------------------------


def _records(source: Source, address: int) -> Iterator[tuple[int, bytes]]:
    """Type of the tree and each record in it."""
    header = source.signed(address, 38, b"BTHD")
    kind, node_size, record_size, depth = struct.unpack_from("<BIHH", header, 5)
    root, used = struct.unpack_from("<QH", header, 16)
    if depth > _MAX_TREE_DEPTH or record_size == 0 or node_size < record_size + 10:
        raise DamagedError("a B-tree of the HDF5 file is not one")
    if root != UNDEFINED:
        sizes = _pointer_sizes(node_size, record_size, depth)
        for record in _records_below(source, root, used, record_size, sizes):
            yield kind, record


def _pointer_sizes(node_size: int, record_size: int, depth: int) -> list[tuple[int, int]]:
    """For each level above the leaves, how many bytes hold the number of a child's own and of all its records."""
    most = (node_size - 10) // record_size
    all_records, width = most, _width(most)
    sizes = []
    below = 0
    for _ in range(depth):
        sizes.append((width, below))
        pointer = 8 + width + below
        most = (node_size - 10 - pointer) // (record_size + pointer)
        all_records = (most + 1) * all_records + most
        below = _width(all_records)
    return sizes


def _records_below(
    source: Source, address: int, used: int, record_size: int, sizes: list[tuple[int, int]]
) -> Iterator[bytes]:
    block = source.signed(address, 6 + used * record_size, b"BTIN" if sizes else b"BTLF")
    for index in range(used):
        yield block[6 + index * record_size : 6 + (index + 1) * record_size]
    if not sizes:
        return
    width, below = sizes[-1]
    step = 8 + width + below
    pointers = source.at(address + len(block), (used + 1) * step)
    for start in range(0, len(pointers), step):
        (child,) = struct.unpack_from("<Q", pointers, start)
        count = int.from_bytes(pointers[start + 8 : start + 8 + width], "little")
        yield from _records_below(source, child, count, record_size, sizes[:-1])


def _width(number: int) -> int:
    """Bytes that hold every number up to this one."""
    return (max(number, 1).bit_length() + 7) // 8


# --- fractal heap -------------------------------------------------------------------------------------------------


class _Heap:
    """Blocks whose sizes double from row to row of a table, addressed as if they were one long block."""

    def __init__(self, source: Source, address: int) -> None:
        self._source = source
        header = source.signed(address, 142, b"FRHP")
        filters, _flags, largest_managed = struct.unpack_from("<HBI", header, 7)
        (self._huge_tree,) = struct.unpack_from("<Q", header, 22)
        self._columns, self._first_size, self._largest_direct, bits = struct.unpack_from("<HQQH", header, 110)
        self._root, self._rows = struct.unpack_from("<QH", header, 132)
        if filters:
            raise DamagedError("groups and attributes of the HDF5 file are compressed")
        if not (self._columns and self._first_size and self._largest_direct and 0 < bits <= 64):  # noqa: PLR2004 - bits
            raise DamagedError("a heap of the HDF5 file is not one")
        self._offset_width = (bits + 7) // 8
        direct_width = (self._largest_direct.bit_length() + 6) // 8
        self._length_width = min(direct_width, _width(largest_managed))

    def read(self, identifier: bytes) -> bytes:
        kind = identifier[0] >> 4 & 3
        if kind == _TINY:
            return identifier[1 : 2 + (identifier[0] & 0x0F)]
        if kind == _HUGE:
            return self._read_huge(int.from_bytes(identifier[1:], "little"))
        split = 1 + self._offset_width
        offset = int.from_bytes(identifier[1:split], "little")
        length = int.from_bytes(identifier[split : split + self._length_width], "little")
        return self._source.at(self._locate(offset), length)

    def _read_huge(self, wanted: int) -> bytes:
        if wanted not in self._huge_objects:
            raise DamagedError("a large attribute of the HDF5 file is missing")
        return self._source.at(*self._huge_objects[wanted])

    @cached_property
    def _huge_objects(self) -> dict[int, tuple[int, int]]:
        """Address and length by number."""
        found = {}
        for kind, record in _records(self._source, self._huge_tree):
            if kind == _HUGE_OBJECTS:
                address, length, number = struct.unpack("<QQQ", record)
                found[number] = (address, length)
        return found

    def _locate(self, offset: int) -> int:
        """The address in the file of what lies at `offset` in the heap."""
        block: int = self._root
        rows: int = self._rows
        for _ in range(_MAX_HEAP_DEPTH):
            if rows == 0:
                return block + offset
            row, column, offset = self._place(offset)
            if row >= rows:
                break
            entry = 13 + self._offset_width + 8 * (row * self._columns + column)
            (child,) = struct.unpack_from("<Q", self._source.at(block + entry, 8))
            size = self._size_in(row)
            block, rows = child, 0 if size <= self._largest_direct else self._rows_of(size)
        raise DamagedError("an address in a heap of the HDF5 file lies outside of it")

    def _place(self, offset: int) -> tuple[int, int, int]:
        """Row and column of the block in which `offset` lies, and where in that block."""
        doublings = offset // (self._columns * self._first_size)
        row = doublings.bit_length()
        start = 0 if row == 0 else self._columns * self._size_in(row)
        column, rest = divmod(offset - start, self._size_in(row))
        return row, column, rest

    def _size_in(self, row: int) -> int:
        return int(self._first_size << max(0, row - 1))

    def _rows_of(self, size: int) -> int:
        """Of a table of blocks that takes the place of one block of `size`."""
        return max(1, int(size // (self._columns * self._first_size)).bit_length())
