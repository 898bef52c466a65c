"""Signatures of a SavedModel, run on what is made up for them: of a refusal it has to be known whose fault it is."""

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

class Served(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def parse(self, examples):
        return tf.io.parse_example(examples, {"x": tf.io.FixedLenFeature([4], tf.float32)})

    @tf.function(input_signature=[tf.TensorSpec([2], tf.float32)])
    def double(self, x):
        return {"y": 2.0 * x}

    @tf.function(input_signature=[tf.TensorSpec([2], tf.float32)])
    def refuse(self, x):
        with tf.control_dependencies([tf.debugging.assert_none_equal(x, x)]):
            return {"y": tf.identity(x)}

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32)])
    def take_20_frames(self, x):
        return {"y": tf.reshape(x[:20], [20 * 4])}

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32)])
    def take_5000_frames(self, x):
        return {"y": tf.reshape(x[:5000], [5000 * 4])}

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32)])
    def refuse_any_frames(self, x):
        with tf.control_dependencies([tf.debugging.Assert(tf.reduce_any(tf.math.is_nan(x)), ["no numbers"])]):
            return {"y": tf.identity(x)}

    @tf.function(input_signature=[tf.TensorSpec([None, 2, 4], tf.float32)])
    def refuse_any_batch(self, x):
        with tf.control_dependencies([tf.debugging.assert_none_equal(x, x)]):
            return {"y": tf.identity(x)}

    @tf.function(input_signature=[tf.TensorSpec([None, 2, 4], tf.float32), tf.TensorSpec([None, 4], tf.float32)])
    def refuse_any_pair(self, x, y):
        with tf.control_dependencies([tf.debugging.assert_none_equal(x, x)]):
            return {"y": tf.identity(x) * y[:, None, :]}

    @tf.function(input_signature=[tf.TensorSpec([2], tf.int32)])
    def divide(self, lengths):
        return {"y": 12 // lengths}

served = Served()
for name, others in (
    ("works", {"predict": served.double}),
    ("fails", {"predict": served.refuse}),
    ("nothing", {}),
    ("twenty_frames", {"predict": served.take_20_frames}),
    ("more_frames_than_tried", {"predict": served.take_5000_frames}),
    ("no_frames", {"predict": served.refuse_any_frames}),
    ("no_batch", {"predict": served.refuse_any_batch}),
    ("no_pair", {"predict": served.refuse_any_pair}),
    ("lengths", {"predict": served.divide}),
):
    tf.saved_model.save(served, sys.argv[1] + "/" + name, signatures={"classification": served.parse, **others})
"""


@pytest.fixture(scope="module")
def results(serving: Lock, tmp_path_factory: pytest.TempPathFactory) -> dict[str, CaseResult]:
    folder = tmp_path_factory.mktemp("signatures")
    subprocess.run([serving.interpreter, "-c", SAVE, str(folder)], check=True, capture_output=True)
    jobs = tuple(map(job_of, sorted(folder.iterdir())))
    batch = Batch(runtime="serving", device=Device.CPU, lock=serving, env={}, imports=(), import_paths=(), jobs=jobs)
    limits = Limits(checks=Checks(timeout=60, infer=True), workers=2, memory=8 * 1024**3)
    with Pool(limits, started=lambda _case: None) as pool:
        return {result.case: result for result in pool.run([batch])}


def job_of(path: Path) -> Job:
    case = Case(id=path.name, artifact=path.name, runtime="serving", device=Device.CPU, loader=Loader.SAVED_MODEL)
    files = tuple(file for file in path.rglob("*") if file.is_file())
    return Job(case=case, path=path, bytes=1024, artifact_digest=None, files=files)


@pytest.mark.parametrize(
    ("name", "outcome"),
    [("works", Outcome.PASSED), ("fails", Outcome.FAILED), ("nothing", Outcome.SKIPPED)],
)
def test_a_signature_that_takes_what_cannot_be_made_leaves_the_others_to_be_run(
    results: dict[str, CaseResult], name: str, outcome: Outcome
) -> None:
    stages = {stage.stage: stage for stage in results[name].stages}
    assert stages[Stage.LOAD].outcome is Outcome.PASSED
    assert stages[Stage.INFER].outcome is outcome, stages[Stage.INFER].message


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("twenty_frames", Outcome.PASSED),
        ("more_frames_than_tried", Outcome.SKIPPED),
        ("no_frames", Outcome.FAILED),
        ("no_batch", Outcome.FAILED),
        ("no_pair", Outcome.FAILED),
        ("lengths", Outcome.PASSED),
    ],
)
def test_inputs_of_our_own_making_fail_no_model_that_takes_others(
    results: dict[str, CaseResult], name: str, outcome: Outcome
) -> None:
    stages = {stage.stage: stage for stage in results[name].stages}
    assert stages[Stage.INFER].outcome is outcome, stages[Stage.INFER].message
