"""uv: the resolver, the installer and the keeper of Pythons, each as one call of its program."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from loadgate.domain import Finding, FindingKind
from loadgate.errors import LoadgateError
from loadgate.runtimes.failure import NotMadeError
from loadgate.runtimes.processes import Ended, Processes, harmless
from loadgate.runtimes.resolver_words import finding_of

RESOLVE_TIMEOUT = 600.0
INSTALL_TIMEOUT = 3600.0
"""Seconds; building a package from its sources takes long, and so do two gigabytes over a slow line."""
QUERY_TIMEOUT = 60.0

DECISIVE = (
    "UV_INDEX",
    "UV_DEFAULT_INDEX",
    "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS",
    "UV_NO_INDEX",
    "UV_CONFIG_FILE",
    "UV_CONSTRAINT",
    "UV_OVERRIDE",
    "UV_EXCLUDE",
    "UV_PRERELEASE",
    "UV_RESOLUTION",
    "UV_NO_BINARY",
    "UV_NO_BUILD",
)
"""Beginnings of the names of those variables that decide what a resolution gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the resolver is asked. Nothing is in it that `pip install` with the same files would not be told."""

    lines: tuple[str, ...]
    constraints: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    """Lines of a requirements file that begin with `-`, such as `--extra-index-url …`."""


class Uv:
    def __init__(self, binary: Path, processes: Processes, environment: Mapping[str, str]) -> None:
        self._binary = binary
        self._processes = processes
        self._environment = own_environment(environment)

    def resolve(self, question: Question, python: Path) -> tuple[str, ...]:
        """The exact pins for that Python, sorted, as lines of a requirements file. Raises NotMadeError."""
        with tempfile.TemporaryDirectory(prefix="loadgate-") as scratch:
            folder = Path(scratch)
            command: list[str | Path] = ["pip", "compile", "--no-header", "--no-annotate"]
            command += ["--no-strip-extras", "--python", python]
            command += written(folder / "requirements.txt", (*question.options, *question.lines))
            for option, lines in (("--constraints", question.constraints), ("--overrides", question.overrides)):
                if lines:
                    command += [option, *written(folder / f"{option[2:]}.txt", lines)]
            if "--pre" in question.options:  # uv knows it on the command line alone
                command.append("--prerelease=allow")
            ended = self._run(command, RESOLVE_TIMEOUT, folder)
        if ended.status != 0:
            raise NotMadeError(finding(FindingKind.RESOLVE, ended, RESOLVE_TIMEOUT))
        return tuple(sorted(line for line in ended.output.splitlines() if line.strip() and not line.startswith("#")))

    def install(  # noqa: PLR0913 -- a record for its one caller would only move the names
        self,
        pins: Sequence[str],
        options: Sequence[str],
        python: Path,
        directory: Path,
        *,
        lock: int,
        fresh: bool,
    ) -> None:
        """Make a virtual environment that can be moved, with exactly `pins` in it. Raises NotMadeError.

        `lock` is a descriptor that uv keeps open: should we be killed, the lock lasts as long as uv still writes.
        With `fresh` everything is downloaded, whatever uv has in its own cache.
        """
        # Relocatable, because it is made beside its final place and renamed into it when it is whole.
        self._install_step(["venv", "--clear", "--relocatable", "--python", python, directory], directory.parent, lock)
        if not pins:
            return
        with tempfile.TemporaryDirectory(prefix="loadgate-") as scratch:
            folder = Path(scratch)
            command: list[str | Path] = ["pip", "install", "--no-deps", "--python", directory / "bin/python"]
            command += ["-r", *written(folder / "pins.txt", (*options, *pins))]
            command += ["--require-hashes"] if "--require-hashes" in options else []
            command += ["--no-cache"] if fresh else []
            self._install_step(command, folder, lock)

    def _install_step(self, command: Sequence[str | Path], folder: Path, lock: int) -> None:
        ended = self._run(command, INSTALL_TIMEOUT, folder, lock=lock)
        if ended.status != 0:
            raise NotMadeError(finding(FindingKind.INSTALL, ended, INSTALL_TIMEOUT))

    def installed_pythons(self) -> list[tuple[str, Path]]:
        """Version and path of the Pythons that uv has downloaded on this machine."""
        rows = self._pythons("--only-installed")
        return [(str(row["version"]), Path(str(row["path"]))) for row in rows if row.get("path")]

    def offered_pythons(self, request: str) -> list[str]:
        """Versions that fit `request` and that uv knows where to download."""
        return [str(row["version"]) for row in self._pythons("--only-downloads", "--all-versions", request)]

    def _pythons(self, *arguments: str) -> list[Mapping[str, object]]:
        command = ["python", "list", "--managed-python", "--output-format", "json", *arguments]
        # It would start every Python on PATH, those that it then does not list too.
        ended = self._run(command, QUERY_TIMEOUT, Path("/"), path=os.devnull)
        try:
            rows = json.loads(ended.output) if ended.status == 0 else []
        except ValueError:
            rows = []
        return [row for row in rows if row.get("implementation") == "cpython" and row.get("variant") == "default"]

    def download_python(self, request: str) -> None:
        """Raises NotMadeError."""
        ended = self._run(["python", "install", "--no-bin", request], INSTALL_TIMEOUT, Path("/"))
        if ended.status != 0:
            said = finding(FindingKind.PYTHON, ended, INSTALL_TIMEOUT)
            cause = said.cause if said.cause in ("unreachable", "timed_out") else "python_not_downloaded"
            headline = f"Python {request} is not on this machine, and downloading it failed."
            raise NotMadeError(
                Finding(
                    kind=FindingKind.PYTHON,
                    cause=cause,
                    headline=headline,
                    detail=said.detail,
                    suggestion=f"Install Python {request}, or name one that is installed under `python:`.",
                )
            )

    def _run(
        self,
        arguments: Sequence[str | Path],
        timeout: float,
        folder: Path,
        *,
        lock: int | None = None,
        path: str | None = None,
    ) -> Ended:
        try:
            return self._processes.run(
                [self._binary, *arguments],
                timeout=timeout,
                env=self._environment if path is None else {**self._environment, "PATH": path},
                # uv reads the uv.toml and pyproject.toml of where it stands: those of the repository are not ours.
                cwd=folder,
                keep_open=() if lock is None else (lock,),
            )
        except OSError as error:
            raise LoadgateError(f"{self._binary}: cannot be run: {error.strerror}; reinstall uv") from error


def find_uv() -> Path:
    """The uv that was installed with us, or the one on PATH. Raises LoadgateError where there is none."""
    try:
        import uv

        return Path(uv.find_uv_bin())
    except (ImportError, FileNotFoundError):
        found = shutil.which("uv")
    if found is None:
        raise LoadgateError("uv was not found; install it with `pip install uv`")
    return Path(found)


def own_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What the user told uv holds here too, except where it would publish, or change what we read."""
    env = harmless(environment)
    env |= {name: value for name, value in environment.items() if name.startswith("UV_") and "PUBLISH" not in name}
    env.setdefault("UV_LINK_MODE", "hardlink")
    return env | {"NO_COLOR": "1", "UV_NO_PROGRESS": "1"}


def settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Those of uv's variables on which a resolution depends."""
    return {name: value for name, value in sorted(environment.items()) if name.startswith(DECISIVE)}


def written(path: Path, lines: Sequence[str]) -> list[str | Path]:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return [path]


def finding(kind: FindingKind, ended: Ended, timeout: float) -> Finding:
    if ended.status is None:
        return Finding(kind=kind, cause="timed_out", headline=f"uv was not done after {timeout:.0f} seconds.")
    if ended.status < 0:
        return Finding(kind=kind, cause="interrupted", headline=f"uv was ended by signal {-ended.status}.")
    return finding_of(kind, ended.errors)
