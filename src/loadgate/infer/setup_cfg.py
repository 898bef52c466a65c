"""setup.cfg: `install_requires`."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

from loadgate.declared import Declared, Python
from loadgate.domain import Origin
from loadgate.infer.tables import line_of
from loadgate.mistakes import Mistake, Mistakes
from loadgate.repository import read_text
from loadgate.requirements import read_lines

MOST_DEPENDENCIES = 1000


def read(root: Path, name: str) -> Declared:
    text = read_text(root, name)
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        line = getattr(error, "lineno", None) or 1
        raise Mistakes([Mistake(name, line, 1, "not valid: a line is neither a section nor a key")]) from error
    wanted = parser.get("options", "install_requires", fallback="")
    start = line_of(text, r"^install_requires")
    lines = [
        (line_of(text, re.escape(line.strip()), start), 1, line.strip())
        for line in wanted.splitlines()[:MOST_DEPENDENCIES]
        if line.strip() and not line.strip().startswith(("#", "file:"))
    ]
    declared = read_lines(root, lines, name)
    said = parser.get("options", "python_requires", fallback="").strip()
    origin = Origin(file=name, line=line_of(text, r"^python_requires"))
    return Declared(
        requirements=declared.requirements,
        notes=declared.notes,
        python=Python(said=said, origin=origin) if said else None,
        files=(name,),
    )
