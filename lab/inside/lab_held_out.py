"""Models that nothing is learnt from, as public repositories build them: one function a model or a file.

Runs inside every runtime, TensorFlow 1.14 and later, and with a Keras that is a package of its own:
`python lab_held_out.py FOLDER ACCOUNT [keras]`. Each end is a line in the file ACCOUNT.
"""

import json
import os
import sys
import traceback

import numpy as np
from lab_held_out_networks import (
    NETWORKS,
    NETWORKS_AS_FOLDERS,
    NETWORKS_AS_LITE,
    L,
    Model,
    Sequential,
    keras,
    layer,
    tf,
)

IS_KERAS_3 = getattr(keras, "__version__", "2") >= "3"


def registered(kind):
    register = getattr(keras.utils, "register_keras_serializable", None)
    return kind if register is None else register(package="Acme")(kind)


class PositionEncoding(L.Layer):
    """Written without `get_config`, as most tutorials have it."""

    def build(self, input_shape):
        self.table = self.add_weight(name="table", shape=tuple(input_shape[1:]), initializer="uniform")
        super().build(input_shape)

    def call(self, inputs):
        return inputs + self.table


@registered
class ReflectionPadding2D(L.Layer):
    def __init__(self, padding=1, **options):
        super().__init__(**options)
        self.padding = padding

    def call(self, inputs):
        around = [self.padding, self.padding]
        return tf.pad(inputs, [[0, 0], around, around, [0, 0]], "REFLECT")

    def get_config(self):
        return dict(super().get_config(), padding=self.padding)


class Trainer(Model):
    """A functional model with a training step of its own."""

    def train_step(self, data):
        return super().train_step(data)


class Encoder(Model):
    def __init__(self, units=4, **options):
        super().__init__(**options)
        self.inner = Sequential([L.Dense(units, activation="relu"), L.Dense(2)])

    def call(self, inputs):
        return self.inner(inputs)


def hard_mish(values):
    return values * keras.backend.minimum(2.0, keras.backend.maximum(0.0, values + 2.0)) / 2.0


def dice_loss(truth, predicted):
    return 1.0 - keras.backend.sum(truth * predicted)


# --- models of Keras ----------------------------------------------------------------------------------------------


def unet():
    inputs = L.Input(shape=(16, 16, 1))
    options = {"activation": "relu", "padding": "same", "kernel_initializer": "he_normal"}
    first = L.Conv2D(4, 3, **options)(L.Conv2D(4, 3, **options)(inputs))
    deep = L.Conv2D(8, 3, **options)(L.MaxPooling2D(pool_size=(2, 2))(first))
    up = L.Conv2DTranspose(4, (2, 2), strides=(2, 2), padding="same")(L.Dropout(0.5)(deep))
    joined = L.concatenate([first, up], axis=3)
    return Model(inputs=[inputs], outputs=[L.Conv2D(1, (1, 1), activation="sigmoid")(joined)])


def unet_upsampled():
    inputs = L.Input((16, 16, 3))
    first = L.LeakyReLU(alpha=0.1)(L.BatchNormalization()(L.Conv2D(4, 3, padding="same", use_bias=False)(inputs)))
    up = L.UpSampling2D(size=(2, 2))(L.AveragePooling2D(2)(first))
    joined = L.Concatenate(axis=-1)([up, L.Cropping2D(((0, 0), (0, 0)))(first)])
    return Model(inputs, L.Conv2D(2, 1, activation="softmax")(joined))


def mobile_net():
    return keras.applications.MobileNetV2(input_shape=(32, 32, 3), alpha=0.35, weights=None, classes=3)


def mobile_net_v3():
    return keras.applications.MobileNetV3Small(input_shape=(64, 64, 3), alpha=0.75, weights=None, classes=3)


def transfer():
    base = keras.applications.MobileNet(input_shape=(32, 32, 3), alpha=0.25, include_top=False, weights=None)
    base.trainable = False
    return Sequential([base, L.GlobalAveragePooling2D(), L.Dropout(0.2), L.Dense(3, activation="softmax")])


