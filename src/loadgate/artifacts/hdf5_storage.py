"""Groups and attributes as the HDF5 File Format Specification 3.0 lays them out in a file, without dense storage."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from loadgate.artifacts.hdf5_groups import (
    MAX_ATTRIBUTE,
    MAX_OBJECTS,
    SIGNATURE,
    DamagedError,
    DenseStorageError,
    Group,
    TruncatedError,
    Value,
)

_MAX_TOTAL = 64 * 1024**2
"""Bytes that all groups and attributes of a file may take together."""
_MAX_DEPTH = 64
_UNDEFINED = 0xFFFF_FFFF_FFFF_FFFF


class _Attribute(NamedTuple):
    datatype: bytes
    dataspace: bytes
    data: bytes


class Source:
    """Bounded reads at addresses of the file. What all reads of one file may cost together is bounded as well."""

    def __init__(self, descriptor: int, start: int, size: int) -> None:
        self._descriptor = descriptor
        self._start = start
        self._size = size
        self._read = 0
        self._objects = 0
        self._base = 0
        self._collections: dict[int, dict[int, bytes]] = {}

    def root_address(self) -> int:
        superblock = self._superblock()
        version = superblock[8]
        if version in (0, 1):
            sizes, addresses = superblock[13:15], 24 if version == 0 else 28
            base, _, end, _, _, root = struct.unpack_from("<6Q", superblock, addresses)
        elif version in (2, 3):
            sizes = superblock[9:11]
            base, _, end, root = struct.unpack_from("<4Q", superblock, 12)
        else:
            raise DamagedError(f"HDF5 superblock version {version} is not known")
        if sizes != b"\x08\x08":
            raise DamagedError("HDF5 addresses that are not 8 bytes long are not read")
        # The library writes the base address of a file with a user block as where the superblock lies.
        if base != self._base:
            raise DamagedError("the HDF5 superblock does not lie where it says")
        if end > self._size:
            raise TruncatedError(f"{self._size:,} bytes of {end:,} are there")
        return int(root)

    def _superblock(self) -> bytes:
        for offset in (0, 512, 1024, 2048):
            if offset + 96 <= self._size:
                block = os.pread(self._descriptor, 128, self._start + offset)
                if block.startswith(SIGNATURE):
                    self._base = offset
                    return block
        if os.pread(self._descriptor, len(SIGNATURE), self._start) == SIGNATURE:
            raise TruncatedError(f"{self._size:,} bytes are there, which is less than a superblock")
        raise DamagedError("the signature of HDF5 is missing")

    def at(self, address: int, length: int) -> bytes:
        position = self._base + address
        if length < 0 or position + length > self._size:
            raise DamagedError("an address in the HDF5 file lies outside of it")
        self._read += length
        if self._read > _MAX_TOTAL:
            raise DamagedError(f"its groups and attributes take more than {_MAX_TOTAL:,} bytes")
        data = os.pread(self._descriptor, length, self._start + position)
        if len(data) != length:
            raise DamagedError("the file became shorter while it was read")
        return data

    def signed(self, address: int, length: int, signature: bytes) -> bytes:
        block = self.at(address, length)
        if not block.startswith(signature):
            raise DamagedError(f"a structure of the HDF5 file lacks its signature {signature.decode()}")
        return block

    def count_object(self) -> None:
        self._objects += 1
        if self._objects > MAX_OBJECTS:
            raise DamagedError(f"more than {MAX_OBJECTS:,} objects")

    def heap_object(self, collection: int, index: int) -> bytes:
        if collection not in self._collections:
            self._collections[collection] = dict(self._collection(collection))
        try:
            return self._collections[collection][index]
        except KeyError:
            raise DamagedError("a text is missing from the HDF5 file's global heap") from None

    def _collection(self, address: int) -> Iterator[tuple[int, bytes]]:
        (size,) = struct.unpack_from("<Q", self.signed(address, 16, b"GCOL"), 8)
        if size > MAX_ATTRIBUTE + 4096:
            raise DamagedError(f"an attribute of more than {MAX_ATTRIBUTE:,} bytes")
        block = self.at(address, size)
        position = 16
        while position + 16 <= size:
            index, _, _, length = struct.unpack_from("<HHIQ", block, position)
            if index == 0:
                return
            yield index, block[position + 16 : position + 16 + length]
            position += 16 + (length + 7) // 8 * 8


class StoredGroup:
    def __init__(self, source: Source, address: int, depth: int = 0) -> None:
        source.count_object()
        if depth > _MAX_DEPTH:
            raise DamagedError(f"groups that are nested more than {_MAX_DEPTH} deep")
        self._source = source
        self._depth = depth
        self._attributes: dict[str, _Attribute] = {}
        self._links: dict[str, int] = {}
        self.is_group = False
        for kind, body in _messages(source, address):
            self._take(kind, body)

    def attribute_names(self) -> Sequence[str]:
        return tuple(self._attributes)

    def attribute(self, name: str) -> Value:
        found = self._attributes.get(name)
        return None if found is None else _text(self._source, found)

    def members(self) -> Sequence[str]:
        return tuple(self._links)

    def group(self, name: str) -> Group | None:
        address = self._links.get(name)
        if address is None:
            return None
        member = StoredGroup(self._source, address, self._depth + 1)
        return member if member.is_group else None

    def _take(self, kind: int, body: bytes) -> None:
        if kind == _ATTRIBUTE:
            name, attribute = _attribute(body)
            self._attributes[name] = attribute
        elif kind == _SYMBOL_TABLE:
            self.is_group = True
            tree, heap = struct.unpack_from("<QQ", body)
            self._links.update(_symbols(self._source, tree, heap))
        elif kind == _LINK:
            self.is_group = True
            self._links.update(_hard_link(body))
        elif kind in (_LINK_INFO, _ATTRIBUTE_INFO):
            self.is_group = self.is_group or kind == _LINK_INFO
            index_size = 8 if kind == _LINK_INFO else 2
            (heap,) = struct.unpack_from("<Q", body, 2 + (index_size if body[1] & 1 else 0))
            if heap != _UNDEFINED:
                raise DenseStorageError


_LINK_INFO, _LINK, _ATTRIBUTE, _CONTINUATION, _SYMBOL_TABLE, _ATTRIBUTE_INFO = 0x02, 0x06, 0x0C, 0x10, 0x11, 0x15
_SHARED = 0x02


def _messages(source: Source, address: int) -> Iterator[tuple[int, bytes]]:
    """Type and body of each message of an object header."""
    prefix = source.at(address, 16)
    if prefix[0] == 1:
        blocks = [(address + 16, int(struct.unpack_from("<I", prefix, 8)[0]))]
        head, tail, layout = 0, 0, struct.Struct("<HHB3x")
    elif prefix.startswith(b"OHDR\x02"):
        flags = prefix[5]
        start = 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
        width = 1 << (flags & 3)
        size = int.from_bytes(source.at(address + start, width), "little")
        blocks = [(address + start + width, size)]
        head, tail, layout = 4, 4, struct.Struct("<BHB2x" if flags & 4 else "<BHB")
    else:
        raise DamagedError("an object header of the HDF5 file is not one")
    seen = set()
    first = True
    while blocks:
        start, size = blocks.pop(0)
        if start in seen:
            raise DamagedError("an object header of the HDF5 file runs in a circle")
        seen.add(start)
        block = source.at(start, size) if first or not head else source.signed(start, size, b"OCHK")[head:-tail]
        first = False
        position = 0
        while position + layout.size <= len(block):
            kind, length, message_flags = layout.unpack_from(block, position)
            body = block[position + layout.size : position + layout.size + length]
            position += layout.size + length
            if kind == _CONTINUATION:
                blocks.append(struct.unpack_from("<QQ", body))
            elif not message_flags & _SHARED:
                yield kind, body


def _attribute(body: bytes) -> tuple[str, _Attribute]:
    version, _flags, name_size, type_size, space_size = struct.unpack_from("<BBHHH", body)
    if version not in (1, 2, 3):
        raise DamagedError(f"HDF5 attribute version {version} is not known")
    position = 9 if version == 3 else 8  # noqa: PLR2004 - version 3 adds a byte for the name's character set
    parts = []
    for size in (name_size, type_size, space_size):
        parts.append(body[position : position + size])
        position += (size + 7) // 8 * 8 if version == 1 else size
    name = parts[0].split(b"\0", 1)[0].decode("utf-8", "replace")
    return name, _Attribute(parts[1], parts[2], body[position:])


_FIXED_STRING, _VARIABLE_LENGTH = 3, 9


def _text(source: Source, attribute: _Attribute) -> Value:
    kind = attribute.datatype[0] & 0x0F
    (size,) = struct.unpack_from("<I", attribute.datatype, 4)
    shape = _shape(attribute.dataspace)
    if shape is None or kind not in (_FIXED_STRING, _VARIABLE_LENGTH) or not 0 < size <= MAX_ATTRIBUTE:
        return None
    count = 1
    for extent in shape:
        count *= extent
    if count * size > len(attribute.data):
        raise DamagedError("an attribute of the HDF5 file is shorter than its shape")
    elements = [attribute.data[index * size : (index + 1) * size] for index in range(count)]
    if kind == _VARIABLE_LENGTH:
        if attribute.datatype[1] & 0x0F != 1:
            return None
        elements = [_variable_length(source, element) for element in elements]
    texts = tuple(element.split(b"\0", 1)[0].decode("utf-8", "replace") for element in elements)
    return texts if shape else texts[0]


def _variable_length(source: Source, reference: bytes) -> bytes:
    length, collection, index = struct.unpack("<IQI", reference)
    return source.heap_object(collection, index)[:length] if length else b""


def _shape(dataspace: bytes) -> tuple[int, ...] | None:
    """Empty for a scalar, None for no element at all."""
    version, rank, _, kind = struct.unpack_from("<BBBB", dataspace)
    if version == 2 and kind == 2:  # noqa: PLR2004 - version 2 of the message, and its code for a null data space
        return None
    return struct.unpack_from(f"<{rank}Q", dataspace, 8 if version == 1 else 4)


def _symbols(source: Source, tree: int, heap: int) -> Iterator[tuple[str, int]]:
    """Name and address of each hard link of a group in the old style."""
    size, _, segment = struct.unpack_from("<QQQ", source.signed(heap, 32, b"HEAP"), 8)
    names = source.at(segment, size)
    nodes, seen = [tree], set()
    while nodes:
        node = nodes.pop()
        if node in seen:
            raise DamagedError("a group of the HDF5 file runs in a circle")
        seen.add(node)
        if source.at(node, 4) == b"TREE":
            _kind, _level, used = struct.unpack_from("<BBH", source.signed(node, 24, b"TREE"), 4)
            children = source.at(node + 24, 16 * used + 8)
            nodes.extend(struct.unpack_from("<Q", children, 8 + 16 * index)[0] for index in reversed(range(used)))
            continue
        (used,) = struct.unpack_from("<H", source.signed(node, 8, b"SNOD"), 6)
        entries = source.at(node + 8, 40 * used)
        for index in range(used):
            offset, address, cached = struct.unpack_from("<QQI", entries, 40 * index)
            if cached != _SOFT_LINK:
                yield names[offset : names.index(b"\0", offset)].decode("utf-8", "replace"), address


_SOFT_LINK = 2


def _hard_link(body: bytes) -> Iterator[tuple[str, int]]:
    flags = body[1]
    position = 2
    kind = 0
    if flags & 0x08:
        kind = body[position]
        position += 1
    position += (8 if flags & 0x04 else 0) + (1 if flags & 0x10 else 0)
    width = 1 << (flags & 3)
    length = int.from_bytes(body[position : position + width], "little")
    position += width
    if kind == 0:
        name = body[position : position + length].decode("utf-8", "replace")
        yield name, struct.unpack_from("<Q", body, position + length)[0]
