"""What the code of a Lambda finds around it where it is loaded: the names in the module of Keras that has the class.

usage: python -m lab.lambda_names

Read from the sources of the lab's runtimes; nothing is imported.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

from packaging.version import Version

from lab.place import REPOSITORY, Place, default_place
from loadgate.diagnosis.experience import release_of
from loadgate.diagnosis.target import place_of, target_of
from loadgate.domain import Loader, Lock
from loadgate.interchange import write_whole

TARGET = REPOSITORY / "src" / "loadgate" / "diagnosis" / "lambda_names.json"
MODULES = (
    "tf_keras/src/layers/core/lambda_layer.py",
    "keras/src/layers/core/lambda_layer.py",
    "keras/layers/core/lambda_layer.py",
    "keras/layers/core.py",
    "tensorflow/python/keras/layers/core.py",
    "tensorflow_core/python/keras/layers/core.py",
)
"""The first that is there; tf-keras alone where it is in use."""


def module_of(lock: Lock) -> Path:
    packages = next((Path(lock.interpreter).parents[1] / "lib").glob("python3*/site-packages"))
    is_legacy = lock.keras_module == "tf_keras"
    return next(packages / name for name in MODULES[0 if is_legacy else 1 :] if (packages / name).exists())


def names_in(source: str) -> Iterator[str]:
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            yield from (each.asname or each.name.partition(".")[0] for each in statement.names)
        elif isinstance(statement, ast.FunctionDef | ast.ClassDef):
            yield statement.name
        elif isinstance(statement, ast.Assign):
            yield from (target.id for target in statement.targets if isinstance(target, ast.Name))


def main() -> None:
    found: dict[str, dict[str, list[str]]] = {}
    for lock in Place(default_place()).locks().values():
        place = place_of(target_of(lock), Loader.KERAS)
        if place is not None:
            version = ".".join(map(str, release_of(place[1])))
            names = set(names_in(module_of(lock).read_text(encoding="utf-8")))
            found.setdefault(place[0], {})[version] = sorted(names)
    ordered = {
        line: dict(sorted(each.items(), key=lambda one: Version(one[0]))) for line, each in sorted(found.items())
    }
    write_whole(TARGET, json.dumps(ordered).encode() + b"\n")


if __name__ == "__main__":
    main()
