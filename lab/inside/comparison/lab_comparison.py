"""Turns the probe's infer stage into the lab's question: does what was loaded compute what the saver computed?

Imported by the probe, under its `imports:`, so that it runs in the very process in which the load was made. It replaces
what the infer and the compile stage do; the load itself stays the probe's own.
"""

import json
import os
import sys

import numpy as np
from loadgate_probe import inference, loaders

TOLERANCE = {"mixed_precision": 2e-2}
"""Absolute and relative; half floats keep three digits. All other models compute in 32 bits."""
USUAL_TOLERANCE = 1e-3
QUANTIZED_TOLERANCE = 5e-2
"""The TFLite model of `convolution` has weights of 8 bits."""


class OutputsDiffer(Exception):
    """It was loaded, and computes something else than it did where it was saved."""


class Expectation:
    def __init__(self, path):
        parts = path.split(os.sep)
        start = len(parts) - 1 - parts[::-1].index("artifacts")
        root, self.runtime, self.format = os.sep.join(parts[:start]), parts[start + 1], parts[start + 2]
        self.model = parts[start + 3].split(".")[0]
        with np.load(os.path.join(root, "expected", self.runtime, self.model + ".npz")) as stored:
            self.output = stored["output"]
            self.inputs = [stored["input_%d" % index] for index in range(len(stored.files) - 1)]
        self.names = os.path.join(root, "expected", self.runtime, self.model + ".graph.json")

    @property
    def tolerance(self):
        if self.format == "tflite" and self.model == "convolution":
            return QUANTIZED_TOLERANCE
        return TOLERANCE.get(self.model, USUAL_TOLERANCE)


asked = {"path": ""}


def remembering(load):
    def loader(path, called):
        asked["path"] = path
        return load(path, called)

    return loader


def tensors(arrays):
    import tensorflow as tf

    given = [tf.constant(each.tolist() if each.dtype.kind == "U" else each) for each in arrays]
    return given if len(given) > 1 else given[0]


def by_name(specs, arrays):
    """Which array belongs to which input of a signature: the first, in the order of names, that its shape admits."""
    left = list(arrays)
    chosen = {}
    for name in sorted(specs):
        shape = specs[name].shape
        match = next((each for each in left if shape.is_compatible_with(each.shape)), None)
        if match is None:
            raise inference.NothingToRun("no input of the saver has the shape of %s" % name)
        left = [each for each in left if each is not match]
        chosen[name] = tensors([match])
    return chosen


def from_signature(loaded, expectation):
    import tensorflow as tf

    if not tf.executing_eagerly():
        raise inference.NothingToRun("TensorFlow 1 in graph mode runs no signature of a loaded SavedModel")
    signatures = getattr(loaded, "signatures", None)
    if not signatures:
        raise inference.NothingToRun("the SavedModel has no signature")
    function = signatures["serving_default" if "serving_default" in signatures else sorted(signatures)[0]]
    if function.structured_input_signature is None:
        raise inference.NothingToRun("this version does not know the inputs of a signature of TensorFlow 1")
    outputs = function(**by_name(function.structured_input_signature[1], expectation.inputs))
    return outputs[sorted(outputs)[0]].numpy()


def from_keras(loaded, expectation):
    import tensorflow as tf

    if not hasattr(loaded, "predict_on_batch"):
        return from_signature(loaded, expectation)
    if not tf.executing_eagerly():
        return loaded.predict_on_batch(expectation.inputs if len(expectation.inputs) > 1 else expectation.inputs[0])
    return loaded(tensors(expectation.inputs), training=False)


def from_graph(loaded, expectation):
    import tensorflow as tf

    with open(expectation.names) as stream:
        names = json.load(stream)
    feeds = {name + ":0": each for name, each in zip(names["inputs"], expectation.inputs)}
    with tf.compat.v1.Session(graph=loaded) as session:
        return session.run(names["outputs"][0] + ":0", feeds)


def from_interpreter(interpreter, expectation):
    left = list(expectation.inputs)
    for details in interpreter.get_input_details():
        interpreter.resize_tensor_input(details["index"], left[0].shape)
    interpreter.allocate_tensors()
    for details in interpreter.get_input_details():
        interpreter.set_tensor(details["index"], left.pop(0))
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def restored(expectation):
    """The same model, built anew by this runtime, with weights of its own; then the file's weights are restored."""
    # the author's module is not to be found before the load has ended: most loads are made without it
    sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    import lab_catalogue as catalogue
    import tensorflow as tf

    model, inputs = catalogue.built(expectation.model, seed=2)
    before = model.get_weights()
    if expectation.format == "keras_weights_h5":
        model.load_weights(asked["path"])
    else:
        restore(tf, model, asked["path"])
    after = model.get_weights()
    changed = sum(not np.array_equal(old, new) for old, new in zip(before, after))
    if not changed:
        raise OutputsDiffer("not one of %d weights was restored, and nobody said so" % len(after))
    if changed < len(after):
        raise OutputsDiffer("%d of %d weights were restored, and nobody said so" % (changed, len(after)))
    return catalogue.outputs_of(model, inputs)


def restore(tf, model, path):
    """As production would: by objects, and by names where TensorFlow 1 reads what TensorFlow 1 wrote."""
    if tf.executing_eagerly():
        tf.train.Checkpoint(model=model).restore(path).expect_partial()
        return
    session = tf.compat.v1.keras.backend.get_session()
    if tf.train.load_checkpoint(path).has_tensor("_CHECKPOINTABLE_OBJECT_GRAPH"):
        status = tf.train.Checkpoint(model=model).restore(path)
        status.expect_partial()
        status.initialize_or_restore(session)
    else:
        tf.compat.v1.train.Saver(model.weights).restore(session, path)


def first(value):
    if isinstance(value, dict):
        value = value[sorted(value)[0]]
    return np.asarray(value[0] if isinstance(value, (list, tuple)) else value)


def compare(found, expectation):
    expected = expectation.output
    if found.shape != expected.shape:
        raise OutputsDiffer("shape %s instead of %s" % (found.shape, expected.shape))
    found, expected = found.astype("float64"), expected.astype("float64")
    if not np.allclose(found, expected, rtol=expectation.tolerance, atol=expectation.tolerance):
        largest = np.max(np.abs(found - expected))
        raise OutputsDiffer("largest difference %.3g where values reach %.3g" % (largest, np.max(np.abs(expected))))


def run(loader, loaded, _device, called):
    called("lab_comparison.run")
    expectation = Expectation(asked["path"])
    if loader in ("checkpoint", "weights"):
        found = restored(expectation)
    elif loader == "graph_def":
        found = from_graph(loaded, expectation)
    elif loader == "tflite":
        found = from_interpreter(loaded, expectation)
    elif loader == "saved_model":
        found = from_signature(loaded, expectation)
    else:
        found = from_keras(loaded, expectation)
    compare(first(found), expectation)


def only_what_was_compiled(compiled):
    def loader(loader, path, called):
        if Expectation(path).model not in ("optimizer_state", "custom_loss"):
            raise inference.NothingToRun("this model was not compiled")
        return compiled(loader, path, called)

    return loader


inference.run = run
loaders.LOADERS.update({name: remembering(load) for name, load in loaders.LOADERS.items()})
loaders.compiled = only_what_was_compiled(loaders.compiled)
