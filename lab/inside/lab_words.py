"""Which options the classes of a Keras take, whoever wrote them: `python lab_words.py OUTPUT` writes the options that
each class has here, `python lab_words.py OUTPUT WORDS` tries on each class those that it has anywhere.

No file and no saver is part of this: each class is asked for its own configuration, one option is added, and the class
is made of it again. Runs inside every runtime.
"""

import importlib
import inspect
import json
import re
import sys

import lab_parts
import tensorflow as tf

keras = tf.keras
L = keras.layers
GIVEN = {
    **lab_parts.IMAGES,
    **lab_parts.ALL_SERIES,
    **lab_parts.VOLUMES,
    **lab_parts.VECTORS,
    **lab_parts.INITIALIZERS,
    "AveragePooling1D": {"pool_size": 2},
    "AveragePooling2D": {"pool_size": 2},
    "AveragePooling3D": {"pool_size": 2},
    "Embedding": {"input_dim": 9, "output_dim": 4},
    "EinsumDense": {"equation": "abc,cd->abd", "output_shape": (None, 5)},
    "MultiHeadAttention": {"num_heads": 2, "key_dim": 3},
    "GroupQueryAttention": {"head_dim": 3, "num_query_heads": 2, "num_key_value_heads": 1},
    "CategoryEncoding": {"num_tokens": 6},
    "Hashing": {"num_bins": 5},
    "IntegerLookup": {"vocabulary": [3, 5]},
    "StringLookup": {"vocabulary": ["a", "b"]},
    "TextVectorization": {"vocabulary": ["a", "b"]},
    "Discretization": {"bin_boundaries": [0.0, 1.0]},
    "Dot": {"axes": 1},
    "Activation": {"activation": "relu"},
    "InputLayer": {"input_shape": (4,)},
    "ConvLSTM1D": {"filters": 2, "kernel_size": 3},
    "ConvLSTM2D": {"filters": 2, "kernel_size": 3},
    "ConvLSTM3D": {"filters": 2, "kernel_size": 3},
    "LSTMCell": {"units": 3},
    "GRUCell": {"units": 3},
    "SimpleRNNCell": {"units": 3},
    "RNN": {"cell": lambda: L.LSTMCell(3)},
    "StackedRNNCells": {"cells": lambda: [L.LSTMCell(3)]},
    "Bidirectional": {"layer": lambda: L.LSTM(3)},
    "TimeDistributed": {"layer": lambda: L.Dense(3)},
    "SpectralNormalization": {"layer": lambda: L.Dense(3)},
    "Constant": {"value": 0.5},
}
"""What a class cannot be made without."""
MODULE = "module "
MODELS = ("Functional", "Model", "Sequential")
MODULES = ("layers", "initializers", "regularizers", "constraints")


def classes():
    """Name → class, of all that a configuration may name."""
    found = {
        type(model).__name__: type(model) for model in (lab_parts.small_functional(), lab_parts.small_sequential())
    }
    for module in [getattr(keras, name) for name in MODULES] + [experimental()]:
        for name in dir(module):
            kind = getattr(module, name, None)
            if inspect.isclass(kind) and hasattr(kind, "from_config") and name not in ("Layer", "Wrapper"):
                found.setdefault(name, kind)
                found.setdefault(kind.__name__, kind)  # which is what a file says
    return found


def experimental():
    try:
        return keras.layers.experimental.preprocessing
    except AttributeError:
        return None


def own_configuration(name, kind):
    """None where it cannot be made so, as of an abstract class."""
    given = {key: value() if callable(value) else value for key, value in GIVEN.get(name, {}).items()}
    try:
        return kind(**given).get_config() if name not in MODELS else {}
    except Exception:
        return None


def plain(value):
    """As it would come from a file."""
    try:
        return json.loads(json.dumps(value))
    except (TypeError, ValueError):
        return None


def own():
    """Class → its options with their values, and the bare names of those that its constructor takes beside them."""
    found = {}
    for name, kind in sorted(classes().items()):
        configuration = own_configuration(name, kind)
        if configuration is not None:
            options = {key: plain(value) for key, value in configuration.items()}
            said_to_be_in = [kind.__module__] + [
                "keras." + each for each in MODULES if hasattr(getattr(keras, each), name)
            ]
            found[name] = dict.fromkeys(list(taken_by_constructor(kind)) + [MODULE + each for each in said_to_be_in])
            found[name].update(options)
    return found


def taken_by_constructor(kind):
    for each in kind.__mro__:
        if "__init__" in vars(each):
            for name, parameter in inspect.signature(each.__init__).parameters.items():
                if name != "self" and parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
                    yield name
            return


def taken(words):
    """Class → option → whether the class takes it; without those of which the error says nothing of the option."""
    found = {}
    for name, kind in sorted(classes().items()):
        configuration = own_configuration(name, kind)
        if configuration is None:
            continue
        found[name] = dict.fromkeys(configuration, True)
        tried = {**words["common"], **words["classes"].get(name, {})}
        for option, value in tried.items():
            verdict = None
            if option.startswith(MODULE):
                verdict = is_found(option[len(MODULE) :], name)
            elif option not in configuration and name not in MODELS:
                verdict = is_taken(kind, configuration, option, value)
            if verdict is not None:
                found[name][option] = verdict
    return found


def is_found(module, name):
    """Whether a class is found where a file says that it is; None in a Keras that does not look there."""
    for place in ("keras.src.saving", "tf_keras.src.saving", "keras.saving"):
        if place.startswith(keras.Model.__module__.split(".")[0]):
            try:
                library = importlib.import_module(place + ".serialization_lib")
            except ImportError:
                continue
            return is_retrieved(library, module, name)
    return None


def is_retrieved(library, module, name):
    try:
        library._retrieve_class_or_fn(name, None, module, "class", {"class_name": name, "config": {}}, {})
    except (TypeError, ImportError, ValueError):
        return False
    return True


def is_taken(kind, configuration, option, value):
    try:
        kind.from_config({**configuration, option: value})
    except Exception as error:
        text = str(error)
        is_of_words = re.search("keyword|not understood|Unrecognized|unexpected|Invalid", text)
        return False if is_of_words and option in text else None
    return True


def main(output, words=None):
    if words is None:
        result = own()
    else:
        with open(words) as stream:
            result = taken(json.load(stream))
    with open(output, "w") as stream:
        json.dump(result, stream, sort_keys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
    sys.stdout.flush()
