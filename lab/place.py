"""Where the lab keeps what it measures. Files are appended to or written whole, so that it goes on after any end."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from loadgate.domain import Lock
from loadgate.interchange import write_whole

REPOSITORY = Path(__file__).parents[1]
INSIDE = Path(__file__).with_name("inside")
"""What runs in the runtimes."""


@dataclass(frozen=True, slots=True)
class Place:
    root: Path
    results: str = "loads.jsonl"

    @property
    def artifacts(self) -> Path:
        return self.root / "artifacts"

    @property
    def runtimes(self) -> Path:
        return self.root / "runtimes.json"

    @property
    def between(self) -> Path:
        return self.root / "between.json"

    @property
    def constraints(self) -> Path:
        return self.root / "constraints.json"

    @property
    def catalogue(self) -> Path:
        return self.root / "artifacts.jsonl"

    @property
    def not_saved(self) -> Path:
        return self.root / "not_saved.jsonl"

    @property
    def loads(self) -> Path:
        return self.root / self.results

    @property
    def parts(self) -> Path:
        return self.root / "parts.jsonl"

    @property
    def part_loads(self) -> Path:
        return self.root / "part_loads.jsonl"

    @property
    def words(self) -> Path:
        return self.root / "words.json"

    def locks(self) -> dict[str, Lock]:
        """Of every runtime that could be made, by name."""
        return locks_in(self.runtimes)

    def locks_of_parts(self) -> dict[str, Lock]:
        """Beside them, of those in which parts alone are loaded."""
        return {**self.locks(), **locks_in(self.between)}


def locks_in(path: Path) -> dict[str, Lock]:
    return msgspec.json.decode(path.read_bytes(), type=dict[str, Lock]) if path.exists() else {}


def default_place() -> Path:
    return Path(os.environ.get("LOADGATE_LAB") or REPOSITORY / ".lab")


def default_cache() -> Path:
    return Path(os.environ.get("LOADGATE_LAB_CACHE") or Path.home() / ".cache" / "loadgate-lab")


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The records of an append-only file, without a last line that a killed run left unfinished."""
    if not path.exists():
        return
    whole, _, _unfinished = path.read_bytes().rpartition(b"\n")
    for line in whole.split(b"\n"):
        if line.strip():
            yield msgspec.json.decode(line)


def append_line(path: Path, record: Any) -> None:
    """Append whole lines only: what a killed run left of its last one is cut off first. Several may append at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        stream.seek(0, os.SEEK_END)
        if stream.tell():
            stream.seek(-1, os.SEEK_END)
            if stream.read(1) != b"\n":
                stream.truncate(_end_of_last_line(path))
        stream.write(msgspec.json.encode(record) + b"\n")


def _end_of_last_line(path: Path) -> int:
    return path.read_bytes().rfind(b"\n") + 1


def write_json(path: Path, document: Any) -> None:
    write_whole(path, json.dumps(msgspec.to_builtins(document), indent=1).encode() + b"\n")
