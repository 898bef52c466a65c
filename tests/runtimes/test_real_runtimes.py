"""Real TensorFlow, in one cache that all tests share: $LOADGATE_TEST_CACHE, or ~/.cache/loadgate-tests."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from loadgate.domain import Lock, Plan, Requirement, Runtime, RuntimeState
from loadgate.phases.provision import provision
from loadgate.probe import describe
from loadgate.progress import Silent
from loadgate.runtimes.interpreters import Interpreters
from loadgate.runtimes.processes import Processes
from loadgate.runtimes.uv import Uv, find_uv

pytestmark = pytest.mark.runtime

CACHE = Path(os.environ.get("LOADGATE_TEST_CACHE") or Path.home() / ".cache/loadgate-tests")


def made(runtime: Runtime) -> RuntimeState:
    processes = Processes()
    here = Interpreters(Uv(find_uv(), processes, os.environ), processes, os.environ)
    if runtime.python is not None and here.here(runtime.python) is None:
        pytest.skip(f"Python {runtime.python} is not on this machine")
    return provision(Plan(repository="/", runtimes=(runtime,)), CACHE, progress=Silent()).runtimes[0]


def runtime(python: str, tensorflow: str, *lines: str, legacy_keras: bool = False) -> Runtime:
    return Runtime(
        name=f"tf{tensorflow}",
        python=python,
        tensorflow=tensorflow,
        requirements=tuple(Requirement(text=line) for line in lines),
        env={"TF_USE_LEGACY_KERAS": "1"} if legacy_keras else {},
    )


TF_1_15 = runtime("3.7", "1.15.5", "h5py==2.10.0", "numpy==1.18.5", "protobuf==3.19.6")
TF_2_15 = runtime("3.10", "2.15.1", "keras==2.15.0", "h5py==3.16.0", "numpy==1.26.4", "protobuf==4.25.9")
TF_2_16_LEGACY = runtime(
    "3.11",
    "2.16.2",
    "keras==3.15.1",
    "tf-keras==2.16.0",
    "h5py==3.16.0",
    "numpy==1.26.4",
    "protobuf==4.25.9",
    "tensorflow-text==2.16.1",
    "tensorflow-decision-forests==1.9.2",
    legacy_keras=True,
)
TF_2_21 = runtime("3.12", "2.21.0", "keras==3.15.1", "h5py==3.14.0", "numpy==2.5.5", "protobuf==7.36.2")


@pytest.mark.parametrize(
    ("asked", "git", "keras", "keras_module"),
    [
        (TF_1_15, "v1.15.4-39-g3db52be", "2.2.4-tf", "tensorflow.python.keras"),
        (TF_2_15, "v2.15.0-11-g63f5a65c7cd", "2.15.0", "keras"),
        (TF_2_16_LEGACY, "v2.16.1-19-g810f233968c", "2.16.0", "tf_keras"),
        (TF_2_21, "v2.21.0-rc1-5-ga481b10260d", "3.15.1", "keras"),
    ],
    ids=lambda value: value.name if isinstance(value, Runtime) else "",
)
def test_a_runtime_says_which_tensorflow_and_which_keras_it_really_has(
    asked: Runtime, git: str, keras: str, keras_module: str
) -> None:
    state = made(asked)
    assert state.lock is not None, state.finding
    assert state.lock.tensorflow == asked.tensorflow
    assert state.lock.tensorflow_git == git
    assert (state.lock.keras, state.lock.keras_module) == (keras, keras_module)


def lock_of(asked: Runtime) -> Lock:
    state = made(asked)
    assert state.lock is not None, state.finding
    return state.lock


def test_what_is_built_against_the_full_tensorflow_works_with_the_one_that_stands_in() -> None:
    lock = lock_of(TF_2_16_LEGACY)
    assert "tensorflow" not in lock.packages
    assert lock.packages["tensorflow-cpu"] == "2.16.2"
    script = (
        "import tensorflow as tf, tensorflow_text, tensorflow_decision_forests, tf_keras\n"
        "tokens = tensorflow_text.WhitespaceTokenizer().tokenize(['a b c'])\n"
        "model = tf_keras.Sequential([tf_keras.layers.Dense(2, input_shape=(3,))])\n"
        "print(tokens.to_list(), model(tf.zeros((1, 3))).shape)\n"
    )
    environment = {"PATH": "/usr/bin:/bin", "TF_USE_LEGACY_KERAS": "1", "CUDA_VISIBLE_DEVICES": "-1"}
    ended = subprocess.run(
        [lock.interpreter, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert ended.stdout.splitlines()[-1] == "[[b'a', b'b', b'c']] (1, 2)"


def test_describing_a_runtime_runs_no_operation_and_opens_no_device() -> None:
    script = (
        "import runpy, sys\n"
        "for _, stage in runpy.run_path(sys.argv[1])['STAGES']: stage({'packages': {'h5py': '3'}})\n"
        "from tensorflow.python.eager import context\n"
        "print(context._context is None or context._context._context_handle is None)\n"
    )
    command = [lock_of(TF_2_15).interpreter, "-c", script, describe.__file__]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "True"


@pytest.mark.parametrize(
    ("python", "tensorflow", "cause"),
    [("3.7", "1.15.5", "protobuf_too_new"), ("3.10", "2.10.1", "numpy_2")],
)
def test_what_pip_would_install_today_of_an_old_release_is_found_not_to_import(
    python: str, tensorflow: str, cause: str
) -> None:
    state = made(runtime(python, tensorflow))
    assert state.finding is not None
    assert state.finding.cause == cause


def test_legacy_keras_without_its_package_is_a_finding() -> None:
    asked = runtime(
        "3.12", "2.21.0", "keras==3.15.1", "h5py==3.14.0", "numpy==2.5.5", "protobuf==7.36.2", legacy_keras=True
    )
    state = made(asked)
    assert state.finding is not None
    assert state.finding.cause == "tf_keras_missing"
