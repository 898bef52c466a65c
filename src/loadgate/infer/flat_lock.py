"""pylock.toml, which every installer may write, and pdm.lock: each version to install, and nothing of who asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from loadgate.declared import Declared, Python
from loadgate.domain import Origin
from loadgate.infer.groups import is_for_development
from loadgate.infer.tables import Table, line_of, lines_beginning, parse_toml, string, strings, table, tables
from loadgate.infer.taken_along import with_group
from loadgate.repository import LONGEST_LOCK, read_text
from loadgate.requirements import Line, read_lines

_ELSEWHERE = ("directory", "path")
"""Keys of a package that lies in the repository."""


def read_pylock(root: Path, name: str) -> Declared:
    return _read(root, name, "packages", "requires-python")


def read_pdm(root: Path, name: str) -> Declared:
    return _read(root, name, "package", "requires_python")


def _read(root: Path, name: str, key: str, python_key: str) -> Declared:
    text = read_text(root, name, LONGEST_LOCK)
    document = parse_toml(text, name)
    packages = tables(document.get(key))
    places = lines_beginning(text, f"[[{key}]]")
    places = places if len(places) == len(packages) else [1] * len(packages)
    run: list[Line] = []
    develop: list[Line] = []
    for package, place in zip(packages, places, strict=True):
        if string(package.get("name")) and not any(each in package for each in _ELSEWHERE):
            (run if _runs(package) else develop).append((place, 1, _pin(package)))
    run, develop = [list(dict.fromkeys(lines)) for lines in (run, develop)]
    declared = with_group(run, [("dev", develop)], name, lambda lines: read_lines(root, lines, name))
    said = string(document.get(python_key)) or string(table(document.get("metadata")).get(python_key))
    return replace(
        declared,
        python=Python(said=said, origin=Origin(file=name, line=line_of(text, rf"^{python_key}"))) if said else None,
        files=(name,),
    )


def _runs(package: Table) -> bool:
    """pdm names the groups of a package, pylock.toml has them in its marker."""
    groups = strings(package.get("groups"))
    marker = string(package.get("marker"))
    named = not groups or not all(is_for_development(group) for group in groups)
    return named and "dependency_groups" not in marker


def _pin(package: Table) -> str:
    name, version = string(package["name"]), string(package.get("version"))
    source = table(package.get("vcs")) or package
    address = string(source.get("url")) or string(source.get("git")) or string(table(package.get("archive")).get("url"))
    revision = string(source.get("commit-id")) or string(source.get("revision"))
    if address:
        wanted = f"{name} @ git+{address}@{revision}" if revision else f"{name} @ {address}"
    else:
        wanted = f"{name}=={version}" if version else name
    marker = string(package.get("marker"))
    plain = marker and not ("dependency_groups" in marker or "extras" in marker)
    return f"{wanted} ; {marker}" if plain else wanted
