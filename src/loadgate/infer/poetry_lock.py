"""poetry.lock: what pyproject.toml beside it asks for, held to the versions that were locked."""

from __future__ import annotations

import posixpath
from pathlib import Path

from packaging.utils import canonicalize_name

from loadgate.declared import Declared, Python
from loadgate.domain import Origin
from loadgate.infer import pyproject
from loadgate.infer.groups import is_for_development
from loadgate.infer.poetry_versions import specifier
from loadgate.infer.tables import Table, line_of, lines_beginning, parse_toml, string, strings, table, tables
from loadgate.repository import LONGEST_LOCK, UnusableFileError, read_text
from loadgate.requirements import Line, read_lines


def read(root: Path, name: str) -> Declared:
    text = read_text(root, name, LONGEST_LOCK)
    document = parse_toml(text, name)
    locked = tables(document.get("package"))
    lines = lines_beginning(text, "[[package]]")
    lines = lines if len(lines) == len(locked) else [0] * len(locked)
    packages = [(package, line + 1) for package, line in zip(locked, lines, strict=True) if _runs(package)]
    pins = [(line, 1, _pin(package)) for package, line in packages]
    beside = posixpath.join(posixpath.dirname(name), "pyproject.toml")
    try:
        direct = pyproject.direct_requirements(root, beside)
        files: tuple[str, ...] = (name, beside)
    except UnusableFileError:
        direct = ()
        files = (name,)
    constraint = specifier(string(table(document.get("metadata")).get("python-versions")))
    origin = Origin(file=name, line=line_of(text, r"^python-versions"))
    asked = [] if direct else _nobody_needs([package for package, _ in packages], pins)
    declared = read_lines(root, asked, name, constraints=pins)
    return Declared(
        requirements=direct or declared.requirements,
        constraints=declared.constraints,
        python=Python(said=constraint, origin=origin) if constraint else None,
        files=files,
    )


def _runs(package: Table) -> bool:
    """Poetry 1 wrote a category, Poetry 2 writes groups; a local package is no pin."""
    if not (string(package.get("name")) and string(package.get("version"))):
        return False
    if string(table(package.get("source")).get("type")) in ("directory", "file"):
        return False
    groups = strings(package.get("groups")) or [string(package.get("category")) or "main"]
    return not all(is_for_development(group) for group in groups)


def _pin(package: Table) -> str:
    name, version = string(package["name"]), string(package["version"])
    source = table(package.get("source"))
    if string(source.get("type")) == "git":
        pinned = f"{name} @ git+{string(source.get('url'))}@{string(source.get('resolved_reference'))}"
    elif string(source.get("type")) == "url":
        pinned = f"{name} @ {string(source.get('url'))}"
    else:
        pinned = f"{name}=={version}"
    marker = package.get("markers")
    marker = string(marker.get("main")) if isinstance(marker, dict) else string(marker)
    return f"{pinned} ; {marker}" if marker else pinned


def _nobody_needs(packages: list[Table], pins: list[Line]) -> list[Line]:
    """Without pyproject.toml, what was asked for is what no other package asks for."""
    needed = {canonicalize_name(name) for package in packages for name in table(package.get("dependencies"))}
    return [
        pin for package, pin in zip(packages, pins, strict=True) if canonicalize_name(package["name"]) not in needed
    ]
