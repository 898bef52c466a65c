"""What graphs keep and how it was trained: lookup tables, and the gradients and updates of every optimizer.

Whoever exports a graph while it is trained exports those as well. `python lab_state_parts.py FOLDER ACCOUNT` runs
inside every runtime: TensorFlow 1.15 and later.
"""

import json
import os
import sys

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1

# --- tables -------------------------------------------------------------------------------------------------------


class Table(tf.Module):
    def __init__(self, table, dtype):
        super().__init__()
        self.table = table
        given = tf.TensorSpec([None], dtype)
        self.find = tf.function(lambda keys: {"found": self.table.lookup(keys)}, input_signature=[given])


def of_values():
    rows = tf.lookup.KeyValueTensorInitializer(tf.constant(["a", "b"]), tf.constant([1, 2], tf.int64))
    return Table(tf.lookup.StaticHashTable(rows, -1), tf.string)


def of_numbers():
    rows = tf.lookup.KeyValueTensorInitializer(tf.constant([3, 5], tf.int64), tf.constant([0.5, 1.5]))
    return Table(tf.lookup.StaticHashTable(rows, -1.0), tf.int64)


def of_file():
    with open("rows.txt", "w") as stream:
        stream.write("a\nb\n")
    rows = tf.lookup.TextFileInitializer(
        "rows.txt", tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
    )
    return Table(tf.lookup.StaticHashTable(rows, -1), tf.string)


def of_vocabulary():
    rows = tf.lookup.KeyValueTensorInitializer(tf.constant(["a", "b"]), tf.constant([0, 1], tf.int64))
    return Table(tf.lookup.StaticVocabularyTable(rows, 2), tf.string)


def of_more():
    from tensorflow.python.ops import lookup_ops  # public under another name in later versions

    table = lookup_ops.MutableHashTable(tf.string, tf.int64, -1)
    table.insert(tf.constant(["a", "b"]), tf.constant([1, 2], tf.int64))
    return Table(table, tf.string)


def of_dense():
    table = tf.lookup.experimental.DenseHashTable(tf.int64, tf.int64, -1, -1, -2)
    table.insert(tf.constant([3, 5], tf.int64), tf.constant([1, 2], tf.int64))
    return Table(table, tf.int64)


TABLES = [of_values, of_numbers, of_file, of_vocabulary, of_more, of_dense]


def tables(folder, tell):
    for build in TABLES:
        attempt(tell, "table_" + build.__name__, lambda path, build=build: tf.saved_model.save(build(), path), folder)


def table_of_session(folder, tell):
    """As TensorFlow 1 exports it: filled by an operation of the graph."""

    def save(path):
        with tf.Graph().as_default(), v1.Session() as session:
            rows = tf.lookup.KeyValueTensorInitializer(["a", "b"], tf.constant([1, 2], tf.int64))
            kind = getattr(tf.lookup, "StaticHashTable", None) or v1.lookup.StaticHashTable
            given = v1.placeholder(tf.string, [None], name="keys")
            found = kind(rows, -1).lookup(given)
            filled = v1.tables_initializer()
            session.run(filled)
            export(session, path, (given, found), filled=filled)

    attempt(tell, "table_of_session", save, folder)


# --- training -----------------------------------------------------------------------------------------------------


