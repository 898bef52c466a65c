"""What a load may do to itself, and that it does it to nobody else."""

from __future__ import annotations

import dataclasses
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadgate.domain import Case, CaseResult, Checks, Device, Loader, Lock, Outcome, Reason, Stage
from loadgate.loading.job import Batch, Job, Limits
from loadgate.loading.pool import Pool
from loadgate.probe import kernel
from loadgate.sandbox.walls import NO_SANDBOX

pytestmark = pytest.mark.runtime

TIMEOUT, LONGEST = 8.0, 120.0
"""Seconds: of what never ends, and of what does."""
MEMORY = 2 * 1024**3

EXPECTED = {
    "behaves": None,
    "calls_sys_exit": Reason.EXCEPTION,
    "closes_every_descriptor": Reason.EXITED,
    "crashes": Reason.CRASHED,
    "exits_with_0": Reason.EXITED,
    "exits_with_3": Reason.EXITED,
    "fills_its_output": None,
    "fills_memory": Reason.OUT_OF_MEMORY,
    "forks_without_end": Reason.CRASHED,
    "kills_its_parent": Reason.EXCEPTION,
    "leaves_children_behind": None,
    "looks_into_its_parent": Reason.EXCEPTION,
    "loops_for_ever": Reason.TIMED_OUT,
    "nests_directories_deeper_than_python_recurses": None,
    "raises_what_has_no_text": Reason.EXCEPTION,
    "recurses_without_end": Reason.EXCEPTION,
    "tells_its_environment": None,
    "unpacks_into_a_temporary_directory": None,
    "waits_for_ever": Reason.TIMED_OUT,
    "writes_into_every_descriptor": None,
}
"""Model → why it does not load; None for one that does, whatever else it does."""
HANGING = ("behaves", "loops_for_ever", "waits_for_ever")


def jobs_of(folder: Path) -> tuple[Job, ...]:
    return tuple(
        Job(
            case=Case(id=path.stem, artifact=path.name, runtime="serving", device=Device.CPU, loader=Loader.KERAS),
            path=path,
            bytes=path.stat().st_size,
            artifact_digest=None,
        )
        for path in sorted(folder.glob("*.h5"))
    )


def batch_of(lock: Lock, jobs: tuple[Job, ...]) -> Batch:
    return Batch(
        runtime="serving",
        device=Device.CPU,
        lock=lock,
        env={"MISBEHAVE": "1"},
        imports=(),
        import_paths=(),
        jobs=jobs,
    )


