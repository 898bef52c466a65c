"""Finds the Python that a runtime asks for: one that is here if there is one, else one that uv downloads."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from loadgate.errors import UsageError
from loadgate.runtimes.processes import Processes, harmless
from loadgate.runtimes.uv import Uv

PATIENCE = 30.0
"""Seconds for an interpreter to say its version. A cold disk is slow; a shim that asks for input never answers."""

ASK = """
import json, platform, sys, sysconfig
base = getattr(sys, "_base_executable", None) or sys.executable
standard = platform.python_implementation() == "CPython" and not sysconfig.get_config_var("Py_GIL_DISABLED")
print(json.dumps([platform.python_version(), base, standard]))
"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    version: str
    """Full, such as `3.10.13`."""
    path: Path


class Interpreters:
    """The Pythons of this machine. Each is asked for its version before it is believed."""

    def __init__(self, uv: Uv, processes: Processes, environment: Mapping[str, str]) -> None:
        self._uv = uv
        self._processes = processes
        self._environment = environment
        self._found: dict[str, Interpreter | None] = {}

    def require(self, request: str) -> None:
        """Raises UsageError where Python `request` is neither here nor known to uv. Downloads nothing."""
        if self.here(checked(request)) is None and not self._uv.offered_pythons(request):
            raise UsageError(
                f"Python {request} is not on this machine, and uv knows no download of it; install it, "
                f"or name another under `python:`"
            )

    def find(self, *requests: str) -> Interpreter:
        """The first of the Pythons `requests` (`3.11`, `3.11.7`) that is here, else the first of all, downloaded.

        Raises UsageError where there is no such Python, NotMadeError where it could not be downloaded.
        """
        for request in requests:
            if found := self.here(checked(request)):
                return found
        return self._downloaded(requests[0])

    def here(self, request: str) -> Interpreter | None:
        """One that is on this machine."""
        if request not in self._found:
            self._found[request] = self._look_for(request)
        return self._found[request]

    def _look_for(self, request: str) -> Interpreter | None:
        tried: set[Path] = set()
        for path in self._candidates(request):
            if path in tried or not path.exists():
                continue
            tried.add(path)
            found = self._asked(path)
            if found is not None and fits(found.version, request):
                return found
        return None

    def _candidates(self, request: str) -> Iterator[Path]:
        minor = ".".join(request.split(".")[:2])
        if fits(".".join(str(part) for part in sys.version_info[:3]), request):
            yield Path(sys.executable)
        for place in self._environment.get("PATH", os.defpath).split(os.pathsep):
            yield Path(place or ".", f"python{minor}").absolute()
        # What pyenv puts on PATH answers only for the versions that are switched on; the others are here.
        pyenv = Path(self._environment.get("PYENV_ROOT") or Path.home() / ".pyenv")
        for folder in sorted((pyenv / "versions").glob(f"{minor}.*"), key=newest_last, reverse=True):
            yield folder / "bin/python"
        yield from (path for version, path in self._of_uv if fits(version, request))

    @cached_property
    def _of_uv(self) -> list[tuple[str, Path]]:
        return self._uv.installed_pythons()

    def _asked(self, path: Path) -> Interpreter | None:
        env = harmless(self._environment)
        try:
            ended = self._processes.run([path, "-I", "-c", ASK], timeout=PATIENCE, env=env, cwd=Path("/"))
            version, executable, standard = json.loads(ended.output)
        except (OSError, ValueError):  # it is none, or one that does not start
            return None
        return Interpreter(version, Path(executable)) if standard else None

    def _downloaded(self, request: str) -> Interpreter:
        self.require(request)
        self._uv.download_python(request)
        for version, path in self._uv.installed_pythons():
            if fits(version, request) and (found := self._asked(path)):
                return found
        raise UsageError(f"Python {request} was downloaded, but it does not run on this machine")


def checked(request: str) -> str:
    if not re.fullmatch(r"3\.\d{1,3}(\.\d{1,3})?", request):
        raise UsageError(f"`python: {request!r}` is no version; write it like `3.11` or `3.11.7`")
    return request


def fits(version: str, request: str) -> bool:
    return version == request or version.startswith(f"{request}.")


def newest_last(folder: Path) -> tuple[int, ...]:
    """Development builds and named environments, which pyenv keeps in the same place, come first."""
    found = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", folder.name)
    return tuple(int(part) for part in found.groups()) if found else ()
