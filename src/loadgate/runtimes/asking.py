"""Runs a program of ours with a runtime's own Python: how it is known what that runtime is and can do."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from loadgate.probe import removal
from loadgate.runtimes.processes import Ended, Processes, harmless
from loadgate.sandbox.reach import NOWHERE, reach
from loadgate.sandbox.walls import command, examine


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Whom to ask, and as what."""

    interpreter: Path
    env: Mapping[str, str]
    """What the runtime declares. It can name code, so it is for the inside of the sandbox alone."""
    repository: Path = NOWHERE
    made_by_us: bool
    gpu: bool = False


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder of its own for one question, removed whatever was made in it."""
    folder = tempfile.mkdtemp(prefix="loadgate-")
    try:
        yield Path(folder)
    finally:
        removal.remove(folder)


def ask(
    asked: Asked, question: Sequence[str | Path], scratch: Path, processes: Processes, timeout: float, **setting: str
) -> Ended:
    """Run `question`, a program and its arguments, in `scratch`. `setting` are further variables.

    With variables of its own a runtime is asked behind the outer walls, as it will be when it loads: it writes
    nowhere but into `scratch`, and has neither a network nor a home.
    """
    outside = {**harmless(os.environ), **setting}
    if not asked.env:
        return processes.run([asked.interpreter, *question], timeout=timeout, env=outside, cwd=scratch)
    home = {"HOME": str(scratch), "TMPDIR": str(scratch), "PYTHONDONTWRITEBYTECODE": "1"}
    inside = {**outside, **home, **asked.env}
    within = reach(
        asked.interpreter, os.environ, env=asked.env, repository=asked.repository, made_by_us=asked.made_by_us
    )
    walls = command(examine(), within, scratch, env=inside, gpu=asked.gpu)
    return processes.run(
        [*walls, asked.interpreter, *question], timeout=timeout, env={} if walls else inside, cwd=scratch
    )
