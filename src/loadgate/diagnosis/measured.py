"""What the compatibility lab measured: which artifact of its catalogue loads in which runtime."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

import msgspec


class Cell(StrEnum):
    """What one load came to."""

    SAME = "="
    """It loads and computes what its saver computed."""
    LOADS = "+"
    """It loads; whether it computes the same could not be compared."""
    DIFFERENT = "~"
    """It loads without a word, and computes something else or holds none of the weights."""
    DOES_NOT_RUN = "!"
    """It loads, and its first call raises."""
    EXCEPTION = "x"
    HANGS = "t"
    OUT_OF_MEMORY = "m"
    CRASHES = "c"
    NOT_MEASURED = "?"

    @property
    def loads(self) -> bool:
        return self in (Cell.SAME, Cell.LOADS, Cell.DIFFERENT, Cell.DOES_NOT_RUN)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredRuntime:
    name: str
    tensorflow: str
    python: str
    keras: str
    keras_module: str
    packages: Mapping[str, str]
    """The few that decide; the whole lock is with the raw results."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A kind of exception: its type, and its message without what differs from file to file."""

    type: str
    message: str
    loads: int
    """How many loads ended with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One artifact through one loader."""

    artifact: str
    """`saver/format/model`."""
    loader: str
    """A `Loader`, or `keras+compile` for `load_model(path, compile=True)`, which only compiled models were given to."""
    imports: bool
    """The module that defines the model's own code was imported first."""
    outcomes: str
    """One `Cell` a runtime, in the order of `Measured.runtimes`."""
    failures: tuple[int, ...]
    """For each cell that does not load, in the same order, which of `Measured.failures` it was."""

    @property
    def saver(self) -> str:
        return self.artifact.split("/")[0]

    @property
    def format(self) -> str:
        return self.artifact.split("/")[1]

    @property
    def model(self) -> str:
        return self.artifact.split("/")[2]

    def cells(self) -> Iterator[tuple[Cell, int | None]]:
        """Each outcome with the number of its failure, None where it loads or was not measured."""
        failures = iter(self.failures)
        for character in self.outcomes:
            cell = Cell(character)
            yield cell, None if cell.loads or cell is Cell.NOT_MEASURED else next(failures)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    version: int
    measured: str
    """The day."""
    command: str
    machine: str
    loads: int
    runtimes: tuple[MeasuredRuntime, ...]
    failures: tuple[Failure, ...]
    rows: tuple[Row, ...]


@cache
def measured() -> Measured:
    content = files("loadgate.diagnosis").joinpath("measured.json").read_bytes()
    return msgspec.json.decode(content, type=Measured)
