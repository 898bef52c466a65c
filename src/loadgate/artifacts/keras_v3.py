"""Keras v3: a zip of `metadata.json`, `config.json` and `model.weights.h5`."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from loadgate.artifacts import hdf5, keras_config
from loadgate.artifacts.interface import Folder, Sighting, Unreadable
from loadgate.artifacts.keras_h5 import count_tensors
from loadgate.domain import Facts, Format, SavedWith, StandIn, StandInKind

_LOCAL_HEADER = b"PK\x03\x04"
_END = struct.Struct("<4s4H2IH")
_END_SIGNATURE = b"PK\x05\x06"
_MAX_COMMENT = 0xFFFF
_MAX_DIRECTORY = 4 * 1024**2
"""Bytes of the list of members: thousands of times what Keras writes."""
_MAX_MEMBER = hdf5.MAX_ATTRIBUTE
_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_KERAS_2_MODULES = (b'"keras.engine.', b'"keras.src.engine.', b'"tf_keras.')


class _DamagedZipError(Exception):
    """The message is one line for a person."""


class _TruncatedZipError(_DamagedZipError):
    """The list of members, which ends every zip, is not there."""


def find(folder: Folder) -> Iterable[Sighting]:
    for name in folder.names:
        head = folder.head(name)
        if not head.startswith(_LOCAL_HEADER):
            continue
        path = f"{folder.path}/{name}" if folder.path else name
        stand_in = None
        try:
            with open(folder.root / path, "rb") as stream:
                is_model = _is_model(_members(stream))
        except _TruncatedZipError as error:
            is_model = _began_as_model(name, head)
            stand_in = StandIn(kind=StandInKind.TRUNCATED, file=path, detail=str(error))
        except (_DamagedZipError, OSError):
            is_model = _began_as_model(name, head)
        if is_model:
            yield Sighting(path=path, format=Format.KERAS_V3, files=(path,), stand_in=stand_in)


def read_facts(root: Path, sighting: Sighting) -> Facts:
    try:
        with open(root / sighting.path, "rb") as stream:
            return _facts(stream, _members(stream))
    except _TruncatedZipError as error:
        raise Unreadable(str(error), StandInKind.TRUNCATED) from error
    except (_DamagedZipError, keras_config.ConfigurationError) as error:
        raise Unreadable(str(error)) from error
    except OSError as error:
        raise Unreadable(f"it cannot be read: {error.strerror}") from error


# --- the zip ------------------------------------------------------------------------------------------------------


def _members(stream: IO[bytes]) -> dict[str, zipfile.ZipInfo]:
    """The members by name; none at all where the configuration is not among them."""
    if _CONFIG.encode() not in _directory(stream):
        return {}
    try:
        with zipfile.ZipFile(stream) as archive:
            return {member.filename: member for member in archive.infolist()}
    except (zipfile.BadZipFile, struct.error, ValueError, NotImplementedError, EOFError) as error:
        raise _DamagedZipError(f"the zip's list of members cannot be read: {error}") from error


def _directory(stream: IO[bytes]) -> bytes:
    """The list of members as it is stored, once it is known to be of a harmless size."""
    size = stream.seek(0, 2)
    for comment in (0, _MAX_COMMENT):
        start = max(0, size - _END.size - comment)
        stream.seek(start)
        tail = stream.read()
        position = tail.rfind(_END_SIGNATURE)
        if 0 <= position <= len(tail) - _END.size:
            break
    else:
        raise _TruncatedZipError(f"{size:,} bytes are there, and the list of members that ends a zip is not")
    length = _END.unpack_from(tail, position)[5]
    if length > _MAX_DIRECTORY:
        raise _DamagedZipError(f"the zip's list of members takes {length:,} bytes")
    stream.seek(max(0, start + position - length))
    return stream.read(length)


def _is_model(members: dict[str, zipfile.ZipInfo]) -> bool:
    """Keras itself asks for the configuration and for weights; the metadata may be missing."""
    return _CONFIG in members and (_METADATA in members or any(name.endswith(".weights.h5") for name in members))


def _began_as_model(name: str, head: bytes) -> bool:
    """Of a zip without an end: its name says it, or the first member is one that Keras writes first."""
    length = int.from_bytes(head[26:28], "little")
    return name.lower().endswith(".keras") or head[30 : 30 + length] in (_METADATA.encode(), _CONFIG.encode())


def _content(stream: IO[bytes], member: zipfile.ZipInfo) -> bytes:
    if member.file_size > _MAX_MEMBER:
        raise _DamagedZipError(f"{member.filename} takes {member.file_size:,} bytes")
    try:
        with zipfile.ZipFile(stream) as archive, archive.open(member) as content:
            # The size that is declared may be a lie, so what is read is bounded as well.
            data = content.read(_MAX_MEMBER + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        raise _DamagedZipError(f"{member.filename} cannot be read: {error}") from error
    if len(data) > _MAX_MEMBER:
        raise _DamagedZipError(f"{member.filename} takes more than {_MAX_MEMBER:,} bytes")
    return data


# --- facts --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Metadata:
    keras: str | None = None
    date_saved: str | None = None


def _facts(stream: IO[bytes], members: dict[str, zipfile.ZipInfo]) -> Facts:
    if _CONFIG not in members:
        raise _DamagedZipError(f"the zip holds no {_CONFIG}")
    configuration = _content(stream, members[_CONFIG])
    reading = keras_config.read(_json(configuration))
    metadata = _metadata(stream, members)
    extra = {"config_dialect": _dialect(configuration, metadata)}
    if metadata.date_saved is not None:
        extra["date_saved"] = metadata.date_saved
    return Facts(
        saved_with=SavedWith(keras=metadata.keras),
        layers=reading.layers,
        custom_objects=reading.custom_objects,
        lambdas=reading.lambdas,
        signatures=(reading.signature,) if reading.signature else (),
        tensors=_tensors(stream, members),
        extra=extra,
    )


def _json(content: bytes) -> dict[str, Any]:
    return keras_config.parse(content.decode("utf-8", "replace"))


def _metadata(stream: IO[bytes], members: dict[str, zipfile.ZipInfo]) -> _Metadata:
    if _METADATA not in members:
        return _Metadata()
    values = _json(_content(stream, members[_METADATA]))
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


def _tensors(stream: IO[bytes], members: dict[str, zipfile.ZipInfo]) -> int | None:
    """Known where the weights are stored as they are, which is what Keras does; inflating them would cost time."""
    weights = members.get(_WEIGHTS)
    if weights is None or weights.compress_type != zipfile.ZIP_STORED:
        return None
    stream.seek(weights.header_offset)
    header = stream.read(30)
    if not header.startswith(_LOCAL_HEADER) or len(header) < 30:  # noqa: PLR2004 - the length of a local header
        return None
    name_length, extra_length = struct.unpack_from("<HH", header, 26)
    start = weights.header_offset + 30 + name_length + extra_length
    try:
        return hdf5.read_part(stream.fileno(), start, weights.file_size, count_tensors)
    except hdf5.DamagedError:
        return None
