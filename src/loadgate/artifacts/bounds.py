"""Makes what a file says of itself fit to be kept and passed on, whichever reader took it from there.

A name may be megabytes long, hold half of a surrogate pair, or come in a list of millions. plan.json holds it, and so
does every report.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from itertools import islice
from typing import Any

from loadgate.domain import Facts

MAX_TEXT = 2_000
"""Characters."""
MAX_ENTRIES = 10_000
"""Elements of each list and mapping."""


def bounded(facts: Facts) -> Facts:
    return dataclasses.replace(facts, **_fields(facts))


def is_utf_8(text: str) -> bool:
    """False for what has no bytes in UTF-8: half of a surrogate pair, or a byte of a file's name."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def spelled(text: str) -> str:
    """With `\\xe9` in place of a byte of a file's name that is not UTF-8, and `?` for any other half of a pair."""
    if is_utf_8(text):
        return text
    encoded = "".join(character if is_utf_8(character) or _is_byte(character) else "?" for character in text)
    return encoded.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _is_byte(character: str) -> bool:
    return "\udc80" <= character <= "\udcff"


def _fields(record: Any) -> dict[str, Any]:
    return {field.name: _value(getattr(record, field.name)) for field in dataclasses.fields(record)}


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, tuple):
        return tuple(map(_value, value[:MAX_ENTRIES]))
    if isinstance(value, Mapping):
        return {_text(key): _value(inner) for key, inner in islice(value.items(), MAX_ENTRIES)}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.replace(value, **_fields(value))
    return value


def _text(text: str) -> str:
    kept = text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
    return spelled(kept)
