"""What repositories hold and the catalogue lacks: graphs that were trained, made by hand, or older than any saver.

`python lab_rare_parts.py FOLDER ACCOUNT` runs inside every runtime: TensorFlow 1.15 and later. What no TensorFlow that
still installs would write is made from what one does write, by changing what is rare about it.
"""

import os

import numpy as np
import tensorflow as tf
from lab_state_parts import NETWORKS, OPTIMIZERS, attempt, export, main
from tensorflow.core.protobuf import saved_model_pb2  # of no public name

v1 = tf.compat.v1
BEFORE_1_1 = 21
"""What the producers before TensorFlow 1.1 call themselves at most."""

# --- meta graphs of training --------------------------------------------------------------------------------------


def normalized_in_branches():
    """As TensorFlow 1 switched between training and inference."""
    x = v1.placeholder(tf.float32, [None, 4, 4, 2], name="x")
    is_training = v1.placeholder_with_default(False, [], name="is_training")
    scale, offset = v1.get_variable("scale", [2]), v1.get_variable("offset", [2])
    mean, variance = v1.get_variable("mean", [2]), v1.get_variable("variance", [2])
    hidden = v1.cond(
        is_training,
        lambda: v1.nn.fused_batch_norm(x, scale, offset)[0],
        lambda: v1.nn.fused_batch_norm(x, scale, offset, mean, variance, is_training=False)[0],
    )
    bias = v1.nn.bias_add(
        v1.nn.conv2d(hidden, v1.get_variable("filters", [1, 1, 2, 3]), [1, 1, 1, 1], "SAME"), [1.0] * 3
    )
    return x, tf.reduce_mean(bias, [1, 2])


def normalized_in_branches_as_before():
    """With the op that TensorFlow 1 used first, whose gradient has outputs of no size."""
    x = v1.placeholder(tf.float32, [None, 4, 4, 2], name="x")
    is_training = v1.placeholder_with_default(False, [], name="is_training")
    given = {"x": x, "scale": v1.get_variable("scale", [2]), "offset": v1.get_variable("offset", [2])}
    kept = {"mean": v1.get_variable("mean", [2]), "variance": v1.get_variable("variance", [2])}
    hidden = v1.cond(
        is_training,
        lambda: tf.raw_ops.FusedBatchNorm(mean=[], variance=[], **given)[0],
        lambda: tf.raw_ops.FusedBatchNorm(is_training=False, **dict(given, **kept))[0],
    )
    return x, tf.reduce_mean(hidden, [1, 2])


BRANCHES = {"branches": normalized_in_branches, "branches_as_before": normalized_in_branches_as_before}


def meta_graphs(folder, tell):
    for network, build in dict(NETWORKS, **BRANCHES).items():
        for optimizer in OPTIMIZERS if network == "words" else ["descent", "adam"]:
            for use_resource in (True, False):
                name = "meta_%s_%s_%s" % (network, optimizer, "resources" if use_resource else "references")

                def save(path, build=build, optimizer=optimizer, use_resource=use_resource):
                    os.makedirs(path)
                    with tf.Graph().as_default(), v1.Session() as session:
                        train(build, optimizer, use_resource)
                        session.run(v1.global_variables_initializer())
                        v1.train.Saver().save(session, os.path.join(path, "model"), write_state=False)

                attempt(tell, name, save, folder, "/model")


def train(build, optimizer, use_resource):
    with v1.variable_scope("net", use_resource=use_resource):
        given, scores = build()
    loss = tf.reduce_mean(tf.square(scores)) + v1.nn.l2_loss(scores)
    with v1.variable_scope("training", use_resource=use_resource):
        step = v1.train.get_or_create_global_step()
        OPTIMIZERS[optimizer]().minimize(loss, step, name="train")
    return given, scores


# --- functions that train -----------------------------------------------------------------------------------------

