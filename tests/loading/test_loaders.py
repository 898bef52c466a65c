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
import os
import sys
import tensorflow as tf

folder = sys.argv[1]

def convert(name, shape, *layers):
    model = tf.keras.Sequential([tf.keras.layers.InputLayer(shape), *layers])
    with open(folder + "/" + name, "wb") as stream:
        stream.write(tf.lite.TFLiteConverter.from_keras_model(model).convert())

convert("any_size.tflite", (None, None, 3), tf.keras.layers.Conv2D(2, 3))
convert("no_size_that_fits.tflite", (None, None, 3), tf.keras.layers.Conv2D(2, 300))

v1 = tf.compat.v1

def save_graphs(name, *sets_of_tags):
    builder = v1.saved_model.Builder(folder + "/" + name)
    add = builder.add_meta_graph_and_variables
    for tags in sets_of_tags:
        with tf.Graph().as_default(), v1.Session() as session:
            x = v1.placeholder(tf.float32, [None, 2])
            y = x * v1.get_variable("scale", initializer=2.0, use_resource=True)
            session.run(v1.global_variables_initializer())
            signatures = {"serving_default": v1.saved_model.predict_signature_def({"x": x}, {"_".join(tags) or "y": y})}
            add(*([session] if add == builder.add_meta_graph_and_variables else []), tags, signatures)
        add = builder.add_meta_graph
    builder.save()

save_graphs("for_training_and_serving.saved_model", ["train"], ["eval"], ["serve"])
save_graphs("for_serving_here_and_on_a_tpu.saved_model", ["serve", "tpu"], ["serve"])
save_graphs("of_tensorflow_hub.saved_model", ["train"], [])
save_graphs("for_training_only.saved_model", ["train"], ["eval"])
save_graphs("of_one_graph.saved_model", ["train"])

for name in ("alone.ckpt", "beside_a_folder.ckpt"):
    tf.train.Checkpoint(scale=tf.Variable(2.0)).write(folder + "/" + name)
os.mkdir(folder + "/beside_a_folder.ckpt")
"""

LOADERS = {".tflite": Loader.TFLITE, ".saved_model": Loader.SAVED_MODEL, ".ckpt": Loader.CHECKPOINT}


@pytest.fixture(scope="module")
def results(serving: Lock, tmp_path_factory: pytest.TempPathFactory) -> dict[str, CaseResult]:
    folder = tmp_path_factory.mktemp("loaders")
    subprocess.run([serving.interpreter, "-c", SAVE, str(folder)], check=True, capture_output=True)
    # a checkpoint is named by its prefix, which is no file
    jobs = tuple(
        map(job_of, sorted({path.with_suffix("") if ".ckpt." in path.name else path for path in folder.iterdir()}))
    )
    batch = Batch(runtime="serving", device=Device.CPU, lock=serving, env={}, imports=(), import_paths=(), jobs=jobs)
    limits = Limits(checks=Checks(timeout=60, infer=True), workers=2, memory=8 * 1024**3)
    with Pool(limits, started=lambda _case: None) as pool:
        return {result.case: result for result in pool.run([batch])}


def job_of(path: Path) -> Job:
    loader = LOADERS[path.suffix]
    case = Case(id=path.name, artifact=path.name, runtime="serving", device=Device.CPU, loader=loader)
    files = tuple(file for file in (*path.parent.glob(f"{path.name}.*"), *path.rglob("*")) if file.is_file())
    return Job(case=case, path=path, bytes=1024, artifact_digest=None, files=files)


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


@pytest.mark.parametrize(
    ("name", "with_tags"),
    [
        ("for_training_and_serving", "(tags=['serve'])"),
        ("for_serving_here_and_on_a_tpu", "(tags=['serve'])"),
        ("of_tensorflow_hub", "(tags=[])"),
        ("of_one_graph", "load"),
    ],
)
def test_of_several_graphs_the_one_that_is_served_is_loaded(
    results: dict[str, CaseResult], name: str, with_tags: str
) -> None:
    result = results[f"{name}.saved_model"]
    assert outcomes(result) == {Stage.LOAD: Outcome.PASSED, Stage.INFER: Outcome.PASSED}, result.stages
    assert result.api.endswith(with_tags)


def test_where_nothing_says_which_of_several_graphs_is_served_the_plain_call_has_failed(
    results: dict[str, CaseResult],
) -> None:
    result = results["for_training_only.saved_model"]
    assert outcomes(result)[Stage.LOAD] is Outcome.FAILED
    assert "more than one MetaGraph" in result.stages[0].message
    assert result.api.endswith(".load")


@pytest.mark.parametrize(
    ("name", "call"), [("alone.ckpt", ".load_checkpoint"), ("beside_a_folder.ckpt", ".NewCheckpointReader")]
)
def test_a_checkpoint_is_found_beside_a_folder_of_its_name(
    results: dict[str, CaseResult], name: str, call: str
) -> None:
    assert outcomes(results[name])[Stage.LOAD] is Outcome.PASSED, results[name].stages
    assert results[name].api.endswith(call)
