"""Pipfile.lock: its section `default`, which pipenv installs as it stands, or with `develop` where need be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from loadgate.declared import Declared, Python
from loadgate.domain import Origin
from loadgate.infer.tables import Table, line_of, parse_json, string, strings, table, tables
from loadgate.infer.taken_along import with_group
from loadgate.repository import LONGEST_LOCK, read_text
from loadgate.requirements import Line, read_lines


def read(root: Path, name: str) -> Declared:
    text = read_text(root, name, LONGEST_LOCK)
    document = parse_json(text, name)
    meta = table(document.get("_meta"))
    places = _places(text)
    addresses = [string(source.get("url")) for source in tables(meta.get("sources"))]
    # the first is pipenv's usual index, and is left to the machine that installs, which may have a mirror of it
    lines = [(line_of(text, r'"sources"'), 1, f"--extra-index-url {address}") for address in addresses[1:] if address]
    lines += _lines(document.get("default"), places)
    develop = ("develop", list(_lines(document.get("develop"), places)))
    declared = with_group(lines, [develop], name, lambda lines: read_lines(root, lines, name))
    requires = table(meta.get("requires"))
    said = string(requires.get("python_full_version")) or string(requires.get("python_version"))
    origin = Origin(file=name, line=line_of(text, r'"python_(full_)?version"\s*:'))
    return replace(declared, python=Python(said=said, origin=origin) if said else None, files=(name,))


def _lines(section: object, places: Mapping[str, int]) -> Iterator[Line]:
    for package, entry in table(section).items():
        yield places.get(package, 1), 1, requirement(package, table(entry))


def _places(text: str) -> dict[str, int]:
    """The first line of each key behind `default`."""
    places: dict[str, int] = {}
    is_default = False
    for number, line in enumerate(text.split("\n"), start=1):
        key = re.match(r'\s*"([^"]+)"\s*:', line)
        is_default = is_default or (key is not None and key[1] == "default")
        if key and is_default:
            places.setdefault(key[1], number)
    return places


def requirement(package: str, entry: Table) -> str:
    """A line of pip's for what pipenv says of a package."""
    extras = ",".join(strings(entry.get("extras")))
    named = package + (f"[{extras}]" if extras else "")
    marker = string(entry.get("markers"))
    suffix = f" ; {marker}" if marker else ""
    local = string(entry.get("path")) or string(entry.get("file"))
    if local and "://" not in local:
        return f"{named} @ file:{local}"
    if local:
        return f"{named} @ {local}{suffix}"
    if string(entry.get("git")):
        return f"{named} @ git+{entry['git']}@{string(entry.get('ref')) or 'HEAD'}{suffix}"
    version = string(entry.get("version"))
    return named + ("" if version == "*" else version) + suffix
