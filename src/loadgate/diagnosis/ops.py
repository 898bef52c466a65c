"""Which TensorFlow brings which op, and which package registers which. Measured by `lab/ops.py`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import msgspec

ADDONS = "Addons>"


class Table(msgspec.Struct, frozen=True):
    measured: tuple[str, ...]
    """Minor versions of TensorFlow, oldest first."""
    since: Mapping[str, tuple[str, ...]]
    """First measured version that has them → ops; those that the oldest has are left out."""
    until: Mapping[str, tuple[str, ...]]
    """Last measured version that has them → ops; those that the newest has are left out."""
    packages: Mapping[str, tuple[str, ...]]
    always: tuple[str, ...]
    """What every measured version has."""
    gained: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    """Measured version → ops with an attribute in it that they did not have in the one before."""


def package_of_op(op: str) -> str | None:
    """The package that registers the op; None for TensorFlow's own and for those of nobody that was measured."""
    if op.startswith(ADDONS):
        return "tensorflow-addons"
    return _packages().get(op)


def first_tensorflow_with(op: str) -> str | None:
    """The first measured minor version that has it, such as `2.11`; None where all have it or none."""
    return _since().get(op)


def last_tensorflow_with(op: str) -> str | None:
    """The last measured minor version that has it; None where the newest has it or none."""
    return _until().get(op)


def is_measured(op: str) -> bool:
    """Whether anything that was measured has it; of what every TensorFlow has, the table says nothing."""
    return package_of_op(op) is not None or op in _since() or op in _until()


def gained_attributes(op: str) -> tuple[str, ...]:
    """The measured minor versions in which it got an attribute that those before do not know, oldest first."""
    return _gained().get(op, ())


def is_known(op: str) -> bool:
    """Whether TensorFlow has it in any version, or a package that was measured."""
    return op in _always() or is_measured(op)


@cache
def table() -> Table:
    content = files("loadgate.diagnosis").joinpath("ops.json").read_bytes()
    return msgspec.json.decode(content, type=Table)


@cache
def _packages() -> Mapping[str, str]:
    return {op: package for package, ops in table().packages.items() for op in ops}


@cache
def _since() -> Mapping[str, str]:
    return {op: version for version, ops in table().since.items() for op in ops}


@cache
def _until() -> Mapping[str, str]:
    return {op: version for version, ops in table().until.items() for op in ops}


@cache
def _always() -> frozenset[str]:
    return frozenset(table().always)


@cache
def _gained() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for version, ops in table().gained.items():
        for op in ops:
            found.setdefault(op, []).append(version)
    return {op: tuple(versions) for op, versions in found.items()}
