"""`report.json`: the whole report, for programs. A public file, versioned, with a JSON Schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from loadgate.errors import UsageError
from loadgate.interchange import schema_of
from loadgate.report.truth import Report

VERSION = 1


def encode_report(report: Report) -> bytes:
    return encode(report)


def encode(value: object) -> bytes:
    """Every string as it came, for JSON can carry them all but lone surrogates, which are spelled out."""
    try:
        encoded = msgspec.json.encode(value)
    except UnicodeEncodeError:
        encoded = msgspec.json.encode(_without_surrogates(msgspec.to_builtins(value)))
    return msgspec.json.format(encoded, indent=2) + b"\n"


def read_report(path: Path) -> Report:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        report = msgspec.json.decode(content, type=Report)
    except msgspec.DecodeError as error:
        raise UsageError(f"{path}: this is no report of loadgate: {error}") from error
    if report.version != VERSION:
        raise UsageError(f"{path}: version {report.version}; this loadgate reads version {VERSION}")
    return report


def report_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of `report.json`."""
    return schema_of(Report)


def _without_surrogates(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode("utf-8")
        case dict():
            return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
        case list() | tuple():
            return [_without_surrogates(item) for item in value]
        case _:
            return value
