"""Which Python to use, from what the repository says and what the TensorFlow asked for has builds for."""

from __future__ import annotations

import re
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from loadgate.declared import Python, holds
from loadgate.domain import Origin
from loadgate.repository import UnusableFileError, read_text

FILES = (".python-version", "runtime.txt")
LONGEST_RANGE = 200


def read(root: Path, name: str) -> Python | None:
    """`.python-version` of pyenv and uv, or `runtime.txt` of Heroku and others. None where it names none."""
    try:
        lines = read_text(root, name).splitlines()
    except UnusableFileError:
        return None
    for number, line in enumerate(lines, start=1):
        said = re.match(r"\s*(?:c?python-?)?(3\.\d+(?:\.\d+)?)(?![\w.])", line)
        if said:
            return Python(said=said[1], origin=Origin(file=name, line=number))
    return None


def version_of(python: Python, tensorflow: Requirement) -> str | None:
    """The version that `python` means: itself, or the oldest of a range for which TensorFlow is meant and has builds.

    The oldest of the range is what the project promises to work with, of those that the newest TensorFlow has builds
    for, or an older one that is allowed too. None where there is no such version.
    """
    exact = re.fullmatch(r"(?:==\s*)?(3\.\d+(?:\.\d+)?)", python.said)
    if exact:
        return exact[1]
    if len(python.said) > LONGEST_RANGE:
        return None
    try:
        range_ = SpecifierSet(python.said)
    except InvalidSpecifier:
        return None
    from loadgate.runtimes.supported_pythons import supports_of

    built = (each for support in supports_of(tensorflow.specifier) for each in reversed(support.pythons()))
    return next((each for each in built if holds(tensorflow.marker, each) and _allows(range_, each)), None)


def _allows(range_: SpecifierSet, minor: str) -> bool:
    """`3.11` where any 3.11.x will do: `>=3.11.4` allows 3.11, and so does `==3.11.*`."""
    return any(range_.contains(f"{minor}.{patch}") for patch in (*range(30), 99))
