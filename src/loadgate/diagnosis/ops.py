"""Which TensorFlow brings which op, and which package registers which. Measured by `lab/ops.py`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import msgspec
from packaging.version import Version

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
    gained: Mapping[str, Mapping[str, tuple[str, ...]]]
    """Measured version → op → attributes that it has in it and did not have in the one before."""
    tflite: Mapping[str, Mapping[str, int]]
    """Measured version → op of TFLite → the newest of its versions there, where that is another than in the one before.
    0 where it no longer has it."""


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


def first_tensorflow_with_attribute(op: str, attribute: str) -> str | None:
    """The first measured minor version whose op has it; None where all have it that have the op, or none."""
    return _gained().get((op, attribute))


def newest_tflite_version(op: str, tensorflow: Version) -> int | None:
    """The newest version of an op of TFLite that a TensorFlow takes; 0 where it has no such op, None where the
    versions that were measured next to it differ."""
    steps = [(Version(version), ops[op]) for version, ops in table().tflite.items() if op in ops]
    own = Version(f"{tensorflow.major}.{tensorflow.minor}")
    measured = [Version(version) for version in table().tflite]
    below = max((each for each in measured if each <= own), default=None)
    above = min((each for each in measured if each >= own), default=below)
    if below is None or above is None:
        return None
    at = {each: next((newest for since, newest in reversed(steps) if since <= each), 0) for each in (below, above)}
    return at[below] if at[below] == at[above] else None


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
def _gained() -> Mapping[tuple[str, str], str]:
    return {
        (op, attribute): version
        for version, ops in table().gained.items()
        for op, attributes in ops.items()
        for attribute in attributes
    }
