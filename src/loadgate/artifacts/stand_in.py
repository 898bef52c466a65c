"""Recognises what is found under a model's name when the model is not there: pointers, error pages, nothing at all."""

from __future__ import annotations

import re

from loadgate.domain import StandInKind

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


def _of_text(text: str, size: int) -> tuple[StandInKind, str] | None:
    if _JSON_START.match(text):
        return StandInKind.JSON, f"JSON of {size:,} bytes: {_one_line(text)}"
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
            return f"{what} of {size:,} bytes: {_one_line(found[1])}"
    return f"{what} of {size:,} bytes"


def _one_line(text: str, limit: int = 100) -> str:
    printable = "".join(character if character.isprintable() else " " for character in text[: 4 * limit])
    line = " ".join(printable.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
