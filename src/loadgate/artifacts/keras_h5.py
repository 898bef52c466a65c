"""Keras HDF5: whole models, and weights alone in the layout of Keras 1 and 2 or in that of Keras 3."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from loadgate.artifacts import hdf5, keras_config
from loadgate.artifacts.interface import Folder, Sighting, TooLarge, Unreadable
from loadgate.domain import Facts, Format, SavedWith, StandIn, StandInKind

_SUFFIXES = (".h5", ".hdf5", ".keras")
_MARKS = (b"model_config", b"layer_names", b"keras_version", b"_layer_checkpoint_dependencies")
"""One of these stands in the first 2 KB of every file that Keras 1 or 2 wrote, and Keras 3 where it holds a model."""
_MARKS_OF_KERAS_3 = (b"\0vars\0", b"\0layers\0")
_ENOUGH_TO_TELL = 2048
"""Bytes after which a file without such a mark is no model of Keras."""
_MAX_CHUNKS = 10_000
_MAX_STORE_DEPTH = 40


def find(folder: Folder) -> Iterable[Sighting]:
    for name in folder.names:
        head = folder.head(name)
        if hdf5.is_hdf5(head):
            path = f"{folder.path}/{name}" if folder.path else name
            yield from _sighting(folder.root, path, head, folder.size(name))


def read_facts(root: Path, sighting: Sighting) -> Facts:
    try:
        return hdf5.read(root / sighting.path, _facts)
    except hdf5.TruncatedError as error:
        raise Unreadable(str(error), StandInKind.TRUNCATED) from error
    except (hdf5.TooLargeError, keras_config.ConfigurationTooLargeError) as error:
        raise TooLarge(str(error)) from error
    except (hdf5.DamagedError, keras_config.ConfigurationError) as error:
        raise Unreadable(str(error)) from error
    except OSError as error:
        raise Unreadable(f"it cannot be read: {error.strerror}") from error


def count_tensors(root: hdf5.Group) -> int:
    """Data sets that hold weights, the optimizer's included, without looking at any of them."""
    weights = root.group("model_weights") or root
    if weights.attribute_names() and _texts(weights, "layer_names") is not None:
        optimizer = root.group("optimizer_weights")
        layers = (weights.group(name) for name in weights.members())
        holders = [group for group in (*layers, optimizer) if group is not None]
        return sum(len(_texts(group, "weight_names") or ()) for group in holders)
    return _count_store(root, _MAX_STORE_DEPTH)


# --- recognising --------------------------------------------------------------------------------------------------


def _sighting(root: Path, path: str, head: bytes, size: int) -> Iterator[Sighting]:
    stand_in = None
    try:
        found = hdf5.read(root / path, _format_of_anything if _is_named_as_weights(path) else _format)
    except hdf5.TruncatedError as error:
        found = _format_of_truncated(path, head, size)
        stand_in = StandIn(kind=StandInKind.TRUNCATED, file=path, detail=str(error))
    except hdf5.TooLargeError:
        found = _format_of_truncated(path, head, size)
    except (hdf5.DamagedError, OSError):
        found = _format_by_marks(head)
    if found is not None:
        yield Sighting(path=path, format=found, files=(path,), stand_in=stand_in)


def _format(root: hdf5.Group) -> Format | None:
    if "model_config" in root.attribute_names():
        return Format.KERAS_H5
    if _names_layers(root) or _is_keras_3_store(root):
        return Format.KERAS_WEIGHTS_H5
    return None


def _names_layers(root: hdf5.Group) -> bool:
    return any(name.startswith("layer_names") for name in root.attribute_names())


def _format_of_anything(root: hdf5.Group) -> Format | None:
    """Of a file that Keras 3 alone names so: its only variables can be the model's own, or those of one layer."""
    return _format(root) or (Format.KERAS_WEIGHTS_H5 if _holds_any(root, _MAX_STORE_DEPTH) else None)


def _holds_any(group: hdf5.Group, depth: int) -> bool:
    if _holds_variables(group):
        return True
    members = (group.group(name) for name in group.members()[:_MAX_CHUNKS]) if depth else ()
    return any(_holds_any(member, depth - 1) for member in members if member is not None)


