"""The models of the lab, as real ones are built: one function a model, which returns the model and its fixed inputs.

Runs inside every runtime: Python 3.7 and later, TensorFlow 1.15 and later. What a version cannot build raises there.
"""

import lab_layers
import numpy as np
import tensorflow as tf


def layer(name):
    """A layer under the name of its class; the preprocessing ones were experimental before 2.6."""
    found = getattr(tf.keras.layers, name, None)
    if found is None:
        found = getattr(tf.keras.layers.experimental.preprocessing, name)
    return found


L = tf.keras.layers


def numbers(*shape):
    return np.random.RandomState(7).uniform(-1.0, 1.0, shape).astype("float32")


def words(*shape):
    return np.random.RandomState(7).randint(0, 12, shape).astype("int32")


def functional(inputs, outputs):
    return tf.keras.Model(inputs, outputs)


def sequential(shape, *layers):
    return tf.keras.Sequential([tf.keras.Input(shape=shape)] + list(layers))


def dense():
    return sequential((4,), L.Dense(6, activation="relu"), L.Dense(3, activation="softmax")), [numbers(5, 4)]


def dense_functional():
    inputs = tf.keras.Input(shape=(4,), name="features")
    options = {"kernel_initializer": "he_normal", "kernel_regularizer": tf.keras.regularizers.l2(0.01)}
    hidden = L.Dense(6, activation="tanh", **options)(inputs)
    hidden = L.Dropout(0.3)(hidden)
    outputs = L.Dense(2, kernel_constraint=tf.keras.constraints.MaxNorm(3.0), name="scores")(hidden)
    return functional(inputs, outputs), [numbers(5, 4)]


def dense_without_input():
    """Built by its first call, so that no input shape is in its layers."""
    model = tf.keras.Sequential([L.Dense(6, activation="relu"), L.Dense(3)])
    model.build((None, 4))
    return model, [numbers(5, 4)]


def activations():
    inputs = tf.keras.Input(shape=(6,))
    hidden = L.LeakyReLU(0.2)(L.Dense(8)(inputs))
    hidden = L.PReLU()(L.Dense(8)(hidden))
    hidden = L.ELU(0.7)(L.Dense(8)(hidden))
    hidden = L.ReLU(max_value=6.0)(L.Dense(8, activation="selu")(hidden))
    return functional(inputs, L.Softmax()(L.Dense(3)(hidden))), [numbers(5, 6)]


def convolution():
    layers = [L.Conv2D(4, 3, activation="relu"), L.MaxPooling2D(), L.Conv2D(5, 3, padding="same"), L.Flatten()]
    return sequential((12, 12, 3), *(layers + [L.Dense(2)])), [numbers(2, 12, 12, 3)]


def convolution_separable():
    layers = [L.SeparableConv2D(4, 3, depth_multiplier=2), L.ReLU(), L.DepthwiseConv2D(3), L.GlobalAveragePooling2D()]
    return sequential((12, 12, 3), *(layers + [L.Dense(2)])), [numbers(2, 12, 12, 3)]


def convolution_transposed():
    layers = [L.Conv2DTranspose(4, 3, strides=2, padding="same"), L.UpSampling2D(), L.Conv2D(2, 3, strides=4)]
    return sequential((6, 6, 3), *layers), [numbers(2, 6, 6, 3)]


def batch_normalization():
    layers = [L.Conv2D(4, 3, use_bias=False), L.BatchNormalization(), L.Activation("relu"), L.GlobalMaxPooling2D()]
    return sequential((8, 8, 3), *(layers + [L.Dense(2)])), [numbers(2, 8, 8, 3)]


def layer_normalization():
    return sequential((5, 6), L.LayerNormalization(), L.Dense(4), L.Flatten(), L.Dense(2)), [numbers(3, 5, 6)]


def lstm():
    return sequential((7, 3), L.LSTM(5, return_sequences=True), L.LSTM(4), L.Dense(2)), [numbers(3, 7, 3)]


def gru():
    return sequential((7, 3), L.GRU(5), L.Dense(2)), [numbers(3, 7, 3)]


