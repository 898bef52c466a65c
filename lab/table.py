"""From the raw results to the compact table that ships with loadgate, and to the raw results as they are kept."""

from __future__ import annotations

import lzma
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from lab.making import KEY_PACKAGES
from lab.place import REPOSITORY, Place, locks_in, read_lines, write_json
from loadgate.artifacts.discover import read_artifact
from loadgate.artifacts.identify import identify
from loadgate.diagnosis.measured import Failure, Measured, MeasuredRuntime, Row
from loadgate.domain import Lock
from loadgate.interchange import write_whole

Say = Callable[[str], None]
SHIPPED = REPOSITORY / "src" / "loadgate" / "diagnosis" / "measured.json"
KEPT = REPOSITORY / "lab" / "results"
COMMAND = "script/lab"
COMPILED = "keras+compile"
"""`load_model(path, compile=True)`; it follows a load without that, and is not counted as another."""
MESSAGE_LIMIT = 160
OUTCOMES = {"timed_out": "t", "out_of_memory": "m", "crashed": "c", "exited": "c"}


def write_table(say: Say) -> None:
    """From the raw results as they are kept, so that the two never differ."""
    locks = msgspec.json.decode((KEPT / "runtimes.json").read_bytes(), type=dict[str, Lock])
    about = msgspec.json.decode((KEPT / "measured.json").read_bytes(), type=dict[str, str])
    table = measured(locks, raw("artifacts"), raw("loads"), about)
    content = msgspec.json.encode(table)
    by_line = content.replace(b',{"artifact"', b',\n{"artifact"').replace(b',{"type"', b',\n{"type"')
    write_whole(SHIPPED, by_line + b"\n")
    say(f"{SHIPPED.relative_to(REPOSITORY)}: {table.loads} loads of {len(table.rows)} rows, {len(content) // 1024} KiB")


def measured(
    locks: Mapping[str, Lock], artifacts: list[dict[str, Any]], loads: list[dict[str, Any]], about: Mapping[str, str]
) -> Measured:
    names = list(locks)
    known = {line["id"] for line in artifacts}
    # what was measured twice counts as it came out last
    by_row: dict[tuple[str, str, bool], dict[str, dict[str, Any]]] = {}
    for line in loads:
        if line["artifact"] in known and line["runtime"] in locks:
            key = (line["artifact"], line["loader"], line["imports"])
            by_row.setdefault(key, {})[line["runtime"]] = line
            if "compile" in line:
                with_compile = (line["artifact"], COMPILED, line["imports"])
                by_row.setdefault(with_compile, {})[line["runtime"]] = {"same": None, "message": "", **line["compile"]}
    failures = Failures()
    order = {line["id"]: number for number, line in enumerate(artifacts)}
    rows = [
        row(key, cells, names, failures)
        for key, cells in sorted(by_row.items(), key=lambda item: (order[item[0][0]], item[0][1:]))
    ]
    return Measured(
        version=1,
        measured=about["on"],
        command=about["command"],
        machine=about["machine"],
        loads=sum(len(cells) for (_, loader, _), cells in by_row.items() if loader != COMPILED),
        runtimes=tuple(measured_runtime(name, lock) for name, lock in locks.items()),
        failures=failures.in_order(),
        rows=tuple(rows),
    )


def measured_on(place: Place) -> str:
    return f"{datetime.fromtimestamp(place.loads.stat().st_mtime, UTC):%Y-%m-%d}"


def machine_class(locks: Iterable[Lock]) -> str:
    """The class of the machine, in words."""
    lock = next(iter(locks))
    return f"{lock.machine}, {os.cpu_count()} cores, {lock.glibc}, {' '.join(lock.cpu_features)}; no GPU"


def measured_runtime(name: str, lock: Lock) -> MeasuredRuntime:
    return MeasuredRuntime(
        name=name,
        tensorflow=lock.tensorflow,
        python=lock.python,
        keras=lock.keras or "",
        keras_module=lock.keras_module or "",
        packages={package: lock.packages[package] for package in KEY_PACKAGES if package in lock.packages},
    )


class Failures:
    """Every kind of exception once, in the order in which they are first met."""

    def __init__(self) -> None:
        self.numbers: dict[tuple[str, str], int] = {}
        self.counts: Counter[int] = Counter()

    def number(self, line: Mapping[str, Any]) -> int:
        error = line["exception"] or {"type": line["reason"], "message": line["message"]}
        found = self.numbers.setdefault((error["type"], kind_of_message(error["message"])), len(self.numbers))
        self.counts[found] += 1
        return found

    def in_order(self) -> tuple[Failure, ...]:
        return tuple(
            Failure(type=kind, message=message, loads=self.counts[number])
            for (kind, message), number in self.numbers.items()
        )


