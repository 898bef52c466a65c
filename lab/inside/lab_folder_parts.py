"""Keras models as SavedModels with their Keras metadata, few parts each: `python lab_folder_parts.py FOLDER ACCOUNT`.

A SavedModel takes a second to write and another to read, so layers of one input shape share a model. Runs inside every
runtime that has Keras 2.
"""

import json
import os
import sys

import lab_parts
import lab_value_parts
import tensorflow as tf
from lab_parts import IMAGE, SERIES, VECTOR, L, Model

TOGETHER = 12
"""So many layers share a model."""
ALONE = [
    "training_sequential", "mask_tensor", "states_LSTM", "attention_by_name", "type_int64", "type_uint8",
    "ends_list_list", "ends_mapping_mapping", "nested_three", "nested_three_mixed", "model_called_twice",
    "sequential_called_twice", "distributed_functional", "name_with_slash", "built_late", "lambda_arguments",
    "policy_mixed", "cells_stacked", "bidirectional_other", "strings_adapted", "strings_one_hot", "integers_one_hot",
    "text_adapted", "normalization_adapted",
]  # fmt: skip
OF_PARTS = [
    "structure_sequential_with_input_shape", "structure_op_slice_range", "structure_op_concat",
    "structure_frozen_functional_in_sequential", "time_distributed_convolution", "conv_lstm",
]  # fmt: skip


def together(shape, layers):
    def build():
        first = L.Input(shape=shape)
        made = [lab_parts.layer(name)(**options)(first) for name, options in layers]
        return Model(first, made)

    return build


def is_made(shape, name, options):
    """Whether this Keras has the layer, and takes such an input."""
    try:
        together(shape, [(name, options)])()
    except Exception:
        return False
    return True


def groups():
    """Name → how to build it, of layers by the shape of their input."""
    shapes = {"images": (IMAGE, lab_parts.IMAGES), "series": (SERIES, lab_parts.ALL_SERIES)}
    shapes.update({"volumes": (lab_parts.VOLUME, lab_parts.VOLUMES), "vectors": (VECTOR, lab_parts.VECTORS)})
    found = {}
    for kind, (shape, layers) in shapes.items():
        made = [each for each in layers.items() if is_made(shape, *each)]
        for at in range(0, len(made), TOGETHER):
            found["%s_%d" % (kind, at // TOGETHER)] = together(shape, made[at : at + TOGETHER])
    return found


def parts():
    found = groups()
    values, plain = lab_value_parts.parts(), lab_parts.parts()
    found.update({name: values[name] for name in ALONE})
    found.update({name: plain[name] for name in OF_PARTS if name in plain})
    return found


def main(folder, account):
    with open(account, "w") as stream:
        for name, build in parts().items():
            tf.keras.backend.clear_session()
            line = {"name": name, "format": "saved_model", "failure": None}
            try:
                build().save(os.path.join(folder, name), save_format="tf")
            except Exception as error:
                line["failure"] = "%s: %s" % (type(error).__name__, str(error)[:300])
            stream.write(json.dumps(line) + "\n")
            stream.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
    sys.stdout.flush()
    os._exit(0)
