"""Models that a call by the book refuses and that production loads all the same, each by the call that it needs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from loadgate.domain import Case, CaseResult, Checks, Device, Loader, Lock, Outcome, Stage
from loadgate.loading.job import Batch, Job, Limits
from loadgate.loading.pool import Pool

pytestmark = pytest.mark.runtime

SAVE = """
import sys
import tensorflow as tf

folder = sys.argv[1]

def convert(name, shape, *layers):
    model = tf.keras.Sequential([tf.keras.layers.InputLayer(shape), *layers])
    with open(folder + "/" + name, "wb") as stream:
        stream.write(tf.lite.TFLiteConverter.from_keras_model(model).convert())

convert("any_size.tflite", (None, None, 3), tf.keras.layers.Conv2D(2, 3))
convert("no_size_that_fits.tflite", (None, None, 3), tf.keras.layers.Conv2D(2, 300))
"""

LOADERS = {".tflite": Loader.TFLITE}


@pytest.fixture(scope="module")
def results(serving: Lock, tmp_path_factory: pytest.TempPathFactory) -> dict[str, CaseResult]:
    folder = tmp_path_factory.mktemp("loaders")
    subprocess.run([serving.interpreter, "-c", SAVE, str(folder)], check=True, capture_output=True)
    jobs = tuple(map(job_of, sorted(folder.iterdir())))
    batch = Batch(runtime="serving", device=Device.CPU, lock=serving, env={}, imports=(), import_paths=(), jobs=jobs)
    limits = Limits(checks=Checks(timeout=60, infer=True), workers=2, memory=8 * 1024**3)
    with Pool(limits, started=lambda _case: None) as pool:
        return {result.case: result for result in pool.run([batch])}


def job_of(path: Path) -> Job:
    loader = LOADERS[path.suffix]
    case = Case(id=path.name, artifact=path.name, runtime="serving", device=Device.CPU, loader=loader)
    return Job(case=case, path=path, bytes=path.stat().st_size, artifact_digest=None)


def outcomes(result: CaseResult) -> dict[Stage, Outcome]:
    return {stage.stage: stage.outcome for stage in result.stages}


def test_a_tflite_model_whose_sizes_are_open_is_given_a_size_before_it_is_called_broken(
    results: dict[str, CaseResult],
) -> None:
    result = results["any_size.tflite"]
    assert outcomes(result) == {Stage.LOAD: Outcome.PASSED, Stage.INFER: Outcome.PASSED}, result.stages
    assert result.api.endswith(".resize_tensor_input([1, 128, 128, 3]), allocate_tensors")


def test_a_tflite_model_that_takes_no_size_fails_as_it_did_with_what_it_stores(results: dict[str, CaseResult]) -> None:
    result = results["no_size_that_fits.tflite"]
    assert outcomes(result)[Stage.LOAD] is Outcome.FAILED
    assert "failed to prepare" in (result.stages[0].exception or pytest.fail("no exception")).message
    assert result.api.endswith("Interpreter.allocate_tensors")
