"""Runs the real command as a user does: in a process of its own, with an environment that says nothing of ours."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LOADGATE = (sys.executable, "-m", "loadgate")
OF_THE_TERMINAL = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TTY_COMPATIBLE", "LOADGATE_CACHE", "TERM")
PATIENCE = 300.0
"""Seconds until a test gives up on a command: far more than any of them takes."""


@dataclass(frozen=True)
class Ended:
    status: int
    out: str
    err: str


def environment(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if name not in OF_THE_TERMINAL}
    return {**ours, "PYTHONUTF8": "1", **(changes or {})}


def loadgate(
    *arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None, patience: float = PATIENCE
) -> Ended:
    """A check tries no remedies unless it says so: each may make an environment, which takes minutes."""
    if arguments[:1] == ("check",) and "--remedies" not in arguments:
        arguments = (*arguments, "--no-remedies")
    return ended([*LOADGATE, *arguments], cwd, environment(env), patience)


def ended(command: Sequence[str | Path], cwd: Path, env: Mapping[str, str], patience: float = PATIENCE) -> Ended:
    ran = subprocess.run(
        command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=patience, check=False
    )
    return Ended(ran.returncode, ran.stdout.decode(), ran.stderr.decode())


def wait_until(happened: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Until something has happened. Fails where the process ended before it, or where a whole run would be given up."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)
