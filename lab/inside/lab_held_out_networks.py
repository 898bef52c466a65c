"""More models that nothing is learnt from, by what they are for. `lab_held_out.py` saves them with its own."""

import sys

import numpy as np

if len(sys.argv) > 3:
    import keras

    tf = None
else:
    import tensorflow as tf

    keras = tf.keras

L = keras.layers
Model = keras.models.Model
Sequential = keras.models.Sequential


def layer(name):
    found = getattr(L, name, None)
    if found is None:
        found = getattr(L.experimental.preprocessing, name)
    return found


# --- images -------------------------------------------------------------------------------------------------------


def residual():
    def block(x, filters, stride):
        y = L.Conv2D(filters, 3, strides=stride, padding="same", kernel_initializer="he_normal", use_bias=False)(x)
        y = L.Activation("relu")(L.BatchNormalization(momentum=0.9, epsilon=1e-5)(y))
        y = L.BatchNormalization()(L.Conv2D(filters, 3, padding="same", kernel_regularizer="l2")(y))
        if stride != 1:
            x = L.Conv2D(filters, 1, strides=stride)(x)
        return L.ReLU()(L.Add()([x, y]))

    inputs = L.Input(shape=(32, 32, 3))
    x = L.MaxPooling2D(3, strides=2)(L.Conv2D(8, 7, strides=2)(L.ZeroPadding2D(padding=(3, 3))(inputs)))
    return Model(inputs, L.Dense(5, activation="softmax")(L.GlobalAveragePooling2D()(block(block(x, 8, 1), 16, 2))))


def classic():
    layers = [L.Conv2D(4, (3, 3), activation="relu", padding="same", input_shape=(28, 28, 1)), L.MaxPooling2D((2, 2))]
    layers += [L.Conv2D(8, (3, 3), activation="relu"), L.MaxPooling2D(), L.Flatten(), L.Dense(16, activation="relu")]
    model = Sequential(layers + [L.Dropout(0.5), L.Dense(10, activation="softmax")])
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    model.fit(np.zeros((8, 28, 28, 1), "float32"), np.zeros((8,), "int32"), verbose=0)
    return model


def excited():
    inputs = L.Input(shape=(16, 16, 4))
    x = L.SeparableConv2D(8, 3, padding="same", activation="swish")(inputs)
    x = L.DepthwiseConv2D(5, padding="same", depthwise_initializer="he_uniform")(x)
    weights = L.Reshape((1, 1, 8))(L.GlobalAveragePooling2D()(x))
    weights = L.Dense(8, activation="hard_sigmoid")(L.Dense(2, activation="relu")(weights))
    return Model(inputs, L.Conv2D(3, 1, activation="linear")(L.Multiply()([x, weights])))


def branches():
    inputs = L.Input(shape=(12, 12, 3))
    sides = [L.Conv2D(4, size, padding="same", activation="relu")(inputs) for size in (1, 3, 5)]
    sides.append(L.Conv2D(4, 1)(L.AveragePooling2D((3, 3), strides=(1, 1), padding="same")(inputs)))
    joined = L.SpatialDropout2D(0.1)(L.concatenate(sides, axis=-1))
    first = L.Dense(3, name="kind", activation="softmax")(L.GlobalMaxPooling2D()(joined))
    return Model(inputs, [first, L.Dense(4, name="box")(L.Flatten()(joined))])


def detector():
    inputs = L.Input(shape=(None, None, 3))
    x = L.Conv2D(4, 3, strides=2, use_bias=False)(L.ZeroPadding2D(((1, 0), (1, 0)))(inputs))
    x = L.LeakyReLU(0.1)(L.BatchNormalization()(x))
    y = L.Conv2D(8, 3, strides=2, padding="same")(x)
    up = L.Concatenate()([L.UpSampling2D(2, interpolation="nearest")(y), x])
    return Model(inputs, [L.Conv2D(6, 1)(y), L.Conv2D(6, 1)(up)])


