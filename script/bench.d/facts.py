"""Measures how long the facts of a 1 GB SavedModel and of a 1 GB HDF5 take, and how much memory.

Each is read in processes of its own, and the best of them counts. A limit that is not met makes the exit status 1.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

CONSTANTS = 5
CONSTANT = 200 * 1024**2
"""Bytes; a protobuf message may not be larger than 2 GiB."""
NODES = 20_000
"""Nodes beside the constants, and as many in the function library."""
CONTINUED = 128
LAYERS = 200
MEMORY = 200 * 1024**2
ROUNDS = 5


@dataclass(frozen=True)
class Subject:
    name: str
    make: Callable[[Path], Path]
    limit: float
    """Seconds."""


# --- a SavedModel ---------------------------------------------------------------------------------------------


def make_saved_model(folder: Path) -> Path:
    """Written with holes in it, so that it costs no disk: the weights are zeros that nobody wrote."""
    folder.mkdir()
    nodes = b"".join(field(1, node(number)) for number in range(NODES))
    function = field(1, field(1, field(1, b"served"))) + b"".join(field(3, node(number)) for number in range(NODES))
    library = field(2, field(1, function))
    constants = [constant(number) for number in range(CONSTANTS)]
    size = len(nodes) + len(library) + sum(len(each) + CONSTANT for each in constants)
    graph = key(2) + varint(size)
    information = field(1, field(4, b"serve") + field(5, b"2.15.1"))
    with open(folder / "saved_model.pb", "wb") as file:
        file.write(varint(8) + varint(1) + key(2) + varint(len(information) + len(graph) + size) + information + graph)
        for each in constants:
            file.write(each)
            file.seek(CONSTANT, 1)
        file.write(nodes + library)
    return folder


def node(number: int) -> bytes:
    attribute = field(5, field(1, b"T") + field(2, varint(6 << 3) + varint(1)))
    return field(1, b"layer/%d" % number) + field(2, b"Neg") + field(3, b"layer/%d" % (number - 1)) + attribute


def constant(number: int) -> bytes:
    """A NodeDef up to its weights, which are to follow."""
    ends = [b""]
    for wrapped in (4, 8, 2):
        ends.append(key(wrapped) + varint(CONSTANT + len(b"".join(reversed(ends)))))
    head = b"".join(reversed(ends))
    value = key(5) + varint(len(field(1, b"value")) + len(head) + CONSTANT) + field(1, b"value") + head
    named = field(1, b"weights/%d" % number) + field(2, b"Const")
    return key(1) + varint(len(named) + len(value) + CONSTANT) + named + value


def key(number: int) -> bytes:
    return varint(number << 3 | 2)


def field(number: int, content: bytes) -> bytes:
    return key(number) + varint(len(content)) + content


def varint(value: int) -> bytes:
    written = bytearray()
    while value >= CONTINUED:
        written.append(value % CONTINUED + CONTINUED)
        value //= CONTINUED
    return bytes([*written, value])


# --- a Keras HDF5 ---------------------------------------------------------------------------------------------


def make_hdf5(folder: Path) -> Path:
    import h5py

    folder.mkdir()
    names = [f"dense_{number}" for number in range(LAYERS)]
    side = int((1024**3 / 4 / LAYERS) ** 0.5)
    layers = [{"class_name": "Dense", "config": {"name": name, "units": side}} for name in names]
    with h5py.File(folder / "model.h5", "w") as file:
        file.attrs["keras_version"] = "2.15.0"
        file.attrs["backend"] = "tensorflow"
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": {"name": "s", "layers": layers}})
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = [name.encode() for name in names]
        for name in names:
            layer = weights.create_group(name)
            layer.attrs["weight_names"] = [f"{name}/kernel:0".encode()]
            kernel = layer.create_dataset(f"{name}/kernel:0", (side, side), "f4")
            kernel[0, 0] = 1.0  # HDF5 makes room for a data set when its first number is written
    return folder / "model.h5"


# --- measuring ------------------------------------------------------------------------------------------------


def measure(path: Path) -> None:
    """What the process that is measured does: it prints seconds, and bytes at the most."""
    from loadgate.sandbox.finding import identify_apart
    from loadgate.sandbox.reading import facts_apart

    started = time.perf_counter()
    root, sighting = identify_apart(path)
    (artifact,) = facts_apart(root, [sighting])
    seconds = time.perf_counter() - started
    if artifact.facts is None:
        raise SystemExit(f"{path}: no facts: {artifact.stand_in or artifact.damage}")
    most = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    sys.stdout.write(f"{seconds} {most * 1024}\n")


def measured(path: Path) -> tuple[float, float]:
    command = [sys.executable, __file__, "--measure", str(path)]
    seconds, memory = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(seconds), float(memory)


def size_of(path: Path) -> int:
    return sum(file.stat().st_size for file in path.rglob("*")) if path.is_dir() else path.stat().st_size


def compared(folder: Path) -> Iterator[bool]:
    for subject in (Subject("SavedModel", make_saved_model, 1.0), Subject("Keras HDF5", make_hdf5, 0.1)):
        path = subject.make(folder / subject.name)
        seconds, memory = min(measured(path) for _ in range(ROUNDS))
        sys.stdout.write(
            f"{subject.name:12} {size_of(path) / 1024**3:5.2f} GiB"
            f"  {seconds:7.3f} s (limit {subject.limit} s)"
            f"  {memory / 1024**2:6.1f} MiB (limit {MEMORY // 1024**2} MiB)\n"
        )
        yield seconds <= subject.limit and memory <= MEMORY


def main() -> int:
    if sys.argv[1:2] == ["--measure"]:
        measure(Path(sys.argv[2]))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        return 0 if all(list(compared(Path(folder)))) else 1


if __name__ == "__main__":
    sys.exit(main())
