"""Gives a folder in memory to what writes one file thousands of times over.

A file system flushes what replaces a file to the disk, each time, and a disk may need a tenth of a second for it.
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
    is_there = os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM
    with tempfile.TemporaryDirectory(prefix="loadgate-tests-", dir=_MEMORY if is_there else None) as folder:
        yield Path(folder)


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    with folder_in_memory() as folder:
        yield folder
