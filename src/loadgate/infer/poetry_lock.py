"""poetry.lock: what pyproject.toml beside it asks for, held to the versions that were locked."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from packaging.utils import canonicalize_name

from loadgate.declared import TENSORFLOW_NAMES, Declared, Python
from loadgate.domain import Origin, Requirement
from loadgate.infer import pyproject
from loadgate.infer.groups import is_for_development
from loadgate.infer.poetry_versions import specifier
from loadgate.infer.tables import Table, line_of, lines_beginning, parse_toml, string, strings, table, tables
from loadgate.repository import LONGEST_LOCK, UnusableFileError, read_text
from loadgate.requirements import Line, WrongLinesError, read_lines


def read(root: Path, name: str) -> Declared:
    text = read_text(root, name, LONGEST_LOCK)
    document = parse_toml(text, name)
    locked = tables(document.get("package"))
    lines = lines_beginning(text, "[[package]]")
    lines = lines if len(lines) == len(locked) else [0] * len(locked)
    beside = posixpath.join(posixpath.dirname(name), "pyproject.toml")
    try:
        project = _project(root, beside)
        files: tuple[str, ...] = (name, beside)
    except UnusableFileError:
        project = Declared()
        files = (name,)
    found = [(package, line + 1) for package, line in zip(locked, lines, strict=True) if _is_elsewhere(package)]
    packages = [(package, line) for package, line in found if project.for_development or _runs(package)]
    forked = _forked(package for package, _ in packages)
    pins = [(line, 1, _pin(package)) for package, line in packages if _is_pin(package, forked)]
    pinned = {_name(package) for package, _ in packages if _is_pin(package, forked)}
    direct = pyproject.without_versions(project.requirements, pinned)
    constraint = specifier(string(table(document.get("metadata")).get("python-versions")))
    origin = Origin(file=name, line=line_of(text, r"^python-versions"))
    asked = _left_to_a_backend(direct, packages) if direct else _nobody_needs(packages, forked)
    declared = read_lines(root, asked, name, constraints=pins)
    return Declared(
        requirements=(*direct, *declared.requirements),
        constraints=declared.constraints,
        left_out=project.left_out,
        python=Python(said=constraint, origin=origin) if constraint else None,
        files=files,
        for_development=project.for_development,
    )


def _project(root: Path, name: str) -> Declared:
    """What the lock holds to its versions. A line that cannot be read needs none to be said: the lock has it."""
    try:
        return pyproject.read(root, name)
    except WrongLinesError as error:
        return error.rest


def _is_elsewhere(package: Table) -> bool:
    """A local package is no pin."""
    is_local = string(table(package.get("source")).get("type")) in ("directory", "file")
    return bool(string(package.get("name")) and string(package.get("version"))) and not is_local


def _runs(package: Table) -> bool:
    """Poetry 1 wrote a category, Poetry 2 writes groups."""
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
    marker = _marker(package)
    return f"{pinned} ; {marker}" if marker else pinned


def _marker(package: Table) -> str:
    marker = package.get("markers")
    return string(marker.get("main")) if isinstance(marker, dict) else string(marker)


def _name(package: Table) -> str:
    return canonicalize_name(package["name"])


def _forked(packages: Iterable[Table]) -> set[str]:
    """Names that are in the lock more than once. Poetry 1 does not write which version is for which Python."""
    times = Counter(_name(package) for package in packages)
    return {name for name in times if times[name] > 1}


def _is_pin(package: Table, forked: set[str]) -> bool:
    return _name(package) not in forked or bool(_marker(package))


def _left_to_a_backend(direct: Iterable[Requirement], packages: list[tuple[Table, int]]) -> list[Line]:
    """The lock's TensorFlow, where it is optional and nothing that is asked for needs it: Keras 3 runs on it."""
    needs: dict[str, list[str]] = {}
    for package, _ in packages:
        names = map(canonicalize_name, table(package.get("dependencies")))
        needs.setdefault(_name(package), []).extend(names)
    reached: set[str] = set()
    waiting: list[str] = [canonicalize_name(re.split(r"[^A-Za-z0-9._-]", line.text, maxsplit=1)[0]) for line in direct]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += needs.get(name, ())
    left = [(_name(package), line) for package, line in packages if _name(package) in TENSORFLOW_NAMES]
    return [] if TENSORFLOW_NAMES & reached or not left else [(min(left)[1], 1, min(left)[0])]


def _nobody_needs(packages: list[tuple[Table, int]], forked: set[str]) -> list[Line]:
    """Without pyproject.toml, what was asked for is what no other package asks for."""
    needed = {canonicalize_name(name) for package, _ in packages for name in table(package.get("dependencies"))}
    asked = {
        _pin(package) if _is_pin(package, forked) else _name(package): line
        for package, line in packages
        if _name(package) not in needed
    }
    return [(line, 1, text) for text, line in asked.items()]