@pytest.fixture(scope="module")
def models(serving: Lock, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("misbehaving")
    program = Path(__file__).with_name("save_misbehaving.py")
    subprocess.run([serving.interpreter, str(program), str(folder)], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def results(serving: Lock, models: Path) -> dict[str, CaseResult]:
    """Those that hang beside one that loads, and all others side by side, for as long as any machine may take."""
    hanging = tuple(job for job in jobs_of(models) if job.case.id in HANGING)
    others = tuple(job for job in jobs_of(models) if job.case.id not in HANGING)
    return loaded(serving, hanging, TIMEOUT) | loaded(serving, others, LONGEST)


def loaded(serving: Lock, jobs: tuple[Job, ...], timeout: float) -> dict[str, CaseResult]:
    limits = Limits(checks=Checks(timeout=timeout, memory=MEMORY), workers=2, memory=8 * MEMORY)
    with Pool(limits, started=lambda _case: None) as pool:
        return {result.case: result for result in pool.run([batch_of(serving, jobs)])}


def test_every_case_has_a_result_whatever_the_others_did(results: dict[str, CaseResult]) -> None:
    assert set(results) == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_case_gets_its_own_true_outcome(results: dict[str, CaseResult], name: str) -> None:
    (stage,) = results[name].stages
    assert stage.stage is Stage.LOAD
    assert stage.reason == EXPECTED[name], stage.message
    assert stage.outcome is (Outcome.PASSED if EXPECTED[name] is None else Outcome.FAILED)


def test_a_crash_is_tried_again_in_a_process_of_its_own_before_it_counts(results: dict[str, CaseResult]) -> None:
    assert (results["crashes"].attempts, results["crashes"].isolation) == (2, "process")
    assert "SIGSEGV" in results["crashes"].stages[0].message


def test_an_endless_loop_counts_at_once_since_no_fork_can_cause_it(results: dict[str, CaseResult]) -> None:
    assert results["loops_for_ever"].attempts == 1


def test_a_hang_says_where_it_hung(results: dict[str, CaseResult]) -> None:
    assert "loops_for_ever" in results["loops_for_ever"].stages[0].stack
    assert "waits_for_ever" in results["waits_for_ever"].stages[0].stack


def test_a_crash_says_where_it_crashed(results: dict[str, CaseResult]) -> None:
    assert "string_at" in results["crashes"].stages[0].stack


def test_a_flood_of_output_keeps_its_beginning_and_its_end(results: dict[str, CaseResult]) -> None:
    log = results["fills_its_output"].log
    assert "first words of a flood" in log
    assert "last words of a flood" in log
    assert len(log) < 200_000


def test_a_case_does_not_see_with_what_its_parent_was_made_fast(results: dict[str, CaseResult]) -> None:
    (seen,) = (line for line in results["tells_its_environment"].log.splitlines() if line.startswith("sees "))
    assert "MISBEHAVE" in seen.split()
    assert not set(kernel.HUGE_PAGES) & set(seen.split())


def test_who_holds_a_case_to_its_limits_comes_before_it(results: dict[str, CaseResult]) -> None:
    (yields,) = (line for line in results["tells_its_environment"].log.splitlines() if line.startswith("yields "))
    assert int(yields.split()[1]) > 0


def marked_processes() -> Iterator[int]:
    """Processes of any run of ours: each carries the mark in its environment."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                environment = (entry / "environ").read_bytes()
            except OSError:
                continue
            if b"MISBEHAVE=1" in environment.split(b"\0"):
                yield int(entry.name)


@pytest.mark.usefixtures("results")
def test_nothing_outlives_the_run() -> None:
    assert list(marked_processes()) == []


def test_where_the_machine_has_less_memory_than_a_load_may_take_there_is_no_verdict(
    serving: Lock, models: Path
) -> None:
    limits = Limits(checks=Checks(timeout=LONGEST), workers=1, memory=MEMORY)
    job = next(job for job in jobs_of(models) if job.case.id == "fills_memory")
    with Pool(limits, started=lambda _case: None) as pool:
        (result,) = pool.run([batch_of(serving, (job,))])
    (stage,) = result.stages
    assert (stage.outcome, stage.reason) == (Outcome.ERROR, Reason.MACHINE)
    assert stage.message == (
        "no verdict: took all 2,048 MiB of memory that this machine can spare, and may take 4,096 MiB"
    )


def test_two_stages_are_told_apart(serving: Lock, models: Path) -> None:
    limits = Limits(checks=Checks(timeout=60, infer=True, compile=True), workers=1, memory=MEMORY)
    job = next(job for job in jobs_of(models) if job.case.id == "behaves")
    with Pool(limits, started=lambda _case: None) as pool:
        (result,) = pool.run([batch_of(serving, (job,))])
    asked = (Stage.LOAD, Stage.INFER, Stage.COMPILE)
    assert {stage.stage: stage.outcome for stage in result.stages} == dict.fromkeys(asked, Outcome.PASSED)


def test_without_walls_a_load_that_kills_what_watches_over_it_costs_only_itself(serving: Lock, models: Path) -> None:
    limits = Limits(checks=Checks(timeout=60), workers=2, memory=8 * MEMORY)
    jobs = tuple(job for job in jobs_of(models) if job.case.id in ("behaves", "kills_its_parent"))
    with Pool(limits, started=lambda _case: None, sandbox=NO_SANDBOX) as pool:
        results = {result.case: result for result in pool.run([batch_of(serving, jobs)])}
    assert results["behaves"].outcome is Outcome.PASSED
    assert results["kills_its_parent"].stages[0].reason is Reason.CRASHED
    assert {result.walls for result in results.values()} == {()}


def test_a_module_under_imports_that_does_not_exist_leaves_no_verdict(serving: Lock, models: Path) -> None:
    limits = Limits(checks=Checks(timeout=60), workers=1, memory=MEMORY)
    batch = dataclasses.replace(batch_of(serving, jobs_of(models)[:1]), imports=("acme_that_is_not_there",))
    with Pool(limits, started=lambda _case: None) as pool:
        (result,) = pool.run([batch])
    (stage,) = result.stages
    assert (stage.outcome, stage.reason) == (Outcome.ERROR, Reason.IMPORTS)
    assert "No module named 'acme_that_is_not_there'" in stage.message


def test_a_module_under_imports_that_runs_an_op_is_noticed_and_nothing_is_forked(
    serving: Lock, models: Path, tmp_path: Path
) -> None:
    (tmp_path / "eager_layers.py").write_text("import tensorflow as tf\nONE = tf.constant(1.0)\n")
    limits = Limits(checks=Checks(timeout=60), workers=2, memory=8 * MEMORY)
    job = next(job for job in jobs_of(models) if job.case.id == "behaves")
    batch = dataclasses.replace(batch_of(serving, (job,)), imports=("eager_layers",), import_paths=(tmp_path,))
    with Pool(limits, started=lambda _case: None) as pool:
        (result,) = pool.run([batch])
    assert (result.outcome, result.isolation) == (Outcome.PASSED, "process")
