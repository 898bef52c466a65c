"""Reads the groups and attributes of an HDF5 file, and nothing else: no data set, no filter, no link out of the file.

h5py is not used for it. libhdf5 loops for ever on some damaged files (seen with HDF5 2.0.0 on one of 34 KB) and crashes
on others, and importing h5py takes longer than reading everything that is wanted of an artifact.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from loadgate.artifacts.hdf5_groups import MAX_ATTRIBUTE, DamagedError, Group, TooLargeError, TruncatedError, Value
from loadgate.artifacts.hdf5_source import SIGNATURE, Source
from loadgate.artifacts.hdf5_storage import StoredGroup
from loadgate.artifacts.zip_members import LOCAL_HEADER

__all__ = [
    "MAX_ATTRIBUTE",
    "SIGNATURE",
    "DamagedError",
    "Group",
    "TooLargeError",
    "TruncatedError",
    "Value",
    "is_hdf5",
    "read",
    "read_part",
]

Result = TypeVar("Result")


def is_hdf5(head: bytes) -> bool:
    """The signature lies at 0, or at 512, 1024, 2048, … where a user block precedes it.

    An archive of Keras holds a file of HDF5, which may begin at such a place as well.
    """
    if head.startswith(LOCAL_HEADER):
        return False
    return head.startswith(SIGNATURE) or any(head.startswith(SIGNATURE, offset) for offset in (512, 1024, 2048))


def read(path: Path, reader: Callable[[Group], Result]) -> Result:
    """What `reader` makes of the root group of a file. Raises `DamagedError`."""
    with open(path, "rb") as stream:
        return read_part(stream.fileno(), 0, os.fstat(stream.fileno()).st_size, reader)


def read_part(descriptor: int, start: int, size: int, reader: Callable[[Group], Result]) -> Result:
    """As `read`, for a file that lies within another one, such as a stored member of a zip."""
    source = Source(descriptor, start, size)
    try:
        return reader(StoredGroup(source, source.root_address()))
    except (struct.error, IndexError, ValueError, OverflowError) as error:  # a length may be more than Python can index
        raise DamagedError("a structure of the HDF5 file is cut short") from error
