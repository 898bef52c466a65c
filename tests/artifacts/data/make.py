"""Makes the files beside it, with the TensorFlow that runs it: 1.15.5 or 2.15.1.

python tests/artifacts/data/make.py
"""

from __future__ import annotations

import os
import shutil
import tempfile

import tensorflow as tf

HERE = os.path.dirname(os.path.abspath(__file__))


def with_tensorflow_1() -> None:
    v1 = tf.compat.v1
    made = os.path.join(tempfile.mkdtemp(), "saved_model")
    with v1.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 3], name="x")
        y = v1.add(x, 2.0, name="y")
        v1.saved_model.simple_save(session, made, {"x": x}, {"y": y})
    os.makedirs(os.path.join(HERE, "saved_model"), exist_ok=True)
    shutil.copy(os.path.join(made, "saved_model.pb"), os.path.join(HERE, "saved_model"))
    with v1.Graph().as_default(), v1.Session() as session:
        v1.get_variable("kernel", [2, 3])
        v1.get_variable("bias", [3], tf.float64, v1.zeros_initializer())
        v1.get_variable("step", [], tf.int64, v1.zeros_initializer())
        session.run(v1.global_variables_initializer())
        for version, name in ((v1.train.SaverDef.V1, "version_1"), (v1.train.SaverDef.V2, "version_2")):
            saver = v1.train.Saver(write_version=version)
            saver.save(session, os.path.join(HERE, name), write_meta_graph=False, write_state=False)


def with_tensorflow_2() -> None:
    doubled = tf.function(lambda x: 2.0 * x, input_signature=[tf.TensorSpec([None, 2], name="x")])
    graph = doubled.get_concrete_function().graph
    tf.io.write_graph(graph, HERE, "graph.pb", as_text=False)
    tf.io.write_graph(graph, HERE, "graph.pbtxt")
    tf.train.Checkpoint(v=tf.Variable([1.0, 2.0])).write(os.path.join(HERE, "objects"))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([doubled.get_concrete_function()])
    with open(os.path.join(HERE, "doubled.tflite"), "wb") as file:
        file.write(converter.convert())


if tf.__version__.startswith("1."):
    with_tensorflow_1()
else:
    with_tensorflow_2()
