"""Which part of a model decides: saves models of one part each in every version, loads each in every other.

The catalogue shows how real models fare; these are for learning what of them decides (`lab/predicting.py`). Results:
`parts.jsonl`, one line a file that differs from the others of its format (`id`, `savers`, `part`, `artifact`), and
`part_loads.jsonl`, one line a load (`artifact`, `loader`, `runtime`, `exception`). What is there is not measured again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from lab.place import INSIDE, Place, append_line, read_lines
from lab.telling import Telling, Wanted
from loadgate.artifacts.discover import read_artifact
from loadgate.artifacts.identify import identify
from loadgate.domain import LOADERS_OF_FORMAT, Artifact, Format, Loader, Lock
from loadgate.loading.probe_process import INHERITED
from loadgate.probe import loaders

KINDS = {
    "parts": "lab_parts.py",
    "graphs": "lab_graph_parts.py",
    "values": "lab_value_parts.py",
    "folders": "lab_folder_parts.py",
    "states": "lab_state_parts.py",
    "rare": "lab_rare_parts.py",
    "old": "lab_old_parts.py",
    "archives": "lab_archive_parts.py",
    "types": "lab_type_parts.py",
    "keras1": "lab_keras_1_parts.py",
}
"""Folder → the program that fills it."""
GRAPH_SAVERS = (
    "tf1.15", "tf2.3", "tf2.6", "tf2.9", "tf2.12", "tf2.15", "tf2.16-keras3", "tf2.18-keras3", "tf2.18-tfkeras",
    "tf2.21-keras3",
)  # fmt: skip
SAVERS = {
    "graphs": GRAPH_SAVERS,
    "values": (
        "tf1.15", "tf2.3", "tf2.6", "tf2.9", "tf2.12", "tf2.15", "tf2.18-tfkeras", "tf2.16-keras3", "tf2.18-keras3",
        "tf2.21-keras3",
    ),
    "folders": ("tf2.3", "tf2.6", "tf2.12", "tf2.18-tfkeras"),
    "states": ("tf1.15", "tf2.3", "tf2.6", "tf2.12", "tf2.15", "tf2.18-keras3", "tf2.21-keras3"),
    "rare": ("tf1.15", "tf2.3", "tf2.6", "tf2.12", "tf2.15", "tf2.18-tfkeras", "tf2.18-keras3", "tf2.21-keras3"),
    "old": (),
    "keras1": (),
    "archives": ("tf2.12", "tf2.13", "tf2.14"),
    "types": ("tf2.3", "tf2.21-keras3"),
}  # fmt: skip
"""Folder → those that fill it, the oldest, some between and the newest of each Keras; of others, all."""
TIMEOUT = 3600.0
STANDALONE = {
    "parts": ("2.0.9", "2.1.6", "2.2.5", "2.3.1"),
    "old": ("2.0.9", "2.1.6", "2.2.5", "2.3.1"),
    "keras1": ("1.2.2",),
}
"""Folder → releases of the Keras that came before TensorFlow's own; they run on the oldest TensorFlow of the lab."""
NEEDED_BY_STANDALONE = (
    "six",
    "keras_applications==1.0.8",
    "keras_preprocessing==1.1.2",
    "pyyaml==5.4.1",
    "scipy==1.5.4",
)
NOT_MEASURED = (Loader.TF_KERAS, Loader.WEIGHTS, Loader.CHECKPOINT_SHARDS, Loader.KERAS_LAYER)
"""`tf_keras` is the same code as `keras` is where `tf.keras` is tf-keras; `keras_layer` loads as `saved_model` does."""


# --- saving -------------------------------------------------------------------------------------------------------


def save(place: Place, only: Sequence[str] = ()) -> None:
    """`only`: names of runtimes, and folders."""
    locks = place.locks()
    kinds = [name for name in only if name in KINDS] or list(KINDS)
    only = [name for name in only if name not in KINDS]
    for name, lock in locks.items():
        for kind in kinds:
            if (not only or name in only) and name in SAVERS.get(kind, locks):
                save_in(place, kind, name, lock)
    oldest = locks["tf1.15"]
    for kind in kinds:
        for release in STANDALONE.get(kind, ()):
            if not only or f"keras{release}" in only:
                save_in(place, kind, f"keras{release}", oldest, standalone(place, release, oldest))


def save_in(place: Place, kind: str, name: str, lock: Lock, packages: Path | None = None) -> None:
    folder, account = place.root / kind / name, place.root / kind / f"{name}.jsonl"
    if account.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = account.with_name(f"{name}.part")
    command = [lock.interpreter, str(INSIDE / KINDS[kind]), str(folder), str(unfinished)]
    run([*command, "keras"] if packages else command, name, packages)
    unfinished.rename(account)
    say(f"{name}: saved {sum(1 for _ in read_lines(account))} {kind}")


def standalone(place: Place, release: str, lock: Lock) -> Path:
    folder = place.root / "standalone" / release
    if not folder.exists():
        install = [
            "uv",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--python",
            lock.interpreter,
            "--target",
            str(folder),
        ]
        subprocess.run([*install, f"keras=={release}", *NEEDED_BY_STANDALONE], check=True)  # noqa: S603 - constants
    return folder


