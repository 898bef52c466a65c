"""Pay once, in the parent, for what every child's first load would pay again: lazy imports, registries and caches.

Nothing here runs an op eagerly, and nothing here builds a layer: in a graph, where that would be no op, Keras 2 gives
other base classes to what is built, and a child would then load with other code than production does. Whether the
process may still be forked is checked afterwards by whoever called. Recurrent layers are left out because their
constructor lists the devices.
"""

import numbers
import os
import sys
import tempfile
from collections.abc import Mapping, MappingView, Sequence
from typing import Any, Callable, Iterator, List

from . import graph_passes, runtime

ONEDNN_BY_DEFAULT = (2, 9)
ABSTRACT = [
    "composite_tensor.CompositeTensor",
    "type_spec.TypeSpec",
    "python.ops.variables.Variable",
    "distribute.values.DistributedVariable",
    "weak_tensor.WeakTensor",
]
PROTOCOLS = ["custom_nest_protocol.CustomNestProtocol", "types.core.TensorProtocol", "tensor_util.IsTensorLike"]
PARTS = [
    "types.core.Tensor",
    "types.core.TensorProtocol",
    "framework.ops.EagerTensor",
    "framework.ops.SymbolicTensor",
    "framework.tensor.TensorSpec",
    "tensor_spec.TensorSpec",
    "resource_variable_ops.ResourceVariable",
    "keras_tensor.KerasTensor",
    "tf_utils.ListWrapper",
    "data_structures.ListWrapper",
    "data_structures._DictWrapper",
    "numpy.ndarray",
    "tensor_array_ops.TensorArray",
    "tensor_shape.TensorShape",
    "input_spec.InputSpec",
    "lstm.LSTMCell",
    "gru.GRUCell",
]
PLAIN = [dict, list, tuple, float, int, str, bool, type(None)]
LAYERS = [
    "InputLayer",
    "Activation",
    "Add",
    "AveragePooling2D",
    "BatchNormalization",
    "Bidirectional",
    "Concatenate",
    "Conv1D",
    "Conv2D",
    "Dense",
    "DepthwiseConv2D",
    "Dropout",
    "Embedding",
    "Flatten",
    "GRU",
    "GlobalAveragePooling2D",
    "LSTM",
    "LayerNormalization",
    "MaxPooling2D",
    "ReLU",
    "Reshape",
    "SeparableConv2D",
    "ZeroPadding2D",
]
"""The usual ones: a model of others loads a little slower."""


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
    """Abstract classes remember for each class whether it is theirs, and to find out they ask all of their own.

    A protocol moreover looks at annotations, and the first look at those of a class that has none makes Python forget
    what it knows of the attributes of all classes below.
    """
    import tensorflow as tf

    known = vars(tf.keras.initializers).values()
    initializers = [value for value in known if isinstance(value, type)]
    parts = list(loaded(PARTS)) + initializers
    abstract = list(loaded(ABSTRACT)) + [Mapping, MappingView, Sequence, numbers.Integral]
    for kind in parts + PLAIN:
        for each in abstract:
            issubclass(kind, each)
    layers = [getattr(tf.keras.layers, name) for name in LAYERS if hasattr(tf.keras.layers, name)]
    for kind in parts + layers:
        issubclass(kind, tf.keras.metrics.Metric)
    for base in {base for kind in parts + PLAIN for base in kind.__mro__}:
        getattr(base, "__annotations__", None)
    for protocol in loaded(PROTOCOLS):
        for kind in PLAIN:
            isinstance(kind(), protocol)


def loaded(names: List[str]) -> Iterator[Any]:
    """The classes of those names in whatever package of this version has them."""
    modules = list(sys.modules.items())
    for name in names:
        module, _, attribute = name.rpartition(".")
        for path, content in modules:
            found = getattr(content, attribute, None) if ("." + path).endswith("." + module) else None
            if isinstance(found, type):
                yield found


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
