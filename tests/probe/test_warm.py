"""That warming up a real TensorFlow leaves it fit to be forked, and as it was."""

from __future__ import annotations

import ast
import json
import subprocess

import pytest

from loadgate.domain import Lock
from loadgate.loading import probe_process

PROBE = probe_process.PROBE.parent
PROGRAM = """
import json, os, signal, sys
import tensorflow as tf
sys.path.insert(0, sys.argv[1])
from probe import graph_passes, runtime, warm
def bases(cls):
    found = {repr(cls): repr(cls.__bases__)}
    for below in cls.__subclasses__():
        found.update(bases(below))
    return found
def all_that_needs_threads():
    with tf.Graph().as_default():
        one = tf.compat.v1.placeholder(tf.float32, (None, None))
        folded = tf.reshape(one, tf.concat([tf.range(2, 3), [-1]], 0))
        with tf.compat.v1.Session() as session:
            session.run(tf.matmul(folded, folded, transpose_b=True), {one: [[1.0] * 512] * 512})
    numbers = tf.data.Dataset.range(64).map(lambda number: number + 1, num_parallel_calls=4).prefetch(2)
    several = tf.function(lambda x: tf.while_loop(lambda i, _: i < 4, lambda i, x: (i + 1, x @ x), (0, x)))
    several(tf.random.uniform((256, 256)))
    return sum(numbers.as_numpy_iterator()) == 64 * 65 // 2
def working_child():
    process = os.fork()
    if process == 0:
        signal.alarm(120)
        os._exit(0 if all_that_needs_threads() else 1)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
before = bases(tf.keras.layers.Layer)
failures = []
threads = runtime.threads()
for step in warm.STEPS + [graph_passes.look_up]:
    try:
        threads += step() or 0
    except Exception as error:
        failures.append("%s: %r" % (step.__name__, error))
unexpected = runtime.threads() - threads
context = runtime.has_eager_context()
working = working_child()
inherited = os.environ.get(graph_passes.OWN_THREADS)
layers = tf.keras.layers
unknown = [name for name in warm.ABSTRACT + warm.PROTOCOLS + warm.PARTS if not list(warm.loaded([name]))]
unknown += [] if sys.modules["numpy"].ndarray in warm.loaded(["numpy.ndarray"]) else ["NumPy's own arrays"]
names = [layers.Dense(1).name, layers.ReLU().name, tf.keras.Sequential().name]
print(json.dumps({"failures": failures, "context": context, "unexpected": unexpected, "inherited": inherited,
                  "names": names, "working": working, "unknown": unknown,
                  "exchanged": [name for name, base in bases(tf.keras.layers.Layer).items()
                                if before.get(name, base) != base]}))
"""


@pytest.fixture(scope="module")
def seen(serving: Lock) -> dict[str, object]:
    command = [serving.interpreter, "-c", PROGRAM, str(probe_process.PROBE.parents[1])]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, object] = json.loads(output.splitlines()[-1])
    return found


@pytest.mark.runtime
def test_every_step_works(seen: dict[str, object]) -> None:
    assert seen["failures"] == []


@pytest.mark.runtime
def test_every_class_that_is_named_is_there(seen: dict[str, object]) -> None:
    assert seen["unknown"] == []


@pytest.mark.runtime
def test_no_step_runs_an_op_eagerly_so_that_forking_stays_safe(seen: dict[str, object]) -> None:
    assert seen["context"] is False


@pytest.mark.runtime
def test_no_step_leaves_a_thread_that_a_child_would_miss(seen: dict[str, object]) -> None:
    assert seen["unexpected"] == 0


@pytest.mark.runtime
def test_a_child_has_all_the_threads_that_it_needs(seen: dict[str, object]) -> None:
    assert seen["working"] == 0


@pytest.mark.runtime
def test_no_step_leaves_a_setting_that_a_child_would_inherit(seen: dict[str, object]) -> None:
    assert seen["inherited"] is None


@pytest.mark.runtime
def test_no_class_of_keras_gets_other_base_classes(seen: dict[str, object]) -> None:
    assert seen["exchanged"] == []


@pytest.mark.runtime
def test_unnamed_layers_are_still_called_what_they_are_called_anywhere_else(seen: dict[str, object]) -> None:
    assert seen["names"] == ["dense", "re_lu", "sequential"]


def test_the_probe_is_written_in_the_python_of_the_oldest_runtime() -> None:
    for file in PROBE.glob("*.py"):
        ast.parse(file.read_text(), feature_version=(3, 6))


def test_nothing_of_the_probe_takes_a_type_that_could_not_be_subscripted_then() -> None:
    """Annotations are evaluated there, and up to Python 3.8 those of typing alone take arguments."""
    for file in PROBE.glob("*.py"):
        taken = {
            node.value.id
            for node in ast.walk(ast.parse(file.read_text()))
            if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name)
        }
        imported = {
            name.asname or name.name
            for node in ast.walk(ast.parse(file.read_text()))
            if isinstance(node, ast.ImportFrom) and node.module in ("collections", "collections.abc")
            for name in node.names
        }
        assert not taken & (imported | {"list", "dict", "tuple", "set", "type"}), file.name
