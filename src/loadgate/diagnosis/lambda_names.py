"""What the code of a Lambda finds around it, by the version of Keras that loads it. Written by `lab/lambda_names.py`.

A stored lambda takes no imports along: its names are looked for in the module of Keras that has the class `Lambda`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from packaging.version import Version


def is_found(name: str, line: str, version: Version) -> bool:
    """Between two versions that were read, a name is there that both have."""
    known = _names().get(line, {})
    release = Version(f"{version.major}.{version.minor}")
    below = [names for each, names in known.items() if each <= release][-1:]
    above = [names for each, names in known.items() if each >= release][:1]
    return bool(below and above) and name in below[0] & above[0]


@cache
def _names() -> Mapping[str, Mapping[Version, frozenset[str]]]:
    content = json.loads(files("loadgate.diagnosis").joinpath("lambda_names.json").read_bytes())
    return {
        line: {Version(version): frozenset(names) for version, names in versions.items()}
        for line, versions in content.items()
    }
