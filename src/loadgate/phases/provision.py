"""Provision: make every runtime of the plan real. Network, but no token; touches no artifact."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from loadgate.asked import of_environment
from loadgate.domain import Finding, FindingKind, Lock, Locks, Plan, Runtime, RuntimeState
from loadgate.errors import UsageError
from loadgate.progress import Progress
from loadgate.runtimes.existing import interpreter_of, lock_existing
from loadgate.runtimes.failure import NotMadeError
from loadgate.runtimes.gpu_preflight import preflight
from loadgate.runtimes.image import ask, describe_image, folder_of, lock_of_image
from loadgate.runtimes.making import Workshop, open_workshop
from loadgate.runtimes.processes import Processes

AT_ONCE = 2
"""Resolving and downloading wait for the network, unpacking for the disk, and importing TensorFlow takes a core."""


def provision(
    plan: Plan, cache: Path, *, refresh: bool = False, images: Path | None = None, progress: Progress
) -> Locks:
    """Make the runtimes of `plan` in `cache`. Raises UsageError before anything is made, where a Python is missing.

    That of a runtime which was inferred is no mistake of the spec's: it keeps no other from being made.

    With `refresh` everything is resolved and checked again, though the last day's answer is known. In `images` are
    the descriptions of images where somebody else has Docker; without it they are described here.
    """
    processes = Processes()
    workshop = open_workshop(cache, processes, refresh=refresh)
    repository = Path(plan.repository)
    for runtime in plan.runtimes:
        if not plan.was_inferred(runtime):
            refuse_what_cannot_be(runtime, repository, workshop)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            made = [
                pool.submit(
                    make_inferred if plan.was_inferred(runtime) else make,
                    *(runtime, repository, workshop, progress, images),
                )
                for runtime in plan.runtimes
            ]
            return Locks(runtimes=tuple(future.result() for future in made))
        except BaseException:
            # Leaving the pool waits for its threads, and they wait for what they have started.
            pool.shutdown(wait=False, cancel_futures=True)
            processes.stop()
            raise


def refuse_what_cannot_be(runtime: Runtime, repository: Path, workshop: Workshop) -> None:
    if runtime.interpreter is not None:
        interpreter_of(runtime, repository)
    elif runtime.image is None:
        try:
            workshop.require_python(runtime)
        except UsageError as error:
            where = f"{runtime.origin}: " if runtime.origin else ""
            raise UsageError(f"{where}runtime {runtime.name}: {error}") from error


def make(
    runtime: Runtime, repository: Path, workshop: Workshop, progress: Progress, images: Path | None = None
) -> RuntimeState:
    begun = time.monotonic()
    progress.runtime_started(runtime.name)
    try:
        state = made(runtime, repository, workshop, images, lambda step: progress.runtime_step(runtime.name, step))
        if state.lock is not None and state.lock.image is None:
            known = preflight(runtime, state.lock, repository, workshop.processes)
            state = replace(state, warnings=known.warnings, notes=(*state.notes, *known.notes))
    except NotMadeError as error:
        state = RuntimeState(name=runtime.name, finding=error.finding)
    state = replace(state, asked=of_environment(runtime), seconds=time.monotonic() - begun)
    progress.runtime_finished(state)
    return state


def make_inferred(
    runtime: Runtime, repository: Path, workshop: Workshop, progress: Progress, images: Path | None = None
) -> RuntimeState:
    try:
        return make(runtime, repository, workshop, progress, images)
    except UsageError as error:
        finding = Finding(kind=FindingKind.PYTHON, cause="no_such_python", headline=str(error))
    state = RuntimeState(name=runtime.name, finding=finding, asked=of_environment(runtime))
    progress.runtime_finished(state)
    return state


def made(
    runtime: Runtime, repository: Path, workshop: Workshop, images: Path | None, step: Callable[[str], None]
) -> RuntimeState:
    if runtime.image is not None:
        return RuntimeState(name=runtime.name, lock=lock_described(runtime, images, workshop.processes, step))
    if runtime.interpreter is not None:
        step("importing TensorFlow")
        return RuntimeState(name=runtime.name, lock=lock_existing(runtime, repository, workshop.processes))
    return workshop.make(runtime, step)


def lock_described(runtime: Runtime, images: Path | None, processes: Processes, step: Callable[[str], None]) -> Lock:
    if images is not None:
        return lock_of_image(folder_of(images, runtime), runtime)
    with tempfile.TemporaryDirectory(prefix="loadgate-") as scratch:
        folder = ask(Path(scratch), runtime)
        step(f"importing TensorFlow in {runtime.image}")
        describe_image(folder, processes)
        return lock_of_image(folder, runtime)
