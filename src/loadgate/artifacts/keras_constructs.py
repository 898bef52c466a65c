"""What a Keras configuration is made of, in the detail that decides whether another Keras reads it. Pure, and bounded.

Two configurations of the same constructs were measured to fare alike, whatever else they say: which layers, with which
options written down, from which module, nested and called how. Values are left out, but for the few that are names.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from loadgate.artifacts.keras_operations import is_operation

MAX_DEPTH = 100
MAX_CLASSES = 1_000
MAX_OPTIONS = 400
MAX_NAME = 80

WHOLE = ""
"""The class under which stands what belongs to the model as a whole."""
OPERATION = "operation "
"""Before the name of an operation of Keras 3 that lies among the layers."""
CALLED = "called with "
"""Before the name of an argument of a call, and what is given for it."""
NAMED = "named"
"""Of an operation whose name is among its options, where that of a layer always is."""
WITHOUT_SHAPE = "begins without a shape"
"""Of a Sequential model that nobody has called."""
WITH_SHAPE = "begins with a shape"
AFTER_SHAPE = "after a shape: "
"""Before the class of a layer that a shape reaches which a Sequential model begins with in place of an input. Keras 3
takes the size of the batch for one of its axes."""
STATES = "states among its tensors"
"""Of a recurrent layer that is called with a list of what it reads and where it begins."""
UNBOUNDED = "more than is told apart"

_MODELS = frozenset({"Functional", "Model", "Sequential"})
_LISTS = frozenset({"TensorShape", "__tuple__"})
"""As the metadata of a SavedModel spells what is a list in a file."""
_DEFAULTS_THAT_CHANGED = {"GRU": "reset_after"}
"""Class → an option without which a later Keras takes it to be another than it was."""
_SIZED = frozenset({"Normalization"})
"""Cannot be built before it is told how many numbers it is given, and can be adapted before."""
_SHAPES = ("batch_input_shape", "batch_shape")
_SHAPED_ANEW = frozenset({"Flatten", "Reshape"})
"""What comes after them has nothing to do with the shape before."""
_RECURRENT = frozenset({"Bidirectional", "ConvLSTM2D", "CuDNNGRU", "CuDNNLSTM", "GRU", "LSTM", "RNN", "SimpleRNN"})
_FLOATING = ("float", "bfloat", "mixed_")
_LEFT_OUT = frozenset({"name", "build_config", "compile_config", "inbound_nodes", "registered_name"})


def constructs(model: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    """Class of object → what of it is written down. `WHOLE` holds what is so of the model itself."""
    walk = _Walk()
    walk.whole(model)
    return {name: tuple(sorted(options)) for name, options in sorted(walk.found.items())}


class _Walk:
    def __init__(self) -> None:
        self.found: defaultdict[str, set[str]] = defaultdict(set)

    def whole(self, model: Mapping[str, Any]) -> None:
        if _class_of(model) is None:
            self._note(WHOLE, "no model")
            return
        self._object(model, (), 0)
        self._note(WHOLE, f"is {_class_of(model)}")

    def _note(self, of: str, option: str) -> None:
        of = of[:MAX_NAME]
        if (of not in self.found and len(self.found) >= MAX_CLASSES) or len(self.found[of]) >= MAX_OPTIONS:
            self.found[WHOLE].add(UNBOUNDED)
        else:
            self.found[of].add(option[:MAX_NAME])

    def _object(self, value: Mapping[str, Any], models: tuple[str, ...], depth: int) -> None:
        name = str(_class_of(value))
        self._note(name, "written")
        self._origin(name, value)
        if is_operation(value):
            self._note(WHOLE, f"{OPERATION}{name}")
            if "name" in value["config"]:
                self._note(name, NAMED)
        if depth > MAX_DEPTH:
            self._note(WHOLE, UNBOUNDED)
            return
        config = value.get("config")
        if name in _MODELS:
            self._model(name, config, models, depth)
        elif isinstance(config, dict):
            self._options(name, config, models, depth)
        else:
            self._note(name, f"config: {_kind(config)}")
        build = value.get("build_config")
        if isinstance(build, dict):
            self._note(name, f"build_config: {', '.join(sorted(map(str, build)))}")

    def _origin(self, name: str, value: Mapping[str, Any]) -> None:
        """Where the class is said to be, which Keras tells since 2.12, and in whose name it was registered."""
        if isinstance(value.get("module"), str):
            self._note(name, f"module {value['module']}")
        if isinstance(value.get("registered_name"), str):
            self._note(name, f"registered as {value['registered_name']}")

    def _options(self, of: str, config: Mapping[str, Any], models: tuple[str, ...], depth: int) -> None:
        if of in _DEFAULTS_THAT_CHANGED and _DEFAULTS_THAT_CHANGED[of] not in config:
            self._note(of, f"no {_DEFAULTS_THAT_CHANGED[of]}")
        for key, value in config.items():
            if key in _LEFT_OUT:
                if key == "name" and isinstance(value, str) and "/" in value:
                    self._note(WHOLE, "a name with a slash")
                continue
            self._note(of, f"{key}{self._value(str(key), value, models, depth)}")
            if key == "dtype" and isinstance(value, str) and of != "InputLayer" and not value.startswith(_FLOATING):
                self._note(of, f"dtype {value}")  # which its weights are made of, whatever they are filled with

    def _value(self, key: str, value: object, models: tuple[str, ...], depth: int) -> str:
        """What is told of an option beside its name; what is inside is walked as well."""
        value = _unwrapped(value)
        if isinstance(value, dict) and _class_of(value) is not None:
            self._object(value, models, depth + 1)
            return ": object"
        if isinstance(value, list | dict):
            self._inside(value, models, depth + 1)
        if key.endswith("activation") and isinstance(value, str):
            self._note(WHOLE, f"activation {value}")
        elif key == "dtype" and isinstance(value, str):
            self._note(WHOLE, f"dtype {value}")
        elif key == "vocabulary" and value is None:
            return ": nothing"  # it was learnt, and is kept elsewhere
        elif key == "function" and isinstance(value, str) and value.replace(".", "_").isidentifier():
            return f" {value}"
        elif key == "axis" or (isinstance(value, list | dict) and key not in ("function", "vocabulary", "weights")):
            return f": {_kind(value)}"
        return ""

    def _inside(self, value: object, models: tuple[str, ...], depth: int) -> None:
        if depth > MAX_DEPTH:
            self._note(WHOLE, UNBOUNDED)
            return
        elements = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        for element in elements:
            if isinstance(element, dict) and _class_of(element) is not None:
                self._object(element, models, depth + 1)
            else:
                self._inside(element, models, depth + 1)

    # --- models ---------------------------------------------------------------------------------------------------

    def _model(self, name: str, config: object, models: tuple[str, ...], depth: int) -> None:
        for outer in models[-1:]:
            self._note(WHOLE, f"{name} in {outer}")
        if len(models) > 1:
            self._note(WHOLE, "a model in a model in a model")
        layers = config if isinstance(config, list) else config.get("layers") if isinstance(config, dict) else None
        if isinstance(config, list):
            self._note(name, "config: list")
        elif isinstance(config, dict):
            options = {
                key: value for key, value in config.items() if key not in ("layers", "input_layers", "output_layers")
            }
            self._options(name, options, models, depth)
            for key in ("input_layers", "output_layers"):
                if key in config:
                    self._note(name, f"{key}: {_tensors_kind(config[key])}")
        for layer in layers if isinstance(layers, list) else ():
            if isinstance(layer, dict) and _class_of(layer) is not None:
                self._object(layer, (*models, name), depth + 1)
                self._calls(layer)
        if name == "Sequential" and isinstance(layers, list):
            self.found[name].update(_beginnings(layers, config, is_inner=bool(models)))

    def _calls(self, layer: Mapping[str, Any]) -> None:
        """How a layer of a functional model is called: more than once, with which arguments."""
        nodes = layer.get("inbound_nodes")
        if not isinstance(nodes, list) or not nodes:
            return
        name = str(_class_of(layer))
        if len(nodes) > 1:
            self._note(WHOLE, "a model called more than once" if name in _MODELS else "a layer called more than once")
        for node in nodes[:MAX_OPTIONS]:
            for argument in _arguments(node):
                self._note(name, f"{CALLED}{argument}")
            if name in _RECURRENT and isinstance(node, list) and len(node) > 1:
                self._note(name, STATES)


def _class_of(value: Mapping[str, Any]) -> str | None:
    """Without the package in whose name it was registered."""
    name = value.get("class_name")
    return name.rpartition(">")[2] if isinstance(name, str) and "config" in value else None


def _is_list(name: object) -> bool:
    return isinstance(name, str) and name in _LISTS


def _unwrapped(value: object) -> object:
    if isinstance(value, dict) and isinstance(value.get("items"), list) and _is_list(value.get("class_name")):
        return value["items"]
    return value


def _kind(value: object) -> str:
    if isinstance(value, list):
        first = _unwrapped(value[0]) if value else None
        return f"list of {_kind(first)}" if isinstance(first, list | dict) else "list"
    if isinstance(value, dict):
        return "mapping"
    return "nothing" if value is None else type(value).__name__


def _tensors_kind(value: object) -> str:
    """`[["a", 0, 0]]` of every Keras, `["a", 0, 0]` of Keras 3 alone, and mappings."""
    if isinstance(value, list) and value and isinstance(value[0], str):
        return "one"
    return _kind(value)


def _beginning(layers: Sequence[object], config: object) -> str:
    first = layers[0] if layers else None
    if not isinstance(first, dict):
        return "begins with nothing"
    if _class_of(first) == "InputLayer":
        return "begins with an input"
    inner = first.get("config")
    if isinstance(inner, dict) and ("batch_input_shape" in inner or "batch_shape" in inner):
        return WITH_SHAPE
    if _class_of(first) in _MODELS:
        return "begins with a model"
    built = config.get("build_input_shape") if isinstance(config, dict) else None
    if isinstance(built, dict | list):
        return f"{WITHOUT_SHAPE}, built" + (" for any size" if _is_of_any_size(built) else "")
    return WITHOUT_SHAPE


def _beginnings(layers: Sequence[object], config: object, *, is_inner: bool) -> Iterator[str]:
    beginning = _beginning(layers, config)
    yield f"{beginning}, in a model" if is_inner and beginning == WITHOUT_SHAPE else beginning
    if beginning == WITH_SHAPE:
        yield from (f"{AFTER_SHAPE}{reached}" for reached in _reached(layers))
    yield from (f"begins with a {unsized} of any size" for unsized in _unsized(layers))


def _reached(layers: Sequence[object]) -> Iterator[str]:
    """The layers, one after the other, that a shape at the beginning reaches, and along which axis each works."""
    for layer in layers[:MAX_OPTIONS]:
        if isinstance(layer, dict) and (name := _class_of(layer)) is not None:
            config = layer["config"] if isinstance(layer["config"], dict) else {}
            inner, axis = config.get("layer"), _axis(config.get("axis", -1))
            of = f" of {_class_of(inner)}" if isinstance(inner, dict) else ""
            yield f"{name}{of}" + ("" if axis == -1 else f" along {axis}")
            if isinstance(_unwrapped(config.get("axis")), list):
                yield f"{name}{of} along a list"
            if name in _SHAPED_ANEW:
                return


def _axis(value: object) -> object:
    """`tf.keras` wrote a list of one, which is the same axis; but some Keras 3 take the number and refuse the list."""
    axes = _unwrapped(value)
    return axes[0] if isinstance(axes, list) and len(axes) == 1 else axes


def _unsized(layers: Sequence[object]) -> Iterator[str]:
    """The layer that cannot be built where the model begins with it, or with an input for it, of a size nobody told."""
    beginning = [layer for layer in layers[:2] if isinstance(layer, dict) and isinstance(layer.get("config"), dict)]
    if beginning and any(_is_of_any_size(beginning[0]["config"].get(key)) for key in _SHAPES):
        yield from (name for layer in beginning if (name := _class_of(layer)) in _SIZED)


def _is_of_any_size(shape: object) -> bool:
    sizes = _unwrapped(shape)
    return isinstance(sizes, list) and len(sizes) > 1 and sizes[-1] is None


def _arguments(node: object) -> Iterator[str]:
    """Names of what a call is given beside its tensors, in the spelling of Keras 3 and of those before it."""
    if isinstance(node, dict):
        kwargs = node.get("kwargs")
        yield from (f"{key}: {_given(value)}" for key, value in kwargs.items()) if isinstance(kwargs, dict) else ()
        arguments = node.get("args")
        for value in arguments if isinstance(arguments, list) else ():
            if _given(value) == "value":
                yield "a value"
        return
    for tensor in node if isinstance(node, list) else ():
        if isinstance(tensor, list) and len(tensor) > 3 and isinstance(tensor[3], dict):  # noqa: PLR2004 - name, node, tensor, then these
            yield from (f"{key}: {_given(value)}" for key, value in tensor[3].items())
        elif isinstance(tensor, str):
            yield "one tensor, unlisted"
            return


def _given(value: object) -> str:
    """Whether an argument of a call is another tensor, an object, or a value."""
    if isinstance(value, dict):
        return "tensor" if value.get("class_name") == "__keras_tensor__" else "object"
    if isinstance(value, list):
        is_tensor = len(value) in (3, 4) and isinstance(value[0], str) and isinstance(value[1], int)
        inner = {_given(element) for element in value}
        return "tensor" if is_tensor else f"list of {'tensors' if inner == {'tensor'} else 'values'}"
    return "nothing" if value is None else type(value).__name__ if isinstance(value, bool) else "value"
