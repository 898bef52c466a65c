"""TOML and JSON from files that nobody vouches for: parsed within bounds, and asked for what should be in them."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

from loadgate.mistakes import Mistake, Mistakes

Table = dict[str, Any]

MOST_VALUES = 200_000
"""Python's own reader takes some thirty microseconds for each."""


def parse_toml(text: str, file: str) -> Table:
    if text.count("=") > MOST_VALUES:
        raise Mistakes([Mistake(file, 1, 1, f"has more than {MOST_VALUES:,} values; that is too much to read")])
    try:
        return tomllib.loads(text)
    except ValueError as error:
        where = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        line, column = (int(where[1]), int(where[2])) if where else (1, 1)
        reason = re.sub(r" ?\(at .*\)$", "", str(error))
        raise Mistakes([Mistake(file, line, column, f"not valid TOML: {reason}")]) from error
    except RecursionError as error:
        raise Mistakes([Mistake(file, 1, 1, "not valid TOML: it is nested too deeply")]) from error


def parse_json(text: str, file: str) -> Table:
    try:
        return table(json.loads(text))
    except json.JSONDecodeError as error:
        raise Mistakes([Mistake(file, error.lineno, error.colno, f"not valid JSON: {error.msg}")]) from error
    except (RecursionError, ValueError) as error:
        raise Mistakes([Mistake(file, 1, 1, "not valid JSON: it is nested too deeply")]) from error


def table(value: object) -> Table:
    return value if isinstance(value, dict) else {}


def tables(value: object) -> list[Table]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def string(value: object) -> str:
    return value if isinstance(value, str) else ""


def strings(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def line_of(text: str, expression: str, after: int = 0) -> int:
    """The line, from 1, where `expression` first matches from the line `after` on; that line itself, where nowhere."""
    start = 0
    for _ in range(after - 1):
        start = text.find("\n", start) + 1
    found = re.compile(expression, re.MULTILINE).search(text, start)
    if found is None:
        return max(after, 1)
    return text.count("\n", 0, found.start() + len(found[0]) - len(found[0].lstrip())) + 1


def lines_beginning(text: str, prefix: str) -> list[int]:
    """Numbers, from 1, of the lines that begin with `prefix`."""
    return [number for number, line in enumerate(text.split("\n"), start=1) if line.startswith(prefix)]
