"""Keras v3: a zip of `metadata.json`, `config.json` and `model.weights.h5`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from loadgate.artifacts import hdf5, keras_config, zip_members
from loadgate.artifacts.interface import Folder, Sighting, TooLarge, Unreadable
from loadgate.artifacts.keras_h5 import count_tensors
from loadgate.artifacts.zip_members import (
    LOCAL_HEADER,
    STORED,
    DamagedZipError,
    Member,
    TooLargeZipError,
    TruncatedZipError,
)
from loadgate.domain import Facts, Format, SavedWith, StandIn, StandInKind

_MAX_MEMBER = hdf5.MAX_ATTRIBUTE
_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_WEIGHTS_SUFFIX = ".weights.h5"
_LAYERS_OF_OLD_ARCHIVE = "_layer_checkpoint_dependencies"
_LAYERS_OF_ARCHIVE = ("layers", _LAYERS_OF_OLD_ARCHIVE, "_layers")
_MAX_DIGITS = 10
_KERAS_2_MODULES = (b'"keras.engine.', b'"keras.src.engine.', b'"tf_keras.')


def find(folder: Folder) -> Iterable[Sighting]:
    for name in folder.names:
        head = folder.head(name)
        if not head.startswith(LOCAL_HEADER):
            continue
        path = f"{folder.path}/{name}" if folder.path else name
        stand_in = None
        try:
            with open(folder.root / path, "rb") as stream:
                is_model = _is_model(_members(stream)) or (_is_named(name) and _place_of_remains(stream) is not None)
        except TruncatedZipError as error:
            is_model = began_as_model(name, head)
            stand_in = StandIn(kind=StandInKind.TRUNCATED, file=path, detail=str(error))
        except (DamagedZipError, OSError):
            is_model = began_as_model(name, head)
        if is_model:
            yield Sighting(path=path, format=Format.KERAS_V3, files=(path,), stand_in=stand_in)


def read_facts(root: Path, sighting: Sighting) -> Facts:
    try:
        with open(root / sighting.path, "rb") as stream:
            if stream.read(len(LOCAL_HEADER)) != LOCAL_HEADER:
                raise Unreadable("it does not begin as a zip archive does")
            return _facts(stream, _members(stream))
    except TruncatedZipError as error:
        raise Unreadable(str(error), StandInKind.TRUNCATED) from error
    except (TooLargeZipError, keras_config.ConfigurationTooLargeError) as error:
        raise TooLarge(str(error)) from error
    except (DamagedZipError, keras_config.ConfigurationError) as error:
        raise Unreadable(str(error)) from error
    except OSError as error:
        raise Unreadable(f"it cannot be read: {error.strerror}") from error


# --- the zip ------------------------------------------------------------------------------------------------------


def _members(stream: IO[bytes]) -> dict[str, Member]:
    """Those that matter, by name; none at all where the configuration is not among them."""
    if not zip_members.holds(stream, [_CONFIG.encode()]):
        return {}
    return {member.name: member for member in zip_members.members(stream) if _matters(member.name)}


def _matters(name: str) -> bool:
    return name in (_CONFIG, _METADATA) or name.endswith(_WEIGHTS_SUFFIX)


def _is_model(members: Mapping[str, Member]) -> bool:
    """Keras itself asks for the configuration and for weights; the metadata may be missing."""
    return _CONFIG in members and (_METADATA in members or any(name.endswith(_WEIGHTS_SUFFIX) for name in members))


def _place_of_remains(stream: IO[bytes]) -> str | None:
    """The folder in the zip that holds two of what Keras writes at its top, as where a model was packed anew."""
    found: dict[str, set[str]] = {}
    for member in zip_members.members(stream):
        folder, _, name = member.name.rpartition("/")
        if "/" not in folder and _matters(name):
            found.setdefault(folder, set()).add(_WEIGHTS if name.endswith(_WEIGHTS_SUFFIX) else name)
    return next((folder for folder, names in found.items() if len(names) > 1), None)


def _is_named(name: str) -> bool:
    return name.lower().endswith(".keras")


def began_as_model(name: str, head: bytes) -> bool:
    """Of a zip without an end: its name says it, or the first member is one that Keras writes first."""
    length = int.from_bytes(head[26:28], "little")
    return _is_named(name) or head[30 : 30 + length] in (_METADATA.encode(), _CONFIG.encode())


# --- facts --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Metadata:
    keras: str | None = None
    date_saved: str | None = None


def _facts(stream: IO[bytes], members: Mapping[str, Member]) -> Facts:
    if _CONFIG not in members:
        folder = _place_of_remains(stream)
        where = f" but in the folder {folder}: pack what is in it, and not the folder" if folder else ""
        raise DamagedZipError(f"the zip holds no {_CONFIG}{where}")
    configuration = zip_members.content(stream, members[_CONFIG], _MAX_MEMBER)
    reading = keras_config.read(_json(configuration))
    metadata = _metadata(stream, members)
    weights = _weights(stream, members)
    extra = {"config_dialect": _dialect(configuration, metadata)}
    if metadata.date_saved is not None:
        extra["date_saved"] = metadata.date_saved
    if weights is not None:
        extra["weights_layout"] = weights.layout
    return Facts(
        saved_with=SavedWith(keras=metadata.keras),
        layers=reading.layers,
        custom_objects=reading.custom_objects,
        lambdas=reading.lambdas,
        constructs=reading.constructs,
        signatures=(reading.signature,) if reading.signature else (),
        tensors=weights.tensors if weights else None,
        extra=extra,
    )


def _json(content: bytes) -> dict[str, Any]:
    return keras_config.parse(content.decode("utf-8", "replace"))


def _metadata(stream: IO[bytes], members: Mapping[str, Member]) -> _Metadata:
    if _METADATA not in members:
        return _Metadata()
    values = _json(zip_members.content(stream, members[_METADATA], _MAX_MEMBER))
    version, date = values.get("keras_version"), values.get("date_saved")
    return _Metadata(
        keras=version if isinstance(version, str) else None, date_saved=date if isinstance(date, str) else None
    )


def _dialect(configuration: bytes, metadata: _Metadata) -> str:
    """Keras 2 and Keras 3 spell modules, shapes and dtypes differently, and read only their own spelling."""
    if any(module in configuration for module in _KERAS_2_MODULES) or b'"batch_input_shape"' in configuration:
        return "keras 2"
    if b'"keras.src.models.' in configuration or b'"batch_shape"' in configuration or b'"DTypePolicy"' in configuration:
        return "keras 3"
    major = (metadata.keras or "").partition(".")[0]
    return f"keras {major}" if major in ("2", "3") else "unknown"


@dataclass(frozen=True, slots=True)
class _Weights:
    tensors: int
    layout: str


def _weights(stream: IO[bytes], members: Mapping[str, Member]) -> _Weights | None:
    """Known where the weights are stored as they are, which is what Keras does; inflating them would cost time."""
    weights = members.get(_WEIGHTS)
    if weights is None or weights.method != STORED:
        return None
    try:
        start = zip_members.data_start(stream, weights)
        length = min(weights.size, stream.seek(0, os.SEEK_END) - start)
        return hdf5.read_part(stream.fileno(), start, length, _of_weights)
    except (DamagedZipError, hdf5.DamagedError):
        return None


def _of_weights(root: hdf5.Group) -> _Weights:
    return _Weights(count_tensors(root), _layout(root))


def _layout(root: hdf5.Group) -> str:
    """Under which name the layers lie, and how those of one class are numbered.

    Keras 2.12 to 2.14 name and number them otherwise than 2.15 and later do, and none reads what another wrote.
    """
    name = next((name for name in _LAYERS_OF_ARCHIVE if name in root.members()), None)
    layers = root.group(name) if name else None
    if name is None or layers is None:
        return "other"
    numbers: dict[str, set[int]] = {}
    for member in layers.members():
        stem, _, number = member.rpartition("_")
        if stem and number.isdecimal() and len(number) < _MAX_DIGITS:
            numbers.setdefault(stem, set()).add(int(number))
        else:
            numbers.setdefault(member, set()).add(0)
    if name != _LAYERS_OF_OLD_ARCHIVE or all(len(found) == 1 for found in numbers.values()):
        return name
    has_gaps = any(max(found) >= len(found | {0}) for found in numbers.values())
    return f"{name}, numbered with gaps" if has_gaps else f"{name}, numbered"
