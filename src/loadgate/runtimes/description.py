"""What an interpreter with TensorFlow really is: asked of itself, by `probe/describe.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from loadgate.domain import Lock
from loadgate.probe import describe as program
from loadgate.repository import UnusableFileError, read_bytes
from loadgate.runtimes.asking import Asked, ask, scratch_folder
from loadgate.runtimes.failure import NotMadeError
from loadgate.runtimes.findings import ImportFailure, runtime_finding
from loadgate.runtimes.processes import Ended, Processes
from loadgate.runtimes.resolution import digest_of

TIMEOUT = 300.0
"""Seconds; the first import from a cold disk has been seen to take one minute."""
REPORT_LIMIT = 16 * 1024 * 1024
"""Bytes. The report comes out of a process that ran other people's code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    type: str
    message: str
    traceback: str
    chain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What `probe/describe.py` writes."""

    stage: str = ""
    python: str = ""
    implementation: str = ""
    packages: dict[str, str] = field(default_factory=dict)
    machine: str = ""
    glibc: str | None = None
    cpu_features: tuple[str, ...] = ()
    driver: str | None = None
    tensorflow: str = ""
    tensorflow_git: str | None = None
    keras: str | None = None
    keras_module: str | None = None
    build: dict[str, str] = field(default_factory=dict)
    failure: Failure | None = None


def describe(asked: Asked, processes: Processes) -> Lock:
    """Import TensorFlow there and say what it is. Raises NotMadeError where it cannot be imported, with the cause.

    One that is ours does not see the user's home, for a `keras.json` there is no part of it, and keeps the bytecode
    of what it imports. One that is the user's own is used as the user would, and nothing is written into it.
    """
    if asked.made_by_us and asked.env and not has_bytecode(asked.interpreter.parent.parent):
        # With variables it may not write into itself, and each load would compile TensorFlow anew.
        imported(replace(asked, env={}), processes)
    report, ended = imported(asked, processes)
    return concluded(report, ended, str(asked.interpreter), asked.env)


def has_bytecode(environment: Path) -> bool:
    return any(environment.glob("lib/python*/site-packages/tensorflow/__pycache__/*.pyc"))


def imported(asked: Asked, processes: Processes) -> tuple[Report, Ended]:
    with scratch_folder() as scratch:
        answer = scratch / "report.json"
        setting = (
            {"HOME": str(scratch), "PYTHONNOUSERSITE": "1"} if asked.made_by_us else {"PYTHONDONTWRITEBYTECODE": "1"}
        )
        ended = ask(asked, (program.__file__, answer), scratch, processes, TIMEOUT, **setting)
        return read_report(answer), ended


def concluded(report: Report, ended: Ended, interpreter: str, env: Mapping[str, str]) -> Lock:
    """What an interpreter is that ended so and left this report. Raises NotMadeError where it has no TensorFlow."""
    if ended.status == 0 and report.stage == "done":
        return lock_of(report, interpreter, env)
    raise NotMadeError(runtime_finding(seen(report, ended, env)))


def read_report(path: Path) -> Report:
    try:
        return msgspec.json.decode(read_bytes(path, REPORT_LIMIT), type=Report)
    except (UnusableFileError, msgspec.DecodeError):  # it ended before it wrote, or something else wrote there
        return Report()


def seen(report: Report, ended: Ended, env: Mapping[str, str]) -> ImportFailure:
    failure = report.failure if ended.status == 0 else None
    return ImportFailure(
        stage=report.stage,
        type=failure.type if failure else "",
        message=failure.message if failure else "",
        traceback=failure.traceback if failure else "",
        packages=report.packages,
        env=env,
        status=ended.status,
        output=ended.errors,
    )


def lock_of(report: Report, interpreter: str, env: Mapping[str, str]) -> Lock:
    lock = Lock(
        digest="",
        interpreter=interpreter,
        python=report.python,
        implementation=report.implementation,
        packages=report.packages,
        tensorflow=report.tensorflow,
        tensorflow_git=report.tensorflow_git,
        keras=report.keras,
        keras_module=report.keras_module,
        build=report.build,
        machine=report.machine,
        glibc=report.glibc,
        cpu_features=report.cpu_features,
        driver=report.driver,
    )
    # Where it lies changes nothing; the variables that it runs with change much.
    return replace(lock, digest=f"sha256:{digest_of(replace(lock, interpreter=''), env)}")
