"""Pay once, in the parent, for what every child's first load would pay again: lazy imports, registries and caches.

Nothing here runs an op eagerly, and nothing here builds a layer: in a graph, where that would be no op, Keras 2 gives
other base classes to what is built, and a child would then load with other code than production does. Whether the
process may still be forked is checked afterwards by whoever called. Recurrent layers are left out because their
constructor lists the devices.
"""

import os
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any, Callable, List

from . import graph_passes, runtime

ONEDNN_BY_DEFAULT = (2, 9)


def kernels() -> None:
    """TensorFlow sorts its kernels into a registry when the first one is looked up."""
    from tensorflow.python.framework import kernels as registry

    registry.get_registered_kernels_for_op("AddV2")


def operations() -> None:
    """At the first name that is no op, TensorFlow writes a copy of all its ops for a log line that nobody reads."""
    from tensorflow.python.framework import op_def_registry

    op_def_registry.get("NoSuchOp")


def layers() -> None:
    """Serialise and deserialise layers.

    They have names, so that the first unnamed layer of a model is still called what it would be called anywhere else.
    """
    import tensorflow as tf

    known = tf.keras.layers
    for layer in (
        known.Dense(1, name="warm"),
        known.Conv2D(1, 1, name="warm"),
        known.SeparableConv2D(1, 1, name="warm"),
        known.BatchNormalization(name="warm"),
        known.Embedding(2, 2, name="warm"),
        known.ReLU(name="warm"),
        known.MaxPooling2D(name="warm"),
        known.GlobalAveragePooling2D(name="warm"),
        known.Flatten(name="warm"),
        known.Concatenate(name="warm"),
    ):
        known.deserialize(known.serialize(layer))


def types() -> None:
    """Abstract classes of Keras 2 remember for each type whether it is theirs; to find out takes up to two ms."""
    import numpy as np
    import tensorflow as tf
    from tensorflow.python.framework.composite_tensor import CompositeTensor
    from tensorflow.python.framework.ops import EagerTensor
    from tensorflow.python.framework.type_spec import TypeSpec

    made = [value for value in vars(tf.keras.initializers).values() if isinstance(value, type)]
    for kind in made + [EagerTensor, np.ndarray, dict, list, tuple, float, int, str, type(None)]:
        for abstract in (CompositeTensor, TypeSpec, Mapping, Sequence):
            issubclass(kind, abstract)


def files() -> None:
    """Fail to load what is no model, which imports all that a load needs."""
    import h5py
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.h5")
        with h5py.File(path, "w") as file:
            file.attrs["model_config"] = b'{"class_name": "NoSuchModel", "config": {}}'
        for name in ("model.h5", "model.keras"):
            try:
                tf.keras.models.load_model(os.path.join(folder, name), compile=False)
            except Exception:  # noqa: BLE001, S112 - as it should
                continue


STEPS: List[Callable[[], Any]] = [kernels, operations, layers, types, files]


def up() -> int:
    """How many threads TensorFlow has now that a child can do without; any more, and the process must not be forked."""
    steps = STEPS + ([graph_passes.look_up] if runtime.tensorflow_version() >= ONEDNN_BY_DEFAULT else [])
    spare = 0
    for step in steps:
        try:
            spare += step() or 0
        except Exception:  # noqa: BLE001, S112 - what cannot be warmed in some version is only slower there
            continue
    return spare
