"""A conda environment: its `pip` section as it stands, and of conda's own packages those that PyPI has as well."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from loadgate.declared import TENSORFLOW_NAMES, Declared, Python
from loadgate.domain import Origin
from loadgate.repository import read_text
from loadgate.requirements import Line, WrongLinesError, read_lines
from loadgate.yaml_nodes import compose, kind, position

_ON_PYPI = {
    name: name
    for name in {"h5py", "keras", "ml_dtypes", "numpy", "pandas", "pillow", "protobuf", "scikit-learn", "scipy"}
    | {"tensorflow", "tensorflow-addons", "tensorflow-cpu", "tensorflow-datasets", "tensorflow-hub"}
    | {"tensorflow-probability", "tensorflow-text", "tf-keras", "transformers"}
} | {
    **dict.fromkeys(("tensorflow-gpu", "tensorflow-mkl", "tensorflow-eigen", "tensorflow-base"), "tensorflow"),
    "keras-gpu": "keras",
}
"""Conda's name of a package and PyPI's. conda still has builds of tensorflow-gpu where PyPI's name has none."""

_SPEC = re.compile(r"(?:[\w./-]+::)?(?P<name>[A-Za-z0-9._-]+)\s*(?P<version>[=<>!~\s].*)?$")
_BRACKETS = re.compile(r"\[version=(['\"]?)(?P<version>[^'\"\]]*)\1(?:,\s*build=[^\]]*)?\]$")
"""conda's longer way to write a version: `tensorflow[version='>=2.4,<2.11']`."""


def read(root: Path, name: str) -> Declared:
    node = compose(read_text(root, name), name)
    lines: list[Line] = []
    left_out: list[str] = []
    python = None
    for line, column, item in _items(_value(node, "dependencies")):
        parsed = _SPEC.fullmatch(_BRACKETS.sub(r" \g<version>", item))
        if parsed is None or _is_a_choice_of_tensorflows(parsed):
            lines.append((line, column, item))  # whatever it is, pip does not know it either, and says so
            continue
        package, version = parsed["name"].lower(), _specifier(parsed["version"] or "")
        if package == "python":
            python = Python(said=re.sub(r"^==|\.\*$", "", version), origin=Origin(file=name, line=line))
        elif package in _ON_PYPI:
            lines.append((line, column, _ON_PYPI[package] + version))
        elif package != "pip":
            left_out.append(package)
    for section in _mappings(_value(node, "dependencies")):
        lines.extend(_items(_value(section, "pip")))
    wrong: WrongLinesError | None = None
    try:
        declared = read_lines(root, lines, name, posixpath.dirname(name))
    except WrongLinesError as error:
        wrong, declared = error, error.rest
    notes = [f"{name}: left out, for only conda has them: {', '.join(left_out[:20])}."] if left_out else []
    whole = Declared(
        requirements=declared.requirements,
        constraints=declared.constraints,
        left_out=declared.left_out,
        notes=(*declared.notes, *notes),
        python=python if python and python.said else None,
        files=(name, *declared.files),
    )
    if wrong is not None:
        raise WrongLinesError(wrong.mistakes, wrong.lines, whole)
    return whole


def _is_a_choice_of_tensorflows(parsed: re.Match[str]) -> bool:
    """`tensorflow=2.4|2.5`, which PyPI has no word for. Of anything else, any version will do."""
    return _ON_PYPI.get(parsed["name"].lower()) in TENSORFLOW_NAMES and "|" in (parsed["version"] or "")


def _value(node: yaml.Node | None, wanted: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for key, value in node.value if getattr(key, "value", None) == wanted), None)


def _items(node: yaml.Node | None) -> Iterator[Line]:
    for item in node.value if isinstance(node, yaml.SequenceNode) else ():
        if isinstance(item, yaml.ScalarNode) and kind(item) == "text" and item.value.strip():
            yield (*position(item), item.value.strip())


def _mappings(node: yaml.Node | None) -> list[yaml.Node]:
    children = node.value if isinstance(node, yaml.SequenceNode) else ()
    return [item for item in children if isinstance(item, yaml.MappingNode)]


def _specifier(version: str) -> str:
    """conda's `=2.15` means any 2.15; after a second `=` comes the build, which PyPI does not know."""
    version = version.strip()
    if "|" in version:
        return ""
    exact = re.fullmatch(r"(={0,2})\s*([\w.+*]+)(?:(?:=|\s+)[\w.*]+)?", version)
    if exact is None:
        return re.sub(r"\s+[\w.*][\w.*=]*$", "", re.sub(r"(?<=[<>=!~,])\s+", "", version)).replace(" ", "")
    operator, number = exact.groups()
    if number.strip(".*") == "":
        return ""
    is_family = operator == "=" and exact[0].count("=") == 1 and not number.endswith("*")
    return f"=={number}.*" if is_family else f"=={number}"
