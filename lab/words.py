"""Measures which Keras takes which option of which class: `words.json` among the raw results.

usage: python -m lab.words ROOT
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.parts import run, say
from lab.place import INSIDE, Place, write_json
from loadgate.diagnosis.target import place_of, target_of
from loadgate.domain import Loader, Lock

PROGRAM = INSIDE / "lab_words.py"
SIGNATURES = INSIDE / "lab_signatures.py"
EVERYWHERE = {"batch_input_shape": [None, 6, 6, 3], "batch_shape": [None, 6, 6, 3]}
"""Written into the first layer of a Sequential model, whatever class that is."""
COMMON = 3
"""An option that so many classes have is tried on all, whichever Keras they are from."""


def measure(place: Place) -> None:
    """`own`: runtime → class → its options there. `taken`: runtime → class → option → whether it is taken.
    `signatures`: runtime → what its classes are called with, which activations and functions it knows by name.

    Of a runtime that has answered already only its own options are asked for again, since others are asked with them.
    """
    answered = json.loads(place.words.read_bytes()) if place.words.exists() else {"taken": {}, "signatures": {}}
    scratch = place.root / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    locks = one_of_each(place.locks_of_parts())
    own: dict[str, dict[str, dict[str, Any]]] = {}
    for name, lock in locks.items():
        own[name] = asked(name, lock, scratch / f"own-{name}.json")
    listing = scratch / "words.json"
    listing.write_text(json.dumps({"classes": of_classes(own), "common": {**common(own), **EVERYWHERE}}))
    taken = {
        name: answered["taken"].get(name) or asked(name, lock, scratch / f"taken-{name}.json", listing)
        for name, lock in locks.items()
    }
    has = {name: {of: sorted(options) for of, options in classes.items()} for name, classes in own.items()}
    signatures = {
        name: answered["signatures"].get(name) or signed(name, lock, scratch / f"signatures-{name}.json")
        for name, lock in locks.items()
    }
    write_json(place.words, {"own": has, "taken": taken, "signatures": signatures})


def one_of_each(locks: Mapping[str, Lock]) -> Mapping[str, Lock]:
    """Keras answers alike under every TensorFlow."""
    found: dict[Any, str] = {}
    for name, lock in locks.items():
        found.setdefault(place_of(target_of(lock), Loader.KERAS), name)
    return {name: locks[name] for name in found.values()}


def asked(name: str, lock: Lock, output: Path, *words: Path) -> Any:
    if not output.exists():
        unfinished = output.with_suffix(".part")
        run([lock.interpreter, str(PROGRAM), str(unfinished), *map(str, words)], name)
        unfinished.rename(output)
        say(f"{output.stem} is known")
    return json.loads(output.read_bytes())


def signed(name: str, lock: Lock, output: Path) -> Any:
    if not output.exists():
        unfinished = output.with_suffix(".part")
        run([lock.interpreter, str(SIGNATURES), str(unfinished)], name)
        unfinished.rename(output)
        say(f"{output.stem} is known")
    return json.loads(output.read_bytes())


def of_classes(own: dict[str, dict[str, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Class → every option that it has anywhere, each with the plainest of its values."""
    found: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for classes in own.values():
        for name, options in classes.items():
            for option, value in options.items():
                if option not in found[name] or isinstance(found[name][option], dict | list):
                    found[name][option] = value
    return found


def common(own: dict[str, dict[str, dict[str, Any]]]) -> dict[str, Any]:
    """Options of many classes, each with the value that most of them have."""
    having: defaultdict[str, set[str]] = defaultdict(set)
    values: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for classes in own.values():
        for name, options in classes.items():
            for option, value in options.items():
                having[option].add(name)
                values[option][json.dumps(value)] += 1
    return {
        option: json.loads(values[option].most_common(1)[0][0])
        for option, names in having.items()
        if len(names) >= COMMON
    }


if __name__ == "__main__":
    measure(Place(Path(sys.argv[1])))
