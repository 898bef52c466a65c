"""Where a repository defines the classes and functions that its models need: read as text, never imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from loadgate.domain import Definition
from loadgate.repository import UnusableFileError, find_files, read_text

MOST_FILES = 5_000
MOST_CHARACTERS = 2_000_000
"""Parsed, of all files that mention one of the names, nearest to the root first. Python's own reader takes some seconds
for a million of them where they are nothing but definitions."""
MOST_OF_A_NAME = 20
SOURCE_ROOTS = ("src",)
"""Folders from which modules are imported as well as from the root of the repository."""


def find_definitions(root: Path, names: Collection[str]) -> Mapping[str, tuple[Definition, ...]]:
    """Top-level classes and functions with one of `names`, those that register themselves first, then the nearest."""
    found: dict[str, list[Definition]] = {}
    left = MOST_CHARACTERS
    wanted = {name for name in names if name.isidentifier()}
    if not wanted:
        return {}
    mentions = re.compile(rf"\b(?:class|def)\s+(?:{'|'.join(sorted(map(re.escape, wanted)))})\b")
    for file in find_files(root, ["*.py"])[:MOST_FILES]:
        module = module_of(file)
        if module is None:
            continue
        try:
            text = read_text(root, file)
        except UnusableFileError:
            continue
        if mentions.search(text) and len(text) <= left:
            left -= len(text)
            for definition in _defined(text, file, module):
                if definition.name in wanted:
                    found.setdefault(definition.name, []).append(definition)
    ordered = {name: sorted(each, key=lambda one: one.registered_as is None) for name, each in found.items()}
    return {name: tuple(each[:MOST_OF_A_NAME]) for name, each in ordered.items()}


def by_name(definitions: Iterable[Definition]) -> Mapping[str, tuple[Definition, ...]]:
    found: dict[str, tuple[Definition, ...]] = {}
    for each in definitions:
        found[each.name] = (*found.get(each.name, ()), each)
    return found


def module_of(file: str) -> str | None:
    """The name by which a file can be imported from the root or from `src`; None where it cannot."""
    parts = list(PurePosixPath(file).with_suffix("").parts)
    if parts[0] in SOURCE_ROOTS and len(parts) > 1:
        parts = parts[1:]
    if parts[-1] == "__init__":
        parts = parts[:-1]
    return ".".join(parts) if parts and all(part.isidentifier() for part in parts) else None


def _defined(text: str, file: str, module: str) -> Iterator[Definition]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # a hostile file may be nested without end
        return
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            registered_as = next(filter(None, (_registered_as(node.name, each) for each in node.decorator_list)), None)
            yield Definition(name=node.name, module=module, file=file, line=node.lineno, registered_as=registered_as)


def _registered_as(name: str, decorator: ast.expr) -> str | None:
    """By `register_keras_serializable(package="Custom", name=None)`, whose arguments are read where they are text."""
    if not isinstance(decorator, ast.Call) or _last_name(decorator.func) != "register_keras_serializable":
        return None
    arguments = dict(zip(("package", "name"), decorator.args, strict=False))
    arguments |= {keyword.arg: keyword.value for keyword in decorator.keywords if keyword.arg}
    given: dict[str, str] = {}
    for key, node in arguments.items():
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str | None):
            return None
        if node.value:
            given[key] = node.value
    return f"{given.get('package', 'Custom')}>{given.get('name', name)}"


def _last_name(called: ast.expr) -> str | None:
    if isinstance(called, ast.Attribute):
        return called.attr
    return called.id if isinstance(called, ast.Name) else None
