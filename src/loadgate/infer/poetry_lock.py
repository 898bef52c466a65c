"""poetry.lock: what pyproject.toml beside it asks for, held to the versions that were locked."""

from __future__ import annotations

import posixpath
from pathlib import Path

from packaging.utils import canonicalize_name

from loadgate.declared import Declared, Python
from loadgate.domain import Origin, Requirement
from loadgate.infer import pyproject
from loadgate.infer.groups import is_for_development
from loadgate.infer.poetry_versions import specifier
from loadgate.infer.tables import Table, line_of, parse_toml, string, strings, table, tables
from loadgate.repository import LONGEST_LOCK, UnusableFileError, read_text


def read(root: Path, name: str) -> Declared:
    text = read_text(root, name, LONGEST_LOCK)
    document = parse_toml(text, name)
    packages = [package for package in tables(document.get("package")) if _runs(package)]
    lines = [number for number, line in enumerate(text.split("\n"), start=1) if line.startswith("[[package]]")]
    pins = [_pin(package, text, name, lines) for package in packages]
    beside = posixpath.join(posixpath.dirname(name), "pyproject.toml")
    try:
        direct = pyproject.direct_requirements(root, beside)
        files: tuple[str, ...] = (name, beside)
    except UnusableFileError:
        direct = ()
        files = (name,)
    constraint = specifier(string(table(document.get("metadata")).get("python-versions")))
    origin = Origin(file=name, line=line_of(text, r"^python-versions"))
    return Declared(
        requirements=direct or tuple(_nobody_needs(packages, pins)),
        constraints=tuple(pins),
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


def _pin(package: Table, text: str, file: str, lines: list[int]) -> Requirement:
    name, version = string(package["name"]), string(package["version"])
    line = line_of(text, rf'^name = "{name}"$', lines[0] if lines else 0)
    source = table(package.get("source"))
    if string(source.get("type")) == "git":
        pinned = f"{name} @ git+{string(source.get('url'))}@{string(source.get('resolved_reference'))}"
    elif string(source.get("type")) == "url":
        pinned = f"{name} @ {string(source.get('url'))}"
    else:
        pinned = f"{name}=={version}"
    marker = package.get("markers")
    marker = string(marker.get("main")) if isinstance(marker, dict) else string(marker)
    return Requirement(text=f"{pinned} ; {marker}" if marker else pinned, origin=Origin(file=file, line=line))


def _nobody_needs(packages: list[Table], pins: list[Requirement]) -> list[Requirement]:
    """Without pyproject.toml, what was asked for is what no other package asks for."""
    needed = {canonicalize_name(name) for package in packages for name in table(package.get("dependencies"))}
    return [
        pin for package, pin in zip(packages, pins, strict=True) if canonicalize_name(package["name"]) not in needed
    ]
