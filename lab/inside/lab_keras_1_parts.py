"""Models of one part each as Keras 1 wrote them: `python lab_keras_1_parts.py FOLDER ACCOUNT keras`.

Its classes have names of their own (`Convolution2D`, `Merge`), and so have their options (`output_dim`, `init`, `p`).
"""

import json
import os
import sys

import keras
from keras.layers.wrappers import Bidirectional, TimeDistributed

L = keras.layers
Sequential = keras.models.Sequential
IMAGE, SERIES, VECTOR = (8, 8, 3), (6, 3), (4,)


def alone(shape, name, *given, **options):
    return lambda: Sequential([getattr(L, name)(*given, input_shape=shape, **options)])


def functional():
    first = L.Input(shape=VECTOR)
    return keras.models.Model(first, L.merge([L.Dense(3)(first), L.Dense(3)(first)], mode="sum"))


def merged():
    return Sequential([L.Merge([alone(VECTOR, "Dense", 3)(), alone(VECTOR, "Dense", 3)()], mode="concat"), L.Dense(2)])


PARTS = {
    "Dense": alone(VECTOR, "Dense", 3, activation="relu"),
    "Dense_regularized": alone(VECTOR, "Dense", 3, W_regularizer="l2", init="normal"),
    "Dropout": lambda: Sequential([L.Dense(3, input_shape=VECTOR), L.Dropout(0.2)]),
    "Dropout_first": alone(VECTOR, "Dropout", 0.2),
    "Activation_first": alone(VECTOR, "Activation", "relu"),
    "Flatten": lambda: Sequential([L.Flatten(input_shape=IMAGE), L.Dense(2)]),
    "Flatten_first": alone(IMAGE, "Flatten"),
    "Reshape": alone(VECTOR, "Reshape", (2, 2)),
    "Permute": alone(SERIES, "Permute", (2, 1)),
    "RepeatVector": alone(VECTOR, "RepeatVector", 2),
    "Lambda": alone(VECTOR, "Lambda", lambda x: x / 2),
    "Masking": alone(SERIES, "Masking"),
    "GaussianNoise": alone(VECTOR, "GaussianNoise", 0.1),
    "BatchNormalization": alone(VECTOR, "BatchNormalization"),
    "LeakyReLU": alone(VECTOR, "LeakyReLU"),
    "PReLU": alone(VECTOR, "PReLU"),
    "ELU": alone(VECTOR, "ELU"),
    "Embedding": lambda: Sequential([L.Embedding(9, 4, input_length=6)]),
    "LSTM": alone(SERIES, "LSTM", 3),
    "GRU": alone(SERIES, "GRU", 3),
    "SimpleRNN": alone(SERIES, "SimpleRNN", 3),
    "Bidirectional": lambda: Sequential([Bidirectional(L.LSTM(3), input_shape=SERIES)]),
    "TimeDistributed": lambda: Sequential([TimeDistributed(L.Dense(2), input_shape=SERIES)]),
    "TimeDistributedDense": alone(SERIES, "TimeDistributedDense", 2),
    "MaxoutDense": alone(VECTOR, "MaxoutDense", 3),
    "Highway": alone(VECTOR, "Highway"),
    "Convolution1D": alone(SERIES, "Convolution1D", 2, 3),
    "Convolution2D": alone(IMAGE, "Convolution2D", 2, 3, 3),
    "Deconvolution2D": alone(IMAGE, "Deconvolution2D", 2, 3, 3, output_shape=(None, 10, 10, 2)),
    "SeparableConvolution2D": alone(IMAGE, "SeparableConvolution2D", 2, 3, 3),
    "AtrousConvolution2D": alone(IMAGE, "AtrousConvolution2D", 2, 3, 3),
    "MaxPooling1D": alone(SERIES, "MaxPooling1D"),
    "MaxPooling2D": alone(IMAGE, "MaxPooling2D"),
    "AveragePooling2D": alone(IMAGE, "AveragePooling2D"),
    "GlobalAveragePooling2D": alone(IMAGE, "GlobalAveragePooling2D"),
    "GlobalMaxPooling1D": alone(SERIES, "GlobalMaxPooling1D"),
    "ZeroPadding2D": alone(IMAGE, "ZeroPadding2D"),
    "Cropping2D": alone(IMAGE, "Cropping2D"),
    "UpSampling2D": alone(IMAGE, "UpSampling2D"),
    "SpatialDropout2D": alone(IMAGE, "SpatialDropout2D", 0.2),
    "functional": functional,
    "merged": merged,
}


def save(folder, account):
    with open(account, "w") as stream:
        for name, build in PARTS.items():
            keras.backend.clear_session()
            line = {"name": name, "saved": [], "failure": None}
            try:
                build().save(os.path.join(folder, name + ".h5"))
                line["saved"].append(name + ".h5")
            except Exception as error:
                line["failure"] = "%s: %s" % (type(error).__name__, str(error)[:300])
            stream.write(json.dumps(line) + "\n")
            stream.flush()


if __name__ == "__main__":
    save(sys.argv[1], sys.argv[2])
    sys.stdout.flush()
    os._exit(0)
