"""Models of one part each as `.keras` and as nothing else: `python lab_archive_parts.py FOLDER ACCOUNT`.

TensorFlow 2.12 to 2.14 write a model otherwise that they saved as HDF5 before: without modules and how to build it.
"""

import json
import os
import sys

import tensorflow as tf
from lab_parts import (
    ALL_SERIES,
    IMAGE,
    IMAGES,
    MORE,
    SERIES,
    STRUCTURES,
    VECTOR,
    VECTORS,
    VOLUME,
    VOLUMES,
    alone,
    merged,
)

FORMAT = "keras_v3" if tf.__version__.startswith("2.12") else "keras"
"""What 2.12 calls keras is HDF5."""
MERGED = ["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"]


def parts():
    found = {"structure_" + name: build for name, build in STRUCTURES.items()}
    found.update(MORE)
    for shape, layers in ((IMAGE, IMAGES), (SERIES, ALL_SERIES), (VOLUME, VOLUMES), (VECTOR, VECTORS)):
        found.update({name: alone(shape, name, **options) for name, options in layers.items()})
    found.update({name: merged(name) for name in MERGED})
    found["Activation"] = alone(VECTOR, "Activation", "relu")
    return found


def save(folder, account):
    with open(account, "w") as stream:
        for name, build in parts().items():
            tf.keras.backend.clear_session()
            line = {"name": name, "saved": [], "failure": None}
            try:
                build().save(os.path.join(folder, name + ".keras"), save_format=FORMAT)
                line["saved"].append(name + ".keras")
            except Exception as error:
                line["failure"] = "%s: %s" % (type(error).__name__, str(error)[:300])
            stream.write(json.dumps(line) + "\n")
            stream.flush()


if __name__ == "__main__":
    save(sys.argv[1], sys.argv[2])
    sys.stdout.flush()
    os._exit(0)
