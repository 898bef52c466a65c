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


def printable_in_utf8(text: str) -> str:
    """Without what UTF-8 has no bytes for."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


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
    return printable_in_utf8(kept)
