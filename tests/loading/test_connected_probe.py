"""Probes that somebody else starts, as in a container of an image: cases are as far from each other as anywhere."""

from __future__ import annotations

import dataclasses
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadgate.domain import Case, CaseResult, Checks, Device, Loader, Lock, Outcome, Wall
from loadgate.loading.job import Batch, Job, Limits
from loadgate.loading.pool import Pool
from loadgate.loading.probe_process import PROBE
from loadgate.loading.sandbox_policy import grants_elsewhere
from loadgate.sandbox.walls import NO_SANDBOX, Sandbox, examine
from tests.command import PATIENCE
from tests.loading.test_pool import EXPECTED, LONGEST, MEMORY, batch_of, jobs_of, models

__all__ = ["models"]

HARMFUL = ("kills_its_parent", "leaves_children_behind", "looks_into_its_parent", "writes_into_every_descriptor")


@pytest.fixture(scope="module")
def door(serving: Lock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What a container runs, without the container."""
    path = tmp_path_factory.mktemp("door") / "probe"
    process = subprocess.Popen([serving.interpreter, PROBE, "--listen", path], env={"PATH": "/usr/bin:/bin"})
    try:
        until = time.monotonic() + PATIENCE
        while not path.exists():
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.01)  # a path cannot be waited for otherwise
        yield path
    finally:
        process.kill()
        process.wait()


def loaded(batch: Batch, sandbox: Sandbox | None = None) -> dict[str, CaseResult]:
    limits = Limits(checks=Checks(timeout=LONGEST, memory=MEMORY), workers=2, memory=8 * MEMORY)
    with Pool(limits, started=lambda _case: None, sandbox=sandbox) as pool:
        return {result.case: result for result in pool.run([batch])}


@pytest.fixture(scope="module")
def batch(serving: Lock, models: Path, door: Path) -> Batch:
    jobs = tuple(job for job in jobs_of(models) if job.case.id in ("behaves", *HARMFUL))
    return dataclasses.replace(batch_of(serving, jobs), door=door, repository=models)


@pytest.mark.runtime
def test_a_case_can_do_no_more_to_its_neighbours_than_beside_us(batch: Batch) -> None:
    results = loaded(batch)
    reasons = {name: result.stages[0].reason for name, result in results.items()}
    assert reasons == {name: EXPECTED[name] for name in ("behaves", *HARMFUL)}
    assert {result.attempts for result in results.values()} == {1}


@pytest.mark.runtime
def test_it_says_which_walls_stood(batch: Batch) -> None:
    here = examine()
    if here.missing:
        pytest.skip(f"this kernel has not all walls: {'; '.join(here.gaps)}")
    assert {result.walls for result in loaded(batch).values()} == {tuple(Wall)}


@pytest.mark.runtime
def test_what_this_machine_cannot_give_is_not_said_to_stand(batch: Batch) -> None:
    honest = dataclasses.replace(batch, jobs=tuple(job for job in batch.jobs if job.case.id == "behaves"))
    (result,) = loaded(honest, NO_SANDBOX).values()
    assert (result.outcome, result.walls) == (Outcome.PASSED, (Wall.NETWORK, Wall.PRIVILEGES))


def test_a_link_is_followed_where_it_can_be_seen_and_granted_where_the_load_sees_it(tmp_path: Path) -> None:
    (tmp_path / "real.h5").touch()
    (tmp_path / ".env").touch()
    (tmp_path / "link.h5").symlink_to("real.h5")
    (tmp_path / "trap.h5").symlink_to("/etc/passwd")
    there = Path("/repository")

    def granted(name: str) -> set[str]:
        case = Case(id=name, artifact=name, runtime="image", device=Device.CPU, loader=Loader.KERAS)
        job = Job(case=case, path=there / name, bytes=0, artifact_digest=None, files=(there / name,))
        batch = Batch(
            runtime="image", device=Device.CPU, lock=LOCK, env={}, imports=(), import_paths=(), jobs=(job,),
            door=tmp_path, repository=there, seen_at=tmp_path,
        )  # fmt: skip
        return {path for path, _ in grants_elsewhere(batch, job)}

    assert granted("link.h5") == {"/repository", "/repository/real.h5"}
    assert "/etc/passwd" not in granted("trap.h5")


LOCK = Lock(digest="", interpreter="python3", python="", implementation="", packages={}, tensorflow="")
