"""Load: try every case in its runtime. No network, no token; runs the artifacts' code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

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
from loadgate.loading.machine import available_cores, available_memory
from loadgate.loading.pool import Pool
from loadgate.loading.schedule import shard
from loadgate.loading.verdict import no_verdict
from loadgate.phases.progress import Progress
from loadgate.runtimes.gpu import visible_gpu


def load(
    plan: Plan,
    locks: Locks,
    results: IO[bytes],
    progress: Progress,
    *,
    repository: Path | None = None,
    workers: int | None = None,
    part: tuple[int, int] = (1, 1),
) -> None:
    """Append a line to `results` for every case of the plan, or of one part of it, as soon as it has ended."""
    limits = Limits(checks=plan.checks, workers=workers or available_cores(), memory=available_memory())
    cases = [plan.cases[index] for index in shard(len(plan.cases), *part)]
    by_id = {case.id: case for case in cases}
    for result in outcomes(plan, locks, cases, repository or Path(plan.repository), limits, progress):
        append_result(results, result)
        progress.case_finished(by_id[result.case], result)


def outcomes(
    plan: Plan, locks: Locks, cases: Sequence[Case], repository: Path, limits: Limits, progress: Progress
) -> Iterator[CaseResult]:
    states = {state.name: state for state in locks.runtimes}
    batches: list[Batch] = []
    for runtime in plan.runtimes:
        for device in runtime.devices:
            mine = [case for case in cases if case.runtime == runtime.name and case.device == device]
            hindrance = what_hinders(states.get(runtime.name), device, plan.policy.gpu_missing)
            if hindrance is not None:
                yield from (untried(case, limits.stages, hindrance) for case in mine)
            elif (lock := states[runtime.name].lock) is not None:
                batches.append(batch_of(runtime, device, lock, mine, plan.artifacts, repository))
    with Pool(limits, progress.case_started) as pool:
        yield from pool.run(batches)


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


def untried(case: Case, stages: Sequence[Stage], hindrance: Hindrance) -> CaseResult:
    outcome, reason, message = hindrance
    if outcome is Outcome.ERROR:
        return no_verdict(case.id, tuple(stages), reason, message)
    first = StageResult(stage=stages[0], outcome=outcome, reason=reason, message=message)
    rest = (StageResult(stage=stage, outcome=Outcome.SKIPPED, reason=reason, message=message) for stage in stages[1:])
    return CaseResult(case=case.id, stages=(first, *rest))


def batch_of(
    runtime: Runtime,
    device: Device,
    lock: Lock,
    cases: Sequence[Case],
    artifacts: Sequence[Artifact],
    repository: Path,
) -> Batch:
    by_path = {artifact.path: artifact for artifact in artifacts}
    jobs = tuple(
        Job(
            case=case,
            path=repository / case.artifact,
            bytes=by_path[case.artifact].bytes,
            artifact_digest=by_path[case.artifact].digest,
        )
        for case in cases
    )
    return Batch(
        runtime=runtime.name,
        device=device,
        lock=lock,
        env=runtime.env,
        imports=runtime.imports,
        import_paths=(repository, repository / "src") if runtime.imports else (),
        jobs=jobs,
    )
