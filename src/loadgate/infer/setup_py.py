"""setup.py: what the call of `setup` is given as it stands there. It is parsed and never run."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from loadgate.declared import Declared, Python
from loadgate.domain import Origin
from loadgate.infer.naming import names_tensorflow
from loadgate.infer.taken_along import Group, with_group
from loadgate.mistakes import Mistake, Mistakes
from loadgate.repository import read_text
from loadgate.requirements import Line, read_lines

MOST_VALUES = 10_000
"""Looked at, lines of texts included. A name may stand for a list of names, and each of those again."""
MOST_EXTRAS = 100
MOST_PARTS = 20
LONGEST_PART = 200
"""Of a text with values in it."""

Names = Mapping[str, ast.expr]
"""What the module assigns."""


def read(root: Path, name: str) -> Declared:
    try:
        with warnings.catch_warnings(action="ignore"):
            module = ast.parse(read_text(root, name))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None) or 1
        raise Mistakes([Mistake(name, line, 1, "not valid Python")]) from error
    names = {
        target.id: node.value
        for node in module.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    given = _given(module)
    left = iter(range(MOST_VALUES))
    lines = list(_lines(given.get("install_requires"), names, left))
    groups = list(_extras(given.get("extras_require"), names, left))
    declared = with_group(lines, groups, name, lambda lines: read_lines(root, lines, name))
    return replace(declared, python=_python(given.get("python_requires"), names, name), files=(name,))


def _extras(given: ast.expr | None, names: Names, left: Iterator[int]) -> Iterator[Group]:
    extras = names.get(given.id) if isinstance(given, ast.Name) else given
    if isinstance(extras, ast.Dict):
        for key, value in list(zip(extras.keys, extras.values, strict=True))[:MOST_EXTRAS]:
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, list(_lines(value, names, left))


def _given(module: ast.Module) -> Mapping[str, ast.expr]:
    """Keywords of the first call of `setup`."""
    for node in module.body:
        call = node.value if isinstance(node, ast.Expr) else None
        if isinstance(call, ast.Call) and _is_setup(call.func):
            return {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
        if isinstance(node, ast.If):  # of `__name__ == "__main__"`
            inside = _given(ast.Module(body=node.body, type_ignores=[]))
            if inside:
                return inside
    return {}


def _is_setup(called: ast.expr) -> bool:
    return getattr(called, "id", None) == "setup" or getattr(called, "attr", None) == "setup"


def _lines(given: ast.expr | None, names: Names, left: Iterator[int]) -> Iterator[Line]:
    """The texts of a list, of a name for one, or of lists that are added. What is computed is left out."""
    waiting = [given]
    seen: set[ast.expr | None] = set()
    while waiting and next(left, None) is not None:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _written(node, node.value, left)
        elif within := _within(node, names):
            waiting += reversed(within)
        elif node is not None and (text := _filled(node, names)):
            yield node.lineno, node.col_offset + 1, " ".join(text.split())


def _within(node: ast.expr | None, names: Names) -> Sequence[ast.expr | None]:
    if isinstance(node, ast.Name):
        return [names.get(node.id)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [node.left, node.right]
    if isinstance(node, ast.List | ast.Tuple):
        return node.elts
    return [node.value] if isinstance(node, ast.Starred) else []


def _written(node: ast.Constant, text: str, left: Iterator[int]) -> Iterator[Line]:
    for (number, line), _ in zip(enumerate(text.splitlines()), left, strict=False):
        if line.strip() and not line.strip().startswith("#"):
            yield node.lineno + number, node.col_offset + 1, line.strip()


def _filled(node: ast.expr, names: Names) -> str:
    """The text of a template; empty where it says nothing, for it is not filled and does not name a TensorFlow."""
    if isinstance(node, ast.JoinedStr):
        text = "".join(_part(part, names) for part in node.values[:MOST_PARTS])
        is_filled = "{" not in text and len(node.values) <= MOST_PARTS
    else:
        template = node.left if isinstance(node, ast.BinOp) else _formatted(node)
        text, is_filled = _text(template), False
    return text if is_filled or names_tensorflow(text) else ""


def _part(part: ast.expr, names: Names) -> str:
    is_plain = isinstance(part, ast.FormattedValue) and part.format_spec is None and part.conversion == -1
    value = part.value if isinstance(part, ast.FormattedValue) and is_plain else part
    return _text(names.get(value.id) if isinstance(value, ast.Name) else value)[:LONGEST_PART] or "{...}"


def _formatted(node: ast.expr) -> ast.expr | None:
    function = node.func if isinstance(node, ast.Call) else None
    return function.value if isinstance(function, ast.Attribute) and function.attr == "format" else None


def _text(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _python(node: ast.expr | None, names: Names, file: str) -> Python | None:
    for line, _, said in _lines(node, names, iter(range(MOST_VALUES))):
        return Python(said=said, origin=Origin(file=file, line=line))
    return None
