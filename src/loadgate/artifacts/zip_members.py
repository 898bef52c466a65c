"""Finds a few members of a zip by name and reads them, bounded, whatever its headers claim.

The standard library's reader makes an object of every member before it can be asked for one, and there can be millions:
a list of two million names of 100 MB took it 15 s and a gigabyte. What is read here is what APPNOTE 6.3.10 calls the
central directory (4.3.12), its end (4.3.16), and both in ZIP64 (4.3.14, 4.3.15, 4.5.3).
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import IO

LOCAL_HEADER = b"PK\x03\x04"
_ENTRY_SIGNATURE = b"PK\x01\x02"
_ENTRY = struct.Struct("<4s4B4HI2I5H2I")
_END_SIGNATURE = b"PK\x05\x06"
_END = struct.Struct("<4s4H2IH")
_MAX_COMMENT = 0xFFFF
_ZIP64_LOCATOR = b"PK\x06\x07"
_ZIP64_LOCATOR_SIZE = 20
_ZIP64_END_SIGNATURE = b"PK\x06\x06"
_ZIP64_END = struct.Struct("<4sQ2H2I4Q")
_ZIP64_EXTRA = 1
_IN_ZIP64 = 0xFFFF_FFFF
_MAX_DIRECTORY = 4 * 1024**2
"""Bytes of the list of members: thousands of times what Keras writes."""
STORED, _DEFLATED = 0, 8
_ENCRYPTED = 1


class DamagedZipError(Exception):
    """The message is one line for a person."""


class TooLargeZipError(DamagedZipError):
    """Nothing is known to be wrong with it, but it is more than is read."""


class TruncatedZipError(DamagedZipError):
    """The list of members, which ends every zip, is not there."""


@dataclass(frozen=True, slots=True)
class Member:
    name: str
    method: int
    is_encrypted: bool
    checksum: int
    packed: int
    """Bytes."""
    size: int
    """Bytes, once unpacked; as it is declared."""
    header: int
    """Where its local header lies in the file."""


def members(stream: IO[bytes]) -> Iterator[Member]:
    """In the order of the list; where a name comes twice, the last counts. Raises `DamagedZipError`."""
    directory, shift = _directory(stream)
    position = 0
    while position < len(directory):
        if not directory.startswith(_ENTRY_SIGNATURE, position) or position + _ENTRY.size > len(directory):
            raise DamagedZipError("the zip's list of members is damaged")
        fields = _ENTRY.unpack_from(directory, position)
        flags, method, checksum, packed, size = fields[5], fields[6], fields[9], fields[10], fields[11]
        name_length, extra_length, comment_length, header = fields[12], fields[13], fields[14], fields[18]
        start = position + _ENTRY.size
        name = directory[start : start + name_length]
        extra = directory[start + name_length : start + name_length + extra_length]
        size, packed, header = _in_zip64(extra, size, packed, header)
        text = name.decode("utf-8", "replace")
        yield Member(text, method, bool(flags & _ENCRYPTED), checksum, packed, size, header + shift)
        position = start + name_length + extra_length + comment_length


def content(stream: IO[bytes], member: Member, limit: int) -> bytes:
    """All of a member. Raises `DamagedZipError`, also where it is longer than `limit`."""
    if max(member.size, member.packed) > limit:
        raise TooLargeZipError(f"{member.name} takes {max(member.size, member.packed):,} bytes")
    if member.is_encrypted or member.method not in (STORED, _DEFLATED):
        raise DamagedZipError(f"{member.name} is encrypted, or packed in a way that is not read")
    stream.seek(data_start(stream, member))
    packed = stream.read(member.packed)
    data = packed if member.method == STORED else _inflated(packed, member)
    if len(data) != member.size or zlib.crc32(data) != member.checksum:
        raise DamagedZipError(f"{member.name} is not what its checksum says")
    return data


def data_start(stream: IO[bytes], member: Member) -> int:
    """Where the bytes of a member begin in the file. Raises `DamagedZipError`."""
    size = stream.seek(0, os.SEEK_END)
    if not 0 <= member.header <= size - 30:
        raise DamagedZipError(f"{member.name} does not lie in the file")
    stream.seek(member.header)
    header = stream.read(30)
    if not header.startswith(LOCAL_HEADER):
        raise DamagedZipError(f"{member.name} does not lie where the zip's list of members says")
    name_length, extra_length = struct.unpack_from("<HH", header, 26)
    return int(member.header + 30 + name_length + extra_length)


def holds(stream: IO[bytes], names: Collection[bytes]) -> bool:
    """Whether all of these names may be in the list. Much quicker than to read it."""
    directory, _ = _directory(stream)
    return all(name in directory for name in names)


def _inflated(packed: bytes, member: Member) -> bytes:
    """At most a byte more than it is declared to be, which may be a lie."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        return inflater.decompress(packed, member.size + 1)
    except zlib.error as error:
        raise DamagedZipError(f"{member.name} cannot be unpacked: {error}") from error


def _directory(stream: IO[bytes]) -> tuple[bytes, int]:
    """The list of members as it is stored, and how much further back everything lies than it says."""
    size = stream.seek(0, os.SEEK_END)
    for comment in (0, _MAX_COMMENT):
        tail_start = max(0, size - _END.size - comment)
        stream.seek(tail_start)
        tail = stream.read()
        position = tail.rfind(_END_SIGNATURE)
        if 0 <= position <= len(tail) - _END.size:
            break
    else:
        raise TruncatedZipError(f"{size:,} bytes are there, and the list of members that ends a zip is not")
    end = tail_start + position
    fields = _END.unpack_from(tail, position)
    end, length, start = _end_in_zip64(stream, end) or (end, fields[5], fields[6])
    if length > _MAX_DIRECTORY:
        raise TooLargeZipError(f"the zip's list of members takes {length:,} bytes")
    if length > end:
        raise DamagedZipError("the zip's list of members is longer than the file")
    stream.seek(end - length)
    return stream.read(length), end - length - start


def _end_in_zip64(stream: IO[bytes], end: int) -> tuple[int, int, int] | None:
    """Where the list of members ends, how long it is and where it says that it starts, in a file beyond 4 GB."""
    at = end - _ZIP64_LOCATOR_SIZE - _ZIP64_END.size
    if at < 0:
        return None
    stream.seek(at)
    record = stream.read(_ZIP64_END.size)
    if not stream.read(4).startswith(_ZIP64_LOCATOR) or not record.startswith(_ZIP64_END_SIGNATURE):
        return None
    fields = _ZIP64_END.unpack(record)
    return at, fields[8], fields[9]


def _in_zip64(extra: bytes, *values: int) -> tuple[int, int, int]:
    """The sizes and the offset, from the extra field those of them that do not fit into 32 bits."""
    found = list(values)
    position = 0
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, position)
        if kind == _ZIP64_EXTRA:
            wide = [
                int.from_bytes(extra[at : at + 8], "little") for at in range(position + 4, position + 4 + length, 8)
            ]
            found = [wide.pop(0) if value == _IN_ZIP64 and wide else value for value in found]
            break
        position += 4 + length
    size, packed, header = found
    return size, packed, header
