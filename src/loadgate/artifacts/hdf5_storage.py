"""Groups and attributes as the HDF5 File Format Specification 3.0 lays them out in a file."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from loadgate.artifacts.hdf5_dense import stored_messages
from loadgate.artifacts.hdf5_groups import MAX_ATTRIBUTE, DamagedError, Group, Value
from loadgate.artifacts.hdf5_source import UNDEFINED, Source

_MAX_DEPTH = 64
_MAX_NAME = 4096
"""Bytes of the longest name of a group or data set that is believed."""


class _Attribute(NamedTuple):
    datatype: bytes
    dataspace: bytes
    data: bytes


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
            heap, tree = struct.unpack_from("<QQ", body, 2 + (index_size if body[1] & 1 else 0))
            if heap != UNDEFINED:
                self._take_dense(_LINK if kind == _LINK_INFO else _ATTRIBUTE, heap, tree)

    def _take_dense(self, kind: int, heap: int, tree: int) -> None:
        for body in stored_messages(self._source, heap, tree):
            self._take(kind, body)


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
_COST_OF_TEXT = 64
"""Bytes that a text takes in memory, however short it is."""


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
    source.spend(count * _COST_OF_TEXT)
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
                end = names.index(b"\0", offset, offset + _MAX_NAME)
                source.spend(end - offset)
                yield names[offset:end].decode("utf-8", "replace"), address


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