def bidirectional():
    layers = [L.Bidirectional(L.LSTM(4, return_sequences=True)), L.TimeDistributed(L.Dense(3)), L.Flatten()]
    return sequential((7, 3), *(layers + [L.Dense(2)])), [numbers(3, 7, 3)]


def stateful():
    inputs = tf.keras.Input(batch_shape=(3, 7, 3))
    return functional(inputs, L.Dense(2)(L.GRU(4, stateful=True)(inputs))), [numbers(3, 7, 3)]


def embedding():
    layers = [L.Embedding(12, 5), L.GlobalAveragePooling1D(), L.Dense(2)]
    return sequential((6,), *layers), [words(4, 6).astype("float32")]


def embedding_masked():
    inputs = tf.keras.Input(shape=(6,), dtype="int32")
    hidden = L.LSTM(4)(L.Embedding(12, 5, mask_zero=True)(inputs))
    return functional(inputs, L.Dense(2)(hidden)), [words(4, 6)]


def attention():
    inputs = tf.keras.Input(shape=(6, 4))
    hidden = L.Attention(use_scale=True)([inputs, L.Dense(4)(inputs)])
    return functional(inputs, L.Dense(2)(L.GlobalAveragePooling1D()(hidden))), [numbers(3, 6, 4)]


def attention_multi_head():
    inputs = tf.keras.Input(shape=(6, 4))
    hidden = L.MultiHeadAttention(num_heads=2, key_dim=3)(inputs, inputs)
    hidden = L.LayerNormalization()(L.Add()([inputs, hidden]))
    return functional(inputs, L.Dense(2)(L.GlobalAveragePooling1D()(hidden))), [numbers(3, 6, 4)]


def lambda_layer():
    return sequential((4,), L.Dense(5), L.Lambda(lambda values: values * 2.0 + 1.0), L.Dense(2)), [numbers(5, 4)]


def operators():
    """Arithmetic between layers, which every Keras stores in another way."""
    inputs = tf.keras.Input(shape=(4,))
    hidden = L.Dense(4)(inputs) * 2.0 + inputs
    return functional(inputs, L.Dense(2)(hidden / 3.0)), [numbers(5, 4)]


def registered_layer():
    return sequential((4,), L.Dense(5), lab_layers.RegisteredScale(3.0), L.Dense(2)), [numbers(5, 4)]


def unregistered_layer():
    return sequential((4,), L.Dense(5), lab_layers.UnregisteredScale(3.0), L.Dense(2)), [numbers(5, 4)]


def subclassed():
    model = lab_layers.TwoLayers(5)
    model.predict(numbers(5, 4))
    return model, [numbers(5, 4)]


def nested():
    inner = sequential((10, 10, 3), L.Conv2D(4, 3, activation="relu"), L.GlobalAveragePooling2D())
    inputs = tf.keras.Input(shape=(8, 8, 3))
    hidden = inner(L.ZeroPadding2D(1)(inputs))
    return functional(inputs, L.Dense(2)(hidden)), [numbers(2, 8, 8, 3)]


def shared_encoder():
    """One functional model called twice, as siamese networks do."""
    features = tf.keras.Input(shape=(4,))
    encoder = functional(features, L.Dense(5, activation="relu")(features))
    left, right = tf.keras.Input(shape=(4,)), tf.keras.Input(shape=(4,))
    joined = L.Subtract()([encoder(left), encoder(right)])
    return functional([left, right], L.Dense(2)(joined)), [numbers(5, 4), numbers(5, 4)[::-1].copy()]


def mixed_precision():
    policy = getattr(tf.keras.mixed_precision, "set_global_policy", None)
    if policy is None:
        policy = tf.keras.mixed_precision.experimental.set_policy
    policy("mixed_float16")
    try:
        inputs = tf.keras.Input(shape=(4,))
        hidden = L.Dense(6, activation="relu")(inputs)
        return functional(inputs, L.Dense(2, dtype="float32")(hidden)), [numbers(5, 4)]
    finally:
        policy("float32")


