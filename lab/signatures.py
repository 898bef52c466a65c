"""What is known of classes by their signatures, as further answers beside those of `lab/words.py`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from loadgate.artifacts.keras_constructs import CALLED, NAMED
from loadgate.diagnosis.experience import MODULE
from loadgate.diagnosis.words import ACTIVATIONS, FUNCTIONS, OWN

Own = Mapping[str, Mapping[str, list[str]]]
"""Runtime → class → names."""
ANY = "**"
"""Stands for whatever a class is called with, where it takes all."""
OF_TENSORS = frozenset({
    "__operators__", "bitwise", "image", "linalg", "math", "nn", "ragged", "random", "signal", "sparse", "strings",
})  # fmt: skip
"""Modules of TensorFlow whose functions take tensors and give some."""


def names_of(signatures: Mapping[str, Any]) -> dict[str, list[str]]:
    """Class → what it is called with; activations and functions under names of their own."""
    found = {of: [f"{CALLED}{argument}" for argument in arguments] for of, arguments in signatures["calls"].items()}
    for of, (module, *options) in signatures["operations"].items():
        # of what has the name of a layer, the layer tells the options
        named = [NAMED] if "name" in options else []
        found[of] = [*found.get(of, [OWN, *options]), *named, f"{MODULE}{module}"]
    found[ACTIVATIONS] = signatures["activations"]
    if signatures["functions"]:
        found[FUNCTIONS] = [name for name in signatures["functions"] if is_of_tensors(name)]
    return found


def is_of_tensors(name: str) -> bool:
    *modules, _ = name.removeprefix("compat.v1.").split(".")
    return not modules or modules[0] in OF_TENSORS


def with_names(own: Own, names: Own) -> Own:
    """What each class has of its own, with what is known of it by name."""
    return {
        runtime: {
            of: [*classes.get(of, ()), *names[runtime].get(of, ())] for of in classes.keys() | names[runtime].keys()
        }
        for runtime, classes in own.items()
    }


def verdicts(names: Own) -> Mapping[str, Mapping[str, Mapping[str, bool]]]:
    """Runtime → class → name that is known of the class anywhere → whether it is here."""
    anywhere: defaultdict[str, set[str]] = defaultdict(set)
    for classes in names.values():
        for of, known in classes.items():
            anywhere[of] |= set(known)
    return {
        runtime: {of: {name: is_here(name, known) for name in anywhere[of]} for of, known in classes.items()}
        for runtime, classes in names.items()
    }


def is_here(name: str, known: Collection[str]) -> bool:
    return name in known or (name.startswith(CALLED) and f"{CALLED}{ANY}" in known)
