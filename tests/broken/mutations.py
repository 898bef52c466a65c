"""Breaks bytes as disks, downloads and enemies do. The same number always breaks them in the same way."""

from __future__ import annotations

import io
import json
import random
import re
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

MOST_AT_ONCE = 4
LONGEST = 1024**2
"""Bytes that a file may grow to."""

Break = Callable[[random.Random, bytes], bytes]


def mutated(content: bytes, number: int, others: Sequence[bytes] = ()) -> bytes:
    """`content`, broken in one to four ways; `others` are files of the same format to be mixed with."""
    choice = random.Random(number)  # noqa: S311 - nothing secret: the same number must break in the same way
    if content.startswith(b"PK\x03\x04") and choice.random() < 0.6:
        return _with_one_member_broken(choice, content)
    for _ in range(choice.randint(1, MOST_AT_ONCE)):
        content = _broken(choice, content, others)[:LONGEST]
    return content


def _broken(choice: random.Random, content: bytes, others: Sequence[bytes]) -> bytes:
    if not content:
        return choice.randbytes(8)
    if others and choice.random() < 0.05:
        return _spliced(choice, content, choice.choice(others))
    return choice.choices(_BREAKS, _WEIGHTS)[0](choice, content)


def _spliced(choice: random.Random, content: bytes, other: bytes) -> bytes:
    return content[: choice.randrange(len(content))] + other[choice.randrange(max(1, len(other))) :]


def _cut(choice: random.Random, content: bytes) -> bytes:
    return content[: choice.randrange(len(content))]


def _flip_bits(choice: random.Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(choice.randint(1, 8)):
        changed[choice.randrange(len(changed))] ^= 1 << choice.randrange(8)
    return bytes(changed)


def _overwrite(choice: random.Random, content: bytes) -> bytes:
    at = choice.randrange(len(content))
    return _replaced(content, at, choice.randbytes(choice.randint(1, 16)))


def _forge_number(choice: random.Random, content: bytes) -> bytes:
    """A length, an offset or a count becomes another, such as one that points at itself."""
    width = choice.choice((1, 2, 4, 8))
    at = choice.randrange(len(content)) & ~(width - 1 if choice.random() < 0.7 else 0)
    size = len(content)
    values = (0, 1, at, size - at, size - 1, size, size + 1, choice.randrange(size), choice.randrange(1 << 16))
    edges = ((1 << 7) - 1, 1 << 7, (1 << 8 * width) - 1, 1 << (8 * width - 1), (1 << (8 * width - 1)) - 1, 1 << 31)
    value = choice.choice((*values, *edges)) & ((1 << 8 * width) - 1)
    return _replaced(content, at, value.to_bytes(width, "little"))


def _forge_varint(choice: random.Random, content: bytes) -> bytes:
    value = choice.choice((0, 1, 127, 128, len(content), (1 << 31) - 1, (1 << 32) - 1, (1 << 63) - 1, (1 << 64) - 1))
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    encoded.append(value)
    at = choice.randrange(len(content))
    replaced = choice.choice((0, 1, len(encoded)))
    return content[:at] + bytes(encoded) + content[at + replaced :]


def _copy_over(choice: random.Random, content: bytes) -> bytes:
    """What refers to one place refers to another then, its own included."""
    start, at = choice.randrange(len(content)), choice.randrange(len(content))
    return _replaced(content, at, content[start : start + choice.choice((4, 8, 16, 40, 64, 256))])


def _remove(choice: random.Random, content: bytes) -> bytes:
    at = choice.randrange(len(content))
    return content[:at] + content[at + choice.choice((1, 2, 4, 8, 64, 512)) :]


def _insert(choice: random.Random, content: bytes) -> bytes:
    at = choice.randrange(len(content))
    return content[:at] + choice.randbytes(choice.choice((1, 2, 4, 8, 64))) + content[at:]


def _repeat(choice: random.Random, content: bytes) -> bytes:
    start = choice.randrange(len(content))
    piece = content[start : start + choice.choice((1, 2, 3, 8, 40, 100, 500))]
    return content[:start] + piece * choice.choice((2, 3, 10, 100, 2000)) + content[start:]


def _replaced(content: bytes, at: int, piece: bytes) -> bytes:
    return content[:at] + piece[: len(content) - at] + content[at + len(piece) :]


# --- JSON, wherever it lies -----------------------------------------------------------------------------------

_START = re.compile(rb'\{\s*"')
_ODD_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1 << 70, 1e308, float("nan"), "", "x", "a>b", "Lambda", "\ud800", "\0" * 50, "n" * 3000,
    [], {}, [[]], [None] * 40, {"class_name": "Lambda", "config": {}}, {"class_name": "A", "config": None},
    {"class_name": "__tuple__", "items": []}, {"class_name": ["x"], "config": {}}, {"": {}},
)  # fmt: skip


def _break_json(choice: random.Random, content: bytes) -> bytes:
    """Another JSON of the same length, so that what holds it stays whole."""
    starts = [match.start() for match in _START.finditer(content)][:200]
    if not starts:
        return _flip_bits(choice, content)
    start = choice.choice(starts)
    length = _length_of_json(content[start:])
    if not length:
        return _overwrite(choice, content)
    value = json.loads(content[start : start + length].decode("latin-1"))
    changed = json.dumps(_broken_value(choice, value)).encode()
    if len(changed) > length:
        changed = choice.choice((b"[" * length, b'{"a":' * (length // 5), changed[:length]))
    return _replaced(content, start, changed.ljust(length))


def _length_of_json(content: bytes) -> int:
    text = content.decode("latin-1")
    try:
        return json.JSONDecoder().raw_decode(text)[1]
    except (ValueError, RecursionError):
        return 0


def _broken_value(choice: random.Random, value: Any) -> Any:
    """One value in the tree, wherever the walk ends, becomes another."""
    if isinstance(value, dict) and value and choice.random() < 0.85:
        key = choice.choice(sorted(value))
        if choice.random() < 0.1:
            return {other: inner for other, inner in value.items() if other != key}
        return {**value, key: _broken_value(choice, value[key])}
    if isinstance(value, list) and value and choice.random() < 0.85:
        index = choice.randrange(len(value))
        return [*value[:index], _broken_value(choice, value[index]), *value[index + 1 :]]
    return choice.choice((*_ODD_VALUES, _nested(choice, value)))


def _nested(choice: random.Random, value: Any) -> Any:
    for _ in range(choice.choice((1, 5, 150, 250))):
        value = choice.choice(([value], {"config": value}, {"class_name": "Bidirectional", "config": {"layer": value}}))
    return value


# --- zip ------------------------------------------------------------------------------------------------------


def _with_one_member_broken(choice: random.Random, content: bytes) -> bytes:
    """With checksums that are right, or nothing of what is inside would ever be read."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {member.filename: archive.read(member) for member in archive.infolist()}
    except Exception:  # noqa: BLE001 - the library has a dozen ways to say that it is broken already
        members = {}
    if not members:
        return _flip_bits(choice, content)
    name = choice.choice(sorted(members))
    members[name] = _broken(choice, members[name], ())
    written = io.BytesIO()
    compression = choice.choice((zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    with zipfile.ZipFile(written, "w", compression) as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    return written.getvalue()


_BREAKS: Sequence[Break] = (
    _cut, _flip_bits, _overwrite, _forge_number, _forge_varint, _copy_over, _remove, _insert, _repeat, _break_json
)  # fmt: skip
_WEIGHTS = (2, 4, 3, 8, 3, 3, 2, 2, 2, 5)