RATE = 0.1
DENSE = {
    "ResourceApplyGradientDescent": {"alpha": RATE},
    "ResourceApplyMomentum": {"accum": None, "lr": RATE, "momentum": 0.9},
    "ResourceApplyKerasMomentum": {"accum": None, "lr": RATE, "momentum": 0.9},
    "ResourceApplyAdagrad": {"accum": None, "lr": RATE},
    "ResourceApplyAdagradV2": {"accum": None, "lr": RATE, "epsilon": 1e-7},
    "ResourceApplyAdadelta": {"accum": None, "accum_update": None, "lr": RATE, "rho": 0.9, "epsilon": 1e-7},
    "ResourceApplyRMSProp": {"ms": None, "mom": None, "lr": RATE, "rho": 0.9, "momentum": 0.0, "epsilon": 1e-7},
    "ResourceApplyCenteredRMSProp": {
        "mg": None, "ms": None, "mom": None, "lr": RATE, "rho": 0.9, "momentum": 0.0, "epsilon": 1e-7,
    },
    "ResourceApplyAdam": {
        "m": None, "v": None, "beta1_power": 0.9, "beta2_power": 0.9, "lr": RATE, "beta1": 0.9, "beta2": 0.9,
        "epsilon": 1e-7,
    },
    "ResourceApplyAdamWithAmsgrad": {
        "m": None, "v": None, "vhat": None, "beta1_power": 0.9, "beta2_power": 0.9, "lr": RATE, "beta1": 0.9,
        "beta2": 0.9, "epsilon": 1e-7,
    },
    "ResourceApplyAdaMax": {
        "m": None, "v": None, "beta1_power": 0.9, "lr": RATE, "beta1": 0.9, "beta2": 0.9, "epsilon": 1e-7,
    },
    "ResourceApplyFtrl": {"accum": None, "linear": None, "lr": RATE, "l1": 0.0, "l2": 0.0, "lr_power": -0.5},
    "ResourceApplyFtrlV2": {
        "accum": None, "linear": None, "lr": RATE, "l1": 0.0, "l2": 0.0, "l2_shrinkage": 0.0, "lr_power": -0.5,
    },
}  # fmt: skip
"""Op → what it takes beside the variable and the gradient; None is a variable as well."""
SPARSE = [
    "Momentum", "KerasMomentum", "Adagrad", "AdagradV2", "Adadelta", "RMSProp", "CenteredRMSProp", "Ftrl", "FtrlV2",
]  # fmt: skip
"""Of these there is one for rows of a variable."""


class Update(tf.Module):
    """One step of training, by one op."""

    def __init__(self, op, options, is_sparse=False):
        super().__init__()
        self.weights = tf.Variable(tf.ones([3, 2]))
        self.slots = [tf.Variable(tf.ones([3, 2])) for value in options.values() if value is None]
        gradient = tf.TensorSpec([1 if is_sparse else 3, 2], tf.float32)

        def step(gradient):
            slots = iter(self.slots)
            said = {key: next(slots).handle if value is None else value for key, value in options.items()}
            if is_sparse:
                said["indices"] = [1]
            made = {"delta" if "alpha" in options else "grad": gradient}
            getattr(tf.raw_ops, op)(var=self.weights.handle, **dict(made, **said))
            return {"weights": self.weights.read_value()}

        self.step = tf.function(step, input_signature=[gradient])


def updates(folder, tell):
    def attempt_one(name, *given, **more):
        def save(path):
            module = Update(*given, **more)
            tf.saved_model.save(module, path, signatures={"serving_default": module.step})

        attempt(tell, name, save, folder)

    for op, options in DENSE.items():
        attempt_one("update_" + op, op, options)
    for rule in SPARSE:
        op, options = "ResourceSparseApply" + rule, DENSE["ResourceApply" + rule]
        attempt_one("update_sparse_" + rule, op, options, is_sparse=True)