def images():
    x = v1.placeholder(tf.float32, [None, 8, 8, 2], name="x")
    filters = v1.get_variable("filters", [3, 3, 2, 4])
    hidden = v1.nn.bias_add(v1.nn.conv2d(x, filters, [1, 1, 1, 1], "SAME"), v1.get_variable("bias", [4]))
    hidden = v1.nn.max_pool(v1.nn.relu(hidden), [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
    hidden = v1.nn.avg_pool(v1.nn.relu6(hidden), [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
    hidden = v1.nn.lrn(v1.nn.elu(hidden))
    hidden = v1.nn.depthwise_conv2d(hidden, v1.get_variable("depth", [2, 2, 4, 1]), [1, 1, 1, 1], "SAME")
    return x, v1.nn.sigmoid(tf.reshape(hidden, [-1, 16]))


def normalized():
    x = v1.placeholder(tf.float32, [None, 4, 4, 2], name="x")
    scale, offset = v1.get_variable("scale", [2]), v1.get_variable("offset", [2])
    hidden = v1.nn.fused_batch_norm(x, scale, offset)[0]
    hidden = v1.nn.leaky_relu(v1.nn.softplus(v1.nn.tanh(hidden)))
    return x, tf.reduce_mean(v1.image.resize_bilinear(hidden, [2, 2]), [1, 2])


def words():
    x = v1.placeholder(tf.int64, [None, 5], name="x")
    rows = v1.nn.embedding_lookup(v1.get_variable("rows", [9, 4]), x)
    last = v1.while_loop(lambda i, _: i < 5, lambda i, h: (i + 1, v1.nn.tanh(h + rows[:, i])), [0, rows[:, 0]])[1]
    weights = v1.get_variable("weights", [4, 3])
    return x, tf.matmul(v1.nn.selu(tf.concat([last, last], 1)[:, 1:5]), weights)


NETWORKS = {"images": images, "normalized": normalized, "words": words}
OPTIMIZERS = {
    "descent": lambda: v1.train.GradientDescentOptimizer(0.1),
    "momentum": lambda: v1.train.MomentumOptimizer(0.1, 0.9, use_nesterov=True),
    "adam": lambda: v1.train.AdamOptimizer(0.1),
    "rmsprop": lambda: v1.train.RMSPropOptimizer(0.1),
    "adagrad": lambda: v1.train.AdagradOptimizer(0.1),
    "adadelta": lambda: v1.train.AdadeltaOptimizer(0.1),
    "ftrl": lambda: v1.train.FtrlOptimizer(0.1),
    "proximal": lambda: v1.train.ProximalGradientDescentOptimizer(0.1),
}


def trained(folder, tell):
    for network in NETWORKS:
        for optimizer in OPTIMIZERS if network == "words" else ["descent"]:
            for use_resource in (True, False):
                kind = "resources" if use_resource else "references"
                name = "trained_%s_%s_%s" % (network, optimizer, kind)
                if use_resource or optimizer in ("descent", "adam"):
                    attempt(
                        tell, name, lambda path, x=(network, optimizer, use_resource): save_trained(path, *x), folder
                    )


def save_trained(path, network, optimizer, use_resource):
    with tf.Graph().as_default(), v1.Session() as session:
        with v1.variable_scope("net", use_resource=use_resource):
            given, scores = NETWORKS[network]()
        loss = tf.reduce_mean(
            v1.nn.softmax_cross_entropy_with_logits_v2(labels=tf.ones_like(scores), logits=scores)
        ) + v1.nn.l2_loss(scores)
        with v1.variable_scope("training", use_resource=use_resource):
            step = v1.train.get_or_create_global_step()
            OPTIMIZERS[optimizer]().minimize(loss, step, name="train")
        session.run(v1.global_variables_initializer())
        export(session, path, (given, scores))


def export(session, path, ends, tags=("serve",), filled=None):
    builder = v1.saved_model.builder.SavedModelBuilder(path)
    signature = v1.saved_model.signature_def_utils.predict_signature_def({"x": ends[0]}, {"y": ends[1]})
    builder.add_meta_graph_and_variables(session, list(tags), {"serving_default": signature}, main_op=filled)
    builder.save()


def tagged(folder, tell):
    for name, tags in (("none", []), ("train", ["train"]), ("two", ["serve", "gpu"])):

        def save(path, tags=tags):
            with tf.Graph().as_default(), v1.Session() as session:
                given = v1.placeholder(tf.float32, [None, 2], name="x")
                found = tf.matmul(given, v1.get_variable("weights", [2, 3], use_resource=True))
                session.run(v1.global_variables_initializer())
                export(session, path, (given, found), tags)

        attempt(tell, "tagged_" + name, save, folder)


def in_shards(folder, tell):
    for version in (1, 2):

        def save(path, version=version):
            os.makedirs(path)
            with tf.Graph().as_default(), v1.Session() as session:
                v1.get_variable("weights", [2, 3])
                session.run(v1.global_variables_initializer())
                saver = v1.train.Saver(write_version=version, sharded=True)
                saver.save(session, os.path.join(path, "model"), write_state=False)

        attempt(tell, "shards_v%d" % version, save, folder, "/model")


class Network(tf.Module):
    def __init__(self):
        super().__init__()
        self.rows = tf.Variable(tf.ones([9, 4]))
        self.weights = tf.Variable(tf.ones([4, 3]))

    def __call__(self, x):
        series = tf.nn.embedding_lookup(self.rows, x)
        last = tf.while_loop(lambda i, _: i < 5, lambda i, h: (i + 1, tf.tanh(h + series[:, i])), [0, series[:, 0]])[1]
        return tf.matmul(tf.nn.gelu(last) if hasattr(tf.nn, "gelu") else tf.nn.relu(last), self.weights)


def functions_that_train(folder, tell):
    """A module that serves its training step, as for training on a device."""

    def save(path):
        module = Network()

        @tf.function(input_signature=[tf.TensorSpec([None, 5], tf.int64), tf.TensorSpec([None, 3], tf.float32)])
        def train(x, y):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(y, module(x)))
            variables = [module.rows, module.weights]
            for variable, gradient in zip(variables, tape.gradient(loss, variables)):
                variable.assign_sub(0.1 * tf.convert_to_tensor(gradient))
            return {"loss": loss}

        @tf.function(input_signature=[tf.TensorSpec([None, 5], tf.int64)])
        def infer(x):
            return {"scores": module(x)}

        module.train, module.infer = train, infer
        tf.saved_model.save(module, path, signatures={"serving_default": infer, "train": train})

    attempt(tell, "module_that_trains", save, folder)


# --- Keras models with what their optimizer keeps -----------------------------------------------------------------

KERAS_OPTIMIZERS = ["Adadelta", "Adagrad", "Adamax", "Nadam", "Ftrl"]


def trained_by_keras(folder, tell):
    layers = tf.keras.layers
    for name in KERAS_OPTIMIZERS:

        def save(path, name=name):
            model = tf.keras.Sequential([tf.keras.Input((5, 3)), layers.LSTM(4), layers.Dense(2, activation="softmax")])
            model.compile(getattr(tf.keras.optimizers, name)(), "categorical_crossentropy")
            model.fit(np.ones((4, 5, 3), "float32"), np.ones((4, 2), "float32"), epochs=1, verbose=0)
            is_keras_3 = getattr(tf.keras, "__version__", "2") >= "3"
            model.export(path) if is_keras_3 else model.save(path, save_format="tf")

        attempt(tell, "keras_" + name.lower(), save, folder)


# ------------------------------------------------------------------------------------------------------------------


FORMATS = {".h5": "keras_h5", ".keras": "keras_v3", ".tflite": "tflite", ".pb": "graph_def"}


def attempt(tell, name, save, folder, within=""):
    kind = "checkpoint" if within else FORMATS.get(os.path.splitext(name)[1], "saved_model")
    try:
        save(os.path.join(folder, name))
    except Exception as error:
        tell(name, kind, "%s: %s" % (type(error).__name__, str(error)[:300]))
    else:
        tell(name + within, kind)


def main(of_graphs, eager):
    """`eager`: what only a TensorFlow that runs eagerly can save."""
    folder, account = sys.argv[1:]
    os.chdir(folder)
    with open(account, "w") as stream:

        def tell(name, kind, failure=None):
            stream.write(json.dumps({"name": name, "format": kind, "failure": failure}) + "\n")
            stream.flush()

        for group in of_graphs + (eager if tf.executing_eagerly() else []):
            group(folder, tell)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main([table_of_session, trained, tagged, in_shards], [tables, functions_that_train, trained_by_keras])
