"""The values that only this spec has: versions, sizes, paths, packages, environment variables."""

from __future__ import annotations

import math
import os
import posixpath
import re
from pathlib import Path

import yaml
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from loadgate.declared import Declared
from loadgate.domain import LOADERS_OF_FORMAT, Format, Loader
from loadgate.infer.listed import read_listed
from loadgate.mistakes import Mistakes, nearest, quoted
from loadgate.repository import UnusableFileError, resolve
from loadgate.requirements import read_lines
from loadgate.spec.fields import Reader, Reading, RefusedError, found, pattern, text
from loadgate.yaml_nodes import kind, position

VERSION = 1
OLDEST_PYTHON = (3, 6)
"""What the probe runs in."""

SHORTEST, LONGEST = 0.1, 86_400.0
"""Seconds."""

SMALLEST = 128 * 1024**2
"""Bytes. Importing TensorFlow alone was measured to take 200 to 500 million."""

UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12} | {
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}

RESERVED = {
    "PYTHONHOME": "it would take the interpreter's standard library away",
    "PYTHONPLATLIBDIR": "it would take the interpreter's standard library away",
    "PYTHONEXECUTABLE": "it would hide which interpreter runs",
    "PYTHONINSPECT": "the interpreter would wait for a person at its end",
    "CUDA_VISIBLE_DEVICES": "`devices` says where models load",
}

runtime_name = pattern(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "at most 64 letters, digits, `.`, `_` and `-`")
module = pattern(
    r"[^\W\d]\w*(\.[^\W\d]\w*)*(:[^\W\d]\w*)?",
    "the dotted name of a module, such as acme.layers, or of one of its names, such as acme.layers:Gate",
)
image = pattern(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,511}", 'the name of an image, such as "ghcr.io/acme/serving:2.15"')
platform_version = pattern(r"\d+(\.\d+){0,3}", 'a version, such as "12.2"')


def spec_version(_reading: Reading, subject: str, node: yaml.Node) -> int:
    if kind(node) != "number" or node.value != str(VERSION):
        raise RefusedError(node, f"{subject} is {found(node)}; this loadgate reads version {VERSION}: write {VERSION}")
    return VERSION


def python_version(reading: Reading, subject: str, node: yaml.Node) -> str:
    value = pattern(r"\d+\.\d+(\.\d+)?", 'a version such as "3.11" or "3.11.7"')(reading, subject, node)
    major, minor = (int(part) for part in value[:20].split(".")[:2])
    if major != OLDEST_PYTHON[0] or minor < OLDEST_PYTHON[1] or len(value) > len("3.100.100"):
        raise RefusedError(node, f"{subject} is {quoted(value)}; write 3.6 or later, up to 3.99")
    return value


def release(reading: Reading, subject: str, node: yaml.Node) -> str:
    """A version, or a specifier, as PEP 440 spells them."""
    value = text('a version such as "2.15.1"')(reading, subject, node).strip()
    try:
        Version(value)
    except InvalidVersion:
        try:
            specifiers = SpecifierSet(value)
        except InvalidSpecifier as error:
            raise RefusedError(node, f"{subject} is {quoted(value)}, {_what_is_wrong(value)}") from error
        if not len(specifiers):
            raise RefusedError(node, f'{subject} is an empty text; write a version such as "2.15.1"') from None
    return value


def _what_is_wrong(value: str) -> str:
    if re.fullmatch(r"\d+(\.\d+)*\.\*", value):
        return f'which names many versions; write "=={value}"'
    if re.match(r"[a-zA-Z]", value):
        return 'which is no version; write the version alone, such as "2.15.1", or leave the key out for the newest'
    return 'which is neither a version nor a specifier; write "2.15.1" or ">=2.15,<2.16"'


def seconds(_reading: Reading, subject: str, node: yaml.Node) -> float:
    if not (isinstance(node, yaml.ScalarNode) and kind(node) == "number"):
        raise RefusedError(node, f"{subject} is {found(node)}; write seconds as a plain number, such as 300")
    plain = re.fullmatch(r"\d{1,12}(\.\d{0,12})?", node.value)
    value = float(node.value) if plain else math.nan
    if not SHORTEST <= value <= LONGEST:
        raise RefusedError(node, f"{subject} is {found(node)}; write {SHORTEST:g} to {LONGEST:.0f} seconds")
    return value


def count(_reading: Reading, subject: str, node: yaml.Node) -> int:
    if not (isinstance(node, yaml.ScalarNode) and kind(node) == "number" and re.fullmatch(r"\d{1,3}", node.value)):
        raise RefusedError(node, f"{subject} is {found(node)}; write a whole number from 0 to 999")
    return int(node.value)


