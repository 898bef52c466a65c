"""What plain TensorFlow says of one example in the Python that runs this: python measure.py EXAMPLES FORMAT PATH.

Shares no code with loadgate, so that the two can be held against each other. Prints one line of JSON.
"""

import json
import os
import sys

import h5py
import tensorflow as tf
from google.protobuf import text_format


def keras_model(path):
    tf.keras.models.load_model(path, compile=False)


def compiled_keras_model(path):
    tf.keras.models.load_model(path)


def keras_weights(path):
    def read(_, node):
        if isinstance(node, h5py.Dataset):
            node[()]

    with h5py.File(path, "r") as file:
        file.visititems(read)


def graph_def(path):
    with open(path, "rb") as file:
        content = file.read()
    graph = tf.compat.v1.GraphDef()
    if path.endswith(".pbtxt"):
        text_format.Parse(content, graph)
    else:
        graph.ParseFromString(content)
    with tf.Graph().as_default():
        tf.import_graph_def(graph, name="")


def checkpoint(path):
    reader = tf.train.load_checkpoint(path)
    for name in reader.get_variable_to_shape_map():
        reader.get_tensor(name)


def tflite(path):
    tf.lite.Interpreter(path).allocate_tensors()


LOAD = {
    "keras_h5": keras_model,
    "keras_v3": keras_model,
    "keras_weights_h5": keras_weights,
    "saved_model": tf.saved_model.load,
    "graph_def": graph_def,
    "checkpoint": checkpoint,
    "tflite": tflite,
}


COMPILED = {"keras_h5": compiled_keras_model, "keras_v3": compiled_keras_model}


def outcome_of(load, path):
    try:
        load(path)
    except Exception as error:  # noqa: BLE001 - whatever it raises is the measurement
        lines = str(error).strip().splitlines() or [""]
        return {"outcome": "failed", "error": f"{type(error).__name__}: {lines[0][:200]}"}
    return {"outcome": "passed"}


def main(examples, model_format, path):
    os.chdir(examples)
    sys.path.insert(0, examples)
    import acme.layers  # noqa: F401 - registers the layers of the examples

    answer = outcome_of(LOAD[model_format], path)
    if model_format in COMPILED and answer["outcome"] == "passed":
        answer["compiled"] = outcome_of(COMPILED[model_format], path)
    print(json.dumps(answer))  # noqa: T201 - the answer


main(*sys.argv[1:])
