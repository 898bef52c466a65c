"""Reads the configuration of a Keras model, in every dialect from Keras 1 to Keras 3. Pure, and bounded."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from loadgate.artifacts.bytecode import names_looked_up, python_of
from loadgate.artifacts.keras_constructs import constructs
from loadgate.artifacts.keras_operations import is_operation
from loadgate.domain import CustomObject, LambdaLayer, Signature, TensorSpec

MAX_DEPTH = 200
MAX_NODES = 1_000_000
MAX_CUSTOM_OBJECTS = 1_000
"""And lambdas."""
MAX_CLASSES = 10_000
MAX_NAME = 1024
"""Characters of a name that are kept: it is repeated wherever something lies below what it names."""
MAX_INPUTS = 10_000
MAX_RANK = 254

_LAYER_FIELDS = frozenset({"layers", "layer", "forward_layer", "backward_layer", "cell", "cells"})
"""Where a model or a wrapper keeps the layers inside it."""
_BUILT_IN_PACKAGES = frozenset({"keras", "tf_keras", "tensorflow", "builtins", "numpy"})
_KIND_OF_SUFFIX = {
    "initializer": "initializers",
    "regularizer": "regularizers",
    "constraint": "constraints",
    "activation": "activations",
}
_KIND_OF_TRAINING_FIELD = {
    "loss": "losses",
    "metrics": "metrics",
    "weighted_metrics": "metrics",
    "optimizer": "optimizers",
    "optimizer_config": "optimizers",
}


class ConfigurationError(Exception):
    """The text is no configuration that can be read. The message is one line for a person."""


class ConfigurationTooLargeError(ConfigurationError):
    """Nothing is known to be wrong with it, but to read on would take too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a configuration tells."""

    layers: Mapping[str, int] = field(default_factory=dict)
    custom_objects: tuple[CustomObject, ...] = ()
    lambdas: tuple[LambdaLayer, ...] = ()
    signature: Signature | None = None
    constructs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def parse(text: str) -> dict[str, Any]:
    """The JSON object in `text`. Raises `ConfigurationError` for anything else."""
    if nodes_at_most(text) > MAX_NODES:
        raise ConfigurationTooLargeError(f"the configuration holds more than {MAX_NODES:,} values")
    try:
        value = json.loads(text)
    except RecursionError:
        raise ConfigurationTooLargeError("the configuration is nested too deep") from None
    except ValueError as error:
        raise ConfigurationError(f"the configuration is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise ConfigurationError("the configuration is no JSON object")
    return value


def nodes_at_most(text: str) -> int:
    """How many values a JSON text can have: parsed, each takes some hundred times the bytes that it is written in."""
    return sum(map(text.count, ",[{")) + 1


def read(model: Mapping[str, Any], training: Mapping[str, Any] | None = None) -> Reading:
    """What the configuration of a model tells, and that of its training where there is one."""
    walk = _Walk()
    walk.model(model)
    if training is not None:
        walk.training(training)
    try:
        found = constructs(model)
    except RecursionError:  # what a layer is called with is walked there alone
        raise ConfigurationTooLargeError("the configuration is nested too deep") from None
    return Reading(
        layers=dict(sorted(walk.layers.items())),
        custom_objects=tuple(walk.custom.values()),
        lambdas=tuple(walk.lambdas),
        signature=_signature(model),
        constructs=found,
    )


# --- layers, custom objects, lambdas ------------------------------------------------------------------------------


@cache
def _names() -> Mapping[str, frozenset[str]]:
    text = Path(__file__).with_name("keras_names.json").read_text("utf-8")
    return {kind: frozenset(names) for kind, names in json.loads(text).items() if kind != "source"}


@cache
def _all_names() -> frozenset[str]:
    return frozenset().union(*_names().values())


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the walk is: the innermost layer that has a name, the field below it, and what is expected there."""

    layer: str | None = None
    field: str | None = None
    kind: str | None = None
    depth: int = 0

    def below(self, name: str | None = None) -> _Place:
        if name is None:
            return _Place(self.layer, self.field, self.kind, self.depth + 1)
        name = name[:MAX_NAME]
        kind = _KIND_OF_TRAINING_FIELD.get(name) if self.kind == "training" else None
        return _Place(self.layer, name, kind or _KIND_OF_SUFFIX.get(name.rpartition("_")[2]), self.depth + 1)

    def __str__(self) -> str:
        return ".".join(part for part in (self.layer, self.field) if part)