def gradient_in_function(folder, tell):
    """Gradients of what an image passes, within a function."""

    class Images(tf.Module):
        def __init__(self):
            super().__init__()
            self.filters, self.bias = tf.Variable(tf.ones([3, 3, 2, 4])), tf.Variable(tf.ones([4]))
            self.scale = tf.Variable(tf.ones([4]))

        @tf.function(input_signature=[tf.TensorSpec([None, 8, 8, 2], tf.float32)])
        def train(self, x):
            with tf.GradientTape() as tape:
                hidden = tf.nn.bias_add(tf.nn.conv2d(x, self.filters, 1, "SAME"), self.bias)
                hidden = tf.nn.relu(v1.nn.fused_batch_norm(hidden, self.scale, self.bias)[0])
                hidden = tf.nn.max_pool2d(tf.nn.leaky_relu(tf.nn.elu(hidden)), 2, 2, "SAME")
                hidden = tf.nn.avg_pool2d(tf.nn.relu6(tf.nn.selu(hidden)), 2, 2, "SAME")
                hidden = tf.sigmoid(tf.tanh(tf.nn.softplus(tf.image.resize(hidden, [3, 3]))))[:, 1:]
                loss = tf.reduce_mean(tf.sqrt(hidden))
            variables = [self.filters, self.bias, self.scale]
            for variable, gradient in zip(variables, tape.gradient(loss, variables)):
                variable.assign_sub(0.1 * gradient)
            return {"loss": loss}

    def save(path):
        module = Images()
        tf.saved_model.save(module, path, signatures={"serving_default": module.train})

    attempt(tell, "images_that_train", save, folder)


# --- older than any saver, and by hand ----------------------------------------------------------------------------


def parsing():
    """Takes serialised examples, of a shape that nobody told."""
    serialized = v1.placeholder(tf.string, name="tf_example")
    parsed = v1.parse_example(serialized, {"x": tf.io.FixedLenFeature(shape=[1], dtype=tf.float32)})
    return serialized, tf.multiply(tf.identity(parsed["x"], name="x"), weight())


def plain():
    x = v1.placeholder(tf.float32, name="x")
    return x, tf.multiply(x, weight())


def weight():
    return v1.get_variable("weight", [], initializer=v1.ones_initializer(), use_resource=False)


def handing_out():
    """A signature of which an output is the variable itself."""
    x = v1.placeholder(tf.float32, [], name="x")
    value = v1.get_variable("value", [], initializer=v1.zeros_initializer(), use_resource=False)
    return x, v1.assign_add(value, x)


def as_before_1_1(meta_graph):
    graph = meta_graph.graph_def
    graph.versions.producer, graph.versions.min_consumer = BEFORE_1_1, 0
    for node in graph.node:
        if node.op == "Placeholder":
            node.attr["shape"].shape.Clear()
    for signature in meta_graph.signature_def.values():
        for told in list(signature.inputs.values()) + list(signature.outputs.values()):
            told.tensor_shape.Clear()


def without_value(meta_graph):
    node = meta_graph.graph_def.node.add()
    node.name, node.op = "unfinished", "Const"


def of_no_version(meta_graph):
    meta_graph.meta_info_def.tensorflow_version = "0.12.head"


CHANGED = {
    "parsing_before_1_1": (parsing, as_before_1_1),
    "plain_before_1_1": (plain, as_before_1_1),
    "constant_without_value": (plain, without_value),
    "of_no_version": (plain, of_no_version),
    "parsing": (parsing, None),
    "handing_out_a_reference": (handing_out, None),
}


def changed(folder, tell):
    for name, (build, change) in CHANGED.items():

        def save_folder(path, build=build, change=change):
            with tf.Graph().as_default(), v1.Session() as session:
                ends = build()
                session.run(v1.global_variables_initializer())
                export(session, path, ends)
            rewrite(os.path.join(path, "saved_model.pb"), saved_model_pb2.SavedModel, change)

        def save_meta_graph(path, build=build, change=change):
            os.makedirs(path)
            with tf.Graph().as_default(), v1.Session() as session:
                build()
                session.run(v1.global_variables_initializer())
                v1.train.Saver().save(session, os.path.join(path, "model"), write_state=False)
            rewrite(os.path.join(path, "model.meta"), v1.MetaGraphDef, change)

        def save_graph(path, name=name):
            meta_graph = v1.MetaGraphDef()
            with open(os.path.join(folder, name + "_meta", "model.meta"), "rb") as stream:
                meta_graph.ParseFromString(stream.read())
            with open(path, "wb") as stream:
                stream.write(meta_graph.graph_def.SerializeToString())

        attempt(tell, name, save_folder, folder)
        attempt(tell, name + "_meta", save_meta_graph, folder, "/model")
        attempt(tell, name + ".pb", save_graph, folder)


