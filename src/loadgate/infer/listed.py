"""The files that list a runtime's packages, each read by the module that knows its kind."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from loadgate import requirements
from loadgate.declared import Declared
from loadgate.infer import conda, flat_lock, pipfile, pipfile_lock, poetry_lock, pyproject, setup_cfg, setup_py, uv_lock


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of file: how it is named, and how it is read."""

    patterns: tuple[str, ...]
    read: Callable[[Path, str], Declared]


def _read_source(root: Path, name: str) -> Declared:
    """What pip-compile makes a requirements file from: where that is there, it says more."""
    return requirements.read(root, name)


KINDS = (
    Kind(("uv.lock",), uv_lock.read),
    Kind(("poetry.lock",), poetry_lock.read),
    Kind(("Pipfile.lock",), pipfile_lock.read),
    Kind(("pdm.lock",), flat_lock.read_pdm),
    Kind(("pylock.toml", "pylock.*.toml"), flat_lock.read_pylock),
    Kind(("requirements*.txt", "*-requirements.txt", "*_requirements.txt", "requirement.txt"), requirements.read),
    Kind(("requirements*.in", "*-requirements.in", "*_requirements.in"), _read_source),
    Kind(("Pipfile",), pipfile.read),
    Kind(("pyproject.toml",), pyproject.read),
    Kind(("environment*.yml", "environment*.yaml", "conda*.yml", "conda*.yaml", "env.yml", "env.yaml"), conda.read),
    Kind(("setup.cfg",), setup_cfg.read),
    Kind(("setup.py",), setup_py.read),
)
"""Most exact first: a lock is what was installed, a requirements file what is, a project file what may be."""

IN_REQUIREMENTS_FOLDER = "*.txt"
FOLDERS = frozenset(("requirements", "reqs"))
"""In which the name of a requirements file says which, not what."""


def kind_of(name: str) -> Kind | None:
    """None where nothing in its name says that it lists packages."""
    base = posixpath.basename(name)
    for kind in KINDS:
        if any(fnmatchcase(base, pattern) for pattern in kind.patterns):
            return kind
    in_folder = posixpath.basename(posixpath.dirname(name)) in FOLDERS
    if in_folder and fnmatchcase(base, IN_REQUIREMENTS_FOLDER):
        return REQUIREMENTS
    return None


REQUIREMENTS = next(kind for kind in KINDS if kind.read is requirements.read)


def read_listed(root: Path, name: str) -> Declared:
    """Read a file by its kind, as a requirements file of pip where its name says nothing.

    Raises `Mistakes` where what is in it is wrong, `UnusableFileError` where it cannot be read.
    """
    return (kind_of(name) or REQUIREMENTS).read(root, name)
