"""Which Keras takes which option of which class, as the classes themselves were asked by `lab/words.py`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import cache
from importlib.resources import files

import msgspec

OWN = "written"
"""Stands for the class itself, beside its options."""


ACTIVATIONS = "activations"
"""Stands for the class of those that are known by name."""
FUNCTIONS = "functions"
"""Stands for the class of those of TensorFlow that a layer may be made of."""


class Answer(Enum):
    TAKEN = "taken"
    REFUSED = "refused"
    NOT_KNOWN = "not known"


class Vocabulary(msgspec.Struct, frozen=True):
    """Of every Keras along one line of versions."""

    versions: tuple[str, ...]
    """Oldest first."""
    taken: Mapping[str, Mapping[str, str]]
    """Class → option → the versions that take it, as hexadecimal bits."""
    refused: Mapping[str, Mapping[str, str]]
    """Class → option → the versions that have the class and do not take it."""
    needed: Mapping[str, Mapping[str, str]] = {}
    """Class → option → the versions in which it is not made without it."""

    def answer(self, owner: str, option: str, version: str) -> Answer:
        if version not in self.versions:
            return Answer.NOT_KNOWN
        bit = 1 << self.versions.index(version)
        if int(self.taken.get(owner, {}).get(option, "0"), 16) & bit:
            return Answer.TAKEN
        if int(self.refused.get(owner, {}).get(option, "0"), 16) & bit:
            return Answer.REFUSED
        return Answer.NOT_KNOWN

    def is_made_without(self, owner: str, option: str, version: str) -> bool:
        """False where the class was not asked as well."""
        if self.answer(owner, OWN, version) is not Answer.TAKEN:
            return False
        needing = int(self.needed.get(owner, {}).get(option, "0"), 16)
        return not needing & 1 << self.versions.index(version)


NOTHING = Vocabulary(versions=(), taken={}, refused={})


@cache
def vocabularies() -> Mapping[str, Vocabulary]:
    """By line of versions."""
    content = files("loadgate.diagnosis").joinpath("words.json").read_bytes()
    return msgspec.json.decode(content, type=dict[str, Vocabulary])
