"""TOML and JSON from files that nobody vouches for: parsed within bounds, and asked for what should be in them."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

from loadgate.mistakes import Mistake, Mistakes

Table = dict[str, Any]


def parse_toml(text: str, file: str) -> Table:
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
    wanted = re.compile(expression)
    lines = text.split("\n")
    for number in range(max(after - 1, 0), len(lines)):
        if wanted.search(lines[number]):
            return number + 1
    return max(after, 1)
