"""Where the attacks happen: models, an environment of the test's own, and commands that load with and without walls."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.attacks.canaries import Canaries

HERE = Path(__file__).parent
TIMEOUT = 40.0
MEMORY = 1 << 30

Answer = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Wall:
    """What stands between a model and the canaries, as a command that takes an order and gives an answer."""

    name: str
    command: Callable[[Path, Path, Path], list[str | Path]]
    """From the runtime's interpreter and the files of the order and of the answer."""
    disk: int = 96 << 20
    """Bytes that a load may write."""
    none: bool = False
    """Whether it is none at all."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Of the command, which sees nothing of ours otherwise."""


WALLED = HERE / "load_walled.py"
NONE = Wall("none", lambda python, order, answer: [python, HERE / "load_unwalled.py", order, answer], none=True)
LAST_RESORT = Wall("last resort", lambda _python, order, answer: [sys.executable, WALLED, order, answer])
OLDER_KERNEL = Wall("older kernel", lambda _python, order, answer: [sys.executable, WALLED, order, answer, "--older"])


@dataclass(frozen=True)
class Ground:
    """Where it happens: models, and an environment of the test's own that leads to a real runtime's packages."""

    root: Path
    interpreter: Path
    inside: Mapping[str, str] = field(default_factory=dict)
    """See `Canaries`."""

    def canaries(self) -> Canaries:
        return Canaries(self.root, self.inside)

    @property
    def models(self) -> Path:
        return self.root / "repository" / "models"

    def run(self, wall: Wall, jobs: list[dict[str, Any]], canaries: Canaries, imports: tuple[str, ...] = ()) -> Answer:
        order, answer = self.root / "order.json", self.root / "answer.json"
        targets = canaries.targets | {"disk": wall.disk}
        order.write_text(
            json.dumps(
                {
                    "jobs": jobs,
                    "timeout": TIMEOUT,
                    "memory": MEMORY,
                    "disk": wall.disk,
                    "interpreter": str(self.interpreter),
                    "repository": str(self.root / "repository"),
                    "imports": imports,
                    "env": {"TARGETS": json.dumps(targets), "TF_CPP_MIN_LOG_LEVEL": "2"},
                }
            )
        )
        left_open = os.open(self.root / "held", os.O_RDONLY)
        try:
            subprocess.run(
                wall.command(self.interpreter, order, answer),
                env={
                    "PATH": "/usr/bin:/bin",
                    "HOME": str(self.root / "home"),
                    "GITHUB_TOKEN": canaries.secret,
                    "PYTHONPATH": str(Path(__file__).parents[2]),
                    **({"TARGETS": json.dumps(targets)} if wall.none else {}),
                    **wall.env,
                },
                cwd=self.root,
                pass_fds=[left_open],
                timeout=1800,
                check=True,
            )
        finally:
            os.close(left_open)
        answered: Answer = json.loads(answer.read_text())
        return answered


def save_private(python: Path, canaries: Canaries) -> None:
    """Weights of a model that is nobody's business, as HDF5."""
    program = (
        "import h5py, numpy, sys\n"
        "with h5py.File(sys.argv[1], 'w') as file: file['weights'] = numpy.frombuffer(sys.argv[2].encode(), '<f4')"
    )
    text = canaries.secret.ljust(64, ".")
    subprocess.run([python, "-c", program, canaries.root / "private.h5", text], check=True, timeout=120)
