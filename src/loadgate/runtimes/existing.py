"""A runtime that is there already: an interpreter of the user's, taken as it is."""

from __future__ import annotations

import os
from pathlib import Path

from loadgate.domain import Finding, FindingKind, Lock, Runtime
from loadgate.errors import UsageError
from loadgate.runtimes.asking import Asked
from loadgate.runtimes.description import describe
from loadgate.runtimes.failure import NotMadeError
from loadgate.runtimes.processes import Processes


def interpreter_of(runtime: Runtime, repository: Path) -> Path:
    """Raises UsageError where nothing is there that could be run."""
    # The links of a virtual environment are left as they are: resolved, they are the Python without its packages.
    path = Path(os.path.abspath(repository / (runtime.interpreter or "")))
    where = f"{runtime.origin}: " if runtime.origin else ""
    if not path.exists():
        raise UsageError(f"{where}runtime {runtime.name}: there is no interpreter {path}; make it first")
    if path.is_dir() or not os.access(path, os.X_OK):
        raise UsageError(
            f"{where}runtime {runtime.name}: {path} is no program; name a Python, such as .venv/bin/python"
        )
    return path


def lock_existing(runtime: Runtime, repository: Path, processes: Processes) -> Lock:
    """Raises NotMadeError where it does not run, or cannot import TensorFlow."""
    path = interpreter_of(runtime, repository)
    asked = Asked(interpreter=path, env=runtime.env, repository=repository, made_by_us=False)
    try:
        return describe(asked, processes)
    except OSError as error:
        headline = f"{path} cannot be run: {error.strerror}."
        raise NotMadeError(Finding(kind=FindingKind.PYTHON, cause="not_runnable", headline=headline)) from error
