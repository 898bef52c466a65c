"""Gives the bytes of a file as they are asked for, so that weights that nobody looks at are never read."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from loadgate.artifacts.interface import Unreadable

Buffer: TypeAlias = bytes | mmap.mmap


@contextmanager
def mapped(path: Path) -> Iterator[Buffer]:
    """The bytes of a file; they may not be used after the block. Raises `Unreadable` where it cannot be opened."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror}") from error
    with file:
        try:
            buffer = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:  # a file without bytes cannot be mapped
            yield b""
            return
        except OSError as error:
            raise Unreadable(f"cannot be read: {error.strerror}") from error
        with buffer:
            yield buffer
