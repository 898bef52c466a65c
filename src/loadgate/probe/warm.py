"""Pay once, in the parent, for what every child's first load would pay again: lazy imports, registries and caches.

Nothing here runs an op. Layers are built inside a graph, where variables and calls are only written down; whether the
process may still be forked is checked afterwards by whoever called. What was seen to run an op all the same is left
out: recurrent layers (their constructor lists devices), and batch normalisation unless it is told not to train.
"""

import os
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any, Callable, List


def kernels() -> None:
    """TensorFlow sorts its kernels into a registry when the first one is looked up."""
    from tensorflow.python.framework import kernels as registry

    registry.get_registered_kernels_for_op("AddV2")


def operations() -> None:
    """At the first name that is no op, TensorFlow writes a copy of all its ops for a log line that nobody reads."""
    from tensorflow.python.framework import op_def_registry

    op_def_registry.get("NoSuchOp")


def keras_2_layers() -> None:
    import tensorflow as tf

    keras = tf.keras
    layers = keras.layers
    with tf.Graph().as_default():
        image = keras.Input((16, 16, 3))
        features = layers.Conv2D(2, 3, padding="same", activation="relu")(image)
        features = layers.BatchNormalization()(features, training=False)
        features = layers.SeparableConv2D(2, 3)(features)
        features = layers.MaxPooling2D()(layers.ReLU()(features))
        features = layers.GlobalAveragePooling2D()(features)
        words = keras.Input((10,))
        text = layers.Flatten()(layers.Embedding(5, 3)(words))
        both = layers.Dense(1, activation="sigmoid")(layers.Concatenate()([features, text]))
        model = keras.Model([image, words], both)
        keras.Model.from_config(model.get_config())


def keras_2_types() -> None:
    """Abstract classes remember for each type whether it is theirs; to find out takes up to two milliseconds."""
    import numpy as np
    import tensorflow as tf
    from keras.src.engine.keras_tensor import KerasTensor
    from keras.src.saving.serialization_lib import Config
    from tensorflow.python.framework.composite_tensor import CompositeTensor
    from tensorflow.python.framework.ops import EagerTensor
    from tensorflow.python.framework.type_spec import TypeSpec

    made = [value for value in vars(tf.keras.initializers).values() if isinstance(value, type)]
    for kind in made + [KerasTensor, Config, EagerTensor, np.ndarray, dict, list, tuple, float, int, str, type(None)]:
        for abstract in (CompositeTensor, TypeSpec, Mapping, Sequence):
            issubclass(kind, abstract)


def keras_2_file() -> None:
    """Read a model without weights from a file: to restore a weight would be an op."""
    import h5py
    import tensorflow as tf

    keras = tf.keras
    with tempfile.TemporaryDirectory() as folder, tf.Graph().as_default():
        model = keras.Sequential([keras.Input((4,)), keras.layers.ReLU()])
        path = os.path.join(folder, "model.h5")
        with h5py.File(path, "w") as file:
            file.attrs["model_config"] = model.to_json().encode()
            file.attrs["keras_version"] = file.attrs["backend"] = b"tensorflow"
            file.create_group("model_weights").attrs["layer_names"] = []
        keras.models.load_model(path, compile=False)


def keras_3_layers() -> None:
    """Deserialise layers without building them: Keras 3 makes variables eagerly, whatever graph it is in.

    They have names, so that the first unnamed layer of a model is still called what it would be called anywhere else.
    """
    import tensorflow as tf

    layers = tf.keras.layers
    for layer in (
        layers.Dense(1, name="warm"),
        layers.Conv2D(1, 1, name="warm"),
        layers.SeparableConv2D(1, 1, name="warm"),
        layers.BatchNormalization(name="warm"),
        layers.Embedding(2, 2, name="warm"),
        layers.ReLU(name="warm"),
        layers.MaxPooling2D(name="warm"),
        layers.GlobalAveragePooling2D(name="warm"),
        layers.Flatten(name="warm"),
        layers.Concatenate(name="warm"),
    ):
        layers.deserialize(layers.serialize(layer))


def keras_3_file() -> None:
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.keras")
        with open(path, "wb") as file:
            file.write(b"no model")
        tf.keras.models.load_model(path, compile=False)


def steps() -> List[Callable[[], Any]]:
    import tensorflow as tf

    is_keras_3 = getattr(tf.keras, "__version__", "2").startswith("3")
    return [kernels, operations] + (
        [keras_3_layers, keras_3_file] if is_keras_3 else [keras_2_layers, keras_2_types, keras_2_file]
    )


def up() -> None:
    try:
        todo = steps()
    except Exception:  # noqa: BLE001 - a runtime without a working Keras still loads SavedModels
        return
    for step in todo:
        try:
            step()
        except Exception:  # noqa: BLE001, S112 - what cannot be warmed in some version is only slower there
            continue
