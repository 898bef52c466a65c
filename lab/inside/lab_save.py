"""Save models of the catalogue in one runtime: `python lab_save.py ROOT RUNTIME ACCOUNT MODEL/FORMAT ...`

Each begin and each end is a line in the file ACCOUNT before anything follows it, for some savers end the process.
"""

import json
import os
import shutil
import sys
import traceback

import lab_catalogue as catalogue
import numpy as np
import tensorflow as tf


def name_of(tensor):
    return tensor.name.split(":")[0]


def keras_h5(model, _inputs, path):
    model.save(path + ".h5")


def keras_weights_h5(model, _inputs, path):
    model.save_weights(path + ".weights.h5")


def keras_v3(model, _inputs, path):
    """Named, because 2.12 otherwise writes HDF5 under this name."""
    options = {"save_format": "keras_v3"} if tf.__version__.startswith("2.12.") else {}
    model.save(path + ".keras", **options)


def keras_h5_as_keras(model, _inputs, path):
    """What `model.save("x.keras")` writes in 2.12."""
    model.save(path + ".keras")


def saved_model(model, _inputs, path):
    """As that version's own users write one: with Keras, with Keras 3's export, with TensorFlow 1's session."""
    if not tf.executing_eagerly():
        session = tf.compat.v1.keras.backend.get_session()
        inputs = {name_of(each): each for each in model.inputs}
        tf.compat.v1.saved_model.simple_save(session, path, inputs, {name_of(each): each for each in model.outputs})
    elif getattr(tf.keras, "__version__", "2") >= "3":
        model.export(path)
    else:
        model.save(path, save_format="tf")


def frozen_function(model, inputs):
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    given = [tf.TensorSpec([None] + list(each.shape[1:]), each.dtype) for each in inputs]
    function = tf.function(lambda *values: model(values if len(values) > 1 else values[0], training=False))
    return convert_variables_to_constants_v2(function.get_concrete_function(*given))


def graph_def(model, inputs, path):
    if tf.executing_eagerly():
        frozen = frozen_function(model, inputs)
        graph = frozen.graph.as_graph_def()
        names = [name_of(each) for each in frozen.inputs], [name_of(each) for each in frozen.outputs]
    else:
        session = tf.compat.v1.keras.backend.get_session()
        names = [name_of(each) for each in model.inputs], [name_of(each) for each in model.outputs]
        graph = tf.compat.v1.graph_util.convert_variables_to_constants(session, session.graph_def, names[1])
    with open(path + ".pb", "wb") as stream:
        stream.write(graph.SerializeToString())
    return {"inputs": names[0], "outputs": names[1]}


def checkpoint(model, _inputs, path):
    os.makedirs(path)
    if tf.executing_eagerly():
        tf.train.Checkpoint(model=model).write(os.path.join(path, "model"))
    else:
        session = tf.compat.v1.keras.backend.get_session()
        tf.compat.v1.train.Saver().save(session, os.path.join(path, "model"), write_state=False)


def tflite(model, inputs, path):
    """From a SavedModel: the converter's own way from Keras ends the process in 2.16."""
    folder = path + ".for_tflite"
    saved_model(model, inputs, folder)
    converter = tf.lite.TFLiteConverter.from_saved_model(folder)
    if "convolution" in path:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    content = converter.convert()
    with open(path + ".tflite", "wb") as stream:
        stream.write(content)
    shutil.rmtree(folder)


FORMATS = {
    each.__name__: each
    for each in (
        keras_h5,
        keras_h5_as_keras,
        keras_weights_h5,
        keras_v3,
        saved_model,
        graph_def,
        checkpoint,
        tflite,
    )
}


def clear(path):
    """Remove what an earlier run left half written."""
    for leftover in (path, path + ".for_tflite"):
        shutil.rmtree(leftover, ignore_errors=True)
    folder, stem = os.path.split(path)
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(folder):
        if name.split(".")[0] == stem and os.path.isfile(os.path.join(folder, name)):
            os.remove(os.path.join(folder, name))


def write_expectation(root, runtime, name, model, inputs):
    path = os.path.join(root, "expected", runtime, name + ".npz")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    arrays = {"input_%d" % index: each for index, each in enumerate(inputs)}
    np.savez(path, output=catalogue.outputs_of(model, inputs), **arrays)
    if hasattr(model, "reset_states"):
        model.reset_states()


def failure(error):
    return {"type": type(error).__name__, "message": str(error)[:2000], "traceback": traceback.format_exc()[-3000:]}


def main(root, runtime, account, wanted):
    stream = open(account, "a")

    def tell(**line):
        stream.write(json.dumps(line) + "\n")
        stream.flush()

    for name in sorted({each.split("/")[0] for each in wanted}, key=list(catalogue.MODELS).index):
        formats = [each.split("/")[1] for each in wanted if each.split("/")[0] == name]
        problem = None
        try:
            tell(begin=name)
            model, inputs = catalogue.built(name)
            write_expectation(root, runtime, name, model, inputs)
        except Exception as error:
            problem = failure(error)
        for kind in formats:
            path = os.path.join(root, "artifacts", runtime, kind, name)
            tell(begin=name + "/" + kind)
            names = None
            this_problem = problem
            if problem is None:
                try:
                    clear(path)
                    names = FORMATS[kind](model, inputs, path)
                except Exception as error:
                    this_problem = failure(error)
                    clear(path)
            tell(end=name + "/" + kind, names=names, failure=this_problem, stage="build" if problem else "save")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
    sys.stdout.flush()
    os._exit(0)
