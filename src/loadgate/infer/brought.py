"""What the modules under `imports:` may register, as far as their sources in the repository tell. Nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

FOLDERS = (".", "src")
"""Of the repository, in which modules are looked for."""
MAX_SOURCE = 1 << 20
MAX_NAMES = 10_000


def names_brought_by(modules: Iterable[str], repository: Path) -> frozenset[str]:
    """Every class and function that a module defines or takes from another, and every name it may register one under.

    Nothing of a module that lies elsewhere, or that cannot be read.
    """
    return frozenset(name for module in modules for name in _names_in(_source_of(module, repository)))


def _source_of(module: str, repository: Path) -> str:
    parts = module.split(".")
    for folder in FOLDERS:
        stem = repository.joinpath(folder, *parts)
        for path in (stem.with_name(f"{stem.name}.py"), stem / "__init__.py"):
            if path.is_file() and path.stat().st_size <= MAX_SOURCE:
                return path.read_text(encoding="utf-8", errors="replace")
    return ""


def _names_in(source: str) -> Iterator[str]:
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in nodes[:MAX_NAMES]:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.alias):
            yield node.asname or node.name
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            yield node.value