def transfer_functional():
    base = keras.applications.MobileNet(input_shape=(32, 32, 3), alpha=0.25, include_top=False, weights=None)
    inputs = L.Input(shape=(32, 32, 3))
    return Model(inputs, L.Dense(2)(L.GlobalAveragePooling2D()(base(inputs, training=False))))


def video():
    given = L.Input(shape=(4, 16, 16, 3))
    frames = L.TimeDistributed(L.Conv2D(4, (3, 3), activation="relu"))(given)
    frames = L.TimeDistributed(L.MaxPooling2D())(frames)
    series = L.LSTM(6, dropout=0.2)(L.TimeDistributed(L.Flatten())(frames))
    return Model(given, L.Dense(2, activation="softmax")(series))


def precipitation():
    options = {"filters": 3, "kernel_size": (3, 3), "padding": "same", "return_sequences": True}
    layers = [L.ConvLSTM2D(input_shape=(None, 8, 8, 1), **options), L.BatchNormalization()]
    return Sequential(layers + [L.Conv3D(1, (3, 3, 3), activation="sigmoid", padding="same")])


def wave_net():
    inputs = L.Input(shape=(32, 2))
    hidden = L.Conv1D(4, 2, padding="causal")(inputs)
    for rate in (1, 2, 4):
        gate = L.Conv1D(4, 2, dilation_rate=rate, padding="causal", activation="sigmoid")(hidden)
        value = L.Conv1D(4, 2, dilation_rate=rate, padding="causal", activation="tanh")(hidden)
        hidden = L.Add()([hidden, L.Conv1D(4, 1)(L.Multiply()([gate, value]))])
    return Model(inputs, L.Dense(1)(L.GlobalMaxPooling1D()(hidden)))


def translator():
    given, wanted = L.Input(shape=(None, 5), name="encoder_inputs"), L.Input(shape=(None, 6), name="decoder_inputs")
    _, hidden, cell = L.LSTM(4, return_state=True)(given)
    decoded, _, _ = L.LSTM(4, return_sequences=True, return_state=True)(wanted, initial_state=[hidden, cell])
    return Model([given, wanted], L.TimeDistributed(L.Dense(6, activation="softmax"))(decoded))


def sensors():
    masked = L.Masking(mask_value=0.0, input_shape=(9, 3))
    recurrent = L.Bidirectional(L.GRU(4, return_sequences=True, reset_after=False), merge_mode="concat")
    last = L.SimpleRNN(3, go_backwards=True, recurrent_dropout=0.1)
    return Sequential([masked, recurrent, last, L.RepeatVector(2), L.Permute((2, 1)), L.Reshape((6,)), L.Dense(1)])


def cells():
    inputs = L.Input(shape=(7, 3))
    stacked = L.RNN(L.StackedRNNCells([L.LSTMCell(4), L.LSTMCell(3)]), return_sequences=True)(inputs)
    return Model(inputs, L.Dense(1, activation=hard_mish)(L.GlobalAveragePooling1D()(stacked)))


def regularized():
    kinds = keras.regularizers, keras.constraints, keras.initializers
    first = L.Dense(
        6,
        kernel_regularizer=kinds[0].l1_l2(l1=1e-5, l2=1e-4),
        activity_regularizer=kinds[0].l2(1e-5),
        kernel_constraint=kinds[1].UnitNorm(),
        bias_initializer=kinds[2].Constant(0.1),
        kernel_initializer=kinds[2].VarianceScaling(scale=2.0, mode="fan_out"),
        input_shape=(5,),
    )
    noise = [L.GaussianNoise(0.1), L.AlphaDropout(0.1), L.GaussianDropout(0.1), L.ActivityRegularization(l1=0.01)]
    return Sequential([first] + noise + [L.Dense(2, kernel_constraint=kinds[1].non_neg(), activation="elu")])


def siamese():
    left, right = L.Input(shape=(6,)), L.Input(shape=(6,))
    encoder = Sequential([L.Dense(5, activation="relu", input_shape=(6,)), L.Dense(4)])
    distance = L.Lambda(lambda pair: keras.backend.abs(pair[0] - pair[1]))([encoder(left), encoder(right)])
    return Model([left, right], L.Dense(1, activation="sigmoid")(distance))


