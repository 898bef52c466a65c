"""Which files and groups are for working on a project, not for running it."""

from __future__ import annotations

import re

_DEVELOPMENT = frozenset(
    {"dev", "devel", "develop", "development", "test", "tests", "testing", "tox", "doc", "docs", "documentation"}
    | {"lint", "linting", "linters", "typing", "types", "mypy", "style", "format", "ci", "build", "release"}
    | {"bench", "benchmark", "benchmarks", "example", "examples", "notebook", "notebooks", "tutorial", "tutorials"}
    | {"devcontainer", "github", "scripts", "tools", "research", "experimental"}
)
_FOLDERS = frozenset(
    {"dev", "devel", "development", "test", "tests", "testing", "doc", "docs", "documentation", "lint", "ci"}
    | {"bench", "benchmark", "benchmarks", "example", "examples", "notebook", "notebooks", "tutorial", "tutorials"}
    | {"devcontainer", "github", "circleci", "scripts", "research", "experimental"}
)
"""As a whole, for the words of a folder's name say what is in it: `style-transfer`, `document-types`, `tools`."""
_LAST_OF_A_FOLDER = frozenset(("tests", "docs", "benchmarks", "examples", "notebooks", "tutorials"))
"""`integration-tests`."""


def is_for_development(name: str) -> bool:
    """Says so of a group, a file or a path: its folder, or a word of its own name, is one that people use for that."""
    *folders, own = name.lower().split("/")
    return any(map(_is_folder_for_development, folders)) or not _DEVELOPMENT.isdisjoint(_words(own))


def _is_folder_for_development(name: str) -> bool:
    return name.strip("._-") in _FOLDERS or _words(name)[-1] in _LAST_OF_A_FOLDER


def _words(name: str) -> list[str]:
    return re.split(r"[^a-z0-9]+", name)
