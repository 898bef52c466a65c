"""A model is loaded twice where its compiled state is asked for, and held once."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from loadgate.domain import Case, Checks, Device, Loader, Lock, Outcome, Stage
from loadgate.loading.job import Batch, Job, Limits
from loadgate.loading.pool import Pool

pytestmark = pytest.mark.runtime

ONLY_ONE = """
import weakref
import tensorflow as tf

alive = weakref.WeakSet()

@tf.keras.utils.register_keras_serializable("acme")
class OnlyOne(tf.keras.layers.Layer):
    def __init__(self, **options):
        super().__init__(**options)
        if len(alive):
            raise MemoryError("there is one already")
        alive.add(self)
"""
SAVE = """
import sys
import tensorflow as tf
from only_one import OnlyOne

model = tf.keras.Sequential([tf.keras.layers.InputLayer(2), OnlyOne()])
model.compile("sgd", "mse")
model.save(sys.argv[1])
"""


def test_a_model_is_let_go_of_before_it_is_loaded_with_its_compiled_state(serving: Lock, tmp_path: Path) -> None:
    (tmp_path / "only_one.py").write_text(ONLY_ONE)
    path = tmp_path / "model.h5"
    command = [serving.interpreter, "-c", SAVE, str(path)]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PYTHONPATH": str(tmp_path)})
    case = Case(id="1", artifact=path.name, runtime="serving", device=Device.CPU, loader=Loader.KERAS)
    batch = Batch(
        runtime="serving",
        device=Device.CPU,
        lock=serving,
        env={},
        imports=("only_one",),
        import_paths=(tmp_path,),
        jobs=(Job(case=case, path=path, bytes=path.stat().st_size, artifact_digest=None),),
    )
    limits = Limits(checks=Checks(timeout=60, infer=True, compile=True), workers=1, memory=8 * 1024**3)
    with Pool(limits, started=lambda _case: None) as pool:
        (result,) = pool.run([batch])
    asked = (Stage.LOAD, Stage.INFER, Stage.COMPILE)
    assert {stage.stage: stage.outcome for stage in result.stages} == dict.fromkeys(asked, Outcome.PASSED), (
        result.stages
    )