def scaled(values, factor=1.0):
    return values / factor


def scaling():
    inputs = L.Input(shape=(8, 8, 3))
    hidden = L.Lambda(scaled, arguments={"factor": 127.5}, output_shape=(8, 8, 3))(inputs)
    return Model(inputs, L.Dense(2)(L.Flatten()(hidden)))


def own_activation():
    return Sequential([L.Dense(4, activation=hard_mish, input_shape=(3,)), L.Dense(2)])


def own_layer():
    inputs = L.Input(shape=(6, 4))
    return Model(inputs, L.Dense(2)(L.Flatten()(PositionEncoding()(inputs))))


def own_registered_layer():
    inputs = L.Input(shape=(8, 8, 2))
    return Model(inputs, L.Conv2D(2, 3)(ReflectionPadding2D(2)(inputs)))


def own_training():
    inputs = L.Input(shape=(4,))
    model = Trainer(inputs, L.Dense(1)(L.Dense(3, activation="relu")(inputs)))
    model.compile(optimizer="rmsprop", loss="mse")
    return model


def own_model():
    model = Encoder()
    model(np.zeros((2, 3), "float32"))
    return model


def compiled():
    model = Sequential([L.Dense(5, activation="relu", input_shape=(4,)), L.Dense(1, activation="sigmoid")])
    metrics = ["accuracy", keras.metrics.AUC(name="auc"), keras.metrics.Precision()]
    model.compile(optimizer=keras.optimizers.Adam(), loss=dice_loss, metrics=metrics)
    model.fit(np.zeros((8, 4), "float32"), np.zeros((8, 1), "float32"), verbose=0)
    return model


def scheduled():
    model = Sequential([L.Dense(5, input_shape=(4,)), L.Dense(1)])
    rate = keras.optimizers.schedules.ExponentialDecay(0.1, decay_steps=100, decay_rate=0.96)
    model.compile(optimizer=keras.optimizers.SGD(rate, momentum=0.9), loss=keras.losses.Huber())
    model.fit(np.zeros((8, 4), "float32"), np.zeros((8, 1), "float32"), verbose=0)
    return model


def transformer():
    inputs = L.Input(shape=(6,), dtype="int32")
    hidden = L.Embedding(20, 8, name="tokens")(inputs)
    attended = L.MultiHeadAttention(num_heads=2, key_dim=4, dropout=0.1)(hidden, hidden, use_causal_mask=True)
    hidden = L.LayerNormalization(epsilon=1e-6)(L.Add()([hidden, attended]))
    feed = Sequential([L.Dense(8, activation="gelu"), L.Dense(8)])
    return Model(inputs, L.Dense(20)(L.LayerNormalization(epsilon=1e-6)(hidden + feed(hidden))))


def transformer_plain():
    inputs = L.Input(shape=(6, 8))
    attended = L.MultiHeadAttention(num_heads=2, key_dim=4)(inputs, inputs)
    hidden = L.LayerNormalization(epsilon=1e-6)(inputs + attended)
    hidden = hidden + L.Conv1D(filters=8, kernel_size=1)(L.Conv1D(filters=4, kernel_size=1, activation="relu")(hidden))
    return Model(inputs, L.Dense(2)(L.GlobalAveragePooling1D(data_format="channels_first")(hidden)))


def ops_of_tensorflow():
    inputs = L.Input(shape=(6, 4))
    mean = tf.reduce_mean(inputs, axis=1, keepdims=True)
    joined = tf.concat([inputs - mean, tf.nn.relu(inputs)], axis=-1)
    return Model(inputs, L.Dense(2)(tf.squeeze(joined[:, :1, :], axis=1)))


def wide_and_deep():
    inputs = {name: L.Input(shape=(1,), name=name) for name in ("age", "income")}
    hidden = L.concatenate(list(inputs.values()))
    return Model(inputs, {"score": L.Dense(1, name="score")(L.Dense(4, activation="relu")(hidden))})


def categories():
    inputs = L.Input(shape=(1,), dtype="string", name="city")
    lookup = layer("StringLookup")(vocabulary=["rome", "oslo", "lima"])
    return Model(inputs, L.Dense(1)(L.Flatten()(L.Embedding(8, 3)(lookup(inputs)))))


