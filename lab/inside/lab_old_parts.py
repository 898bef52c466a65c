"""What Keras wrote as a package of its own before TensorFlow brought one, and nobody after it.

`python lab_old_parts.py FOLDER ACCOUNT keras` saves Sequential models that begin with a shape in place of an input, one
for each layer that such a shape reaches; and layers of types that are no longer written, or that are built on a GPU
alone, which are made by changing what a file says.
"""

import json
import os
import sys

import h5py
import keras
from lab_parts import ALL_SERIES, IMAGE, IMAGES, SERIES, VECTOR, VECTORS, VOLUME, VOLUMES

L = keras.layers
Sequential = keras.models.Sequential


def beginning(shape, name, *given, **options):
    """With what follows in nearly every model, and needs to be told how many numbers it is given."""
    return lambda: Sequential([getattr(L, name)(*given, input_shape=shape, **options), L.Dense(2)])


def wrapped(shape, wrapper, name, **options):
    return lambda: Sequential([getattr(L, wrapper)(getattr(L, name)(**options), input_shape=shape), L.Dense(2)])


def beginnings():
    found = {}
    for shape, layers in ((IMAGE, IMAGES), (SERIES, ALL_SERIES), (VOLUME, VOLUMES), (VECTOR, VECTORS)):
        found.update({name: beginning(shape, name, **options) for name, options in layers.items()})
    found.update(
        {
            "Activation": beginning(VECTOR, "Activation", "relu"),
            "Embedding": lambda: Sequential([L.Embedding(9, 4, input_length=6), L.Dense(2)]),
            "Lambda": lambda: Sequential([L.Lambda(lambda x: x / 2, input_shape=VECTOR), L.Dense(2)]),
            "BatchNormalization_along_1": beginning(VECTOR, "BatchNormalization", axis=1),
            "BatchNormalization_along_3": beginning(IMAGE, "BatchNormalization", axis=3),
            "Reshape_into_image": lambda: Sequential(
                [L.Dense(8, input_shape=VECTOR), L.Reshape((2, 2, 2)), L.Conv2D(2, 1), L.Flatten(), L.Dense(2)]
            ),
            "ConvLSTM2D": beginning((4, 8, 8, 3), "ConvLSTM2D", 2, 3),
            "Bidirectional_LSTM": wrapped(SERIES, "Bidirectional", "LSTM", units=3),
            "Bidirectional_GRU": wrapped(SERIES, "Bidirectional", "GRU", units=3),
            "TimeDistributed_Dense": wrapped(SERIES, "TimeDistributed", "Dense", units=3),
            "TimeDistributed_Conv2D": wrapped((4, 8, 8, 3), "TimeDistributed", "Conv2D", filters=2, kernel_size=3),
        }
    )
    return {"begins_" + name: (build, None) for name, build in found.items()}


# --- what a file is made to say -----------------------------------------------------------------------------------


def layers_of(config):
    return config["layers"] if isinstance(config, dict) else config


def of_whole_numbers(config):
    """As Keras 2.0.4 wrote an Embedding: of the type of what it looks up."""
    for each in layers_of(config):
        if each["class_name"] == "Embedding":
            each["config"]["dtype"] = "int32"


def of_cudnn(config):
    """In place of the layer that needs no GPU; the weights of either are read as those of the other."""
    for each in layers_of(config):
        inner = each["config"].get("layer", each)
        if inner["class_name"] in ("LSTM", "GRU"):
            kind = getattr(L, "CuDNN" + inner["class_name"])
            said = kind(inner["config"]["units"]).get_config()
            inner["config"] = dict(said, name=inner["config"]["name"])
            inner["class_name"] = kind.__name__


def looking_up():
    first = L.Input(shape=(6,), dtype="int32")
    return keras.models.Model(first, L.LSTM(3)(L.Embedding(9, 4)(first)))


def recurrent(make):
    def build():
        first = L.Input(shape=SERIES)
        return keras.models.Model(first, make()(first))

    return build


CHANGED = {
    "embedding_of_whole_numbers": (looking_up, of_whole_numbers),
    "embedding_of_whole_numbers_first": (
        lambda: Sequential([L.Embedding(9, 4, input_length=6), L.LSTM(3)]),
        of_whole_numbers,
    ),
    "cudnn_LSTM": (recurrent(lambda: L.LSTM(3)), of_cudnn),
    "cudnn_GRU": (recurrent(lambda: L.GRU(3, reset_after=True)), of_cudnn),
    "cudnn_bidirectional": (recurrent(lambda: L.Bidirectional(L.LSTM(3))), of_cudnn),
}


def save(folder, account):
    parts = dict(beginnings(), **CHANGED)
    with open(account, "w") as stream:
        for name, (build, change) in parts.items():
            keras.backend.clear_session()
            line = {"name": name, "saved": [], "failure": None}
            try:
                path = os.path.join(folder, name + ".h5")
                build().save(path)
                if change is not None:
                    rewrite(path, change)
                line["saved"].append(name + ".h5")
            except Exception as error:
                line["failure"] = "%s: %s" % (type(error).__name__, str(error)[:300])
            stream.write(json.dumps(line) + "\n")
            stream.flush()


def rewrite(path, change):
    with h5py.File(path, "r+") as file:
        said = json.loads(file.attrs["model_config"])
        change(said["config"])
        file.attrs["model_config"] = json.dumps(said).encode()


if __name__ == "__main__":
    save(sys.argv[1], sys.argv[2])
    sys.stdout.flush()
    os._exit(0)
