"""pyproject.toml: the dependencies of [project], or of Poetry's own table."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from packaging.utils import canonicalize_name

from loadgate.declared import TENSORFLOW_NAMES, Declared, Python
from loadgate.domain import Origin, Requirement
from loadgate.infer.poetry_versions import python_marker, specifier
from loadgate.infer.tables import Table, line_of, parse_toml, string, strings, table, tables
from loadgate.infer.taken_along import MOST_GROUPS, Group, brings, with_group
from loadgate.repository import read_text
from loadgate.requirements import Line, read_lines

MOST_DEPENDENCIES = 1000
"""In one table. Each is looked up in the text, for its line."""
MOST_STANDARD_GROUPS = 1000
"""Each may include others."""


def read(root: Path, name: str) -> Declared:
    text = read_text(root, name)
    document = parse_toml(text, name)
    project = table(document.get("project"))
    poetry = table(table(document.get("tool")).get("poetry"))
    lines = [*_listed(strings(project.get("dependencies")), text), *_of_poetry(table(poetry.get("dependencies")), text)]
    groups = [*_groups(project, poetry, text), *_groups_of_others(document, text)]
    declared = with_group(lines, groups, name, lambda lines: read_lines(root, lines, name))
    return replace(declared, python=_python(project, poetry, text, name), files=(name,))


def without_versions(requirements: Iterable[Requirement], pinned: Collection[str]) -> tuple[Requirement, ...]:
    """What is asked for, without the versions of those that a lock has `pinned`, by their normalised names."""
    from packaging.requirements import Requirement as ParsedRequirement

    bare = []
    for requirement in requirements:
        if requirement.text.startswith("-") or re.match(r"[a-z+]+:", requirement.text):
            continue
        parsed = ParsedRequirement(requirement.text)
        if canonicalize_name(parsed.name) not in pinned:
            bare.append(requirement)
            continue
        extras = f"[{','.join(sorted(parsed.extras))}]" if parsed.extras else ""
        marker = f" ; {parsed.marker}" if parsed.marker else ""
        bare.append(Requirement(text=f"{parsed.name}{extras}{marker}", origin=requirement.origin))
    return tuple(bare)


def _of_group(requirements: list[str], text: str) -> list[Line]:
    return list(_listed(requirements, text)) if brings(requirements[:MOST_DEPENDENCIES]) else []


def _listed(requirements: list[str], text: str) -> Iterator[Line]:
    for requirement in requirements[:MOST_DEPENDENCIES]:
        yield line_of(text, f"[\"']{re.escape(requirement)}[\"']"), 1, requirement


def _groups(project: Table, poetry: Table, text: str) -> Iterator[Group]:
    for group, requirements in table(project.get("optional-dependencies")).items():
        yield group, _of_group(strings(requirements), text)
    for group, content in table(poetry.get("group")).items():
        yield group, _of_poetrys_group(table(table(content).get("dependencies")), text)
    optional = table(poetry.get("dependencies"))
    for extra, names in table(poetry.get("extras")).items():
        yield extra, _of_poetrys_group({name: optional.get(name) for name in strings(names)}, text, optional=True)


def _groups_of_others(document: Table, text: str) -> Iterator[Group]:
    """The standard's own groups, and those of tools from before there was one."""
    tool = table(document.get("tool"))
    standard = table(document.get("dependency-groups"))
    for group in islice(standard, MOST_STANDARD_GROUPS):
        yield group, _of_group(_members(group, standard), text)
    yield "dev", _of_group(strings(table(tool.get("uv")).get("dev-dependencies")), text)
    for group, requirements in table(table(tool.get("pdm")).get("dev-dependencies")).items():
        yield f"{group}, dev", _of_group(strings(requirements), text)
    for group, environment in table(table(tool.get("hatch")).get("envs")).items():
        settings = table(environment)
        named = [*strings(settings.get("dependencies")), *strings(settings.get("extra-dependencies"))]
        yield group, _of_group(named, text)
    yield "dev", _of_poetrys_group(table(table(tool.get("poetry")).get("dev-dependencies")), text)


def _members(group: str, groups: Table) -> list[str]:
    """With those of the groups that it includes, each once."""
    waiting = [group]
    seen: set[str] = set()
    members: list[str] = []
    while waiting and len(seen) < MOST_GROUPS and len(members) < MOST_DEPENDENCIES:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        members += strings(groups.get(name))
        waiting += [string(item.get("include-group")) for item in tables(groups.get(name))]
    return members


def _of_poetrys_group(dependencies: Table, text: str, *, optional: bool = False) -> list[Line]:
    return list(_of_poetry(dependencies, text, optional=optional)) if brings(dependencies) else []


def _of_poetry(dependencies: Table, text: str, *, optional: bool = False) -> Iterator[Line]:
    for name, value in islice(dependencies.items(), MOST_DEPENDENCIES):
        for choice in value if isinstance(value, list) else [value]:
            wanted = {"version": choice} if isinstance(choice, str) else table(choice)
            if name.lower() == "python" or (wanted.get("optional") is True and not optional):
                continue
            line = _poetry_line(name, wanted)
            if line:
                yield line_of(text, rf"^\s*[\"']?{re.escape(name)}[\"']?\s*="), 1, line


def _poetry_line(name: str, wanted: Table) -> str | None:
    extras = ",".join(strings(wanted.get("extras")))
    named = name + (f"[{extras}]" if extras else "")
    suffix = _suffix(wanted)
    if string(wanted.get("path")):
        return f"{named} @ file:{wanted['path']}"
    if string(wanted.get("git")):
        revision = next((string(wanted[key]) for key in ("rev", "tag", "branch") if string(wanted.get(key))), "")
        return f"{named} @ git+{wanted['git']}" + (f"@{revision}" if revision else "") + suffix
    if string(wanted.get("url")):
        return f"{named} @ {wanted['url']}{suffix}"
    return named + _version(name, string(wanted.get("version"))) + suffix


def _version(name: str, constraint: str) -> str:
    """What cannot be said otherwise is left open; of a TensorFlow it stays as it is, for any would be a guess."""
    said = specifier(constraint)
    if said is None and canonicalize_name(name) in TENSORFLOW_NAMES:
        return f" {constraint}"
    return said or ""


def _suffix(wanted: Table) -> str:
    """The marker of a line, from the keys that limit where it is meant for."""
    platform = string(wanted.get("platform"))
    limits = [
        string(wanted.get("markers")),
        python_marker(string(wanted.get("python"))),
        f"sys_platform == '{platform}'" if platform else "",
    ]
    markers = [limit for limit in limits if limit]
    return f" ; {' and '.join(f'({each})' for each in markers) if len(markers) > 1 else markers[0]}" if markers else ""


def _python(project: Table, poetry: Table, text: str, file: str) -> Python | None:
    said = string(project.get("requires-python"))
    if said:
        return Python(said=said, origin=Origin(file=file, line=line_of(text, r"^\s*requires-python\s*=")))
    constraint = string(table(poetry.get("dependencies")).get("python"))
    said = (specifier(constraint) or "") if constraint else ""
    return Python(said=said, origin=Origin(file=file, line=line_of(text, r"^\s*python\s*="))) if said else None
