"""TensorFlow checkpoints: several files with one prefix, which is the artifact's path.

Version 2 is a tensor bundle (`bundle.py`). Version 1, from before TensorFlow 1.0, is one table, or one a shard, of
slices of tensors. With either, `prefix.meta` holds the graph. The text file `checkpoint` beside them is no artifact.
"""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from loadgate.artifacts import bundle, sightings, stand_in, table, tensor_types
from loadgate.artifacts.graph import read_graph, read_signatures
from loadgate.artifacts.interface import HEAD, Folder, Sighting, TooLarge, Unreadable
from loadgate.artifacts.mapped import Buffer, mapped
from loadgate.artifacts.protos import META_GRAPH, TENSOR_SLICES
from loadgate.artifacts.wire import Budget, Message, varint
from loadgate.domain import Facts, Format, SavedWith, StandIn, StandInKind

_DATA = re.compile(r"(.*)\.data-\d{5}-of-\d{5}", re.DOTALL)
_SHARD = re.compile(r"(.+)-(\d{5})-of-(\d{5})", re.DOTALL)
_LATEST = "checkpoint"
"""The text file that names the checkpoints beside it."""
_NAMES_OF_CHECKPOINTS = frozenset({"checkpoint", "ckpt", "variables"})
_FIRST_ENTRY = re.compile(rb"\0\0[\x80-\xff]{0,4}[\x00-\x7f]\x0a", re.DOTALL)
"""A table of version 1 begins with an entry whose key is empty, and whose value with the list of all tensors."""
_KEY_OF_FIRST_ENTRY = 2
"""Bytes: it shares none with the key before it, and has none of its own."""


def find(folder: Folder) -> Iterable[Sighting]:
    files = _bundles(folder)
    for prefix in sorted(files):
        yield _sighting(folder, prefix, files[prefix], bundle.find_stand_in(folder, prefix))
    taken = {name for names in files.values() for name in names}
    yield from _find_old(folder, [name for name in folder.names if name not in taken])


def read_facts(root: Path, sighting: Sighting) -> Facts:
    index, meta = f"{sighting.path}.index", f"{sighting.path}.meta"
    if index in sighting.files:
        facts = _facts_of_bundle(root / index)
    else:
        tables = [root / file for file in sighting.files if file != meta]
        facts = _facts_of_tables(tables)
    return _with_graph(facts, root / meta) if meta in sighting.files else facts


# --- version 2 ------------------------------------------------------------------------------------------------


def _bundles(folder: Folder) -> Mapping[str, list[str]]:
    """Prefix → the files of its index and data."""
    files: dict[str, list[str]] = defaultdict(list)
    for name in folder.names:
        if data := _DATA.fullmatch(name):
            files[data[1]].append(name)
    for name in folder.names:
        if name.endswith(".index"):
            prefix = name.removesuffix(".index")
            if prefix in files or _is_index(folder, name):
                files[prefix].append(name)
    return {prefix: names for prefix, names in files.items() if _is_of_tensorflow(folder, prefix, names)}


def _is_of_tensorflow(folder: Folder, prefix: str, names: Collection[str]) -> bool:
    """Whether data are a checkpoint's although their index is missing: Apache Beam names its text in the same way."""
    if {f"{prefix}.index", f"{prefix}.meta"} & {*folder.names}:
        return True
    if _LATEST in folder.names and os.fsencode(prefix) in folder.head(_LATEST):
        return True
    if not _NAMES_OF_CHECKPOINTS.isdisjoint(re.split(r"[^a-z]+", prefix.lower())):
        return True
    return not all(_is_plain_text(folder, name) for name in names)


def _is_plain_text(folder: Folder, name: str) -> bool:
    """Lines or nothing at all, as the shards of anything may be; a page in HTML was served in place of a file."""
    head = folder.head(name)
    found = stand_in.of_file(head, folder.size(name))
    return stand_in.is_text(head) and (found is None or found[0] is not StandInKind.HTML)


def _is_index(folder: Folder, name: str) -> bool:
    """By content: nothing lies beside it, and many things are called an index."""
    if not folder.head(name).startswith(b"\0\0"):
        return False
    try:
        bundle.read_index(folder.root / folder.path / name)
    except Unreadable as error:
        return isinstance(error, TooLarge)
    return True


def _facts_of_bundle(index: Path) -> Facts:
    content = bundle.read_index(index)
    extra = {"checkpoint_version": "V2", "shards": str(content.shards)}
    if content.object_graph:
        extra["object_graph"] = "yes"
    if content.keras is not None:
        extra["model"] = f"keras {content.keras}"
    return _facts(content.dtypes, extra)


# --- version 1 ------------------------------------------------------------------------------------------------


def _find_old(folder: Folder, names: Collection[str]) -> Iterator[Sighting]:
    shards: dict[tuple[str, int], list[str]] = defaultdict(list)
    for name in names:
        shard = _SHARD.fullmatch(name)
        if shard and (_is_table(folder, name) or _is_pointer(folder, name, f"{shard[1]}.meta")):
            shards[shard[1], int(shard[3])].append(name)
        elif _is_table(folder, name) or _is_pointer(folder, name, f"{name}.meta"):
            yield _sighting(folder, name, [name], _find_stand_in(folder, name))
    for (prefix, count), files in sorted(shards.items()):
        yield _sighting(folder, prefix, files, _find_stand_in_of_shards(folder, prefix, count))


