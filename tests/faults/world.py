"""A whole world for a run: a repository, an index of tiny packages, and a cache, none of which knows TensorFlow.

The tiny `tensorflow` loads TFLite files by looking at them, so that the real command goes its whole way, with the real
uv and the real probe, in a few seconds.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.command import LOADGATE, Ended, environment
from tests.runtimes.tiny_index import TinyIndex

MODEL = Path(__file__).parents[2] / "examples" / "models" / "speech" / "keyword_spotter.tflite"
PATIENCE = 600.0
PYTHON = sys.executable
HERE = ".".join(str(part) for part in sys.version_info[:2])

LITE = """
__version__ = "9.1"

class Interpreter:
    def __init__(self, model_path):
        self.path = model_path

    def allocate_tensors(self):
        if "refused" in self.path:
            raise ValueError("this one is refused")

class lite:
    Interpreter = Interpreter
"""
VERDICTS = {"one.tflite": "passed", "refused.tflite": "failed", "three.tflite": "passed", "two.tflite": "passed"}
"""What every run that comes to its end says, whatever happened to the run before it."""


@dataclass(frozen=True)
class World:
    root: Path
    index: TinyIndex
    env: dict[str, str] = field(default_factory=dict)

    @property
    def repository(self) -> Path:
        return self.root / "repository"

    @property
    def cache(self) -> Path:
        return self.root / "cache"

    @property
    def output(self) -> Path:
        return self.root / ".loadgate"

    def environment(self, changes: Mapping[str, str] | None = None) -> dict[str, str]:
        ours = {"LOADGATE_CACHE": str(self.cache), "CUDA_VISIBLE_DEVICES": "", **self.env}
        return environment({**ours, **(changes or {})})

    def start(
        self, *arguments: str | Path, before: Sequence[str | Path] = LOADGATE, **env: str
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*before, *arguments],
            cwd=self.root,
            env=self.environment(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str | Path, before: Sequence[str | Path] = LOADGATE, **env: str) -> Ended:
        process = self.start(*arguments, before=before, **env)
        out, err = process.communicate(timeout=PATIENCE)
        return Ended(process.returncode, out, err)

    def check(self, *options: str | Path, **env: str) -> Ended:
        return self.run("check", self.repository, *options, **env)

    def report(self, folder: Path | None = None) -> Any:
        return json.loads(((folder or self.output) / "report.json").read_bytes())

    def verdicts(self, folder: Path | None = None) -> dict[str, str]:
        return {case["case"]["artifact"]: case["standing"] for case in self.report(folder)["cases"]}


def make(root: Path, uv_cache: Path) -> World:
    index = TinyIndex(root / "index")
    index.add_tensorflow("9.1", body=LITE)
    uv = {"UV_DEFAULT_INDEX": index.url, "UV_CACHE_DIR": str(uv_cache), "UV_HTTP_RETRIES": "0"}
    world = World(root, index, uv)
    world.repository.mkdir()
    for name in VERDICTS:
        shutil.copy(MODEL, world.repository / name)
    declare(world)
    return world


def declare(world: World, **changes: str) -> None:
    """Write the spec: one runtime, of the tiny TensorFlow, with what `changes` says otherwise."""
    keys = {"python": f'"{HERE}"', "tensorflow": '"9.1"', **changes}
    runtime = ", ".join(f"{key}: {value}" for key, value in keys.items() if value)
    (world.repository / "loadgate.yml").write_text(f"version: 1\nruntimes:\n  serving: {{{runtime}}}\n")


def last_line(ended: Ended) -> str:
    """What a run says for itself when it cannot go on, after what it told of its progress."""
    assert "Traceback" not in ended.err, ended.err
    line = ended.err.splitlines()[-1]
    assert line.startswith("loadgate: "), ended.err
    return line.removeprefix("loadgate: ")


def processes_of(world: World) -> list[str]:
    """Those that are alive and whose environment or folder names the world."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if entry.name != str(os.getpid()) and bytes(world.root) in (entry / "environ").read_bytes():
                found.append((entry / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found
