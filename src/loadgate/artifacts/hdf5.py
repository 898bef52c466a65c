"""Reads the groups and attributes of an HDF5 file, and nothing else: no data set, no filter, no link out of the file.

libhdf5 crashes on some hostile files, and importing h5py costs more time than everything else that is read from an
artifact. So what the library writes unless told otherwise is read here, in bounds, by the HDF5 File Format
Specification 3.0. Only dense storage, which is written on demand (`libver="latest"` and more than eight attributes
or links), is left to h5py.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

if TYPE_CHECKING:
    import h5py

SIGNATURE = b"\x89HDF\r\n\x1a\n"
MAX_ATTRIBUTE = 16 * 1024**2
"""Bytes of one attribute. The largest configurations in use are a few megabytes."""
_MAX_TOTAL = 64 * 1024**2
_MAX_OBJECTS = 50_000
_MAX_DEPTH = 64
_UNDEFINED = 0xFFFF_FFFF_FFFF_FFFF

Value = str | tuple[str, ...] | None
"""An attribute's text, its texts where it is an array, None where it is something else."""
Result = TypeVar("Result")


class DamagedError(Exception):
    """The bytes are no HDF5 file that can be followed. The message is one line for a person."""


class TruncatedError(DamagedError):
    """The file ends before the end that it declares."""


class _DenseStorageError(Exception):
    """Needs h5py."""


class Group(Protocol):
    def attribute(self, name: str) -> Value:
        """Its text, or None where there is no such attribute or it is no text."""

    def attribute_names(self) -> Sequence[str]: ...

    def members(self) -> Sequence[str]:
        """Names of the groups and data sets in it."""

    def group(self, name: str) -> Group | None:
        """A group in it; None where there is none of that name."""


def is_hdf5(head: bytes) -> bool:
    """The signature lies at 0, or at 512, 1024, 2048, … where a user block precedes it."""
    return head.startswith(SIGNATURE) or any(head.startswith(SIGNATURE, offset) for offset in (512, 1024, 2048))


def read(path: Path, reader: Callable[[Group], Result]) -> Result:
    """What `reader` makes of the root group of a file."""
    try:
        with open(path, "rb") as stream:
            return read_part(stream.fileno(), 0, os.fstat(stream.fileno()).st_size, reader)
    except _DenseStorageError:
        pass
    with _opened_by_library(path) as root:
        return reader(root)


def read_part(descriptor: int, start: int, size: int, reader: Callable[[Group], Result]) -> Result:
    """What `reader` makes of an HDF5 file that lies within another one, such as a stored member of a zip.

    Raises `DamagedError` for dense storage too where the part is not a whole file.
    """
    whole = start == 0 and size == os.fstat(descriptor).st_size
    source = _Source(descriptor, start, size)
    try:
        return reader(_StoredGroup(source, source.root_address()))
    except _DenseStorageError:
        if whole:
            raise
        raise DamagedError("a layout that is not read inside another file") from None
    except (struct.error, IndexError, ValueError) as error:
        raise DamagedError("a structure of the HDF5 file is cut short") from error


# --- the file as the specification describes it -----------------------------------------------------------------


class _Attribute(NamedTuple):
    datatype: bytes
    dataspace: bytes
    data: bytes


class _Source:
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
        if self._objects > _MAX_OBJECTS:
            raise DamagedError(f"more than {_MAX_OBJECTS:,} objects")

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


class _StoredGroup:
    def __init__(self, source: _Source, address: int, depth: int = 0) -> None:
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
        member = _StoredGroup(self._source, address, self._depth + 1)
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
                raise _DenseStorageError


_LINK_INFO, _LINK, _ATTRIBUTE, _CONTINUATION, _SYMBOL_TABLE, _ATTRIBUTE_INFO = 0x02, 0x06, 0x0C, 0x10, 0x11, 0x15
_SHARED = 0x02


def _messages(source: _Source, address: int) -> Iterator[tuple[int, bytes]]:
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


def _text(source: _Source, attribute: _Attribute) -> Value:
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


def _variable_length(source: _Source, reference: bytes) -> bytes:
    length, collection, index = struct.unpack("<IQI", reference)
    return source.heap_object(collection, index)[:length] if length else b""


def _shape(dataspace: bytes) -> tuple[int, ...] | None:
    """Empty for a scalar, None for no element at all."""
    version, rank, _, kind = struct.unpack_from("<BBBB", dataspace)
    if version == 2 and kind == 2:  # noqa: PLR2004 - version 2 of the message, and its code for a null data space
        return None
    return struct.unpack_from(f"<{rank}Q", dataspace, 8 if version == 1 else 4)


def _symbols(source: _Source, tree: int, heap: int) -> Iterator[tuple[str, int]]:
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


# --- dense storage, through h5py ----------------------------------------------------------------------------------


class _LibraryGroup:
    def __init__(self, group: h5py.Group, budget: list[int]) -> None:
        budget[0] -= 1
        if budget[0] < 0:
            raise DamagedError(f"more than {_MAX_OBJECTS:,} objects")
        self._group = group
        self._budget = budget

    def attribute_names(self) -> Sequence[str]:
        return tuple(self._group.attrs)

    def attribute(self, name: str) -> Value:
        import numpy as np

        if name not in self._group.attrs:
            return None
        identifier = self._group.attrs.get_id(name)
        if identifier.dtype.kind not in "SO" or identifier.get_storage_size() > MAX_ATTRIBUTE:
            return None
        value = self._group.attrs[name]
        if isinstance(value, (str, bytes)):
            return _as_str(value)
        if not isinstance(value, np.ndarray):
            return None
        return tuple(_as_str(element) for element in value.ravel() if isinstance(element, (str, bytes)))

    def members(self) -> Sequence[str]:
        return tuple(self._group)

    def group(self, name: str) -> Group | None:
        import h5py

        link = self._group.get(name, getlink=True)
        member = self._group[name] if isinstance(link, h5py.HardLink) else None
        return _LibraryGroup(member, self._budget) if isinstance(member, h5py.Group) else None


@contextmanager
def _opened_by_library(path: Path) -> Iterator[Group]:
    import h5py

    try:
        with h5py.File(path, "r", locking=False) as file:
            yield _LibraryGroup(file, [_MAX_OBJECTS])
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, MemoryError) as error:
        raise DamagedError(" ".join(str(error).split())[:200]) from error


def _as_str(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.split(b"\0", 1)[0].decode("utf-8", "replace")
