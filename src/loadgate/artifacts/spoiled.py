"""What once was a model, by what is left of it: bytes that were taken for text, are packed still, or are gone.

Other data under the name of a model is no artifact, and no more is what says itself that it is something else. But
where nothing except a model has such a name, bytes that say nothing at all are what became of one.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from pathlib import Path

from loadgate.artifacts import hdf5, keras_h5, keras_v3, sightings, tflite
from loadgate.artifacts.interface import HEAD, Folder, Sighting
from loadgate.artifacts.stand_in import promised_format, read_facts
from loadgate.artifacts.zip_members import LOCAL_HEADER
from loadgate.domain import Format

__all__ = ["find", "read_facts", "what_happened"]

_NAMED_AS_NOTHING_ELSE = frozenset({Format.KERAS_V3, Format.TFLITE, Format.KERAS_WEIGHTS_H5})
_CONTAINERS = _NAMED_AS_NOTHING_ELSE | {Format.KERAS_H5}
_WORDS_OF_MODELS = frozenset({"model", "weights"})
_HDF5_AS_TEXT = re.compile(rb"(\x89|\t|\?|\xef\xbf\xbd|\xc2\x89|\xe2\x80\xb0|)HDF(\r*\n\x1a\r*\n)")
"""Its signature holds a byte that is no ASCII and each kind of line end, so that what takes it for text shows."""
_GZIP = b"\x1f\x8b"
_SOMETHING_ELSE = (LOCAL_HEADER, b"\x93NUMPY", b"PAR1", b"\x00\x05\x16\x07")
"""A zip, an array of NumPy, a table of Parquet, and what macOS keeps beside a file under the name `._` and its own."""
_MAX_USER_BLOCK = 2**32


def find(folder: Folder) -> Iterable[Sighting]:
    for name in folder.names:
        promised, head = promised_format(name), folder.head(name)
        if promised in _CONTAINERS and head and _was_a_model(folder, name, promised):
            yield sightings.of_file(folder, name, promised)


def what_happened(path: Path) -> str | None:
    """One line for a person; None where nothing shows. Raises OSError."""
    with open(path, "rb") as stream:
        head = stream.read(HEAD)
        is_all = not stream.read(1)
    if head and not head.strip(b"\0"):
        return "all of its bytes are zeros" if is_all else f"its first {HEAD:,} bytes are zeros"
    if head.startswith(_GZIP):
        return "it is packed with gzip still, as some servers send it; unpack it with gunzip"
    found = _HDF5_AS_TEXT.match(head)
    if found is None or head.startswith(hdf5.SIGNATURE):
        return None
    other = "" if found[1] == hdf5.SIGNATURE[:1] else "its bytes that are no ASCII were replaced"
    line_ends = "" if found[2] == hdf5.SIGNATURE[4:] else "its line ends were converted"
    told = " and ".join(filter(None, (other, line_ends)))
    return f"{told}: something took it for text, as git does with what .gitattributes calls text"


# --- whether it was one -------------------------------------------------------------------------------------------


def _was_a_model(folder: Folder, name: str, promised: Format) -> bool:
    head, nothing_else = folder.head(name), promised in _NAMED_AS_NOTHING_ELSE
    if not head.strip(b"\0"):
        is_named = nothing_else or not _WORDS_OF_MODELS.isdisjoint(re.split(r"[^a-z]+", name.lower()))
        return is_named and not _follows_a_user_block(folder, name)
    if _HDF5_AS_TEXT.match(head) and not hdf5.is_hdf5(head):
        return nothing_else or keras_h5.format_of_remains(name, head) is not None
    if head.startswith(_GZIP):
        return nothing_else or _begins_as_a_model(name, _unpacked(head))
    if not nothing_else or head.startswith(_SOMETHING_ELSE):
        return False
    return not hdf5.is_hdf5(head) and not _follows_a_user_block(folder, name)


def _follows_a_user_block(folder: Folder, name: str) -> bool:
    """Whether HDF5 begins further behind than the head reaches. It may at any power of two."""
    offset, size = HEAD, folder.size(name)
    try:
        with open(folder.root / sightings.path_of(folder, name), "rb") as stream:
            while offset < min(size, _MAX_USER_BLOCK):
                stream.seek(offset)
                if stream.read(len(hdf5.SIGNATURE)) == hdf5.SIGNATURE:
                    return True
                offset *= 2
    except OSError:
        return False
    return False


def _unpacked(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(head, HEAD)
    except zlib.error:
        return b""


def _begins_as_a_model(name: str, head: bytes) -> bool:
    if hdf5.is_hdf5(head):
        return keras_h5.format_of_remains(name, head) is not None
    return tflite.begins_as_a_model(head) or (head.startswith(LOCAL_HEADER) and keras_v3.began_as_model(name, head))