def hashed():
    inputs = L.Input(shape=(1,), dtype="string")
    return Model(inputs, L.Dense(1)(L.Flatten()(L.Embedding(9, 3)(layer("Hashing")(num_bins=9)(inputs)))))


def buckets():
    inputs = L.Input(shape=(1,))
    bins = layer("Discretization")([0.0, 1.0, 2.0])(inputs)
    return Model(inputs, L.Dense(1)(L.Flatten()(L.Embedding(5, 2)(bins))))


def pictures():
    inputs = L.Input(shape=(10, 10, 3), dtype="uint8")
    hidden = layer("Rescaling")(1.0 / 255)(layer("Resizing")(8, 8)(inputs))
    hidden = layer("RandomContrast")(0.2)(layer("RandomZoom")(0.1)(layer("RandomTranslation")(0.1, 0.1)(hidden)))
    return Model(inputs, L.Dense(2)(L.Flatten()(hidden)))


def ragged():
    inputs = L.Input(shape=(None,), dtype="int64", ragged=True)
    return Model(inputs, L.Dense(1)(L.LSTM(4)(L.Embedding(9, 4)(inputs))))


def grouped():
    inputs = L.Input(shape=(8, 8, 4))
    hidden = L.GroupNormalization(groups=2)(L.Conv2D(4, 3, groups=2)(inputs))
    return Model(inputs, L.Dense(1)(L.GlobalAveragePooling2D(keepdims=True)(hidden)))


def old_layers():
    """What was common before 2016 and has gone since."""
    layers = [L.LocallyConnected1D(3, 2, input_shape=(6, 3)), L.ThresholdedReLU(theta=0.5), L.SpatialDropout1D(0.1)]
    return Sequential(layers + [L.Flatten(), L.Dense(2)])


def attentive():
    query, value = L.Input(shape=(5, 4)), L.Input(shape=(6, 4))
    attended = L.AdditiveAttention()([query, value])
    scores = L.Dot(axes=-1, normalize=True)([query, attended])
    return Model([query, value], L.Dense(1)(L.Flatten()(L.Minimum()([scores, scores]))))


def of_operations():
    inputs = L.Input(shape=(6, 4))
    ops = keras.ops
    return Model(inputs, L.Dense(2)(ops.mean(ops.concatenate([inputs, ops.relu(inputs)], axis=-1), axis=1)))


def sixteen_bits():
    return Sequential([L.Input(shape=(4,)), L.Dense(4, dtype="mixed_bfloat16"), L.Dense(2, dtype="float64")])


MODELS = [
    unet,
    unet_upsampled,
    mobile_net,
    mobile_net_v3,
    transfer,
    transfer_functional,
    video,
    precipitation,
    wave_net,
    translator,
    sensors,
    cells,
    regularized,
    siamese,
    scaling,
    own_activation,
    own_layer,
    own_registered_layer,
    own_training,
    own_model,
    compiled,
    scheduled,
    transformer,
    transformer_plain,
    ops_of_tensorflow,
    wide_and_deep,
    categories,
    hashed,
    buckets,
    pictures,
    ragged,
    grouped,
    old_layers,
    attentive,
    of_operations,
    sixteen_bits,
    *NETWORKS,
]
AS_FOLDERS = [
    "unet_upsampled",
    "transfer",
    "video",
    "siamese",
    "cells",
    "own_layer",
    "own_registered_layer",
    "own_training",
    "own_model",
    "compiled",
    "transformer_plain",
    "categories",
    "wide_and_deep",
    "ragged",
    "pictures",
    *NETWORKS_AS_FOLDERS,
]
AS_WEIGHTS = ["unet", "translator", "transfer", "own_model"]
AS_LITE = ["unet", "mobile_net", "video", "wave_net", "siamese", *NETWORKS_AS_LITE]


# --- files that no Keras writes -----------------------------------------------------------------------------------