def run(command: Sequence[str], name: str, packages: Path | None = None) -> int:
    env = {key: os.environ[key] for key in INHERITED if key in os.environ}
    env |= {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONDONTWRITEBYTECODE": "1", "KERAS_BACKEND": "tensorflow"}
    env |= {"HOME": "/nonexistent"}  # a keras.json there is no part of what is measured
    if name.endswith("-tfkeras"):
        env["TF_USE_LEGACY_KERAS"] = "1"
    if packages:
        env["PYTHONPATH"] = str(packages)
    ended = subprocess.run(  # noqa: S603 - an interpreter of the lab
        command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=TIMEOUT, check=False
    )
    return ended.returncode


# --- what was saved -----------------------------------------------------------------------------------------------


def catalogue(place: Place) -> None:
    """Write `parts.jsonl`: Keras files of the very same constructs are one, with every saver that wrote it."""
    lines: dict[str, dict[str, Any]] = {}
    for kind in KINDS:
        for account in sorted((place.root / kind).glob("*.jsonl"), key=lambda path: version_key(path.stem)):
            for path in saved_by(account):
                artifact = read_artifact(*identify(path))
                id_ = str(path.relative_to(place.root))
                same = lines.setdefault(sameness(artifact, id_), line_of(id_, artifact))
                same["savers"].append(account.stem)
    (place.parts).write_text("".join(json.dumps(line) + "\n" for line in lines.values()))
    say(f"{len(lines)} different files")


def saved_by(account: Path) -> Iterator[Path]:
    for line in read_lines(account):
        names = line["saved"] if "saved" in line else [line["name"]] if line["failure"] is None else []
        for name in names:
            path = account.parent / account.stem / name
            if path.suffix != ".keras" or zipfile.is_zipfile(path):  # 2.12 writes HDF5 under that name
                yield path


def sameness(artifact: Artifact, id_: str) -> str:
    facts = artifact.facts
    if facts is None or artifact.format not in (Format.KERAS_H5, Format.KERAS_V3):
        return id_
    extra = {key: value for key, value in facts.extra.items() if key != "date_saved"}
    return f"{artifact.format} {facts.constructs} {extra} {(facts.saved_with.keras or '')[:2]}"


def line_of(id_: str, artifact: Artifact) -> dict[str, Any]:
    return {"id": id_, "savers": [], "part": Path(id_).stem, "artifact": msgspec.to_builtins(artifact)}


def version_key(name: str) -> tuple[int, ...]:
    digits = "".join(character if character.isdigit() else " " for character in name)
    return tuple(int(part) for part in digits.split())


# --- loading ------------------------------------------------------------------------------------------------------


def load(place: Place, only: Sequence[str] = ()) -> None:
    """`only`: names of runtimes, and beginnings of ids such as `graphs` or `parts/tf2.15`."""
    folders = [name for name in only if name.startswith(tuple(KINDS))]
    only = [name for name in only if name not in folders]
    parts = list(read_lines(place.parts))
    alone = {line["id"] for line in parts if line["artifact"]["facts"] and is_alone(line["artifact"]["facts"])}
    wanted = [
        Wanted(line["id"], loader)
        for line in parts
        for loader in LOADERS_OF_FORMAT[Format(line["artifact"]["format"])]
        if loader not in NOT_MEASURED and not (loader is Loader.META_GRAPH and "_checkpoint/" in line["id"])
        if not folders or line["id"].startswith(tuple(folders))
    ]
    locks, in_full = place.locks_of_parts(), place.locks()
    telling = Telling(parts, locks)
    for name, lock in locks.items():
        if only and name not in only:
            continue
        loads = list(read_lines(place.part_loads))
        done = {(line["artifact"], line["loader"]) for line in loads if line["runtime"] == name}
        worth = wanted if name in in_full else telling.of(name, wanted, loads, in_full)
        left = [each for each in worth if (each.artifact, each.loader) not in done]
        while left:
            together = [each for each in left if each.artifact not in alone] or left[:1]
            ended = list(loaded(place, name, lock, together))
            if not ended:
                raise SystemExit(f"{name}: the loader does not start")
            for line in ended:
                append_line(place.part_loads, line)
            told = {(line["artifact"], line["loader"]) for line in ended}
            left = [each for each in left if (each.artifact, each.loader) not in told]
        say(f"{name}: loaded")


def is_alone(facts: Mapping[str, Any]) -> bool:
    """Slots of an optimizer are restored by whatever class an earlier load has registered for it."""
    return "optimizer_slots" in facts["extra"]


def loaded(place: Place, name: str, lock: Lock, wanted: Sequence[Wanted]) -> Iterator[dict[str, Any]]:
    account, listing = place.root / "scratch" / f"parts-{name}", place.root / "scratch" / f"parts-{name}.list"
    account.parent.mkdir(parents=True, exist_ok=True)
    account.unlink(missing_ok=True)
    listing.write_text("\n".join(f"{each.loader}\t{place.root / each.artifact}" for each in wanted))
    probe = str(Path(loaders.__file__).parent)
    run([lock.interpreter, str(INSIDE / "lab_load_parts.py"), probe, str(account), str(listing)], name)
    begun: dict[str, Any] | None = None
    for line in read_lines(account):
        if "begin" in line:
            begun = {
                "artifact": str(Path(line["begin"]).relative_to(place.root)),
                "loader": line["loader"],
                "runtime": name,
            }
        elif begun is not None:
            yield {**begun, "exception": line["exception"]}
            begun = None
    if begun is not None:
        exception = {"type": "crashed", "message": "the load ended the process", "chain": []}
        yield {**begun, "exception": exception}


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a program that says how it gets on


if __name__ == "__main__":
    step, root, *names = sys.argv[1:]
    place = Place(Path(root))
    if step == "catalogue":
        catalogue(place)
    else:
        {"save": save, "load": load}[step](place, names)
