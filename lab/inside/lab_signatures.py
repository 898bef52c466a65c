"""What a Keras can be asked without a model: `python lab_signatures.py OUTPUT` writes what its classes are called with
and cannot be made without, the activations that it knows by name, and the functions of TensorFlow that a layer of a
function may name.

Runs inside every runtime.
"""

import inspect
import json
import os
import sys

import lab_parts
import lab_words
import tensorflow as tf

ANY = "**"
"""Stands for whatever a class is called with, where it takes all."""
ACTIVATIONS = [
    "elu", "selu", "softplus", "softsign", "softmax", "relu", "tanh", "sigmoid", "hard_sigmoid", "exponential",
    "linear", "swish", "silu", "gelu", "mish", "leaky_relu", "relu6", "log_softmax", "hard_silu", "hard_swish", "celu",
    "glu", "hard_tanh", "hard_shrink", "soft_shrink", "tanh_shrink", "squareplus", "threshold", "log_sigmoid",
    "sparse_plus", "sparse_sigmoid", "sparsemax",
]  # fmt: skip


def called_with(kind):
    """The names of what its calls take, beside what it is called on."""
    found = set()
    for method in ("call", "__call__"):
        function = getattr(kind, method, None)
        for name, parameter in inspect.signature(function).parameters.items() if function else ():
            if parameter.kind is parameter.POSITIONAL_OR_KEYWORD or parameter.kind is parameter.KEYWORD_ONLY:
                found.add(name)
            elif parameter.kind is parameter.VAR_KEYWORD and method == "call":
                found.add(ANY)
    return sorted(found - {"self", "inputs"})


def calls():
    layers = (tf.keras.layers.Layer, tf.keras.Model)
    return {name: called_with(kind) for name, kind in sorted(lab_words.classes().items()) if issubclass(kind, layers)}


def needed():
    """Class → the options of its own that it is not made without.

    All of them for what prepares data, which is as it was made only with what it has learnt and the type that it gives.
    """
    found = {}
    for name, kind in sorted(lab_words.classes().items()):
        configuration = lab_words.own_configuration(name, kind)
        if configuration and "preprocessing" in kind.__module__:
            found[name] = sorted(configuration)
        elif configuration:
            found[name] = [each for each in sorted(configuration) if not is_made_without(kind, configuration, each)]
    return found


def is_made_without(kind, configuration, option):
    try:
        kind.from_config({name: value for name, value in configuration.items() if name != option})
    except Exception:
        return False
    return True


def operations():
    """Class → the module that has it, and what it is made of: what a function between layers is kept as in Keras 3."""
    found = {}
    operation = getattr(sys.modules.get("keras.src.ops.operation"), "Operation", ())
    for module in [each for name, each in sys.modules.items() if name.startswith("keras.src.ops.") and each]:
        for name, kind in vars(module).items():
            if inspect.isclass(kind) and issubclass(kind, operation) and kind.__module__ == module.__name__:
                found[name] = [module.__name__] + [each for each in taken_by(kind) if each != "self"]
    return found


def taken_by(kind):
    parameters = inspect.signature(kind.__init__).parameters
    return [name for name, each in parameters.items() if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)]


def activations():
    return [name for name in ACTIVATIONS if is_known(name)]


def is_known(name):
    try:
        return callable(tf.keras.activations.get(name))
    except ValueError:
        return False


def functions():
    """As a layer of a function names them: by the one name of many that counts. None where there is no such layer."""
    try:
        model = lab_parts.functional(lab_parts.VECTOR, tf.math.square)()
    except ValueError:
        return []
    if "TFOpLambda" not in {type(layer).__name__ for layer in model.layers}:
        return []
    from tensorflow.python.util import tf_export

    named = getattr(tf_export, "_NAME_TO_SYMBOL_MAPPING", {})
    found = set()
    for symbol in {id(each): each for each in named.values() if inspect.isfunction(each)}.values():
        name = tf_export.get_canonical_name_for_symbol(symbol, add_prefix_to_v1_names=True)
        if name and not name.startswith("raw_ops.") and named.get(name) is not None:
            found.add(name)
    return sorted(found)


if __name__ == "__main__":
    asked = (calls, needed, activations, functions, operations)
    found = {each.__name__: each() for each in asked}
    with open(sys.argv[1], "w") as stream:
        json.dump(found, stream)
    sys.stdout.flush()
    os._exit(0)
