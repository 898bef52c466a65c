"""Models of one part each: every layer, initializer, activation and structure that Keras brings, as small as it goes.

The catalogue shows how real models fare; this shows which part of them decides. Runs inside every runtime, and with a
Keras that is a package of its own as well: `python lab_parts.py FOLDER ACCOUNT [KERAS]`, where KERAS is `keras` for the
one that came before TensorFlow's own. Writes FOLDER/NAME.h5 and FOLDER/NAME.keras, and a line for each in ACCOUNT.
"""

import json
import os
import sys

if len(sys.argv) > 3:
    import keras
else:
    import tensorflow as tf

    keras = tf.keras

L = keras.layers
Model = keras.models.Model
Sequential = keras.models.Sequential
IMAGE, SERIES, VOLUME, VECTOR = (8, 8, 3), (6, 3), (6, 6, 6, 2), (4,)


def layer(name):
    found = getattr(L, name, None)
    if found is None:
        found = getattr(L.experimental.preprocessing, name)
    return found


def alone(shape, name, *given, **options):
    """A Sequential model of an input and one layer."""
    dtype = options.pop("input_dtype", None)

    def build():
        made = layer(name)(*given, **options)
        first = keras.Input(shape=shape, dtype=dtype) if dtype else L.Input(shape=shape)
        return Model(first, made(first))

    return build


def merged(name, **options):
    def build():
        left, right = L.Input(shape=VECTOR), L.Input(shape=VECTOR)
        return Model([left, right], layer(name)(**options)([left, right]))

    return build


def dense_with(**options):
    return lambda: Sequential([L.Dense(4, input_shape=VECTOR, **options)])


def made_by(kind, name, **options):
    """A Dense with an initializer, regularizer or constraint of that class."""

    def build():
        where = {"initializers": "kernel_initializer", "regularizers": "kernel_regularizer"}
        key = where.get(kind, "kernel_constraint")
        return Sequential([L.Dense(4, input_shape=VECTOR, **{key: getattr(getattr(keras, kind), name)(**options)})])

    return build


def functional(shape, call):
    def build():
        first = L.Input(shape=shape)
        return Model(first, call(first))

    return build


def small_sequential():
    return Sequential([L.Dense(4, input_shape=VECTOR, activation="relu"), L.Dense(3)])


def small_functional():
    first = L.Input(shape=VECTOR)
    return Model(first, L.Dense(3)(first))


def many_outputs():
    first = L.Input(shape=VECTOR)
    return Model(first, [L.Dense(2)(first), L.Dense(3)(first)])


def sequential_in_functional():
    first = L.Input(shape=VECTOR)
    return Model(first, L.Dense(2)(small_sequential()(first)))


def functional_in_functional():
    first = L.Input(shape=VECTOR)
    return Model(first, L.Dense(2)(small_functional()(first)))


def called_without_training():
    first = L.Input(shape=VECTOR)
    return Model(first, L.Dense(2)(small_functional()(first, training=False)))


def layer_called_without_training():
    first = L.Input(shape=VECTOR)
    return Model(first, L.Dense(2)(L.BatchNormalization()(first, training=False)))


def frozen_functional_in_sequential():
    inner = small_functional()
    inner.trainable = False
    return Sequential([inner, L.Dense(2)])


def with_names_of_ops():
    first = L.Input(shape=VECTOR, name="first")
    return Model(inputs={"first": first}, outputs={"second": L.Dense(2, name="second")(first)})


def states_handed_on():
    first = L.Input(shape=SERIES)
    sequences, hidden, cell = L.LSTM(4, return_sequences=True, return_state=True)(first)
    return Model(first, L.LSTM(4)(sequences, initial_state=[hidden, cell]))


def attention_with_mask():
    first = L.Input(shape=SERIES)
    mask = L.Input(shape=(6, 6), dtype="bool")
    return Model([first, mask], L.MultiHeadAttention(2, 3)(first, first, attention_mask=mask))


def masked_series():
    first = L.Input(shape=(6,), dtype="int32")
    return Model(first, L.GRU(4)(L.Embedding(9, 4, mask_zero=True)(first)))


def reused_layer():
    left, right, shared = L.Input(shape=VECTOR), L.Input(shape=VECTOR), L.Dense(3)
    return Model([left, right], L.Add()([shared(left), shared(right)]))


