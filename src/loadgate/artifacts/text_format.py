"""Turns a protobuf message in text format (`.pbtxt`) into the bytes it stands for, so that one reader serves both.

Fields that a partial layout does not declare are passed over; a field that a complete one does not declare is an error.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from loadgate.artifacts import tensor_types
from loadgate.artifacts.interface import TooLarge, Unreadable
from loadgate.artifacts.mapped import Buffer
from loadgate.artifacts.wire import CONTINUED, DELIMITED, FIXED32, FIXED64, VARINT, Field, Layout
from loadgate.domain import StandInKind

MAX_BYTES = 32 * 1024**2
_MAX_TOKENS = 400_000
"""Text takes some 100 times as long to read as the bytes it stands for. This is a graph of 11,000 nodes."""
_MAX_DEPTH = 64
_TOKEN = re.compile(
    rb"""(?:[ \t\r\n\f\v]++|\#[^\n]*+)*+
    (?:(?P<word>[A-Za-z0-9_.+-]++)
    |(?P<string>"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"|'[^'\\\n]*+(?:\\.[^'\\\n]*+)*+')
    |(?P<mark>[{}<>\[\]:;,/])
    |(?P<end>\Z))""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|[xX]([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_ESCAPED = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}
_ANYTHING = Layout(partial=True)
_CLOSING = {b"{": b"}", b"<": b">"}
_TRUE = frozenset({b"true", b"True", b"t", b"1"})
_FALSE = frozenset({b"false", b"False", b"f", b"0"})


def to_wire(source: Buffer, layout: Layout) -> bytes:
    """The message in binary format, without what the layout leaves out. Raises `Unreadable`."""
    if len(source) > MAX_BYTES:
        raise TooLarge(f"{len(source):,} bytes of text; more than {MAX_BYTES:,} are not read")
    return _Parser(source[:]).message(layout, b"", 0)


class _Parser:
    def __init__(self, source: bytes) -> None:
        self._source = source
        self._tokens = self._scan()
        self._left = _MAX_TOKENS
        self._token = b""
        self._kind = ""
        self._advance()

    def message(self, layout: Layout, closing: bytes, depth: int) -> bytes:
        """Reads up to the mark `closing`, or to the end of the file where that is empty."""
        if depth > _MAX_DEPTH:
            raise Unreadable(f"messages inside messages more than {_MAX_DEPTH} deep")
        written = bytearray()
        while not self._at_end_of_message(closing):
            name = self._name()
            declared = layout.fields.get(name)
            if declared is None and not layout.partial:
                raise Unreadable(f"unknown field {name[:100]!r}")
            self._accept(b":")
            for value in self._values(declared, depth):
                written += value
            if not self._accept(b";"):
                self._accept(b",")
        return bytes(written)

    def _values(self, declared: Field | None, depth: int) -> Iterator[bytes]:
        if not self._accept(b"["):
            yield self._value(declared, depth)
            return
        while not self._at_end_of_message(b"]"):
            yield self._value(declared, depth)
            self._accept(b",")

    def _value(self, declared: Field | None, depth: int) -> bytes:
        """One value with its key, or nothing where the field is not declared."""
        holds_message = declared is None or declared.layout is not None
        holds_string = declared is None or (declared.layout is None and declared.wire_type == DELIMITED)
        if self._kind == "mark" and self._token in _CLOSING and holds_message:
            closing = _CLOSING[self._token]
            self._advance()
            content = self.message((declared and declared.layout) or _ANYTHING, closing, depth + 1)
        elif self._kind == "string" and holds_string:
            content = self._string(is_wanted=declared is not None)
        elif self._kind == "word" and (declared is None or declared.wire_type != DELIMITED):
            content = self._scalar(declared)
        else:
            raise self._unexpected("a value of another type")
        return b"" if declared is None else _written(declared, content)

    def _string(self, *, is_wanted: bool) -> bytes:
        content = bytearray()
        while self._kind == "string":
            if is_wanted:  # what is not may be all the weights
                self._spend(self._token.count(b"\\"))
                content += _ESCAPE.sub(_unescape, self._token[1:-1])
            self._advance()
        return bytes(content)

    def _scalar(self, declared: Field | None) -> bytes:
        word = self._token
        self._advance()
        if declared is None or declared.wire_type != VARINT:
            return b""
        return _varint(_number(word, declared))

    def _name(self) -> str:
        if self._accept(b"["):  # an extension, or the type of an `Any`
            while not self._at_end_of_message(b"]"):
                self._advance()
            return "[]"
        if self._kind != "word":
            raise self._unexpected("the name of a field")
        name = self._token.decode("ascii")
        self._advance()
        return name

    def _at_end_of_message(self, closing: bytes) -> bool:
        """Steps over the mark `closing` where it comes next; an empty one stands for the end of the file."""
        if self._kind != "end":
            return bool(closing) and self._accept(closing)
        if closing:
            raise Unreadable("ends in the middle of a message", StandInKind.TRUNCATED)
        return True

    def _accept(self, mark: bytes) -> bool:
        if self._kind != "mark" or self._token != mark:
            return False
        self._advance()
        return True

    def _spend(self, tokens: int) -> None:
        self._left -= tokens
        if self._left < 0:
            raise TooLarge(f"more than {_MAX_TOKENS:,} words of text")

    def _advance(self) -> None:
        self._spend(1)
        self._kind, self._token = next(self._tokens)

    def _scan(self) -> Iterator[tuple[str, bytes]]:
        source, position, match_token = self._source, 0, _TOKEN.match
        while match := match_token(source, position):
            kind = match.lastgroup or ""
            position = match.end()
            yield kind, match[kind]
            if kind == "end":
                return
        rest = self._source[position:].lstrip()
        kind_of_damage = StandInKind.TRUNCATED if rest[:1] in (b'"', b"'") and b"\n" not in rest else None
        raise Unreadable(f"no protobuf text at byte {position:,}", kind_of_damage)

    def _unexpected(self, expected: str) -> Unreadable:
        return Unreadable(f"{self._token[:40].decode('utf-8', 'replace')!r} where {expected} is expected")


def _number(word: bytes, declared: Field) -> int:
    if declared.is_enum and (known := tensor_types.number(word.decode("ascii"))) is not None:
        return known
    if word in _TRUE or word in _FALSE:
        return int(word in _TRUE)
    try:
        return int(word[:40], 0)
    except ValueError:
        raise Unreadable(f"{word[:40].decode('ascii')!r} where a number is expected") from None


def _unescape(match: re.Match[bytes]) -> bytes:
    octal, hexadecimal, short, long, character = match.groups()
    if octal:
        return bytes([int(octal, 8) & 0xFF])
    if hexadecimal:
        return bytes([int(hexadecimal, 16)])
    if short or long:
        point = int(short or long, 16)
        return chr(point).encode("utf-8", "replace") if point <= sys.maxunicode else b"?"
    return _ESCAPED.get(character, character)


def _written(declared: Field, content: bytes) -> bytes:
    """A field with its key. A number in floating point is not read by anyone: it is written as zero."""
    key = _varint(declared.key)
    if declared.wire_type == DELIMITED:
        return key + _varint(len(content)) + content
    return key + {VARINT: content, FIXED32: bytes(4), FIXED64: bytes(8)}[declared.wire_type]


def _varint(value: int) -> bytes:
    value &= 0xFFFF_FFFF_FFFF_FFFF
    written = bytearray()
    while value >= CONTINUED:
        written.append(value & 0x7F | CONTINUED)
        value >>= 7
    written.append(value)
    return bytes(written)
