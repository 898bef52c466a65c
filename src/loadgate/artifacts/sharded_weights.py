"""Weights of Keras 3 in several files: `NAME.weights.json` says in which `NAME_00000.weights.h5`, … each variable lies.

Each of these files is an artifact of its own. What only the list can tell is told of the list: that one is missing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from loadgate.artifacts import sightings
from loadgate.artifacts.interface import Folder, Sighting
from loadgate.artifacts.keras_config import MAX_NODES, nodes_at_most
from loadgate.artifacts.stand_in import read_facts
from loadgate.domain import Format, StandIn, StandInKind

__all__ = ["find", "read_facts"]

_LIST = ".weights.json"
_SHARD = ".weights.h5"
_MAX_LIST = 16 * 1024**2
"""Bytes. A variable takes about a hundred."""


def find(folder: Folder) -> Iterable[Sighting]:
    for name in folder.names:
        if name.endswith(_LIST) and (reason := _incomplete(folder, name)):
            yield sightings.of_file(folder, name, Format.KERAS_WEIGHTS_H5, reason)


def _incomplete(folder: Folder, name: str) -> StandIn | None:
    try:
        shards = set(_shards(folder, name))
    except (OSError, ValueError, RecursionError):
        if f"{name.removesuffix(_LIST)}_00000{_SHARD}" not in folder.names:
            return None
        reason = sightings.in_place_of(folder, name)
        return reason if reason and reason.kind is not StandInKind.JSON else _cut_off(folder, name)
    return sightings.find_missing(folder, sorted(shards))


def _cut_off(folder: Folder, name: str) -> StandIn:
    return StandIn(kind=StandInKind.TRUNCATED, file=sightings.path_of(folder, name), detail="its JSON breaks off")


def _shards(folder: Folder, name: str) -> Iterator[str]:
    """Raises ValueError for a list that is no JSON. JSON of another kind names none, nor does one too large to read."""
    if folder.size(name) > _MAX_LIST:
        return
    text = Path(folder.root, folder.path, name).read_text("utf-8-sig")
    if nodes_at_most(text) > MAX_NODES:
        return
    content = json.loads(text)
    variables = content.get("weight_map") if isinstance(content, dict) else None
    for files in variables.values() if isinstance(variables, dict) else ():
        for file in files if isinstance(files, list) else [files]:
            if _is_shard(file):
                yield file


def _is_shard(file: Any) -> bool:
    return isinstance(file, str) and file.endswith(_SHARD) and "/" not in file and file.isprintable()