def _is_keras_3_store(root: hdf5.Group) -> bool:
    """Every object that Keras 3 saves is a group with a group `vars` in it, whose members are counted from 0."""
    if not _holds_variables(root):
        return False
    members = [root.group(name) for name in root.members()[:_MAX_CHUNKS] if name != "vars"]
    groups = [group for group in members if group is not None]
    inner = [group.group(name) for group in groups for name in group.members()[:_MAX_CHUNKS] if name != "vars"]
    return any(_holds_variables(group) for group in (*groups, *inner) if group is not None)


def _holds_variables(group: hdf5.Group) -> bool:
    variables = group.group("vars")
    return variables is not None and all(name.isdecimal() for name in variables.members())


def _format_of_truncated(path: str, head: bytes, size: int) -> Format | None:
    """As `format_of_remains`; and where too little is left to tell, the extension is believed."""
    found = format_of_remains(path, head)
    too_little = size < _ENOUGH_TO_TELL and path.lower().endswith(_SUFFIXES)
    return found or (Format.KERAS_H5 if too_little else None)


def format_of_remains(path: str, head: bytes) -> Format | None:
    """A file that is no HDF5 any more is reported where what is left of it, or its name, says that it was a model.

    Keras writes its marks first, so a file without any is some other data set, which is nobody's business here; unless
    its name is one that only Keras gives.
    """
    found = _format_by_marks(head)
    if found is not None:
        return found
    name = path.lower()
    if _is_named_as_weights(path) or (all(mark in head for mark in _MARKS_OF_KERAS_3) and name.endswith(_SUFFIXES)):
        return Format.KERAS_WEIGHTS_H5
    return Format.KERAS_H5 if name.endswith(".keras") else None


def _is_named_as_weights(path: str) -> bool:
    return path.lower().endswith(".weights.h5")


def _format_by_marks(head: bytes) -> Format | None:
    found = [mark for mark in _MARKS if mark in head]
    if not found:
        return None
    whole = b"model_config" in found or b"model_weights" in head
    return Format.KERAS_H5 if whole else Format.KERAS_WEIGHTS_H5


# --- facts --------------------------------------------------------------------------------------------------------


def _facts(root: hdf5.Group) -> Facts:
    reading = keras_config.Reading()
    configuration = _text(root, "model_config")
    training = _text(root, "training_config")
    if configuration is not None:
        reading = keras_config.read(keras_config.parse(configuration), _optional(training))
    weights = root.group("model_weights") or root
    return Facts(
        saved_with=SavedWith(keras=_first(root, weights, "keras_version"), backend=_first(root, weights, "backend")),
        layers=reading.layers,
        custom_objects=reading.custom_objects,
        lambdas=reading.lambdas,
        constructs=reading.constructs,
        signatures=(reading.signature,) if reading.signature else (),
        tensors=count_tensors(root),
        extra=_extra(root, configuration),
    )


def _extra(root: hdf5.Group, configuration: str | None) -> dict[str, str]:
    if configuration is not None:
        has_weights = root.group("model_weights") is not None
        return {"layout": "whole model", **({} if has_weights else {"model_weights": "missing"})}
    return {"layout": "weights by layer_names" if _names_layers(root) else "weights of Keras 3"}


def _optional(training: str | None) -> dict[str, Any] | None:
    return None if training is None else keras_config.parse(training)


def _first(root: hdf5.Group, weights: hdf5.Group, name: str) -> str | None:
    return _text(root, name) or _text(weights, name)


def _text(group: hdf5.Group, name: str) -> str | None:
    value = group.attribute(name)
    return value if isinstance(value, str) else value[0] if value and len(value) == 1 else None


def _texts(group: hdf5.Group, name: str) -> tuple[str, ...] | None:
    """A list of names. Keras splits those beyond 64 KB over `name0`, `name1`, …"""
    value = group.attribute(name)
    if isinstance(value, tuple):
        return value
    names = frozenset(group.attribute_names())
    if name in names:
        # An empty list is stored as an empty array of numbers.
        return ()
    if f"{name}0" not in names:
        return None
    chunks: list[str] = []
    for index in range(_MAX_CHUNKS):
        chunk = group.attribute(f"{name}{index}") if f"{name}{index}" in names else None
        if not isinstance(chunk, tuple):
            break
        chunks.extend(chunk)
    return tuple(chunks)


def _count_store(group: hdf5.Group, depth: int) -> int:
    if depth == 0:
        raise hdf5.DamagedError("the weights are nested too deep")
    count = 0
    for name in group.members():
        member = group.group(name)
        if member is not None:
            count += len(member.members()) if name == "vars" else _count_store(member, depth - 1)
    return count
