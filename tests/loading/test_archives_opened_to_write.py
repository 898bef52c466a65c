"""Keras 3.0 and 3.1 open an archive as if to write when they read it, which no case may do with what it loads."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from loadgate.domain import Case, CaseResult, Checks, Device, Loader, Lock, Outcome, Plan, Requirement, Runtime, Stage
from loadgate.loading.job import Batch, Job, Limits
from loadgate.loading.pool import Pool
from loadgate.phases.provision import provision
from loadgate.progress import Silent

pytestmark = pytest.mark.runtime

SAVE = """
import sys
import keras
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
model.save(sys.argv[1])
"""


@pytest.fixture(scope="module")
def opening_to_write(runtimes_cache: Path) -> Lock:
    requirements = (Requirement(text="numpy<2"),)
    runtime = Runtime(name="old", python="3.10", tensorflow="2.16.2", keras="3.1.1", requirements=requirements)
    (state,) = provision(Plan(runtimes=(runtime,)), runtimes_cache, progress=Silent()).runtimes
    assert state.lock is not None, state.finding
    return state.lock


@pytest.fixture(scope="module")
def model(opening_to_write: Lock, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "model.keras"
    subprocess.run([opening_to_write.interpreter, "-c", SAVE, str(path)], check=True, capture_output=True)
    return path


@pytest.mark.parametrize("mode", [0o644, 0o444], ids=["writable", "read-only"])
def test_they_load_it_and_leave_it_as_it_was(opening_to_write: Lock, model: Path, mode: int) -> None:
    before = hashlib.sha256(model.read_bytes()).digest()
    model.chmod(mode)
    result = loaded(opening_to_write, model)
    assert {stage.stage: stage.outcome for stage in result.stages} == {Stage.LOAD: Outcome.PASSED}, result.stages
    assert hashlib.sha256(model.read_bytes()).digest() == before


def loaded(lock: Lock, model: Path) -> CaseResult:
    case = Case(id=model.name, artifact=model.name, runtime="old", device=Device.CPU, loader=Loader.KERAS)
    job = Job(case=case, path=model, bytes=model.stat().st_size, artifact_digest=None, files=(model,))
    batch = Batch(runtime="old", device=Device.CPU, lock=lock, env={}, imports=(), import_paths=(), jobs=(job,))
    limits = Limits(checks=Checks(timeout=60), workers=1, memory=8 * 1024**3)
    with Pool(limits, started=lambda _case: None) as pool:
        (result,) = pool.run([batch])
    return result