def _is_table(folder: Folder, name: str) -> bool:
    """Whether it is a table of slices, or was one before its end was cut off."""
    if not _FIRST_ENTRY.match(folder.head(name)):
        return False
    try:
        with mapped(folder.root / folder.path / name) as buffer:
            return bool(_dtypes(buffer, Budget()))
    except Unreadable as error:
        return isinstance(error, TooLarge)


def _is_pointer(folder: Folder, name: str, meta: str) -> bool:
    """Whether something stands in for a table: the graph beside it says that there is one."""
    return meta in folder.names and sightings.in_place_of(folder, name) is not None


def _find_stand_in_of_shards(folder: Folder, prefix: str, count: int) -> StandIn | None:
    shards = [f"{prefix}-{shard:05d}-of-{count:05d}" for shard in range(count)]
    if missing := sightings.find_missing(folder, shards):
        return missing
    return next((reason for shard in shards if (reason := _find_stand_in(folder, shard))), None)


def _find_stand_in(folder: Folder, name: str) -> StandIn | None:
    if reason := sightings.in_place_of(folder, name):
        return reason
    try:
        with mapped(folder.root / folder.path / name) as buffer:
            next(table.entries(buffer, Budget()), None)
    except Unreadable as error:
        return sightings.cut_off(folder, name, error)
    return None


def _facts_of_tables(paths: Collection[Path]) -> Facts:
    tensors: dict[str, str] = {}
    budget = Budget()
    for path in paths:
        with mapped(path) as buffer:
            next(table.entries(buffer, budget), None)
            tensors |= _dtypes(buffer, budget)
    return _facts(Counter(tensors.values()), {"checkpoint_version": "V1", "shards": str(len(paths))})


def _dtypes(buffer: Buffer, budget: Budget) -> dict[str, str]:
    """Name → type of every tensor. They are listed in the value of the first entry, before all weights."""
    length, start = varint(buffer, _KEY_OF_FIRST_ENTRY, len(buffer))
    if buffer[:_KEY_OF_FIRST_ENTRY] != bytes(_KEY_OF_FIRST_ENTRY) or start + length > len(buffer):
        raise Unreadable("does not begin with the list of its tensors")
    slices = Message(TENSOR_SLICES, buffer, start, start + length, budget)
    tensors = list(slices.message("meta").messages("tensor"))
    if not slices.is_admissible() or not all(tensor.is_admissible() for tensor in tensors):
        raise Unreadable("does not begin with the list of its tensors")
    return {tensor.text("name"): tensor_types.name(tensor.integer("type")) for tensor in tensors}


# --- both -----------------------------------------------------------------------------------------------------


def _facts(dtypes: Mapping[str, int], extra: Mapping[str, str]) -> Facts:
    if len(dtypes) > tensor_types.MOST:
        raise Unreadable("tensors of more types than there are")
    listed = ", ".join(f"{dtype} {count}" for dtype, count in sorted(dtypes.items()))
    return Facts(tensors=sum(dtypes.values()), extra={**extra, "dtypes": listed} if listed else extra)


def _with_graph(facts: Facts, path: Path) -> Facts:
    """Adds what the `.meta` beside a checkpoint says of its saver and of the graph."""
    try:
        with mapped(path) as buffer:
            if found := stand_in.of_file(bytes(buffer[:HEAD]), len(buffer)):
                raise Unreadable(f"{found[0].value.replace('_', ' ')}: {found[1]}")
            meta_graph = Message.whole(META_GRAPH, buffer)
            if not meta_graph.has("graph_def"):
                raise Unreadable("holds no graph")
            graph = read_graph(meta_graph.message("graph_def"))
            empty_constants = {"empty_constants": str(graph.empty_constants)} if graph.empty_constants else {}
            information = meta_graph.message("meta_info_def")
            return replace(
                facts,
                saved_with=SavedWith(tensorflow=information.text("tensorflow_version") or None),
                producer=graph.producer,
                min_consumer=graph.min_consumer,
                ops=graph.ops,
                python_calls=graph.python_calls,
                op_attributes=graph.attributes,
                devices=graph.devices,
                signatures=read_signatures(meta_graph),
                extra={**facts.extra, "meta_graph": "yes", **empty_constants},
            )
    except Unreadable as error:
        # The weights load without their graph, so a graph that is not there takes nothing from what they tell.
        return replace(facts, extra={**facts.extra, "meta_graph": f"unreadable: {error}"})


def _sighting(folder: Folder, prefix: str, files: Collection[str], reason: StandIn | None) -> Sighting:
    meta = f"{prefix}.meta"
    beside = [meta] if meta in folder.names else []
    return Sighting(
        path=sightings.path_of(folder, prefix),
        format=Format.CHECKPOINT,
        files=tuple(sorted(sightings.path_of(folder, name) for name in (*files, *beside))),
        stand_in=reason,
    )
