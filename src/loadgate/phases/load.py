"""Load: try every case in its runtime. No network, no token; runs the artifacts' code."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from loadgate.asked import of_environment, of_loads
from loadgate.domain import (
    Artifact,
    Case,
    CaseResult,
    Device,
    GpuMissing,
    Lock,
    Locks,
    Outcome,
    Plan,
    Reason,
    Runtime,
    RuntimeState,
    Stage,
    StageResult,
)
from loadgate.errors import UsageError
from loadgate.interchange import append_result
from loadgate.loading.job import Batch, Job, Limits
from loadgate.loading.machine import available_memory, usual_workers
from loadgate.loading.pool import Pool
from loadgate.loading.resaving import first_half, reading, saving, second_half
from loadgate.loading.schedule import shard
from loadgate.loading.verdict import no_verdict
from loadgate.progress import Progress
from loadgate.runtimes.gpu import visible_gpu
from loadgate.runtimes.image import REPOSITORY, door_of, folder_of, opened, refuse_what_nobody_may_read
from loadgate.sandbox.walls import examine, require


def load(
    plan: Plan,
    locks: Locks,
    results: IO[bytes],
    progress: Progress,
    options: Options | None = None,
) -> None:
    """Append a line to `results` for every case of the plan, or of one shard of it, as soon as it has ended."""
    asked = options or Options()
    if asked.require_sandbox:
        require(examine())
    planned = first_half(plan.cases, plan.trials)
    cases = [planned[index] for index in shard(len(planned), *asked.shard)]
    by_id = {case.id: case for case in plan.cases}
    saved: set[str] = set()
    repository = (asked.repository or Path(plan.repository)).absolute()
    refuse_what_was_made_for_another(plan.runtimes, locks)
    refuse_what_is_not_there(plan.artifacts, {case.artifact for case in cases}, repository)
    limits = Limits(checks=plan.checks, workers=asked.workers or usual_workers(), memory=available_memory())

    asked_of = {runtime.name: of_loads(runtime) for runtime in plan.runtimes}

    def take(result: CaseResult) -> None:
        append_result(results, replace(result, asked=asked_of[by_id[result.case].runtime]))
        progress.case_finished(by_id[result.case], result)
        if result.outcome is Outcome.PASSED:
            saved.add(result.case)

    with (
        doors_to(plan, locks, cases, repository, asked.images) as doors,
        place_for(asked.products) as products,
        Pool(limits, progress.case_started) as pool,
    ):
        batches, untriable = sorted_out(plan, locks, cases, repository, doors)
        for result in chain(untriable, pool.run(saving(batches, plan.trials, products))):
            take(result)
        again, untriable = sorted_out(plan, locks, second_half(plan.cases, plan.trials, saved), repository, doors)
        for result in chain(untriable, pool.run(reading(again, plan.trials, products))):
            take(result)


@contextmanager
def place_for(products: Path | None) -> Iterator[Path]:
    """Where what is saved again lies until it has been loaded: `products`, or somewhere for as long as it takes."""
    if products is not None:
        products.mkdir(parents=True, exist_ok=True)
        yield products
    else:
        with TemporaryDirectory(prefix="loadgate-", ignore_cleanup_errors=True) as folder:
            yield Path(folder).resolve()


@contextmanager
def doors_to(
    plan: Plan, locks: Locks, cases: Sequence[Case], repository: Path, images: Path | None
) -> Iterator[Mapping[str, Path]]:
    """A container for each runtime that is an image and that a case is for: where probes are started in it, by name."""
    made = {state.name: state.lock for state in locks.runtimes if state.lock is not None}
    wanted = {case.runtime: case for case in cases}
    doors: dict[str, Path] = {}
    with ExitStack() as open_ones:
        for runtime in plan.runtimes:
            lock = made.get(runtime.name)
            if runtime.image is None or lock is None or runtime.name not in wanted:
                continue
            if images is not None:
                doors[runtime.name] = door_of(folder_of(images, runtime))
            else:
                refuse_what_nobody_may_read(repository, files_of(plan.artifacts, cases, runtime.name))
                gpu = Device.GPU in runtime.devices and visible_gpu().missing is None
                doors[runtime.name] = open_ones.enter_context(opened(lock, repository, gpu=gpu))
        yield doors


def files_of(artifacts: Sequence[Artifact], cases: Sequence[Case], runtime: str) -> Iterator[str]:
    wanted = {case.artifact for case in cases if case.runtime == runtime}
    return chain.from_iterable(artifact.files for artifact in artifacts if artifact.path in wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    repository: Path | None = None
    """Where the artifacts are; None where the plan says."""
    workers: int | None = None
    """Loads at once; None for one more than cores."""
    require_sandbox: bool = False
    """Refuse to load where a wall cannot be put up."""
    images: Path | None = None
    """Where the images of the plan are open already; None to open them here."""
    products: Path | None = None
    """Where to keep what a trial of a remedy saves again; None to keep nothing."""
    shard: tuple[int, int] = (1, 1)
    """Which part of the cases, and of how many."""


def refuse_what_was_made_for_another(runtimes: Sequence[Runtime], locks: Locks) -> None:
    """Raise `UsageError` where a runtime was made after other words than the plan has: loads in it say nothing."""
    asked = {state.name: state.asked for state in locks.runtimes}
    for runtime in runtimes:
        if asked.get(runtime.name) not in (None, of_environment(runtime)):
            raise UsageError(
                f"locks.json is of another plan: runtime {runtime.name} has changed since it was made; "
                "run `loadgate provision` with this plan"
            )


def refuse_what_is_not_there(artifacts: Sequence[Artifact], wanted: Collection[str], repository: Path) -> None:
    """Raise `UsageError` where the plan is of another checkout: a model that is not there has not failed to load."""
    for artifact in artifacts:
        for file in artifact.files if artifact.path in wanted and artifact.hindrance is None else ():
            if not os.path.lexists(repository / file):
                raise UsageError(
                    f"{repository} has no {file!r}, which the plan names; "
                    "give the checkout that was planned with --repository, or plan again"
                )


def sorted_out(
    plan: Plan, locks: Locks, cases: Sequence[Case], repository: Path, doors: Mapping[str, Path]
) -> tuple[list[Batch], list[CaseResult]]:
    """The cases that can be tried, by runtime and device, and the results of those that cannot."""
    states = {state.name: state for state in locks.runtimes}
    hindered = {artifact.path: artifact for artifact in plan.artifacts if artifact.hindrance is not None}
    batches: list[Batch] = []
    untriable: list[CaseResult] = []
    for case in cases:
        if (artifact := hindered.get(case.artifact)) is not None:
            reason = Reason.LINK if artifact.unfollowed else Reason.NAME
            untriable.append(untried(case, plan.checks.stages, (Outcome.SKIPPED, reason, artifact.hindrance or "")))
    cases = [case for case in cases if case.artifact not in hindered]
    for runtime in plan.runtimes:
        for device in runtime.devices:
            mine = [case for case in cases if case.runtime == runtime.name and case.device == device]
            if not mine:
                continue
            hindrance = what_hinders(states.get(runtime.name), device, plan.policy.gpu_missing)
            if hindrance is not None:
                untriable += (untried(case, plan.checks.stages, hindrance) for case in mine)
            elif (lock := states[runtime.name].lock) is not None and is_gone(lock, doors.get(runtime.name)):
                untriable += (untried(case, plan.checks.stages, gone(runtime.name)) for case in mine)
            elif lock is not None:
                place = Place(repository=repository, door=doors.get(runtime.name))
                batches.append(batch_of(runtime, lock, mine, plan.artifacts, place))
    return batches, untriable


Hindrance = tuple[Outcome, Reason, str]


def what_hinders(state: RuntimeState | None, device: Device, gpu_missing: GpuMissing) -> Hindrance | None:
    """Why no case of a runtime on a device can be tried."""
    if state is None:
        raise UsageError("locks.json lacks a runtime of plan.json; run `loadgate provision` with this plan")
    if state.lock is None:
        return Outcome.ERROR, Reason.RUNTIME, f"no verdict: runtime {state.name} could not be made"
    if device is Device.GPU:
        gpu = visible_gpu()
        if gpu.missing is not None:
            outcome = Outcome.FAILED if gpu_missing is GpuMissing.FAIL else Outcome.SKIPPED
            return outcome, Reason.NO_GPU, gpu.missing
    return None


def is_gone(lock: Lock, door: Path | None) -> bool:
    """Whether it was removed since it was made. What is in a container cannot be seen from here."""
    return door is None and not os.path.exists(lock.interpreter)


def gone(runtime: str) -> Hindrance:
    message = f"no verdict: runtime {runtime} is gone since it was made; run `loadgate provision` again"
    return Outcome.ERROR, Reason.RUNTIME, message


def untried(case: Case, stages: Sequence[Stage], hindrance: Hindrance) -> CaseResult:
    outcome, reason, message = hindrance
    if outcome is Outcome.ERROR:
        return no_verdict(case.id, tuple(stages), reason, message)
    first = StageResult(stage=stages[0], outcome=outcome, reason=reason, message=message)
    rest = (StageResult(stage=stage, outcome=Outcome.SKIPPED, reason=reason, message=message) for stage in stages[1:])
    return CaseResult(case=case.id, stages=(first, *rest))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the repository is."""

    repository: Path
    """For us."""
    door: Path | None = None
    """Of a container in which the loads are, where they are not beside us."""

    @property
    def for_loads(self) -> Path:
        return self.repository if self.door is None else REPOSITORY