class _Walk:
    def __init__(self) -> None:
        self.layers: Counter[str] = Counter()
        self.custom: dict[tuple[str, str | None, str | None], CustomObject] = {}
        self.lambdas: list[LambdaLayer] = []
        self._nodes = 0

    def model(self, config: Mapping[str, Any]) -> None:
        place = _Place()
        if _is_object(config):
            self._object(config, place, is_layer=False)
        else:
            self._any(config, place)
        compiled = config.get("compile_config")
        if isinstance(compiled, dict):
            self.training(compiled)

    def training(self, config: Mapping[str, Any]) -> None:
        for name, value in config.items():
            place = _Place("training", kind="training").below(name)
            self._named(value, place) if place.kind else self._any(value, place)

    def _any(self, value: object, place: _Place) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise ConfigurationTooLargeError(f"the configuration holds more than {MAX_NODES:,} values")
        if place.depth > MAX_DEPTH:
            raise ConfigurationTooLargeError(f"the configuration is nested more than {MAX_DEPTH} deep")
        if isinstance(value, list):
            for element in value:
                self._any(element, place.below())
        elif isinstance(value, dict):
            if _is_object(value):
                self._object(value, place, is_layer=_is_layer(value["class_name"], place))
            else:
                self._fields(value, place)
        elif isinstance(value, str) and place.kind == "activations":
            self._function(value, place)

    def _fields(self, config: Mapping[str, Any], place: _Place) -> None:
        for name, value in config.items():
            if name not in ("inbound_nodes", "compile_config"):
                self._any(value, place.below(name))

    def _named(self, value: object, place: _Place) -> None:
        """A loss, metric or optimizer: a name, an object, or these by output or in lists."""
        if place.depth > MAX_DEPTH:
            raise ConfigurationTooLargeError(f"the configuration is nested more than {MAX_DEPTH} deep")
        if isinstance(value, str):
            self._function(value, place)
        elif isinstance(value, list):
            for element in value:
                self._named(element, place.below())
        elif isinstance(value, dict) and not isinstance(value.get("class_name"), str):
            for element in value.values():
                self._named(element, place.below())
        else:
            self._any(value, place)

    def _object(self, value: Mapping[str, Any], place: _Place, *, is_layer: bool) -> None:
        class_name, config = value["class_name"], value["config"]
        name = _name(value)
        if is_layer:
            self._count(_bare(class_name)[:MAX_NAME])
            place = _Place(name[:MAX_NAME] if name else place.layer, depth=place.depth)
        if class_name == "Lambda" and isinstance(config, dict):
            self._lambda(config, place)
            config = {key: inner for key, inner in config.items() if key != "function"}
        elif class_name == "function" and isinstance(config, str):
            self._function(config, place, value)
        elif not class_name.startswith("__") and not _is_built_in(value, place) and not is_operation(value):
            self._remember(value, class_name, place)
        self._any(config, _Place(place.layer, place.field, None, place.depth + 1))

    def _count(self, class_name: str) -> None:
        if class_name in self.layers or len(self.layers) < MAX_CLASSES:
            self.layers[class_name] += 1

    def _lambda(self, config: Mapping[str, Any], place: _Place) -> None:
        given = config.get("name")
        name = given[:MAX_NAME] if isinstance(given, str) and given else place.layer or "lambda"
        function = config.get("function")
        if isinstance(function, dict) and function.get("class_name") == "function":
            function = function.get("config")
        if isinstance(function, str) and function.isidentifier():
            self._remember(config, function, _Place(name, "function"))
        elif len(self.lambdas) < MAX_CUSTOM_OBJECTS:
            code = _first_text(function) or ""
            self.lambdas.append(LambdaLayer(name=name, python=python_of(code), looks_up=names_looked_up(code)))

    def _function(self, name: str, place: _Place, value: Mapping[str, Any] | None = None) -> None:
        names = _names().get(place.kind or "", _all_names())
        module = (value or {}).get("module")
        if name not in names and not (isinstance(module, str) and _package(module) in {"keras", "tf_keras"}):
            self._remember(value or {}, name, place)

    def _remember(self, value: Mapping[str, Any], name: str, place: _Place) -> None:
        if len(self.custom) >= MAX_CUSTOM_OBJECTS:
            return
        registered = value.get("registered_name")
        registered = registered[:MAX_NAME] if isinstance(registered, str) and ">" in registered else None
        name = name[:MAX_NAME]
        if _bare(name) not in ("", name):
            registered, name = name, _bare(name)
        module = value.get("module")
        module = module[:MAX_NAME] if isinstance(module, str) and module != "builtins" else None
        found = CustomObject(name=name, module=module, registered_name=registered, where=str(place) or None)
        self.custom.setdefault((name, module, registered), found)