STRUCTURES = {
    "sequential_with_input_shape": small_sequential,
    "sequential_with_input": lambda: Sequential([L.InputLayer(input_shape=VECTOR), L.Dense(3)]),
    "functional": small_functional,
    "many_outputs": many_outputs,
    "sequential_in_functional": sequential_in_functional,
    "functional_in_functional": functional_in_functional,
    "sequential_in_sequential": lambda: Sequential([small_sequential(), L.Dense(2)]),
    "functional_in_sequential": lambda: Sequential([small_functional(), L.Dense(2)]),
    "frozen_functional_in_sequential": frozen_functional_in_sequential,
    "called_without_training": called_without_training,
    "layer_called_without_training": layer_called_without_training,
    "inputs_by_name": with_names_of_ops,
    "states_handed_on": states_handed_on,
    "attention_with_mask": attention_with_mask,
    "masked_series": masked_series,
    "reused_layer": reused_layer,
    "frozen_layer": dense_with(trainable=False),
    "named_layer": dense_with(name="a_name"),
    "float64": dense_with(dtype="float64"),
    "op_relu": functional(VECTOR, lambda first: tf.nn.relu(first)),  # noqa: PLW0108 - not every Keras has tf
    "op_add": functional(VECTOR, lambda first: first + 1.0),
    "op_multiply": functional(VECTOR, lambda first: L.Dense(4)(first) * first),
    "op_slice": functional(SERIES, lambda first: L.Dense(2)(first[:, 0])),
    "op_slice_range": functional(SERIES, lambda first: first[:, 1:3, :]),
    "op_concat": functional(VECTOR, lambda first: tf.concat([first, first], axis=-1)),
    "op_mean": functional(SERIES, lambda first: tf.reduce_mean(first, axis=1)),
    "op_reshape": functional(SERIES, lambda first: tf.reshape(first, [-1, 18])),
    "op_expand": functional(VECTOR, lambda first: tf.expand_dims(first, -1)),
    "op_cast": functional(VECTOR, lambda first: tf.cast(first, "float32")),
    "op_matmul": functional(SERIES, lambda first: tf.matmul(first, first, transpose_b=True)),
    "op_backend_mean": functional(SERIES, lambda first: keras.ops.mean(first, axis=1)),
    "mobilenet_v2": lambda: keras.applications.MobileNetV2((32, 32, 3), alpha=0.35, weights=None, classes=2),
}

