"""Gives a folder in memory to what writes one file thousands of times over, or removes a hundred thousand.

A file system flushes what replaces a file to the disk, each time, and a disk may need a tenth of a second for it. It
may also tell the disk of each file that is removed, and then an environment takes longer to remove than to make.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_MEMORY = Path("/dev/shm")  # noqa: S108 - the folder in it has a name that nobody can foresee
_ROOM = 1024**3
"""Bytes. A container may have less, and then the disk is what there is."""


@contextmanager
def folder_in_memory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="loadgate-tests-", dir=memory(_ROOM)) as folder:
        yield Path(folder)


def memory(room: int) -> Path | None:
    """Where files are in memory and programs among them can be run; None where there are not so many bytes of it."""
    if not os.access(_MEMORY, os.W_OK) or os.statvfs(_MEMORY).f_flag & os.ST_NOEXEC:
        return None
    return _MEMORY if min(shutil.disk_usage(_MEMORY).free, available()) > room else None


def available() -> int:
    """Bytes that this machine can still give."""
    (line,) = (line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemAvailable:"))
    return int(line.split()[1]) * 1024


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    with folder_in_memory() as folder:
        yield folder
