"""How long discovery takes in a tree of 100,000 files with 200 models, beside git's own listing of that tree.

usage: discovery.py [FILES] [MODELS]
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np

from loadgate.sandbox.finding import discover_apart

LIMIT = 3.0
"""Times git's listing."""
ROUNDS = 5
FILES_IN_A_FOLDER = 12
LIST = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")

# Shares of the files of large public machine-learning repositories, by extension, in per mille. What has no
# extension, and what only its content tells, is a tenth.
SHARES = {
    ".py": 330, ".js": 70, ".ts": 70, ".md": 70, ".json": 80, ".png": 60, ".txt": 40, ".yml": 40, ".cc": 40, ".h": 40,
    ".ipynb": 20, ".csv": 20, ".jpg": 20, "": 30, ".bin": 15, ".npy": 15, ".dat": 10, ".pkl": 10, ".pb": 10, ".zip": 10,
}  # fmt: skip
CONTENT = {
    ".png": b"\x89PNG\r\n\x1a\n" + bytes(300),
    ".jpg": b"\xff\xd8\xff\xe0" + bytes(300),
    ".npy": b"\x93NUMPY\x01\x00" + bytes(200),
    ".bin": bytes(range(256)),
    ".dat": bytes(range(255, -1, -1)),
    ".pkl": b"\x80\x04\x95" + bytes(100),
    ".pb": b"\x08\x02\x10\x01\x4a\x08" + bytes(8),
}


def make_tree(root: Path, files: int, models: int) -> None:
    chance = random.Random(0)  # noqa: S311 - the same tree each time
    folders = list(make_folders(root, files // FILES_IN_A_FOLDER, chance))
    suffixes = chance.choices(list(SHARES), weights=list(SHARES.values()), k=files - models)
    archive = plain_zip(root)
    for number, suffix in enumerate(suffixes):
        content = CONTENT.get(suffix, b"a line of text\n" * 20)
        path = chance.choice(folders) / f"file_{number}{suffix}"
        path.write_bytes(archive if suffix == ".zip" else content)
    makers = (make_hdf5, make_hdf5_without_a_name, make_keras, make_tflite)
    for number in range(models):
        makers[number % len(makers)](chance.choice(folders), number)
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "-c", "user.name=bench", "-c", "user.email=bench@example.com", "commit", "--quiet", "-m", "tree")


def git(root: Path, *arguments: str) -> None:
    subprocess.run(("git", *arguments), cwd=root, check=True, capture_output=True)


def make_folders(root: Path, count: int, chance: random.Random) -> Iterator[Path]:
    """Nested as a repository's are: each new folder lies in one of those before it."""
    folders = [root]
    names = ("src", "tests", "data", "models", "utils", "core", "assets", "docs", "layers", "serving")
    for number in range(count):
        parent = chance.choice(folders[-200:])
        depth = len(parent.relative_to(root).parts)
        folder = (parent if depth < 8 else root) / f"{chance.choice(names)}_{number}"  # noqa: PLR2004 - levels
        folder.mkdir()
        folders.append(folder)
        yield folder


def plain_zip(root: Path) -> bytes:
    path = root / "plain.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "nothing to load")
    return path.read_bytes()


CONFIG = '{"class_name": "Sequential", "config": {"name": "s", "layers": []}}'


def make_hdf5(folder: Path, number: int, suffix: str = ".h5") -> None:
    with h5py.File(folder / f"model_{number}{suffix}", "w") as file:
        file.attrs["model_config"] = CONFIG
        file.attrs["keras_version"] = "2.15.0"
        file.create_group("model_weights").create_dataset("kernel", data=np.zeros((8, 8), "float32"))


def make_hdf5_without_a_name(folder: Path, number: int) -> None:
    make_hdf5(folder, number, suffix=".bin")


def make_keras(folder: Path, number: int) -> None:
    with zipfile.ZipFile(folder / f"model_{number}.keras", "w") as archive:
        archive.writestr("metadata.json", '{"keras_version": "3.9.0"}')
        archive.writestr("config.json", CONFIG)


def make_tflite(folder: Path, number: int) -> None:
    """The shortest flatbuffer that is a model: a table with a version and nothing else."""
    table = (
        b"\x1c\x00\x00\x00TFL3"
        + bytes(4)
        + b"\x06\x00\x08\x00\x04\x00"
        + bytes(10)
        + b"\x10\x00\x00\x00\x03\x00\x00\x00"
    )
    (folder / f"model_{number}.tflite").write_bytes(table)


def best_seconds(function: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def main(files: int = 100_000, models: int = 200) -> int:
    with tempfile.TemporaryDirectory(prefix="loadgate-bench-") as name:
        root = Path(name)
        make_tree(root, files, models)
        listing = best_seconds(lambda: git(root, *LIST))
        found = len(discover_apart(root))
        discovery = best_seconds(lambda: discover_apart(root))
    ratio = discovery / listing
    print(f"{files:,} files: git lists them in {listing:.3f} s, loadgate finds {found} models in {discovery:.3f} s")
    print(f"discovery takes {ratio:.2f} times git's listing; the limit is {LIMIT}")
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main(*(int(argument) for argument in sys.argv[1:3])))
