"""The files between phases: plan.json, locks.json and results.jsonl, read with validation and written whole.

They are public: someone may write a plan with another tool, or build on the results. What is read here may come
from another machine or from a model's author, so it is checked against the dataclasses before anybody uses it.
"""

from __future__ import annotations

import inspect
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, BinaryIO, TypeVar, cast

import msgspec

from loadgate.domain import CaseResult, Locks, Plan
from loadgate.errors import LoadgateError, UsageError
from loadgate.places import OURS, is_stream, refuse_link

VERSION = 1
"""Of all three files; a reader refuses any other."""

Document = TypeVar("Document", Plan, Locks)

WRITERS = {"candidates.json": "load"}
"""The phase that writes a plan which is none of the user's."""

SCHEMAS: dict[str, type[Any]] = {"plan": Plan, "locks": Locks, "results": CaseResult}


def write_document(path: Path, document: Plan | Locks) -> None:
    write_whole(path, msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")


def write_whole(path: Path, content: bytes) -> None:
    """Write `content` so that a reader sees the old file or the new one, never half of one."""
    if path.parent.name == OURS.name:
        refuse_link(path.parent)
    elif is_stream(path):
        write_into(path, content)
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.parent.name == OURS.name:
            keep_out_of_git(path.parent)
        temporary.unlink(missing_ok=True)
        with temporary.open("xb") as stream:
            stream.write(content)
        temporary.replace(path)
    except OSError as error:
        raise LoadgateError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_into(stream: Path, content: bytes) -> None:
    try:
        with stream.open("ab") as opened:
            opened.write(content)
    except OSError as error:
        raise LoadgateError(f"{stream}: cannot be written: {error.strerror}") from error


def keep_out_of_git(folder: Path) -> None:
    """What a run writes is nobody's to commit, and names the paths of this machine."""
    with suppress(FileExistsError), (folder / ".gitignore").open("x") as stream:
        stream.write("*\n")


def read_document(path: Path, kind: type[Document]) -> Document:
    try:
        content = path.read_bytes()
    except OSError as error:
        writer = WRITERS.get(path.name, "plan" if kind is Plan else "provision")
        raise UsageError(f"{path}: cannot be read: {error.strerror}; run `loadgate {writer}` first") from error
    try:
        document = msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as error:
        raise UsageError(f"{path}: this is no {kind.__name__.lower()} of loadgate: {error}") from error
    if document.version != VERSION:
        raise UsageError(f"{path}: version {document.version}; this loadgate reads version {VERSION}")
    if isinstance(document, Plan):
        refuse_contradictions(document)
    return document


def refuse_contradictions(plan: Plan) -> None:
    """A plan may have been written by another tool, and its records name each other."""
    artifacts = {artifact.path for artifact in plan.artifacts}
    runtimes = {runtime.name for runtime in plan.runtimes}
    for case in plan.cases:
        if case.artifact not in artifacts:
            raise UsageError(f"plan: case {case.id!r} is of artifact {case.artifact!r}, which the plan does not have")
        if case.runtime not in runtimes:
            raise UsageError(f"plan: case {case.id!r} is for runtime {case.runtime!r}, which the plan does not have")
    cases = {case.id for case in plan.cases}
    for trial in plan.trials:
        for case in (trial.case, *([trial.resave.source] if trial.resave else ())):
            if case not in cases:
                raise UsageError(f"plan: a trial is of case {case!r}, which the plan does not have")
    for what, names in (
        ("case", [case.id for case in plan.cases]),
        ("artifact", [artifact.path for artifact in plan.artifacts]),
        ("runtime", [runtime.name for runtime in plan.runtimes]),
    ):
        twice = next((name for name, count in Counter(names).items() if count > 1), None)
        if twice is not None:
            raise UsageError(f"plan: it has the {what} {twice!r} twice")


def open_results(path: Path) -> BinaryIO:
    """Open a file for results, empty, to be appended to. Unbuffered: what could not be written is not tried again."""
    if path.parent.name == OURS.name:
        refuse_link(path.parent)
        refuse_link(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return cast(BinaryIO, path.open("wb", buffering=0))
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from error


def append_result(stream: IO[bytes], result: CaseResult) -> None:
    """Append one line and push it to the kernel, so that a killed run keeps every verdict it had reached."""
    rest = msgspec.json.encode(result) + b"\n"
    try:
        while rest:
            rest = rest[stream.write(rest) :]
        stream.flush()
    except OSError as error:
        raise LoadgateError(
            f"{stream.name}: cannot be written: {error.strerror}; the verdicts up to there are in it"
        ) from error


def encode_result(result: CaseResult) -> bytes:
    return msgspec.json.encode(result)


def read_results(path: Path) -> Iterator[CaseResult]:
    """Yield the results of one file. A last line that a killed run left unfinished is left out."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; run `loadgate load` first") from error
    yield from decode_results(content, path)


def decode_results(content: bytes, path: Path) -> Iterator[CaseResult]:
    """`path` is what a complaint names."""
    decoder = msgspec.json.Decoder(CaseResult)
    whole, _, _unfinished = content.rpartition(b"\n")
    for number, line in enumerate(whole.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            result = decoder.decode(line)
        except msgspec.DecodeError as error:
            raise UsageError(f"{path}:{number}: this is no result of loadgate: {error}") from error
        if result.version != VERSION:
            raise UsageError(f"{path}:{number}: version {result.version}; this loadgate reads version {VERSION}")
        yield result


def schema(kind: str) -> dict[str, Any]:
    """JSON Schema (2020-12) of `plan`, `locks` or one line of `results`."""
    return schema_of(SCHEMAS[kind])


def schema_of(kind: type[Any]) -> dict[str, Any]:
    """JSON Schema of a dataclass, the same on every Python: before 3.13 a docstring still has its indentation."""
    found: dict[str, Any] = msgspec.json.schema(kind)
    for definition in found["$defs"].values():
        if "description" in definition:
            definition["description"] = inspect.cleandoc(definition["description"])
    return found
