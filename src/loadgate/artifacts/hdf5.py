"""Reads the groups and attributes of an HDF5 file, and nothing else: no data set, no filter, no link out of the file.

libhdf5 crashes on some hostile files, and importing h5py costs more time than everything else that is read from an
artifact. So what the library writes unless told otherwise is read by `hdf5_storage.py`, in bounds. Only dense storage,
which is written on demand (`libver="latest"` and more than eight attributes or links), is left to h5py.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from loadgate.artifacts.hdf5_groups import (
    MAX_ATTRIBUTE,
    SIGNATURE,
    DamagedError,
    DenseStorageError,
    Group,
    TruncatedError,
    Value,
)
from loadgate.artifacts.hdf5_storage import Source, StoredGroup

__all__ = ["MAX_ATTRIBUTE", "DamagedError", "Group", "TruncatedError", "Value", "is_hdf5", "read", "read_part"]

Result = TypeVar("Result")


def is_hdf5(head: bytes) -> bool:
    """The signature lies at 0, or at 512, 1024, 2048, … where a user block precedes it."""
    return head.startswith(SIGNATURE) or any(head.startswith(SIGNATURE, offset) for offset in (512, 1024, 2048))


def read(path: Path, reader: Callable[[Group], Result]) -> Result:
    """What `reader` makes of the root group of a file."""
    try:
        with open(path, "rb") as stream:
            return read_part(stream.fileno(), 0, os.fstat(stream.fileno()).st_size, reader)
    except DenseStorageError:
        pass
    from loadgate.artifacts import hdf5_library

    with hdf5_library.opened(path) as root:
        return reader(root)


def read_part(descriptor: int, start: int, size: int, reader: Callable[[Group], Result]) -> Result:
    """What `reader` makes of an HDF5 file that lies within another one, such as a stored member of a zip.

    Raises `DamagedError` for dense storage too where the part is not a whole file.
    """
    whole = start == 0 and size == os.fstat(descriptor).st_size
    source = Source(descriptor, start, size)
    try:
        return reader(StoredGroup(source, source.root_address()))
    except DenseStorageError:
        if whole:
            raise
        raise DamagedError("a layout that is not read inside another file") from None
    except (struct.error, IndexError, ValueError) as error:
        raise DamagedError("a structure of the HDF5 file is cut short") from error
