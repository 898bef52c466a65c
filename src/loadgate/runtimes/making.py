"""Makes the environment of a runtime from its requirements, or finds that it is there."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from loadgate.domain import Finding, FindingKind, Runtime, RuntimeState
from loadgate.probe.describe import machine_facts
from loadgate.runtimes.asking import Asked
from loadgate.runtimes.description import describe
from loadgate.runtimes.failure import NotMadeError
from loadgate.runtimes.interpreters import Interpreters
from loadgate.runtimes.manifest import expected_sizes, top_level, whole
from loadgate.runtimes.processes import Processes
from loadgate.runtimes.resolution import (
    Resolution,
    digest_of,
    pythons_for,
    request_digest,
    resolve,
)
from loadgate.runtimes.store import Check, Record, Remembered, Store
from loadgate.runtimes.uv import Uv, find_uv, settings

FRESH = 24 * 3600.0
"""Seconds for which what was resolved is taken as it is."""
PASSING = frozenset({"timed_out", "killed", "unknown"})
"""Causes that are not remembered: a quieter machine may not show them again, or a later release know more."""

Step = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Workshop:
    """All that is needed to make runtimes."""

    uv: Uv
    interpreters: Interpreters
    store: Store
    processes: Processes
    refresh: bool
    """Resolve and check again, whatever is remembered."""

    def require_python(self, runtime: Runtime) -> None:
        """Raises UsageError where the Python that it asks for can not be had. Downloads nothing."""
        if runtime.python is not None and (self.refresh or self.store.remembered(request_of(runtime)) is None):
            self.interpreters.require(runtime.python)

    def make(self, runtime: Runtime, step: Step) -> RuntimeState:
        """Raises NotMadeError where there is nothing that TensorFlow could be imported in."""
        resolution, note = self._resolution(runtime, step)
        digest = resolution.digest(this_platform())
        environment, found = self._environment(resolution, digest, step)
        check, remembered = self._check(digest, environment, runtime.env, step)
        return RuntimeState(
            name=runtime.name,
            lock=check.lock,
            finding=check.finding,
            cached=found and remembered,
            notes=(*resolution.notes, *note),
        )

    def _resolution(self, runtime: Runtime, step: Step) -> tuple[Resolution, tuple[str, ...]]:
        request = request_of(runtime)
        remembered = self.store.remembered(request)
        if remembered is not None and not self.refresh and self._still_good(remembered):
            return remembered.resolution, ()
        step("resolving")
        try:
            interpreter = self.interpreters.find(*pythons_for(runtime))
            resolution = resolve(runtime, interpreter, self.uv)
        except NotMadeError as error:
            if remembered is None or error.finding.cause != "unreachable":
                raise
            made = datetime.fromtimestamp(remembered.made, UTC)
            note = f"The package index could not be reached, so what it gave on {made:%Y-%m-%d %H:%M} UTC is used."
            return remembered.resolution, (note,)
        self.store.remember(request, resolution)
        return resolution, ()

    def _still_good(self, remembered: Remembered) -> bool:
        recent = 0 <= time.time() - remembered.made < FRESH
        resolution = remembered.resolution
        # Its Python may have gone since, while another fits what was asked for.
        return recent and (
            self.store.environment(resolution.digest(this_platform())) is not None
            or self.interpreters.here(resolution.python) is not None
        )

    def _environment(self, resolution: Resolution, digest: str, step: Step) -> tuple[Path, bool]:
        """Where it lies, and whether it was there."""
        environment = self.store.environment(digest)
        if environment is not None:
            return environment, True
        step(f"installing {len(resolution.pins)} packages for Python {resolution.python}")
        return self.store.make(digest, lambda place, lock: self._build(resolution, place, lock))

    def _build(self, resolution: Resolution, place: Path, lock: int) -> Record:
        python = self.interpreters.find(resolution.python).path
        for fresh in (False, True):
            self.uv.install(resolution.pins, resolution.options, python, place, lock=lock, fresh=fresh)
            sizes, entries = expected_sizes(place), top_level(place)
            if whole(place, sizes, entries):
                return Record(python=resolution.python, pins=resolution.pins, sizes=sizes, entries=entries)
            # uv links files out of its cache without a look at them; what damaged ours has damaged its own.
        headline = "A package that was downloaded is not what its own list of files says."
        raise NotMadeError(Finding(kind=FindingKind.INSTALL, cause="damaged_package", headline=headline))

    def _check(self, digest: str, environment: Path, env: Mapping[str, str], step: Step) -> tuple[Check, bool]:
        """What importing TensorFlow there leads to, and whether that was remembered."""
        key = digest_of(env, machine_facts())
        if not self.refresh and (check := self.store.check(digest, key)):
            return check, True
        step("importing TensorFlow")
        with self.store.alone(digest):
            if not self.refresh and (check := self.store.check(digest, key)):
                return check, True
            asked = Asked(interpreter=environment / "bin/python", env=env, made_by_us=True)
            try:
                check = Check(lock=describe(asked, self.processes))
            except NotMadeError as error:
                check = Check(finding=error.finding)
            if check.finding is None or check.finding.cause not in PASSING:
                self.store.remember_check(digest, key, check)
            return check, False


def request_of(runtime: Runtime) -> str:
    return request_digest(runtime, this_platform(), settings(os.environ))


def this_platform() -> str:
    """What decides which wheels fit, apart from the Python."""
    libc, version = platform.libc_ver()
    return f"{platform.machine()} {libc} {version}"


def open_workshop(cache: Path, processes: Processes, *, refresh: bool) -> Workshop:
    uv = Uv(find_uv(), processes, os.environ)
    return Workshop(
        uv=uv,
        interpreters=Interpreters(uv, processes, os.environ),
        store=Store(cache, processes),
        processes=processes,
        refresh=refresh,
    )