class Calculator(getattr(tf, "Module", object)):
    """Functions of several inputs, a table and a file beside it; no signature that anyone would serve."""

    def __init__(self, names):
        super().__init__()
        self.rate = tf.Variable(2.0)
        rows = tf.lookup.TextFileInitializer(names, tf.string, 0, tf.int64, 1, delimiter="\t")
        self.table = tf.lookup.StaticHashTable(rows, -1)

    def add(self, left, right):
        return {"sum": left + right * self.rate}

    def look_up(self, names):
        return {"numbers": self.table.lookup(names)}


def module_with_functions(folder):
    names = folder + ".names.txt"
    with open(names, "w") as stream:
        stream.write("rome\t1\noslo\t2\n")
    module = Calculator(names)
    number = tf.TensorSpec([None], tf.float32)
    module.add = tf.function(module.add, input_signature=[number, number])
    module.look_up = tf.function(module.look_up, input_signature=[tf.TensorSpec([None], tf.string)])
    tf.saved_model.save(module, folder)
    os.remove(names)


def module_with_signatures(folder):
    module = tf.Module()
    module.weights = [tf.Variable(tf.ones([3, 2]))]
    number = tf.TensorSpec([None, 3], tf.float32, name="rows")

    @tf.function(input_signature=[number])
    def classify(rows):
        scores = tf.while_loop(lambda count, _: count < 3, lambda count, x: (count + 1, x * 2.0), [0, rows])[1]
        return {"scores": tf.matmul(scores, module.weights[0])}

    @tf.function(input_signature=[number])
    def inspect(rows):
        return {"top": tf.math.top_k(rows).values}

    tf.saved_model.save(module, folder, signatures={"serving_default": classify, "inspect": inspect})


def session_graph(folder):
    """As the programs of 2017 export: placeholders, variables, a table, a tag of their own."""
    one = tf.compat.v1
    with tf.Graph().as_default(), one.Session() as session:
        rows = one.placeholder(tf.float32, [None, 4], name="rows")
        weights = one.get_variable("weights", [4, 2])
        scores = tf.identity(tf.matmul(rows, weights), name="scores")
        session.run([one.global_variables_initializer(), one.tables_initializer()])
        builder = one.saved_model.builder.SavedModelBuilder(folder)
        signature = one.saved_model.signature_def_utils.predict_signature_def({"rows": rows}, {"scores": scores})
        builder.add_meta_graph_and_variables(session, ["serve"], {"predict": signature})
        builder.save()


def session_checkpoint(folder):
    os.makedirs(folder)
    one = tf.compat.v1
    with tf.Graph().as_default(), one.Session() as session:
        one.get_variable("layer/weights", [4, 2])
        one.get_variable("layer/bias", [2])
        session.run(one.global_variables_initializer())
        one.train.Saver(write_version=1).save(session, os.path.join(folder, "model.ckpt"), global_step=7)


def graph(folder):
    one = tf.compat.v1
    with tf.Graph().as_default() as made:
        rows = one.placeholder(tf.float32, [None, 8, 8, 3], name="images")
        filters = tf.constant(np.ones((3, 3, 3, 2), "float32"))
        hidden = tf.nn.relu(tf.nn.conv2d(rows, filters, strides=[1, 1, 1, 1], padding="SAME"))
        tf.image.non_max_suppression(tf.reshape(hidden, [-1, 4]), tf.reshape(hidden, [-1])[:2], 3)
        tf.identity(tf.reduce_mean(tf.image.resize(hidden, [4, 4]), axis=[1, 2]), name="means")
    with open(folder + ".pb", "wb") as stream:
        stream.write(made.as_graph_def().SerializeToString())


def function_of(shape, call, dtype=None):
    given = tf.TensorSpec(shape, dtype or tf.float32)
    return tf.function(call, input_signature=[given]).get_concrete_function()


def lite(folder, made, **options):
    converter = tf.lite.TFLiteConverter.from_concrete_functions([made])
    for name, value in options.items():
        setattr(converter, name, value)
    with open(folder + ".tflite", "wb") as stream:
        stream.write(converter.convert())


def lite_flex(folder):
    kinds = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    made = function_of([4, 4], lambda rows: tf.linalg.inv(rows) + tf.math.lgamma(rows))
    lite(folder, made, target_spec=tf.lite.TargetSpec(supported_ops=kinds))