IMAGES = {
    "Conv2D": {"filters": 2, "kernel_size": 3},
    "SeparableConv2D": {"filters": 2, "kernel_size": 3},
    "DepthwiseConv2D": {"kernel_size": 3},
    "Conv2DTranspose": {"filters": 2, "kernel_size": 3},
    "LocallyConnected2D": {"filters": 2, "kernel_size": 3},
    "MaxPooling2D": {},
    "AveragePooling2D": {},
    "GlobalMaxPooling2D": {},
    "GlobalAveragePooling2D": {},
    "UpSampling2D": {},
    "ZeroPadding2D": {},
    "Cropping2D": {},
    "SpatialDropout2D": {"rate": 0.2},
    "GroupNormalization": {"groups": 1},
    "Rescaling": {"scale": 0.1},
    "Resizing": {"height": 4, "width": 4},
    "CenterCrop": {"height": 4, "width": 4},
    "RandomFlip": {},
    "RandomRotation": {"factor": 0.1},
    "RandomZoom": {"height_factor": 0.1},
    "RandomTranslation": {"height_factor": 0.1, "width_factor": 0.1},
    "RandomContrast": {"factor": 0.1},
    "RandomBrightness": {"factor": 0.1},
    "RandomCrop": {"height": 4, "width": 4},
    "RandomHeight": {"factor": 0.1},
    "RandomWidth": {"factor": 0.1},
}
ALL_SERIES = {
    "Conv1D": {"filters": 2, "kernel_size": 3},
    "SeparableConv1D": {"filters": 2, "kernel_size": 3},
    "DepthwiseConv1D": {"kernel_size": 3},
    "Conv1DTranspose": {"filters": 2, "kernel_size": 3},
    "LocallyConnected1D": {"filters": 2, "kernel_size": 3},
    "MaxPooling1D": {},
    "AveragePooling1D": {},
    "GlobalMaxPooling1D": {},
    "GlobalAveragePooling1D": {},
    "UpSampling1D": {},
    "ZeroPadding1D": {},
    "Cropping1D": {},
    "SpatialDropout1D": {"rate": 0.2},
    "LSTM": {"units": 3},
    "GRU": {"units": 3},
    "SimpleRNN": {"units": 3},
    "CuDNNLSTM": {"units": 3},
    "CuDNNGRU": {"units": 3},
    "Masking": {},
    "Permute": {"dims": (2, 1)},
    "Flatten": {},
}
VOLUMES = {
    "Conv3D": {"filters": 2, "kernel_size": 3},
    "Conv3DTranspose": {"filters": 2, "kernel_size": 3},
    "MaxPooling3D": {},
    "AveragePooling3D": {},
    "GlobalMaxPooling3D": {},
    "GlobalAveragePooling3D": {},
    "UpSampling3D": {},
    "ZeroPadding3D": {},
    "Cropping3D": {},
    "SpatialDropout3D": {"rate": 0.2},
}
VECTORS = {
    "Dense": {"units": 3},
    "Dropout": {"rate": 0.2},
    "GaussianNoise": {"stddev": 0.1},
    "GaussianDropout": {"rate": 0.2},
    "AlphaDropout": {"rate": 0.2},
    "ActivityRegularization": {"l1": 0.1},
    "Reshape": {"target_shape": (2, 2)},
    "RepeatVector": {"n": 2},
    "BatchNormalization": {},
    "LayerNormalization": {},
    "UnitNormalization": {},
    "RMSNormalization": {},
    "Normalization": {"mean": 0.0, "variance": 1.0},
    "Discretization": {"bin_boundaries": [0.0, 1.0]},
    "LeakyReLU": {},
    "PReLU": {},
    "ELU": {},
    "ThresholdedReLU": {},
    "Softmax": {},
    "ReLU": {},
    "Identity": {},
}
ACTIVATIONS = [
    "elu",
    "selu",
    "softplus",
    "softsign",
    "relu",
    "tanh",
    "sigmoid",
    "hard_sigmoid",
    "exponential",
    "linear",
    "softmax",
    "swish",
    "gelu",
    "silu",
    "mish",
    "leaky_relu",
    "relu6",
    "log_softmax",
    "hard_silu",
    "celu",
    "glu",
    "sparse_plus",
]
INITIALIZERS = {
    "Zeros": {}, "Ones": {}, "Constant": {"value": 0.5}, "RandomNormal": {}, "RandomUniform": {}, "TruncatedNormal": {},
    "VarianceScaling": {}, "Orthogonal": {}, "Identity": {}, "GlorotNormal": {}, "GlorotUniform": {}, "HeNormal": {},
    "HeUniform": {}, "LecunNormal": {}, "LecunUniform": {}, "he_normal": {}, "he_uniform": {}, "lecun_normal": {},
    "lecun_uniform": {}, "glorot_normal": {}, "glorot_uniform": {},
}  # fmt: skip
REGULARIZERS = {"l1": {}, "l2": {}, "l1_l2": {}, "L1": {}, "L2": {}, "L1L2": {}, "OrthogonalRegularizer": {}}
CONSTRAINTS = {"MaxNorm": {}, "NonNeg": {}, "UnitNorm": {}, "MinMaxNorm": {}, "max_norm": {}, "non_neg": {}}


def wrapped(shape, make):
    return lambda: Sequential([L.InputLayer(input_shape=shape), make()])


