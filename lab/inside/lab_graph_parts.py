"""Graphs and variables as they are saved without Keras, or beside it: `python lab_graph_parts.py FOLDER ACCOUNT`.

What the catalogue's Keras models do not have: TensorFlow 1's own SavedModels with reference variables, checkpoints of
the first version, meta graphs, modules, optimizers whose variables were saved, and TFLite in its many number types.
Runs inside every runtime: Python 3.7 and later, TensorFlow 1.15 and later.
"""

import json
import os
import sys

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1


def regression(use_resource, with_optimizer=False, examples=False):
    """`y = a * x + b` as TensorFlow 1 builds it; the placeholder may be parsed from serialised examples."""
    if examples:
        serialized = v1.placeholder(tf.string, name="tf_example")
        parsed = v1.parse_example(serialized, {"x": tf.io.FixedLenFeature(shape=[1], dtype=tf.float32)})
        given, x = serialized, tf.identity(parsed["x"], name="x")
    else:
        given = x = v1.placeholder(tf.float32, [None, 1], name="x")
    a = v1.get_variable("a", [], initializer=v1.ones_initializer(), use_resource=use_resource)
    b = v1.get_variable("b", [], initializer=v1.ones_initializer(), use_resource=use_resource)
    y = tf.add(tf.multiply(a, x), b, name="y")
    if with_optimizer:
        wanted = v1.placeholder(tf.float32, [None, 1], name="wanted")
        loss = tf.reduce_mean(tf.square(y - wanted))
        v1.train.AdamOptimizer(0.1).minimize(loss, name="train")
    return given, y


def counter(use_resource):
    """A signature that assigns, as servables that keep state have."""
    value = v1.get_variable("value", [], initializer=v1.zeros_initializer(), use_resource=use_resource)
    step = v1.placeholder_with_default(1.0, [], name="step")
    return step, tf.identity(v1.assign_add(value, step), name="after")


def with_batch_normalization(_use_resource):
    x = v1.placeholder(tf.float32, [None, 4, 4, 2], name="x")
    scale = v1.get_variable("scale", [2], initializer=v1.ones_initializer(), use_resource=False)
    zeros = v1.get_variable("zeros", [2], initializer=v1.zeros_initializer(), use_resource=False)
    y, _, _ = v1.nn.fused_batch_norm(x, scale, zeros)
    loss = tf.reduce_mean(y)
    v1.train.GradientDescentOptimizer(0.1).minimize(loss, name="train")
    return x, tf.identity(y, name="y")


BUILT = {
    "reference_variables": lambda: regression(False),
    "resource_variables": lambda: regression(True),
    "reference_variables_examples": lambda: regression(False, examples=True),
    "trained_reference_variables": lambda: regression(False, with_optimizer=True),
    "trained_resource_variables": lambda: regression(True, with_optimizer=True),
    "counter_of_references": lambda: counter(False),
    "counter_of_resources": lambda: counter(True),
    "trained_batch_normalization": lambda: with_batch_normalization(False),
}


def graphs(folder, tell):
    """Each graph as a SavedModel, as checkpoints of both versions with their meta graph, and as bare graphs."""
    for name, build in BUILT.items():
        graph = tf.Graph()
        with graph.as_default(), v1.Session(graph=graph) as session:
            given, result = build()
            session.run(v1.global_variables_initializer())
            path = os.path.join(folder, name)
            v1.saved_model.simple_save(session, path + "_saved_model", {"x": given}, {"y": result})
            tell(name + "_saved_model", "saved_model")
            for version in (1, 2):
                os.makedirs(path + "_v%d" % version)
                saver = v1.train.Saver(write_version=version)
                saver.save(session, os.path.join(path + "_v%d" % version, "model"), write_state=False)
                tell(name + "_v%d/model" % version, "checkpoint")
            for suffix, definition in (
                ("", graph.as_graph_def()),
                (
                    "_frozen",
                    v1.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), [result.op.name]),
                ),
            ):
                with open(path + suffix + ".pb", "wb") as stream:
                    stream.write(definition.SerializeToString())
                tell(name + suffix + ".pb", "graph_def")
                definition.ClearField("versions")
                with open(path + suffix + "_unversioned.pb", "wb") as stream:
                    stream.write(definition.SerializeToString())
                tell(name + suffix + "_unversioned.pb", "graph_def")


