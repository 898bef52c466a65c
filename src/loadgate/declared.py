"""What one file of a repository declares about the packages of a runtime."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from packaging.markers import Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as ParsedRequirement
from packaging.utils import canonicalize_name

from loadgate.domain import Origin, Requirement

TENSORFLOW_NAMES = frozenset(
    {"tensorflow", "tensorflow-cpu", "tensorflow-gpu", "tensorflow-intel", "tensorflow-macos", "tensorflow-rocm"}
    | {"tensorflow-cpu-aws", "tensorflow-aarch64", "intel-tensorflow", "tf-nightly", "tf-nightly-cpu", "tf-nightly-gpu"}
)
KERAS_NAMES = frozenset(("keras", "tf-keras", "keras-nightly"))
TFLITE_NAMES = frozenset(("tflite-runtime", "tflite-runtime-nightly", "ai-edge-litert", "ai-edge-litert-nightly"))

LINUX = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "extra": ""}
"""Where runtimes are made. The rest of a marker's environment is this interpreter's own."""

PYTHONS = tuple(f"3.{minor}" for minor in range(6, 16))
"""A runtime's Python is not known yet when its requirements are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Python:
    """What a file says of the Python to use."""

    said: str
    """A version such as `3.11` or `3.11.7`, or a specifier such as `>=3.9,<3.12`."""
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    requirements: tuple[Requirement, ...] = ()
    constraints: tuple[Requirement, ...] = ()
    notes: tuple[str, ...] = ()
    python: Python | None = None
    files: tuple[str, ...] = ()
    """Every file that was read, relative to the repository."""


def package_name(text: str) -> str | None:
    """Normalised name of the distribution that a requirements line asks for on Linux; None where it names none."""
    try:
        parsed = ParsedRequirement(text.split(" --", 1)[0])
    except InvalidRequirement:
        return None
    if parsed.marker is not None and not _can_hold(parsed.marker):
        return None
    return canonicalize_name(parsed.name)


def _can_hold(marker: Marker) -> bool:
    try:
        return any(
            marker.evaluate({**LINUX, "python_version": python, "python_full_version": f"{python}.0"})
            for python in PYTHONS
        )
    except (UndefinedComparison, UndefinedEnvironmentName):
        return True


def first_named(requirements: Iterable[Requirement], names: frozenset[str]) -> Requirement | None:
    return next((line for line in requirements if package_name(line.text) in names), None)
