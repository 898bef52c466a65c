"""setup.cfg: `install_requires`, and an extra where only that brings TensorFlow."""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from loadgate.declared import Declared, Python
from loadgate.domain import Origin
from loadgate.infer.tables import line_of
from loadgate.infer.taken_along import brings, with_group
from loadgate.mistakes import Mistake, Mistakes
from loadgate.repository import read_text
from loadgate.requirements import Line, read_lines

MOST_DEPENDENCIES = 1000
MOST_EXTRAS = 100


def read(root: Path, name: str) -> Declared:
    text = read_text(root, name)
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        line = getattr(error, "lineno", None) or 1
        raise Mistakes([Mistake(name, line, 1, "not valid: a line is neither a section nor a key")]) from error
    lines = list(_lines(parser.get("options", "install_requires", fallback=""), text, r"^install_requires"))
    section = "options.extras_require"
    extras = list(parser[section].items())[:MOST_EXTRAS] if section in parser else []
    groups = [
        (extra, list(_lines(listed, text, rf"(?i)^{re.escape(extra)}\s*[=:]")))
        for extra, listed in extras
        if brings(line.strip() for line in listed.splitlines())
    ]
    declared = with_group(lines, groups, name, lambda lines: read_lines(root, lines, name))
    said = parser.get("options", "python_requires", fallback="").strip()
    origin = Origin(file=name, line=line_of(text, r"^python_requires"))
    return replace(declared, python=Python(said=said, origin=origin) if said else None, files=(name,))


def _lines(listed: str, text: str, key: str) -> Iterator[Line]:
    start = line_of(text, key)
    for line in (each.strip() for each in listed.splitlines()[:MOST_DEPENDENCIES]):
        if line and not line.startswith(("#", "file:")):
            yield line_of(text, re.escape(line), start), 1, line
