"""Bounded reads in an HDF5 file: what all of its groups and attributes may cost together has a limit."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

from loadgate.artifacts.hdf5_groups import MAX_ATTRIBUTE, DamagedError, TooLargeError, TruncatedError

SIGNATURE = b"\x89HDF\r\n\x1a\n"
UNDEFINED = 0xFFFF_FFFF_FFFF_FFFF
"""The address of what is not there."""
_MAX_TOTAL = 64 * 1024**2
_LEAST_COST = 64
"""Bytes that reading a few, or one text, is counted as: many small structures take as long as one that is large."""
_MAX_OBJECTS = 50_000


class Source:
    """The file, or the part of another file, by its own addresses."""

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
        self.spend(length)
        data = os.pread(self._descriptor, length, self._start + position)
        if len(data) != length:
            raise DamagedError("the file became shorter while it was read")
        return data

    def spend(self, length: int) -> None:
        """Count bytes that are read or copied: a small file can have the same ones copied any number of times."""
        self._read += max(length, _LEAST_COST)
        if self._read > _MAX_TOTAL:
            raise TooLargeError(f"its groups and attributes take more than {_MAX_TOTAL:,} bytes")

    def signed(self, address: int, length: int, signature: bytes) -> bytes:
        block = self.at(address, length)
        if not block.startswith(signature):
            raise DamagedError(f"a structure of the HDF5 file lacks its signature {signature.decode()}")
        return block

    def count_object(self) -> None:
        self._objects += 1
        if self._objects > _MAX_OBJECTS:
            raise TooLargeError(f"more than {_MAX_OBJECTS:,} objects")

    def heap_object(self, collection: int, index: int) -> bytes:
        if collection not in self._collections:
            self._collections[collection] = dict(self._collection(collection))
        try:
            content = self._collections[collection][index]
            self.spend(len(content))
            return content
        except KeyError:
            raise DamagedError("a text is missing from the HDF5 file's global heap") from None

    def _collection(self, address: int) -> Iterator[tuple[int, bytes]]:
        (size,) = struct.unpack_from("<Q", self.signed(address, 16, b"GCOL"), 8)
        if size > MAX_ATTRIBUTE + 4096:
            raise TooLargeError(f"an attribute of more than {MAX_ATTRIBUTE:,} bytes")
        block = self.at(address, size)
        position = 16
        while position + 16 <= size:
            index, _, _, length = struct.unpack_from("<HHIQ", block, position)
            if index == 0:
                return
            yield index, block[position + 16 : position + 16 + length]
            position += 16 + (length + 7) // 8 * 8
