"""Which of the variables that an image sets change what loads in it."""

from __future__ import annotations

import re
from collections.abc import Mapping

_NAMED = frozenset(("KERAS_BACKEND", "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION", "XLA_FLAGS"))
"""XLA_FLAGS among them, for TensorFlow ends the process at a flag that it does not know."""

_OTHERS = re.compile(r"TF_(CPP|VAR|CLI|TOKEN)_|TF_(DATA_DIR|LOG)")
"""What begins with `TF_` as well: how much TensorFlow tells, and Terraform's own."""

_SECRET = re.compile(r"(^|_)(KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS?)(_|$)")

LONGEST = 1000
"""Characters. Longer values may not have been read to their end."""


def changing_loads(variables: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if _changes_loads(name)}


def is_known(value: str) -> bool:
    """Not so where something is to be filled in by whoever builds the image."""
    return "$" not in value and value.isprintable() and len(value) <= LONGEST


def _changes_loads(name: str) -> bool:
    if re.fullmatch(r"TF_[A-Z0-9_]{1,100}", name) is None:
        return name in _NAMED
    return not (_OTHERS.match(name) or _SECRET.search(name))
