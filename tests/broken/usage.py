"""Runs a command and writes down what it used: `python -m tests.broken.usage ACCOUNT COMMAND...`.

The kernel says of a process that it has had all the memory of whoever started it, so that has to be a small one.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from .seeds import REPOSITORY


@dataclass(frozen=True, slots=True)
class Usage:
    returncode: int
    seconds: float
    """Of processor time."""
    memory: int
    """Bytes of resident memory at the most."""


def usage_of(command: Sequence[str | Path], env: Mapping[str, str], output: Path, errors: Path, account: Path) -> Usage:
    runner = [sys.executable, "-m", "tests.broken.usage", account.resolve(), *command]
    with output.open("wb") as out, errors.open("wb") as err:
        subprocess.run(runner, cwd=REPOSITORY, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err, check=True)
    return msgspec.json.decode(account.read_bytes(), type=Usage)


def main(account: str, command: Sequence[str]) -> None:
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    used = Usage(process.returncode, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)
    Path(account).write_bytes(msgspec.json.encode(used))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
