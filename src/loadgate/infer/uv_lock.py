"""uv.lock: what the projects in it depend on directly, held to the versions that were locked.

A lock speaks for every platform at once. Handing its pins to the resolver as constraints lets the resolver take those
that this platform needs, and leaves development groups out without having to know them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from loadgate.declared import KERAS_NAMES, TENSORFLOW_NAMES, Declared, Python
from loadgate.domain import Origin
from loadgate.infer.groups import is_for_development
from loadgate.infer.tables import Table, line_of, lines_beginning, parse_toml, string, strings, table, tables
from loadgate.repository import LONGEST_LOCK, read_text
from loadgate.requirements import Line, read_lines

_LOCAL = ("virtual", "editable", "directory", "path")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Package:
    name: str
    version: str
    source: Table
    dependencies: tuple[Table, ...]
    groups: dict[str, tuple[Table, ...]]
    """Extras and dependency groups."""
    markers: tuple[str, ...]
    origin: Origin

    @property
    def is_local(self) -> bool:
        return any(kind in self.source for kind in _LOCAL)


def read(root: Path, name: str) -> Declared:
    text = read_text(root, name, LONGEST_LOCK)
    document = parse_toml(text, name)
    packages = _packages(document, text, name)
    projects = [package for package in packages if package.is_local]
    direct, notes, for_development = _direct_dependencies(packages, projects, name)
    needed = _closure(packages, (dependency["name"] for dependency in direct))
    pinned = [package for package in packages if package.name in needed and not package.is_local]
    origins = {package.name: package.origin for package in pinned}
    local = {package.name for package in projects}
    lines = [
        (origins[dependency["name"]].line if dependency["name"] in origins else 1, 1, _line(dependency))
        for dependency in direct
        if dependency["name"] not in local
    ]
    options = [(1, 1, f"--extra-index-url {index}") for index in _other_indexes(pinned)]
    declared = read_lines(root, dict.fromkeys([*options, *lines]), name, constraints=_pins(pinned))
    python = string(document.get("requires-python"))
    return Declared(
        requirements=declared.requirements,
        constraints=declared.constraints,
        left_out=declared.left_out,
        notes=(*declared.notes, *notes),
        python=Python(said=python, origin=Origin(file=name, line=line_of(text, r"^requires-python")))
        if python
        else None,
        files=(name,),
        for_development=for_development,
    )


def _other_indexes(packages: Sequence[_Package]) -> list[str]:
    """Where packages come from that the usual index does not have.

    The usual one is that of most packages. It is left to the machine that installs, which may have a mirror of it.
    """
    counts = Counter(string(package.source.get("registry")).rstrip("/") for package in packages)
    usual = {index for index, _ in counts.most_common(1)}
    return sorted(index for index in counts.keys() - usual if index.startswith(("https://", "http://")))


def _packages(document: Table, text: str, file: str) -> list[_Package]:
    entries = tables(document.get("package"))
    lines = lines_beginning(text, "[[package]]")
    if len(lines) != len(entries):
        lines = [1] * len(entries)
    return [
        _Package(
            name=string(entry.get("name")),
            version=string(entry.get("version")),
            source=table(entry.get("source")),
            dependencies=_dependencies(entry.get("dependencies")),
            groups={
                group: _dependencies(dependencies)
                for key in ("optional-dependencies", "dev-dependencies")
                for group, dependencies in table(entry.get(key)).items()
            },
            markers=tuple(strings(entry.get("resolution-markers"))),
            origin=Origin(file=file, line=line + 1),
        )
        for entry, line in zip(entries, lines, strict=True)
        if string(entry.get("name"))
    ]


def _dependencies(value: object) -> tuple[Table, ...]:
    return tuple(dependency for dependency in tables(value) if string(dependency.get("name")))


def _direct_dependencies(
    packages: list[_Package], projects: list[_Package], file: str
) -> tuple[list[Table], list[str], bool]:
    """What the projects need to run; with a group of theirs that brings TensorFlow or Keras, where only that does.

    And whether that is one for development, which is the last resort.
    """
    direct = [dependency for project in projects for dependency in project.dependencies]
    has = _closure(packages, (dependency["name"] for dependency in direct))
    groups = [(project, *group) for project in projects for group in project.groups.items()]
    ordered = sorted(groups, key=lambda each: is_for_development(each[1]))
    for what, wanted in (("TensorFlow", TENSORFLOW_NAMES), ("Keras", KERAS_NAMES)):
        if has & (TENSORFLOW_NAMES | wanted):
            break
        for project, group, dependencies in ordered:
            if wanted & _closure(packages, (dependency["name"] for dependency in dependencies)):
                note = f"{file}: the group `{group}` of {project.name} is taken along, for it brings {what}."
                return [*direct, *dependencies], [note], is_for_development(group)
    return direct, [], False


def _closure(packages: list[_Package], names: Iterable[str]) -> set[str]:
    dependencies: dict[str, list[str]] = {}
    for package in packages:
        needs = dependencies.setdefault(package.name, [])
        needs.extend(dependency["name"] for dependency in package.dependencies)
        if not package.is_local:
            needs.extend(dependency["name"] for group in package.groups.values() for dependency in group)
    reached: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(dependencies.get(name, ()))
    return reached


def _line(dependency: Table) -> str:
    extras = ",".join(strings(dependency.get("extra")))
    marker = string(dependency.get("marker"))
    return string(dependency["name"]) + (f"[{extras}]" if extras else "") + (f" ; {marker}" if marker else "")


def _pins(packages: list[_Package]) -> Iterator[Line]:
    versions = Counter(package.name for package in packages)
    for package in packages:
        address = _address(package.source)
        forked = versions[package.name] > 1
        if not (address or package.version) or (forked and not package.markers):
            continue
        marker = " or ".join(f"({marker})" for marker in package.markers) if forked else ""
        wanted = f"{package.name} @ {address}" if address else f"{package.name}=={package.version}"
        yield package.origin.line, 1, f"{wanted} ; {marker}" if marker else wanted


def _address(source: Table) -> str:
    if string(source.get("url")):
        return string(source["url"])
    if not string(source.get("git")):
        return ""
    parts = urlsplit(string(source["git"]))
    folder = parse_qs(parts.query).get("subdirectory", [""])[0]
    revision = f"@{parts.fragment}" if parts.fragment else ""
    return f"git+{parts.scheme}://{parts.netloc}{parts.path}{revision}" + (f"#subdirectory={folder}" if folder else "")