def rewrite(path, kind, change):
    if change is None:
        return
    message = kind()
    with open(path, "rb") as stream:
        message.ParseFromString(stream.read())
    for meta_graph in getattr(message, "meta_graphs", [message]):
        change(meta_graph)
    with open(path, "wb") as stream:
        stream.write(message.SerializeToString())


# --- Keras --------------------------------------------------------------------------------------------------------


def layer(name):
    layers = tf.keras.layers
    return getattr(layers, name, None) or getattr(layers.experimental.preprocessing, name)


def adapted(**options):
    normalize = layer("Normalization")(**options)
    normalize.adapt(np.array([[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]], "float32"))
    return tf.keras.Sequential([normalize, tf.keras.layers.Dense(2)])


def constrained(name, axis):
    constraint = getattr(tf.keras.constraints, name)(axis=axis)
    return tf.keras.Sequential([tf.keras.Input((8, 8, 2)), tf.keras.layers.Conv2D(2, 3, kernel_constraint=constraint)])


def with_layer(shape, make):
    first = tf.keras.Input(shape)
    return tf.keras.Model(first, make(tf.keras.layers)(first))


MODELS = {
    "adapted_never_called": adapted,
    "adapted_never_called_axis": lambda: adapted(axis=-1),
    "unit_norm_of_axes": lambda: constrained("UnitNorm", [0, 1, 2]),
    "max_norm_of_axes": lambda: constrained("MaxNorm", [0, 1, 2]),
    "min_max_norm_of_axes": lambda: constrained("MinMaxNorm", [0, 1, 2]),
    "layer_normalization_of_axes": lambda: with_layer((8, 8, 2), lambda layers: layers.LayerNormalization([1, 2])),
    "softmax_of_axes": lambda: with_layer((8, 8, 2), lambda layers: layers.Softmax([1, 2])),
    "lambda_with_shape": lambda: with_layer((4,), lambda layers: layers.Lambda(lambda x: x * 2, output_shape=(4,))),
    "embedding_of_any_length": lambda: tf.keras.Sequential(
        [tf.keras.Input((None,), dtype="int32"), tf.keras.layers.Embedding(9, 4), tf.keras.layers.LSTM(3)]
    ),
}


def models(folder, tell):
    is_keras_3 = getattr(tf.keras, "__version__", "2") >= "3"
    for name, build in MODELS.items():

        def save(path, build=build):
            tf.keras.backend.clear_session()
            build().save(path)

        attempt(tell, name + ".h5", save, folder)
        if is_keras_3:
            attempt(tell, name + ".keras", save, folder)
        else:
            attempt(tell, name, save, folder)


def without_weights(folder, tell):
    """A file that somebody put together from a configuration alone."""
    import h5py

    def save(path):
        tf.keras.backend.clear_session()
        MODELS["unit_norm_of_axes"]().save(path)
        with h5py.File(path, "r+") as file:
            del file["model_weights"]

    attempt(tell, "without_weights.h5", save, folder)


# --- TFLite -------------------------------------------------------------------------------------------------------


def of_sixteen_bits(folder, tell):
    first = tf.keras.Input((8, 8, 2))
    hidden = tf.keras.layers.Conv2D(4, 3, activation="relu")(first)
    network = tf.keras.Model(first, tf.keras.layers.Dense(2)(tf.keras.layers.Flatten()(hidden)))
    series = tf.keras.Input((6, 3), batch_size=1)
    recurrent = tf.keras.Model(series, tf.keras.layers.LSTM(4)(series))
    for name, model, shape in (("network", network, [1, 8, 8, 2]), ("recurrent", recurrent, [1, 6, 3])):

        def save(path, model=model, shape=shape):
            given = [tf.TensorSpec(shape, tf.float32)]
            function = tf.function(lambda x: model(x), input_signature=given)  # noqa: PLW0108 - it takes functions alone
            converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()])
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: ([np.ones(shape, "float32") * i] for i in range(3))
            kind = tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
            converter.target_spec.supported_ops = [kind]
            with open(path, "wb") as stream:
                stream.write(converter.convert())

        attempt(tell, "sixteen_bits_%s.tflite" % name, save, folder)


if __name__ == "__main__":
    main([meta_graphs, changed, models, without_weights], [updates, gradient_in_function, of_sixteen_bits])