MORE = {
    "gru_not_reset_after": alone(SERIES, "GRU", 3, reset_after=False),
    "lstm_sequences": alone(SERIES, "LSTM", 3, return_sequences=True, dropout=0.1, recurrent_dropout=0.1),
    "lstm_stateful": lambda: Sequential([L.LSTM(3, stateful=True, batch_input_shape=(2, 6, 3))]),
    "lstm_backwards": alone(SERIES, "LSTM", 3, go_backwards=True),
    "bidirectional_lstm": wrapped(SERIES, lambda: L.Bidirectional(L.LSTM(3, return_sequences=True))),
    "bidirectional_gru": wrapped(SERIES, lambda: L.Bidirectional(L.GRU(3), merge_mode="sum")),
    "bidirectional_first": lambda: Sequential([L.Bidirectional(L.LSTM(3), input_shape=SERIES)]),
    "time_distributed": wrapped(SERIES, lambda: L.TimeDistributed(L.Dense(2))),
    "time_distributed_first": lambda: Sequential([L.TimeDistributed(L.Dense(2), input_shape=SERIES)]),
    "time_distributed_convolution": wrapped((4, 8, 8, 3), lambda: L.TimeDistributed(L.Conv2D(2, 3))),
    "time_distributed_model": wrapped((3, 4), lambda: L.TimeDistributed(small_sequential())),
    "rnn_of_cell": wrapped(SERIES, lambda: L.RNN(L.LSTMCell(3))),
    "rnn_of_cells": wrapped(SERIES, lambda: L.RNN([L.GRUCell(3), L.SimpleRNNCell(3)])),
    "conv_lstm": alone((4, 8, 8, 3), "ConvLSTM2D", 2, 3),
    "conv_lstm_1d": alone((4, 8, 3), "ConvLSTM1D", 2, 3),
    "spectral_normalization": wrapped(VECTOR, lambda: L.SpectralNormalization(L.Dense(3))),
    "einsum_dense": alone(SERIES, "EinsumDense", "abc,cd->abd", output_shape=(None, 5), bias_axes="d"),
    "embedding": alone((6,), "Embedding", 9, 4),
    "embedding_first": lambda: Sequential([L.Embedding(9, 4, input_length=6)]),
    "embedding_shape": lambda: Sequential([L.Embedding(9, 4, input_shape=(6,))]),
    "pooling_keepdims": alone(IMAGE, "GlobalAveragePooling2D", keepdims=True),
    "convolution_dilated": alone(IMAGE, "Conv2D", 2, 3, dilation_rate=2, padding="same"),
    "convolution_groups": alone(IMAGE, "Conv2D", 3, 3, groups=3),
    "upsampling_bilinear": alone(IMAGE, "UpSampling2D", interpolation="bilinear"),
    "batch_normalization_image": alone(IMAGE, "BatchNormalization"),
    "batch_normalization_plain": alone(IMAGE, "BatchNormalization", center=False, scale=False),
    "relu_6": alone(VECTOR, "ReLU", max_value=6.0),
    "leaky_relu_alpha": alone(VECTOR, "LeakyReLU", 0.1),
    "prelu_shared": alone(IMAGE, "PReLU", shared_axes=[1, 2]),
    "dot": merged("Dot", axes=1),
    "concatenate_axis": merged("Concatenate", axis=1),
    "attention": functional(SERIES, lambda first: L.Attention()([first, first])),
    "additive_attention": functional(SERIES, lambda first: L.AdditiveAttention()([first, first])),
    "multi_head_attention": functional(SERIES, lambda first: L.MultiHeadAttention(2, 3)(first, first)),
    "grouped_query_attention": functional(SERIES, lambda first: L.GroupedQueryAttention(3, 2, 1)(first, first)),
    "category_encoding": alone(VECTOR, "CategoryEncoding", 6),
    "hashing": alone((1,), "Hashing", 5, input_dtype="string"),
    "integer_lookup": alone((1,), "IntegerLookup", vocabulary=[3, 5], input_dtype="int64"),
    "string_lookup": alone((1,), "StringLookup", vocabulary=["a", "b"], input_dtype="string"),
    "text_vectorization": alone((1,), "TextVectorization", vocabulary=["a", "b"], input_dtype="string"),
    "input_sparse": lambda: Sequential([L.InputLayer(input_shape=VECTOR, sparse=True), L.Dense(2)]),
    "activation_layer_object": wrapped(VECTOR, lambda: L.Dense(3, activation=L.LeakyReLU())),
    "activation_function": dense_with(activation=keras.activations.relu),
    "seeded_dropout": alone(VECTOR, "Dropout", 0.2, seed=1),
    "activity_regularized": dense_with(activity_regularizer="l2"),
}


def parts():
    found = {"structure_" + name: build for name, build in STRUCTURES.items()}
    found.update(MORE)
    for shape, layers in ((IMAGE, IMAGES), (SERIES, ALL_SERIES), (VOLUME, VOLUMES), (VECTOR, VECTORS)):
        found.update({name: alone(shape, name, **options) for name, options in layers.items()})
    found.update(
        {name: merged(name) for name in ["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"]}
    )
    found.update({"dense_" + name: dense_with(activation=name) for name in ACTIVATIONS})
    found.update({"activation_" + name: alone(VECTOR, "Activation", name) for name in ACTIVATIONS})
    for kind, classes in (
        ("initializers", INITIALIZERS),
        ("regularizers", REGULARIZERS),
        ("constraints", CONSTRAINTS),
    ):
        found.update({kind + "_" + name: made_by(kind, name, **options) for name, options in classes.items()})
    return found


def save(parts, folder, account):
    has_keras_v3 = len(sys.argv) <= 3 and tuple(int(part) for part in tf.__version__.split(".")[:2]) >= (2, 12)
    with open(account, "w") as stream:
        for name, build in parts.items():
            keras.backend.clear_session()
            line = {"name": name, "saved": [], "failure": None}
            try:
                model = build()
                for suffix in (".h5", ".keras") if has_keras_v3 else (".h5",):
                    model.save(os.path.join(folder, name + suffix))
                    line["saved"].append(name + suffix)
            except Exception as error:
                line["failure"] = "%s: %s" % (type(error).__name__, str(error)[:300])
            stream.write(json.dumps(line) + "\n")
            stream.flush()


if __name__ == "__main__":
    save(parts(), sys.argv[1], sys.argv[2])
    sys.stdout.flush()
    os._exit(0)
