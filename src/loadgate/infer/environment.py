"""Which of the variables that an image sets change what loads in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from loadgate.infer.candidate import Candidate
from loadgate.infer.dockerfile import Image
from loadgate.infer.groups import is_for_development
from loadgate.mistakes import quoted

_NAMED = frozenset(("KERAS_BACKEND", "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION", "XLA_FLAGS"))
"""XLA_FLAGS among them, for TensorFlow ends the process at a flag that it does not know."""

_OTHERS = re.compile(r"TF_(CPP|VAR|CLI|TOKEN)_|TF_(DATA_DIR|LOG)")
"""What begins with `TF_` as well: how much TensorFlow tells, and Terraform's own."""

_SECRET = re.compile(r"(^|_)(KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS?)(_|$)")

LONGEST = 1000
"""Characters. Longer values may not have been read to their end."""


def set_by(image: Image, candidate: Candidate) -> Candidate:
    """The runtime that the image is for, with what the image sets."""
    variables = {name: value for name, value in image.variables.items() if _changes_loads(name)}
    return replace(
        candidate,
        env={name: value for name, value in variables.items() if _is_known(value)},
        notes=(*candidate.notes, *_told(image.file, variables)),
    )


def set_beside(images: Iterable[Image], candidate: Candidate) -> Candidate:
    """With what the nearest image sets: one that installs with uv or Poetry does not tell what it installs."""
    beside = (image for image in images if candidate.is_beside(image.file) and not is_for_development(image.file))
    setting = [image for image in beside if any(_changes_loads(name) for name in image.variables)]
    return set_by(max(setting, key=lambda image: image.file.count("/")), candidate) if setting else candidate


def _told(file: str, variables: Mapping[str, str]) -> Iterator[str]:
    for name, value in variables.items():
        left_out = "" if _is_known(value) else ", which could not be followed; the variable is left out"
        yield f"{file} sets {quoted(f'{name}={value}')}{left_out}."


def _is_known(value: str) -> bool:
    """Not so where something is to be filled in by whoever builds the image."""
    return "$" not in value and value.isprintable() and len(value) <= LONGEST


def _changes_loads(name: str) -> bool:
    if re.fullmatch(r"TF_[A-Z0-9_]{1,100}", name) is None:
        return name in _NAMED
    return not (_OTHERS.match(name) or _SECRET.search(name))
