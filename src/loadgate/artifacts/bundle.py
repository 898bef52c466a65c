"""The tensor bundle: how TensorFlow stores variables since 1.0, as `prefix.index` and `prefix.data-NNNNN-of-NNNNN`.

It is a checkpoint (version 2) by itself, and the variables of a SavedModel.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loadgate.artifacts import sightings, table, tensor_types
from loadgate.artifacts.interface import Folder, TooLarge, Unreadable
from loadgate.artifacts.mapped import Buffer, mapped
from loadgate.artifacts.protos import BUNDLE_ENTRY, BUNDLE_HEADER
from loadgate.artifacts.wire import Budget, Message
from loadgate.domain import StandIn, StandInKind

_OBJECT_GRAPH = b"_CHECKPOINTABLE_OBJECT_GRAPH"
_OF_KERAS_2, _OF_KERAS_3 = b"layer_with_weights-", b"/_operations/"
"""In the path of a variable of a model of Keras, measured with 2.4 to 2.18 and with 3.3 to 3.15."""
_MAX_FIELDS = 2_000_000
"""An index of 100,000 tensors."""
_SLICE = b"\0"
"""First byte of the key of a slice; the tensor itself has an entry of its own."""
_MAX_SHARDS = 100_000
"""Shard numbers have five digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    shards: int
    needed: Mapping[int, int]
    """Shard → bytes that it must have at least."""
    dtypes: Mapping[str, int]
    """Type → how many tensors of it, without the object graph."""
    object_graph: bool
    """It was written by TensorFlow 2's object-based saving."""
    keras: int | None = None
    """Generation of Keras whose model it holds; None where it is of no model of Keras, or that cannot be told."""


def shard_name(prefix: str, shard: int, shards: int) -> str:
    return f"{prefix}.data-{shard:05d}-of-{shards:05d}"


def read_index(path: Path) -> Bundle:
    """What `prefix.index` says. Raises `Unreadable`."""
    with mapped(path) as buffer:
        return _read(buffer)


def _read(index: Buffer) -> Bundle:
    budget = Budget(_MAX_FIELDS)
    entries = table.entries(index, budget)
    try:
        key, buffer, start, end = next(entries, (b"none", b"", 0, 0))
    except TooLarge as error:
        raise Unreadable(str(error)) from error  # which table it is, its first entry says
    header = Message(BUNDLE_HEADER, buffer, start, end, budget)
    shards = header.integer("num_shards")
    if key or not header.is_admissible() or not 0 < shards < _MAX_SHARDS:
        raise Unreadable("a table, but not the index of a checkpoint")
    needed: Counter[int] = Counter()
    types: Counter[int] = Counter()
    object_graph = False
    keras = None
    for key, buffer, start, end in entries:
        entry = Message(BUNDLE_ENTRY, buffer, start, end, budget).integers()
        shard, stop = entry.get("shard_id", 0), entry.get("offset", 0) + entry.get("size", 0)
        if not 0 <= shard < shards:
            raise Unreadable(f"a tensor is said to be in shard {shard:,} of {shards:,}")
        needed[shard] = max(needed[shard], stop)
        object_graph |= key == _OBJECT_GRAPH
        keras = 2 if _OF_KERAS_2 in key else 3 if _OF_KERAS_3 in key else keras
        if key != _OBJECT_GRAPH and not key.startswith(_SLICE):
            types[entry.get("dtype", 0)] += 1
            if len(types) > tensor_types.MOST:
                raise Unreadable("tensors of more types than there are")
    dtypes: Counter[str] = Counter()
    for number, tensors in types.items():
        dtypes[tensor_types.name(number)] += tensors
    return Bundle(shards=shards, needed=needed, dtypes=dtypes, object_graph=object_graph, keras=keras)


def find_stand_in(folder: Folder, prefix: str) -> StandIn | None:
    """Why the bundle `prefix` is not whole; None where it is, and where it is damaged in another way."""
    index = f"{prefix}.index"
    if index not in folder.names:
        detail = "the index is missing beside its data"
        return StandIn(kind=StandInKind.MISSING_SHARDS, file=sightings.path_of(folder, index), detail=detail)
    if reason := sightings.in_place_of(folder, index):
        return reason
    try:
        bundle = read_index(folder.root / folder.path / index)
    except Unreadable as error:
        return sightings.cut_off(folder, index, error)
    shards = [shard_name(prefix, shard, bundle.shards) for shard in range(bundle.shards)]
    if reason := sightings.find_missing(folder, shards):
        return reason
    for shard, name in enumerate(shards):
        size, needed = folder.size(name), bundle.needed.get(shard, 0)
        if size < needed:
            short = Unreadable(f"{size:,} bytes where the index needs {needed:,}", StandInKind.TRUNCATED)
            return sightings.in_place_of(folder, name) or sightings.cut_off(folder, name, short)
    return None
