"""Recognises what is found under a model's name when the model is not there: pointers, error pages, nothing at all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from loadgate.artifacts.interface import Folder, Sighting, Unreadable
from loadgate.domain import Facts, Format, StandIn, StandInKind

_LFS_VERSION = re.compile(rb"version https://(?:git-lfs|hawser)\.github\.com/spec/v\d")
_LFS_MAX_SIZE = 1024
"""Bytes; the pointer specification asks for less than this."""
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_JSON_START = re.compile(r'[{\[]\s*(?:["{\[\]}\d-]|true|false|null)')
_HTML_START = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_XML_START = re.compile(r"<\?xml\b|<[A-Za-z][\w.:-]*[\s>/]")
_LEADING_COMMENTS = re.compile(r"(?:\s*<!--.*?-->)*\s*", re.DOTALL)


def of_file(head: bytes, size: int) -> tuple[StandInKind, str] | None:
    """What stands in for a model in a file of `size` bytes that begins with `head`, with one line on it for a person.

    None where the bytes may be a model. An empty file is told apart by `size`, so that a file whose beginning could
    not be read is never called empty.
    """
    if size == 0:
        return StandInKind.EMPTY, "the file is empty"
    if _LFS_VERSION.match(head) and size <= _LFS_MAX_SIZE:
        return StandInKind.GIT_LFS_POINTER, _lfs_detail(head)
    text = _as_text(head)
    return None if text is None else _of_text(text, size)


def is_text(head: bytes) -> bool:
    """Of its own; a pointer is text as well, but not for what it stands for."""
    return _as_text(head) is not None and not _LFS_VERSION.match(head)


def _of_text(text: str, size: int) -> tuple[StandInKind, str] | None:
    if _JSON_START.match(text):
        return StandInKind.JSON, f"JSON of {size:,} bytes: {one_line(text)}"
    markup = text[_leading_comments(text) :]
    declared_xml = markup.startswith("<?xml")
    if _HTML_START.match(markup) or (declared_xml and re.search(r"<html\b", markup, re.IGNORECASE)):
        return StandInKind.HTML, _markup_detail("an HTML page", size, markup, "title", "h1")
    if _XML_START.match(markup):
        return StandInKind.XML, _markup_detail("an XML document", size, markup, "Message", "Code")
    return None


def _as_text(head: bytes) -> str | None:
    """None for anything binary. A GraphDef can begin with the bytes of `\\n{` or `\\n<`: what follows gives it away."""
    if _CONTROL.search(head):
        return None
    try:
        return head.removeprefix(b"\xef\xbb\xbf").decode("utf-8").lstrip()
    except UnicodeDecodeError as error:
        cut_inside_a_character = error.reason == "unexpected end of data"
        return (
            head[: error.start].decode("utf-8", "replace").lstrip("\ufeff \t\r\n\f") if cut_inside_a_character else None
        )


def _leading_comments(text: str) -> int:
    match = _LEADING_COMMENTS.match(text)
    return match.end() if match else 0


def _lfs_detail(head: bytes) -> str:
    oid = re.search(rb"^oid sha256:([0-9a-f]{64})\s*$", head, re.MULTILINE)
    size = re.search(rb"^size (\d{1,18})\s*$", head, re.MULTILINE)
    if oid is None or size is None:
        return "a Git LFS pointer that names no object"
    return f"points at {int(size[1]):,} bytes, sha256 {oid[1][:12].decode()}…"


def _markup_detail(what: str, size: int, markup: str, *telling: str) -> str:
    for tag in telling:
        found = re.search(rf"<{tag}\b[^>]*>([^<]+)</{tag}>", markup, re.IGNORECASE)
        if found and found[1].strip():
            return f"{what} of {size:,} bytes: {one_line(found[1])}"
    return f"{what} of {size:,} bytes"


def one_line(text: str, limit: int = 100) -> str:
    printable = "".join(character if character.isprintable() else " " for character in text[: 4 * limit])
    line = " ".join(printable.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


# --- files under a model's name -----------------------------------------------------------------------------------

_FORMAT_OF_SUFFIX = {
    ".weights.h5": Format.KERAS_WEIGHTS_H5,
    ".h5": Format.KERAS_H5,
    ".hdf5": Format.KERAS_H5,
    ".keras": Format.KERAS_V3,
    ".tflite": Format.TFLITE,
    ".pb": Format.GRAPH_DEF,
}
"""What an extension promises."""
_SUFFIXES = tuple(_FORMAT_OF_SUFFIX)
_WORDS_OF_A_GRAPH = frozenset({"frozen", "graph", "model"})
_FOLDERS_OF_ASSETS = frozenset({"assets", "assets.extra"})
_FOLDER_OF_ONNX_TENSORS = "test_data_set_"


def find(folder: Folder) -> Iterable[Sighting]:
    """Stand-ins for models of one file. Those of SavedModels and checkpoints are found with their formats."""
    for name in folder.names:
        promised = promised_format(name)
        if promised is not None:
            yield from _without_the_model(folder, name, promised)


def _without_the_model(folder: Folder, name: str, promised: Format) -> Iterator[Sighting]:
    """What no format has claimed and stands in for a model by its name. Other data under such a name is no artifact."""
    path, head, size = _join(folder.path, name), folder.head(name), folder.size(name)
    found = of_file(head, size) or _of_other_text(head, size, promised)
    if found is not None and promises_a_model(path, promised, found[0]):
        stand_in = StandIn(kind=found[0], file=path, detail=found[1])
        yield Sighting(path=path, format=promised, files=(path,), stand_in=stand_in)


def _of_other_text(head: bytes, size: int, promised: Format) -> tuple[StandInKind, str] | None:
    """A graph can be text; the other formats never are."""
    text = None if promised is Format.GRAPH_DEF or not head else _as_text(head)
    if text is None:
        return None
    return StandInKind.TEXT, f"text of {size:,} {'byte' if size == 1 else 'bytes'}: {one_line(text)}"


def read_facts(root: Path, sighting: Sighting) -> Facts:  # noqa: ARG001 - the same for every format
    """Raises `Unreadable`: there is nothing to read facts from."""
    stand_in = sighting.stand_in
    raise Unreadable(stand_in.detail if stand_in else "the model is not there", stand_in.kind if stand_in else None)


def promised_format(name: str) -> Format | None:
    name = name.lower()
    if not name.endswith(_SUFFIXES):
        return None
    return next((promised for suffix, promised in _FORMAT_OF_SUFFIX.items() if name.endswith(suffix)), None)


def promises_a_model(path: str, promised: Format, kind: StandInKind | None = None) -> bool:
    """Whether it stands in for a model. `.pb` is the extension of every protobuf, and an empty one is a valid one; JSON
    and XML of that name may well be what somebody made of a protobuf.

    `kind` is None where nothing of the file can be read.
    """
    if promised is not Format.GRAPH_DEF:
        return True
    *parts, name = path.split("/")
    if parts and parts[-1].startswith(_FOLDER_OF_ONNX_TENSORS):
        return False
    if kind not in (StandInKind.EMPTY, StandInKind.JSON, StandInKind.XML, None):
        return True
    words = re.split(r"[^a-z]+", name.lower().removesuffix(".pb"))
    return not _WORDS_OF_A_GRAPH.isdisjoint(words) and _FOLDERS_OF_ASSETS.isdisjoint(parts)


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
