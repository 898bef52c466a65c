"""That warming up a real TensorFlow leaves it fit to be forked, and as it was."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from loadgate.domain import Lock
from loadgate.loading import probe_process

PROGRAM = """
import importlib.util, json, os, sys
import tensorflow as tf
from tensorflow.python.eager import context
spec = importlib.util.spec_from_file_location("warm", sys.argv[1])
warm = importlib.util.module_from_spec(spec)
spec.loader.exec_module(warm)
def bases(cls):
    found = {repr(cls): repr(cls.__bases__)}
    for below in cls.__subclasses__():
        found.update(bases(below))
    return found
before = bases(tf.keras.layers.Layer)
failures = []
for step in warm.STEPS:
    try:
        step()
    except Exception as error:
        failures.append("%s: %r" % (step.__name__, error))
handle = context._context is not None and context._context._context_handle is not None
layers = tf.keras.layers
names = [layers.Dense(1).name, layers.ReLU().name, tf.keras.Sequential().name]
print(json.dumps({"failures": failures, "has_run_an_op": handle, "names": names,
                  "exchanged": [name for name, base in bases(tf.keras.layers.Layer).items()
                                if before.get(name, base) != base]}))
"""


@pytest.fixture(scope="module")
def seen(serving: Lock) -> dict[str, object]:
    command = [serving.interpreter, "-c", PROGRAM, str(probe_process.PROBE.with_name("warm.py"))]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, object] = json.loads(output.splitlines()[-1])
    return found


@pytest.mark.runtime
def test_every_step_works(seen: dict[str, object]) -> None:
    assert seen["failures"] == []


@pytest.mark.runtime
def test_no_step_runs_an_op_so_that_forking_stays_safe(seen: dict[str, object]) -> None:
    assert seen["has_run_an_op"] is False


@pytest.mark.runtime
def test_no_class_of_keras_gets_other_base_classes(seen: dict[str, object]) -> None:
    assert seen["exchanged"] == []


@pytest.mark.runtime
def test_unnamed_layers_are_still_called_what_they_are_called_anywhere_else(seen: dict[str, object]) -> None:
    assert seen["names"] == ["dense", "re_lu", "sequential"]


def test_the_probe_is_written_in_the_python_of_the_oldest_runtime() -> None:
    import ast

    for file in Path(probe_process.PROBE).parent.glob("*.py"):
        ast.parse(file.read_text(), feature_version=(3, 6))