def text_vectorization():
    vectorize = layer("TextVectorization")(max_tokens=20, output_sequence_length=6)
    sentences = ["the cat sat on the mat", "a dog ate my model", "the model sat"]
    vectorize.adapt(np.array(sentences))
    inputs = tf.keras.Input(shape=(1,), dtype="string")
    hidden = L.GlobalAveragePooling1D()(L.Embedding(20, 4)(vectorize(inputs)))
    return functional(inputs, L.Dense(2)(hidden)), [np.array([[each] for each in sentences])]


def normalization():
    normalize = layer("Normalization")()
    normalize.adapt(numbers(64, 4) * np.array([1.0, 5.0, 20.0, 3.0], "float32") + 2.0)
    inputs = tf.keras.Input(shape=(4,))
    return functional(inputs, L.Dense(2)(normalize(inputs))), [numbers(5, 4)]


def augmentation():
    inputs = tf.keras.Input(shape=(12, 12, 3))
    hidden = layer("RandomRotation")(0.1)(layer("RandomFlip")("horizontal")(inputs))
    hidden = layer("CenterCrop")(8, 8)(layer("Rescaling")(1.0 / 255, offset=-0.5)(hidden))
    return functional(inputs, L.Dense(2)(L.Flatten()(hidden))), [numbers(2, 12, 12, 3) * 255]


def multi_input():
    left, right = tf.keras.Input(shape=(4,), name="left"), tf.keras.Input(shape=(6,), name="right")
    joined = L.Concatenate()([L.Dense(3)(left), L.Dense(3)(right)])
    return functional([left, right], L.Dense(2)(joined)), [numbers(5, 4), numbers(5, 6)]


def optimizer_state():
    model, inputs = dense_functional()
    model.compile(optimizer=tf.keras.optimizers.Adam(0.001), loss="mse", metrics=["mae"])
    model.train_on_batch(inputs[0], numbers(5, 2))
    return model, inputs


def custom_loss():
    model, inputs = dense_functional()
    model.compile(optimizer="sgd", loss=lab_layers.weighted_error, metrics=[lab_layers.largest_error])
    model.train_on_batch(inputs[0], numbers(5, 2))
    return model, inputs


MODELS = {
    build.__name__: build
    for build in (
        dense,
        dense_functional,
        dense_without_input,
        activations,
        convolution,
        convolution_separable,
        convolution_transposed,
        batch_normalization,
        layer_normalization,
        lstm,
        gru,
        bidirectional,
        stateful,
        embedding,
        embedding_masked,
        attention,
        attention_multi_head,
        lambda_layer,
        operators,
        registered_layer,
        unregistered_layer,
        subclassed,
        nested,
        shared_encoder,
        mixed_precision,
        text_vectorization,
        normalization,
        augmentation,
        multi_input,
        optimizer_state,
        custom_loss,
    )
}

COMPILED = ("optimizer_state", "custom_loss")
LEARNED = ("Normalization", "TextVectorization")
"""Layers whose weights are what they learned of their data, and stay."""


def randomize(model, seed):
    """Set every other floating weight to fixed noise, so that a weight which is not restored shows in the outputs."""
    noise = np.random.RandomState(seed)
    learning = [each for each in getattr(model, "layers", ()) if type(each).__name__ in LEARNED]
    for each in [each for each in model.layers if each not in learning] if learning else [model]:
        each.set_weights([fixed(noise, *pair) for pair in zip(each.weights, each.get_weights())])


def fixed(noise, variable, value):
    if value.dtype.kind != "f" or not value.ndim:
        return value
    fresh = noise.normal(0.0, 0.4, value.shape).astype(value.dtype)
    return abs(fresh) + 0.5 if "variance" in variable.name else fresh


def built(name, seed=1):
    tf.keras.backend.clear_session()
    model, inputs = MODELS[name]()
    randomize(model, seed)
    return model, inputs


def outputs_of(model, inputs):
    """What the model gives for its inputs, the first output alone. From its first state, where it keeps one."""
    if tf.executing_eagerly():
        given = [tf.constant(each) for each in inputs]
        value = model(given if len(given) > 1 else given[0], training=False)
    else:
        value = model.predict_on_batch(inputs if len(inputs) > 1 else inputs[0])
    if isinstance(value, dict):
        value = value[sorted(value)[0]]
    if isinstance(value, (list, tuple)):
        value = value[0]
    return np.asarray(value)