def size(_reading: Reading, subject: str, node: yaml.Node) -> int:
    """Bytes."""
    wanted = "4GiB, 512MB or a number of bytes"
    if not (isinstance(node, yaml.ScalarNode) and kind(node) in ("number", "text")):
        raise RefusedError(node, f"{subject} is {found(node)}; write {wanted}")
    parsed = re.fullmatch(r"(\d{1,15})(\.\d{1,6})? ?([a-zA-Z]*)", node.value)
    if parsed is None:
        raise RefusedError(node, f"{subject} is {found(node)}; write {wanted}")
    whole, fraction, unit = parsed.groups()
    if (unit or "B") not in UNITS:
        raise RefusedError(node, f"{quoted(unit)} in {subject} is no unit; {nearest(unit, UNITS)}")
    value = int(float(whole + fraction) * UNITS[unit or "B"]) if fraction else int(whole) * UNITS[unit or "B"]
    if value < SMALLEST:
        message = f"{subject} is {value:,} bytes, and TensorFlow alone takes more; write {wanted}, from 128MiB up"
        raise RefusedError(node, message)
    return value


def artifact_pattern(reading: Reading, subject: str, node: yaml.Node) -> str:
    from loadgate.artifacts.patterns import compiled

    value = text('a pattern, such as "models/**"')(reading, subject, node)
    if ".." in value.split("/"):
        raise RefusedError(node, f"{subject} is {quoted(value)}; patterns do not lead out of the repository")
    try:
        selects = len([rule for rule in compiled([value]).patterns if rule.include is not None])
    except ValueError as error:
        raise RefusedError(node, f"{subject} is {quoted(value)}, which .gitignore could not hold either") from error
    if not selects:
        raise RefusedError(node, f'{subject} is {quoted(value)}, which selects nothing; write "models/**"')
    return value


def interpreter(reading: Reading, subject: str, node: yaml.Node) -> str:
    value = text("the path of a Python, such as .venv/bin/python")(reading, subject, node)
    if not value or value.startswith(("-", "~")):
        raise RefusedError(node, f"{subject} is {quoted(value)}; write the path of a Python, such as .venv/bin/python")
    if value.startswith("/"):
        return posixpath.normpath(value)
    try:
        return resolve(value)
    except UnusableFileError as error:
        raise RefusedError(node, f"{subject} {quoted(value)} {error}, or an absolute one") from error


def listed_file(reading: Reading, subject: str, node: yaml.Node) -> tuple[str, Declared]:
    """The file's path, and what it declares. Mistakes in it are reported where they are."""
    value = text("the path of a file, such as requirements.txt")(reading, subject, node)
    try:
        name = resolve(value)
        if not os.path.exists(reading.root / name):
            raise UnusableFileError(f"does not exist{_similar(reading.root, name)}")
        return name, read_listed(reading.root, name)
    except UnusableFileError as error:
        raise RefusedError(node, f"{quoted(value)} {error}") from error
    except Mistakes as error:
        reading.mistakes.extend(error.mistakes)
        return value, Declared()


def _similar(root: Path, name: str) -> str:
    folder = (root / name).parent
    if not os.path.isdir(folder):
        return ""
    names = [path.name for path in sorted(folder.iterdir())[:1000] if path.is_file()]
    hint = nearest(posixpath.basename(name), names)
    return f"; {hint}" if hint.startswith("did") else ""


def package(reading: Reading, subject: str, node: yaml.Node) -> Declared:
    value = text('a requirement, such as "tensorflow-text==2.15.*"')(reading, subject, node).strip()
    if not value or value.startswith("#"):
        raise RefusedError(node, f'{subject} is empty; write a requirement, such as "tensorflow-text==2.15.*"')
    if re.match(r"(-r|-c|-e|--requirement|--constraint|--editable)\b", value):
        raise RefusedError(node, f"{subject} is {quoted(value)}; put files under `requirements`")
    try:
        declared = read_lines(reading.root, [(*position(node), value)], reading.file)
    except Mistakes as error:
        reading.mistakes.extend(error.mistakes)
        return Declared()
    if declared.notes:
        raise RefusedError(node, declared.notes[0].split(": ", 1)[1].rstrip("."))
    return declared


def environment_name(reading: Reading, subject: str, node: yaml.Node) -> str:
    value = pattern(r"[A-Za-z_][A-Za-z0-9_]{0,255}", "letters, digits and `_`")(reading, subject, node)
    reason = RESERVED.get(value, "loadgate keeps these names for itself" if value.startswith("LOADGATE_") else None)
    if reason:
        raise RefusedError(node, f"{quoted(value)} cannot be set: {reason}; remove it")
    return value


environment_value = text("a text", allowed="\n\t")


def loader_of(format_: Format, _node: yaml.Node) -> Reader[Loader]:
    """A loader that makes sense of the format."""
    loaders = LOADERS_OF_FORMAT[format_]

    def read(_reading: Reading, subject: str, node: yaml.Node) -> Loader:
        if not isinstance(node, yaml.ScalarNode) or kind(node) != "text":
            raise RefusedError(node, f"{subject} is {found(node)}; write {' or '.join(loaders)}")
        if node.value not in list(loaders):
            there_is_such = node.value in list(Loader)
            hint = f"write {' or '.join(loaders)}" if there_is_such else nearest(node.value, loaders)
            raise RefusedError(node, f"{quoted(node.value)} does not load {subject}; {hint}")
        return Loader(node.value)

    return read
