"""What a TensorFlow release needs so that it installs and imports today, from the measured table beside this file.

For runtimes that loadgate itself chooses. What a user declared is made as declared: there, a missing constraint is
the diagnosis and not something to be slipped in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import msgspec
import yaml
from packaging.version import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    tensorflow: str
    """Its minor version, such as `2.15`."""
    pythons: tuple[str, ...]
    """Minor versions of Python with which it was seen to import, newest first."""
    requirements: tuple[str, ...]
    """What the resolver must be told, as pip spells it; empty where its own choice imports."""
    otherwise: str | None = None
    """Cause of the finding without them."""
    seen: Mapping[str, str]
    """Package → version, as they were when it imported."""


@cache
def constraints() -> tuple[Constraint, ...]:
    """Oldest TensorFlow first."""
    text = files("loadgate.runtimes").joinpath("constraints.yml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(text), tuple[Constraint, ...])


def constraints_for(tensorflow: Version) -> Constraint | None:
    """Those of its minor version; None where that was not measured."""
    minor = f"{tensorflow.major}.{tensorflow.minor}"
    return next((constraint for constraint in constraints() if constraint.tensorflow == minor), None)