class Scale(tf.Module):
    def __init__(self):
        super().__init__()
        self.factor = tf.Variable(2.0)

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32)])
    def __call__(self, values):
        return values * self.factor

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32)])
    def named(self, values):
        return {"result": values * self.factor}


def modules(folder, tell):
    module = Scale()
    tf.saved_model.save(module, os.path.join(folder, "module_plain"))
    tell("module_plain", "saved_model")
    tf.saved_model.save(module, os.path.join(folder, "module_served"), signatures=module.named)
    tell("module_served", "saved_model")
    os.makedirs(os.path.join(folder, "module_checkpoint"))
    tf.train.Checkpoint(module=module).write(os.path.join(folder, "module_checkpoint", "model"))
    tell("module_checkpoint/model", "checkpoint")


def network():
    layers = tf.keras.layers
    return tf.keras.Sequential(
        [
            tf.keras.Input((8, 8, 2)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )


def trained(folder, tell):
    """Keras models whose optimizer has variables, which are saved with them."""
    for name, optimizer in (
        ("adam", tf.keras.optimizers.Adam()),
        ("sgd", tf.keras.optimizers.SGD(0.1, momentum=0.9)),
        ("rmsprop", tf.keras.optimizers.RMSprop()),
    ):
        model = network()
        model.compile(optimizer, "mse")
        model.fit(np.ones((4, 8, 8, 2), "float32"), np.ones((4, 2), "float32"), epochs=1, verbose=0)
        path = os.path.join(folder, "trained_" + name)
        if getattr(tf.keras, "__version__", "2") >= "3":
            model.export(path)
        else:
            model.save(path, save_format="tf")
        tell("trained_" + name, "saved_model")
        os.makedirs(path + "_checkpoint")
        tf.train.Checkpoint(model=model, optimizer=model.optimizer).write(os.path.join(path + "_checkpoint", "model"))
        tell("trained_" + name + "_checkpoint/model", "checkpoint")


def tflite(folder, tell):
    model = network()

    @tf.function(input_signature=[tf.TensorSpec([1, 8, 8, 2], tf.float32)])
    def infer(values):
        return model(values, training=False)

    @tf.function(input_signature=[tf.TensorSpec([4, 4], tf.float32)])
    def inverse(values):
        return tf.linalg.inv(values)

    def samples():
        for _ in range(4):
            yield [np.random.RandomState(3).rand(1, 8, 8, 2).astype("float32")]

    def converter(function):
        return tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()])

    def write(name, made):
        with open(os.path.join(folder, name + ".tflite"), "wb") as stream:
            stream.write(made.convert())
        tell(name + ".tflite", "tflite")

    write("tflite_float", converter(infer))
    integer = converter(infer)
    integer.optimizations = [tf.lite.Optimize.DEFAULT]
    integer.representative_dataset = samples
    write("tflite_int8", integer)
    for kind in (tf.uint8, tf.int8):
        whole = converter(infer)
        whole.optimizations = [tf.lite.Optimize.DEFAULT]
        whole.representative_dataset = samples
        whole.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        whole.inference_input_type = whole.inference_output_type = kind
        write("tflite_whole_" + kind.name, whole)
    half = converter(infer)
    half.optimizations = [tf.lite.Optimize.DEFAULT]
    half.target_spec.supported_types = [tf.float16]
    write("tflite_float16", half)
    flex = converter(inverse)
    flex.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    write("tflite_flex", flex)
    custom = converter(inverse)
    custom.allow_custom_ops = True
    write("tflite_custom", custom)


def main(folder, account):
    with open(account, "w") as stream:

        def tell(name, kind, failure=None):
            stream.write(json.dumps({"name": name, "format": kind, "failure": failure}) + "\n")
            stream.flush()

        groups = [graphs] + ([modules, trained, tflite] if tf.executing_eagerly() else [])
        for group in groups:
            try:
                group(folder, tell)
            except Exception as error:
                tell(group.__name__, "", "%s: %s" % (type(error).__name__, str(error)[:300]))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
    sys.stdout.flush()
    os._exit(0)
