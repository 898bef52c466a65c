"""setup.py: what the call of `setup` is given as it stands there. It is parsed and never run."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

from loadgate.declared import Declared, Python
from loadgate.domain import Origin
from loadgate.infer.taken_along import Group, with_group
from loadgate.mistakes import Mistake, Mistakes
from loadgate.repository import read_text
from loadgate.requirements import Line, read_lines

MOST_VALUES = 10_000
"""Looked at, lines of texts included. A name may stand for a list of names, and each of those again."""
MOST_EXTRAS = 100

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
    return Declared(
        requirements=declared.requirements,
        notes=declared.notes,
        python=_python(given.get("python_requires"), names, name),
        files=(name,),
        for_development=declared.for_development,
    )


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
        if isinstance(node, ast.Name):
            waiting.append(names.get(node.id))
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            waiting += [node.right, node.left]
        elif isinstance(node, ast.List | ast.Tuple):
            waiting += reversed(node.elts)
        elif isinstance(node, ast.Starred):
            waiting.append(node.value)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            for (number, line), _ in zip(enumerate(node.value.splitlines()), left, strict=False):
                if line.strip() and not line.strip().startswith("#"):
                    yield node.lineno + number, node.col_offset + 1, line.strip()


def _python(node: ast.expr | None, names: Names, file: str) -> Python | None:
    for line, _, said in _lines(node, names, iter(range(MOST_VALUES))):
        return Python(said=said, origin=Origin(file=file, line=line))
    return None
