"""Pipfile: what pipenv is asked for. Its lock, where there is one, says more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from loadgate.declared import Declared, Python
from loadgate.domain import Origin
from loadgate.infer.pipfile_lock import requirement
from loadgate.infer.tables import Table, line_of, parse_toml, string, table
from loadgate.infer.taken_along import with_group
from loadgate.repository import read_text
from loadgate.requirements import Line, read_lines

MOST_DEPENDENCIES = 1000
"""In one table. Each is looked up in the text, for its line."""
_VARIABLES = (
    *("os_name", "sys_platform", "platform_machine", "platform_python_implementation", "platform_release"),
    *("platform_system", "platform_version", "python_version", "python_full_version", "implementation_name"),
    "implementation_version",
)
"""Of PEP 508."""


def read(root: Path, name: str) -> Declared:
    text = read_text(root, name)
    document = parse_toml(text, name)
    packages = list(_lines(table(document.get("packages")), text))
    groups = [("dev-packages", list(_lines(table(document.get("dev-packages")), text)))]
    declared = with_group(packages, groups, name, lambda lines: read_lines(root, lines, name))
    requires = table(document.get("requires"))
    said = string(requires.get("python_full_version")) or string(requires.get("python_version"))
    origin = Origin(file=name, line=line_of(text, r"^\s*python_(full_)?version"))
    return replace(declared, python=Python(said=said, origin=origin) if said else None, files=(name,))


def _lines(packages: Table, text: str) -> Iterator[Line]:
    for package, value in islice(packages.items(), MOST_DEPENDENCIES):
        wanted = {"version": value} if isinstance(value, str) else table(value)
        place = line_of(text, rf"^\s*[\"']?{re.escape(package)}[\"']?\s*=")
        yield place, 1, requirement(package, {**wanted, "markers": _marker(wanted)})


def _marker(wanted: Table) -> str:
    """pipenv takes each of the standard's variables as a key: `sys_platform = "== 'linux'"`."""
    of_keys = [f"{key} {value}" for key in _VARIABLES if (value := string(wanted.get(key)))]
    limits = [f"({each})" for each in (string(wanted.get("markers")), *of_keys) if each]
    return " and ".join(limits)