def generator():
    layers = [L.Dense(4 * 4 * 8, use_bias=False, input_shape=(10,)), L.BatchNormalization(), L.LeakyReLU()]
    layers += [L.Reshape((4, 4, 8)), L.Conv2DTranspose(4, 5, strides=2, padding="same"), L.ELU()]
    return Sequential(layers + [L.Conv2DTranspose(1, 5, strides=(2, 2), padding="same", activation="tanh")])


def autoencoder():
    inputs = L.Input(shape=(16,), name="encoder_input")
    encoder = Model(inputs, L.Dense(4, activation="relu")(inputs), name="encoder")
    latent = L.Input(shape=(4,), name="latent")
    decoder = Model(latent, L.Dense(16, activation="sigmoid")(latent), name="decoder")
    whole = L.Input(shape=(16,))
    return Model(whole, decoder(encoder(whole)), name="autoencoder")


def efficient():
    return keras.applications.EfficientNetB0(input_shape=(32, 32, 3), weights=None, classes=2)


def fine_tuned():
    base = keras.applications.Xception(input_shape=(71, 71, 3), include_top=False, weights=None, pooling="avg")
    for each in base.layers[:-4]:
        each.trainable = False
    return Model(inputs=base.input, outputs=L.Dense(2, activation="softmax")(L.Dropout(0.3)(base.output)))


def augmented():
    grown = Sequential([layer("RandomFlip")("horizontal"), layer("RandomRotation")(0.1), layer("RandomZoom")(0.1)])
    inputs = L.Input(shape=(16, 16, 3))
    x = layer("Rescaling")(1.0 / 127.5, offset=-1)(grown(inputs))
    return Model(inputs, L.Dense(3)(L.Flatten()(L.Conv2D(4, 3, activation="relu")(x))))


def of_patches():
    inputs = L.Input(shape=(16, 16, 3))
    patches = L.Reshape((16, 8))(L.Conv2D(8, 4, strides=4)(inputs))
    x = patches
    for _ in range(2):
        y = L.LayerNormalization(epsilon=1e-6)(x)
        x = L.Add()([x, L.MultiHeadAttention(num_heads=2, key_dim=4, dropout=0.1)(y, y)])
        y = L.Dense(16, activation="gelu")(L.LayerNormalization(epsilon=1e-6)(x))
        x = x + L.Dense(8)(L.Dropout(0.1)(y))
    return Model(inputs, L.Dense(3)(L.GlobalAveragePooling1D()(x)))


# --- series and text ----------------------------------------------------------------------------------------------


def sentences():
    inputs = L.Input(shape=(12,), dtype="int32")
    words = (
        L.Embedding(30, 6, input_length=12)(inputs) if tf and tf.__version__ < "2.16" else L.Embedding(30, 6)(inputs)
    )
    words = L.SpatialDropout1D(0.2)(words)
    sides = [L.GlobalMaxPooling1D()(L.Conv1D(4, size, activation="relu")(words)) for size in (2, 3)]
    return Model(inputs, L.Dense(1, activation="sigmoid")(L.Concatenate()(sides)))


def reviews():
    layers = [L.Embedding(30, 6, mask_zero=True), L.Bidirectional(L.LSTM(4, return_sequences=True)), L.LSTM(3)]
    model = Sequential(layers + [L.Dense(4, activation="relu"), L.Dense(1)])
    model.compile(loss=keras.losses.BinaryCrossentropy(from_logits=True), optimizer=keras.optimizers.Adam(1e-4))
    model.fit(np.ones((4, 7), "int32"), np.ones((4, 1), "float32"), verbose=0)
    return model


def attended():
    inputs = L.Input(shape=(7, 3))
    states = L.GRU(4, return_sequences=True, recurrent_initializer="glorot_uniform")(inputs)
    weights = L.Activation("softmax")(L.Flatten()(L.Dense(1, activation="tanh")(states)))
    weights = L.Permute([2, 1])(L.RepeatVector(4)(weights))
    return Model(inputs, L.Dense(2)(L.Flatten()(L.Multiply()([states, weights]))))