def kind_of_message(message: str) -> str:
    """The first line of a message without the names, paths and numbers that differ from file to file."""
    line = next((line.strip() for line in message.splitlines() if line.strip()), "")
    line = re.sub(r"/lab/\S+", "…", line)
    line = re.sub(r"config=\{.*", "config=…", line)
    line = re.sub(r"'[^']{24,}'", "'…'", line)
    line = re.sub(r"_\d+\b", "", line)
    line = re.sub(r"\b\d+(\.\d+)?\b", "#", line)
    return line[:MESSAGE_LIMIT]


def row(
    key: tuple[str, str, bool], cells: Mapping[str, Mapping[str, Any]], names: list[str], failures: Failures
) -> Row:
    artifact, loader, imports = key
    letters = "".join(letter(cells.get(name)) for name in names)
    why = [failures.number(cells[name]) for name in names if name in cells and cells[name]["reason"]]
    return Row(artifact=artifact, loader=loader, imports=imports, outcomes=letters, failures=tuple(why))


def letter(line: Mapping[str, Any] | None) -> str:
    """One character a load; `measured.py` says what each stands for."""
    if line is None:
        return "?"
    if line["reason"]:
        return OUTCOMES.get(line["reason"], "x")
    if line["same"] is None:
        return "!" if line.get("infer") and line.get("infer_reason") != "nothing_to_run" else "+"
    return "=" if line["same"] else "~"


def pack_raw_results(place: Place, say: Say) -> None:
    """Keep every load with its whole exception, for those who want to look closer."""
    KEPT.mkdir(parents=True, exist_ok=True)
    for path in (place.loads, place.catalogue, place.not_saved, place.parts, place.part_loads):
        pack(path.name, (kept(read_again(line, place)) for line in read_lines(path)), place, say)
    pack(place.words.name, [msgspec.json.decode(place.words.read_bytes())], place, say)
    write_whole(KEPT / "constraints.json", place.constraints.read_bytes())
    locks = place.locks()
    write_json(KEPT / "runtimes.json", {name: kept_lock(lock) for name, lock in locks.items()})
    write_json(KEPT / "between.json", {name: kept_lock(lock) for name, lock in locks_in(place.between).items()})
    write_json(
        KEPT / "measured.json",
        {"on": measured_on(place), "command": COMMAND, "machine": machine_class(locks.values())},
    )


def pack(name: str, lines: Iterable[Any], place: Place, say: Say) -> None:
    """Without the path of the lab's own folder."""
    content = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
    target = KEPT / f"{name}.xz"
    write_whole(target, lzma.compress(content.replace(str(place.root).encode(), b"/lab"), preset=9))
    say(f"{target.relative_to(REPOSITORY)}: {target.stat().st_size // 1024} KiB")


def unpack_raw_results(place: Place, say: Say) -> None:
    """Lay out what is kept as it was measured, so that a run goes on from it: a version can be added alone."""
    place.root.mkdir(parents=True, exist_ok=True)
    for path in (place.loads, place.catalogue, place.not_saved, place.parts, place.part_loads, place.words):
        if not path.exists():
            write_whole(path, lzma.decompress((KEPT / f"{path.name}.xz").read_bytes()))
            say(f"{path.name}: {path.stat().st_size // 1024} KiB")


def read_again(line: dict[str, Any], place: Place) -> dict[str, Any]:
    """With the facts of its artifact as this loadgate reads them, where the file is still there."""
    if not isinstance(line.get("artifact"), dict):
        return line
    path = place.artifacts / line["path"] if "path" in line else place.root / line["id"]
    if not path.exists() and not path.with_name(f"{path.name}.index").exists():
        return line
    facts = read_artifact(*identify(path)).facts
    return line | {"artifact": line["artifact"] | {"facts": msgspec.to_builtins(facts)}}


def kept(line: dict[str, Any]) -> dict[str, Any]:
    """Without what says more of the machine than of the load: how long it took, and where files lay."""
    failure = {"failure": {**line["failure"], "traceback": ""}} if "failure" in line else {}
    return {key: value for key, value in line.items() if key != "seconds"} | failure


def kept_lock(lock: Lock) -> dict[str, Any]:
    """Without the one path in it."""
    return dict(msgspec.to_builtins(lock), interpreter="python")


def raw(name: str, folder: Path = KEPT) -> list[dict[str, Any]]:
    """The lines of one of the files that `pack_raw_results` writes."""
    return [
        msgspec.json.decode(line) for line in lzma.decompress((folder / f"{name}.jsonl.xz").read_bytes()).splitlines()
    ]


def raw_document(name: str, folder: Path = KEPT) -> Any:
    """One of those that are a single JSON document."""
    return msgspec.json.decode(lzma.decompress((folder / f"{name}.json.xz").read_bytes()))
