"""What one file of a repository declares about the packages of a runtime."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from packaging.markers import Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as ParsedRequirement
from packaging.utils import canonicalize_name

from loadgate.domain import Origin, Requirement

TENSORFLOW_NAMES = frozenset(
    {"tensorflow", "tensorflow-cpu", "tensorflow-gpu", "tensorflow-intel", "tensorflow-macos", "tensorflow-rocm"}
    | {"tensorflow-cpu-aws", "tensorflow-aarch64", "intel-tensorflow", "tf-nightly", "tf-nightly-cpu", "tf-nightly-gpu"}
)
BRINGING_NAMES = frozenset(
    {"tensorflow-text", "tensorflow-decision-forests", "tensorflow-serving-api", "tensorflow-serving-api-gpu"}
    | {"tf-models-official", "tensorflowjs", "tfx", "tensorflow-transform", "tensorflow-data-validation", "deepface"}
    | {"tensorflow-model-analysis", "tensorflow-federated", "tensorflow-recommenders", "tensorflow-ranking"}
    | {"keras-nlp", "keras-hub"}
)
"""Packages that require TensorFlow themselves: which one, the resolver finds."""
FOLLOWING_NAMES = frozenset(("tensorflow-text", "tensorflow-serving-api", "tensorflow-serving-api-gpu"))
"""Of those, the ones whose versions are TensorFlow's own."""
KERAS_NAMES = frozenset(("keras", "tf-keras", "keras-nightly"))
TFLITE_NAMES = frozenset(("tflite-runtime", "tflite-runtime-nightly", "ai-edge-litert", "ai-edge-litert-nightly"))

LINUX = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "extra": ""}
"""Where runtimes are made. The rest of a marker's environment, but for the Python, is this interpreter's own."""

DOCKERFILES = ("Dockerfile", "Dockerfile.*", "*.Dockerfile", "*.dockerfile", "Containerfile")

PYTHONS = tuple(f"3.{minor}" for minor in range(6, 16))
"""Those that a line may be meant for, oldest first, where the runtime's own is not known yet."""

PATCHES = (0, 99)
"""The first and one beyond the last, where only a minor version is known."""


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
    left_out: tuple[Requirement, ...] = ()
    """Lines that the resolver cannot be given. Each is a note as well."""
    notes: tuple[str, ...] = ()
    python: Python | None = None
    files: tuple[str, ...] = ()
    """Every file that was read, relative to the repository."""
    for_development: bool = False
    """Only a group for development brings TensorFlow or Keras."""


def asks_for(text: str, packages: frozenset[str], python: str | None = None) -> bool:
    """A requirements line asks for one of `packages`, by their normalised names, on Linux, in that Python or in any."""
    name = re.match(r"[A-Za-z0-9._-]+", text)
    if name is None or canonicalize_name(name[0]) not in packages:
        return False
    try:
        parsed = ParsedRequirement(text.split(" --", 1)[0])
    except InvalidRequirement:
        return False
    return holds(parsed.marker, python)


def holds(marker: Marker | None, python: str | None = None) -> bool:
    """On Linux, in that Python, such as `3.11` or `3.11.7`; in any at all, where it is None."""
    pythons = PYTHONS if python is None else (python,)
    try:
        return marker is None or any(
            marker.evaluate({**LINUX, "python_version": minor, "python_full_version": full})
            for minor, full in _versions(pythons)
        )
    except (UndefinedComparison, UndefinedEnvironmentName):
        return True


def _versions(pythons: Iterable[str]) -> Iterator[tuple[str, str]]:
    for python in pythons:
        parts = python.split(".")
        fulls = [python] if len(parts) > 2 else [f"{python}.{patch}" for patch in PATCHES]  # noqa: PLR2004
        yield from ((".".join(parts[:2]), full) for full in fulls)


def first_named(requirements: Iterable[Requirement], packages: frozenset[str]) -> Requirement | None:
    return next((line for line in requirements if asks_for(line.text, packages)), None)


def is_dockerfile(file: str) -> bool:
    return any(fnmatchcase(posixpath.basename(file), pattern) for pattern in DOCKERFILES)