def sequences():
    layers = [L.LSTM(5, activation="relu", input_shape=(6, 2)), L.RepeatVector(3)]
    layers += [L.LSTM(5, activation="relu", return_sequences=True), L.TimeDistributed(L.Dense(1))]
    model = Sequential(layers)
    model.compile(optimizer="adam", loss="mae")
    return model


def text_on_images():
    inputs = L.Input(shape=(32, 16, 1), name="image")
    x = L.MaxPooling2D((2, 2))(L.Conv2D(4, 3, padding="same", kernel_initializer="he_normal", name="conv")(inputs))
    x = L.Dense(6, activation="relu")(L.Reshape(target_shape=(16, 32))(x))
    x = L.Bidirectional(L.LSTM(4, return_sequences=True, dropout=0.25))(x)
    return Model(inputs, L.Dense(12, activation="softmax", name="letters")(x))


def forecast():
    inputs = L.Input(shape=(24, 2))
    x = L.Conv1D(4, 3, padding="causal", activation="relu")(inputs)
    x = L.AveragePooling1D(2)(L.BatchNormalization()(L.Conv1D(4, 3, strides=2, padding="same")(x)))
    return Model(inputs, L.Dense(3, kernel_initializer=keras.initializers.RandomNormal(stddev=0.01))(L.Flatten()(x)))


def running():
    layers = [L.GRU(3, stateful=True, return_sequences=True, batch_input_shape=(1, None, 2))]
    return Sequential(layers + [L.Dense(2, activation="softmax")])


def questions():
    inputs = L.Input(shape=(1,), dtype="string")
    vectorize = layer("TextVectorization")(max_tokens=20, output_mode="int", output_sequence_length=5)
    vectorize.adapt(np.array(["one question", "and one answer"]))
    words = L.Embedding(20, 4)(vectorize(inputs))
    return Model(inputs, L.Dense(1)(L.GlobalAveragePooling1D()(words)))


# --- tables of numbers --------------------------------------------------------------------------------------------


def recommender():
    user, item = L.Input(shape=(1,), name="user"), L.Input(shape=(1,), name="item")
    options = {"embeddings_initializer": "he_normal", "embeddings_regularizer": keras.regularizers.l2(1e-6)}
    left, right = L.Embedding(9, 4, **options)(user), L.Embedding(7, 4, **options)(item)
    dot = L.Flatten()(L.Dot(axes=2)([left, right]))
    model = Model([user, item], L.Activation("sigmoid")(dot))
    model.compile(loss="binary_crossentropy", optimizer=keras.optimizers.Adam())
    return model


def prices():
    normalize = layer("Normalization")(axis=-1)
    normalize.adapt(np.array([[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]], "float32"))
    return Sequential([normalize, L.Dense(8, activation="relu"), L.Dense(8, activation="relu"), L.Dense(1)])


def player():
    model = Sequential()
    model.add(L.Dense(24, input_dim=4, activation="relu"))
    model.add(L.Dense(24, activation="relu"))
    model.add(L.Dense(2, activation="linear"))
    model.compile(loss="mse", optimizer=keras.optimizers.RMSprop())
    return model


def experts():
    inputs = {name: L.Input(shape=(3,), name=name) for name in ("age", "income")}
    hidden = [L.Dense(4, activation="selu", kernel_initializer="lecun_normal")(each) for each in inputs.values()]
    outputs = {
        "risk": L.Dense(1, name="risk")(L.Average()(hidden)),
        "class": L.Dense(2, name="class")(L.Maximum()(hidden)),
    }
    return Model(inputs=inputs, outputs=outputs)


NETWORKS = [
    residual, classic, excited, branches, detector, generator, autoencoder, efficient, fine_tuned, augmented,
    of_patches, sentences, reviews, attended, sequences, text_on_images, forecast, running, questions, recommender,
    prices, player, experts,
]  # fmt: skip
NETWORKS_AS_FOLDERS = [
    "residual", "classic", "branches", "autoencoder", "augmented", "of_patches", "reviews", "attended", "sequences",
    "questions", "recommender", "prices", "experts",
]  # fmt: skip
NETWORKS_AS_LITE = ["classic", "excited", "forecast", "branches", "generator"]