def lite_integers(folder):
    filters = tf.constant(np.random.RandomState(3).uniform(-1, 1, (3, 3, 3, 4)).astype("float32"))
    made = function_of([1, 8, 8, 3], lambda images: tf.nn.softmax(tf.nn.conv2d(images, filters, 1, "SAME")))
    given = [[np.random.RandomState(4).uniform(-1, 1, (1, 8, 8, 3)).astype("float32")] for _ in range(4)]
    kinds = tf.lite.TargetSpec(supported_ops=[tf.lite.OpsSet.TFLITE_BUILTINS_INT8])
    options = {"optimizations": [tf.lite.Optimize.DEFAULT], "representative_dataset": lambda: given}
    lite(folder, made, target_spec=kinds, **options)


def lite_halves(folder):
    weights = tf.constant(np.random.RandomState(3).uniform(-1, 1, (64, 64)).astype("float32"))
    made = function_of([None, 64], lambda rows: tf.nn.gelu(tf.matmul(rows, weights)))
    kinds = tf.lite.TargetSpec(supported_types=[tf.float16])
    lite(folder, made, optimizations=[tf.lite.Optimize.DEFAULT], target_spec=kinds)


def lite_custom(folder):
    made = function_of([4, 4], tf.math.erfinv)
    lite(folder, made, allow_custom_ops=True)


def lite_choices(folder):
    def call(rows):
        loop = tf.while_loop(lambda x: tf.reduce_sum(x) < 100.0, lambda x: (x * 2.0,), [rows])[0]
        return tf.where(loop > 1.0, tf.cumsum(loop), tf.cast(tf.argmax(loop, -1), tf.float32)[:, None])

    lite(folder, function_of([2, 3], call))


FILES = [
    module_with_functions,
    module_with_signatures,
    session_graph,
    session_checkpoint,
    graph,
    lite_flex,
    lite_integers,
    lite_halves,
    lite_custom,
    lite_choices,
]


# --- saving -------------------------------------------------------------------------------------------------------


def saved_model(model, path):
    model.export(path) if IS_KERAS_3 else model.save(path, save_format="tf")


def of_keras(path, name):
    """Pairs of what is to be written, and how."""
    yield path + ".h5", lambda model: model.save(path + ".h5")
    if IS_KERAS_3:
        yield path + ".keras", lambda model: model.save(path + ".keras")
    if tf is not None and name in AS_FOLDERS and (IS_KERAS_3 or tf.__version__ >= "2"):
        yield path + "_folder", lambda model: saved_model(model, path + "_folder")
    if name in AS_WEIGHTS:
        yield path + ".weights.h5", lambda model: model.save_weights(path + ".weights.h5")
    if name in AS_LITE and tf is not None and tf.__version__ >= "2":
        yield path + ".tflite", lambda model: lite_of_folder(model, path)


def lite_of_folder(model, path):
    saved_model(model, path + ".scratch")
    converter = tf.lite.TFLiteConverter.from_saved_model(path + ".scratch")
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if "video" in path:
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
        converter._experimental_lower_tensor_list_ops = False
    with open(path + ".tflite", "wb") as stream:
        stream.write(converter.convert())


def main(folder, account):
    stream = open(account, "a")
    with open(account) as lines:
        done = {name for line in lines for name in json.loads(line)}

    def attempt(name, save):
        if name in done:
            return
        tell(name, "began, and ended the process")
        try:
            save()
            tell(name, None)
        except Exception as error:
            tell(name, "%s: %s" % (type(error).__name__, str(error)[:300]))
            if "-v" in sys.argv:
                traceback.print_exc()

    def tell(name, problem):
        stream.write(json.dumps({name: problem}) + "\n")
        stream.flush()

    os.makedirs(folder, exist_ok=True)
    for build in MODELS:
        path = os.path.join(folder, build.__name__)
        for name, save in list(of_keras(path, build.__name__)):
            keras.backend.clear_session()
            attempt(os.path.basename(name), lambda save=save, build=build: save(build()))
    for write in FILES if tf is not None else ():
        attempt(write.__name__, lambda write=write: write(os.path.join(folder, write.__name__)))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
    sys.stdout.flush()
    os._exit(0)