def _is_object(value: Mapping[str, Any]) -> bool:
    return isinstance(value.get("class_name"), str) and "config" in value


def _is_layer(class_name: str, place: _Place) -> bool:
    if place.kind is not None:
        return False
    return place.field in _LAYER_FIELDS or class_name in _names()["layers"] or class_name in _names()["models"]


def _is_built_in(value: Mapping[str, Any], place: _Place) -> bool:
    """By module where one is recorded, which it is since Keras 2.12; by name in what was saved before."""
    class_name, module = value["class_name"], value.get("module")
    if isinstance(module, str):
        return _package(module) in _BUILT_IN_PACKAGES
    if "module" in value and isinstance(value.get("registered_name"), str):
        return False
    if place.kind == "optimizers":
        # Keras 2.11 to 2.15 register their own optimizers, and write `Custom>Adam`.
        class_name = class_name.removeprefix("Custom>")
    return class_name in _all_names()


def _package(module: str) -> str:
    return module.partition(".")[0]


def _bare(name: str) -> str:
    return name.rpartition(">")[2]


def _name(value: Mapping[str, Any]) -> str | None:
    config = value.get("config")
    for holder in (config, value):
        name = holder.get("name") if isinstance(holder, dict) else None
        if isinstance(name, str):
            return name
    return None


def _first_text(value: object) -> str | None:
    """The bytecode in what Keras writes for a lambda: `[code, …]`, `{"code": …}`, and either below `config`.

    The list is a tuple in the metadata of a SavedModel, and has its elements under `items` there.
    """
    for _ in range(4):
        if isinstance(value, str):
            return value
        if isinstance(value, list):
            value = value[0] if value else None
        elif isinstance(value, dict):
            value = next((value[key] for key in ("code", "value", "items", "config") if key in value), None)
    return value if isinstance(value, str) else None


# --- inputs -------------------------------------------------------------------------------------------------------

_KERAS_DTYPE = "float32"
"""What a layer computes in where its configuration does not say."""


def _signature(model: Mapping[str, Any]) -> Signature | None:
    """The inputs. A configuration does not tell the type and shape of an output, so none is claimed."""
    try:
        inputs = tuple(islice(_inputs(model, MAX_DEPTH), MAX_INPUTS))
    except (TypeError, ValueError, KeyError, AttributeError):
        return None
    return Signature(name="call", inputs=inputs) if inputs else None


def _inputs(model: Mapping[str, Any], depth: int) -> Iterator[TensorSpec]:
    config = model["config"]
    layers = config if isinstance(config, list) else config.get("layers")
    if not isinstance(layers, list) or not layers or depth == 0:
        return
    if "input_layers" in config:
        by_name = {layer.get("name") or _name(layer): layer for layer in layers}
        for name in _layer_names(config["input_layers"]):
            yield from _input(by_name[name]["config"], name)
        return
    first = layers[0]
    if isinstance(first["config"], list) or "layers" in first["config"]:
        yield from _inputs(first, depth - 1)
        return
    built = config.get("build_input_shape") if isinstance(config, dict) else None
    name = str(_name(first) or "layer")
    yield from _input(first["config"], name if first["class_name"] == "InputLayer" else f"{name}_input", built)


def _layer_names(value: object) -> list[str]:
    """Names in `["a", 0, 0]`, in lists and in dictionaries of these."""
    names: list[str] = []
    rest = deque([value])
    while rest:
        node = rest.popleft()
        if isinstance(node, dict):
            rest.extend(node.values())
        elif isinstance(node, list) and len(node) == 3 and isinstance(node[0], str):  # noqa: PLR2004 - layer, node, tensor
            names.append(node[0])
        elif isinstance(node, list):
            rest.extend(node)
    return names


def _input(config: Mapping[str, Any], name: str, built: object = None) -> Iterator[TensorSpec]:
    for shape in (config.get("batch_shape"), config.get("batch_input_shape"), built):
        if isinstance(shape, list) and len(shape) <= MAX_RANK and all(map(_is_extent, shape)):
            yield TensorSpec(name=name[:MAX_NAME], dtype=_dtype(config)[:MAX_NAME], shape=tuple(shape))
            return


def _is_extent(value: object) -> bool:
    """JSON's `true` is an integer to Python, and its integers have no end."""
    return value is None or (type(value) is int and abs(value) < 1 << 63)


def _dtype(config: Mapping[str, Any]) -> str:
    dtype = config.get("dtype", config.get("input_dtype"))
    if isinstance(dtype, dict):
        dtype = dtype.get("config", {}).get("name")
    if not isinstance(dtype, str):
        return _KERAS_DTYPE
    return {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}.get(dtype, dtype)