def batch_of(runtime: Runtime, lock: Lock, cases: Sequence[Case], artifacts: Sequence[Artifact], place: Place) -> Batch:
    """The cases, which are all of one device, as work for one probe."""
    there = place.for_loads
    by_path = {artifact.path: artifact for artifact in artifacts}
    digests = {path: digest_now(place.repository, by_path[path]) for path in {case.artifact for case in cases}}
    jobs = tuple(
        Job(
            case=case,
            path=there / case.artifact,
            bytes=by_path[case.artifact].bytes,
            artifact_digest=digests[case.artifact],
            files=tuple(there / file for file in by_path[case.artifact].files),
        )
        for case in cases
    )
    return Batch(
        runtime=runtime.name,
        device=cases[0].device,
        lock=lock,
        env=runtime.env,
        imports=runtime.imports,
        import_paths=(there, there / "src") if runtime.imports else (),
        jobs=jobs,
        door=place.door,
        seen_at=place.repository,
        repository=there,
        made_by_us=runtime.interpreter is None,
    )


def digest_now(repository: Path, artifact: Artifact) -> str | None:
    """Of the bytes that are about to be loaded, which need not be those that were planned; None without such bytes."""
    from loadgate.artifacts.discover import digest_of

    try:
        return digest_of(repository, artifact.files)
    except OSError:
        return None
