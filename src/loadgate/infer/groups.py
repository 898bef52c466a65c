"""Which files and groups are for working on a project, not for running it."""

from __future__ import annotations

import re

_DEVELOPMENT = frozenset(
    {"dev", "devel", "develop", "development", "test", "tests", "testing", "tox", "doc", "docs", "documentation"}
    | {"lint", "linting", "linters", "typing", "types", "mypy", "style", "format", "ci", "build", "release"}
    | {"bench", "benchmark", "benchmarks", "example", "examples", "notebook", "notebooks", "tutorial", "tutorials"}
    | {"devcontainer", "github", "scripts", "tools", "research", "experimental"}
)


def is_for_development(name: str) -> bool:
    """Says so of a group, a file or a path: one of its words is one that people use for that."""
    return not _DEVELOPMENT.isdisjoint(re.split(r"[^a-z0-9]+", name.lower()))
