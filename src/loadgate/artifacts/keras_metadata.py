"""What Keras 2 leaves in a SavedModel beside the graph: the configuration of each of its layers, as JSON.

TensorFlow 2.2 to 2.5 keep it inside `saved_model.pb`, 2.5 and later in `keras_metadata.pb`. Keras 3 leaves none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from loadgate.artifacts import keras_config
from loadgate.artifacts.interface import Unreadable
from loadgate.artifacts.mapped import mapped
from loadgate.artifacts.protos import KERAS_METADATA
from loadgate.artifacts.wire import Message
from loadgate.domain import Facts

FILE = "keras_metadata.pb"
EMBEDDED, BOTH = "embedded", "yes, and embedded"
"""In the graph alone, and in either, as TensorFlow 2.5 keeps it."""
_LAYERS = frozenset({"_tf_keras_layer", "_tf_keras_input_layer", "_tf_keras_rnn_layer"})
_MODELS = frozenset({"_tf_keras_model", "_tf_keras_network", "_tf_keras_sequential"})
_MAX_OBJECTS = 100_000
_MAX_JSON = 32 * 1024**2
"""Bytes of all configurations in one file."""
_KEPT = ("class_name", "config", "module", "registered_name", "name")
_Object = tuple[str, Mapping[str, Any]]


def add_from_file(facts: Facts, path: Path) -> Facts:
    """Adds what `keras_metadata.pb` tells. Where it cannot be read, `extra` says so: the graph loads without it."""
    try:
        with mapped(path) as buffer:
            objects = _parsed(Message.whole(KERAS_METADATA, buffer).messages("nodes"))
        is_in_both = facts.extra.get("keras_metadata") == EMBEDDED
        return _with(facts, objects, BOTH if is_in_both else "yes")
    except (Unreadable, keras_config.ConfigurationError) as error:
        return replace(facts, extra={**facts.extra, "keras_metadata": f"unreadable: {error}"})


def add_from_graph(facts: Facts, meta_graph: Message) -> Facts:
    """Adds what the objects of the graph tell, where TensorFlow 2.2 to 2.4 saved it."""
    objects = (node.message("user_object") for node in meta_graph.message("object_graph_def").messages("nodes"))
    try:
        return _with(facts, _parsed(objects), EMBEDDED)
    except keras_config.ConfigurationError as error:
        return replace(facts, extra={**facts.extra, "keras_metadata": f"unreadable: {error}"})


def _parsed(objects: Iterable[Message]) -> list[_Object]:
    """Identifier and metadata of each object of Keras."""
    return list(islice(_of_keras(objects), _MAX_OBJECTS))


def _of_keras(objects: Iterable[Message]) -> Iterator[_Object]:
    left, nodes_left = _MAX_JSON, keras_config.MAX_NODES
    for saved in objects:
        identifier = saved.text("identifier")
        if identifier in _LAYERS or identifier in _MODELS:
            text = saved.message("metadata").copy(left).decode("utf-8", "replace")
            left -= len(text)
            nodes_left -= keras_config.nodes_at_most(text)
            if nodes_left < 0:
                raise keras_config.ConfigurationError(
                    f"the configurations hold more than {keras_config.MAX_NODES:,} values"
                )
            if text:
                yield identifier, keras_config.parse(text)


def _with(facts: Facts, objects: Sequence[_Object], where: str) -> Facts:
    model = next((content for identifier, content in objects if identifier in _MODELS), None)
    if not objects:
        return facts
    content = model or {}
    training = content.get("training_config")
    reading = keras_config.read(_configuration(content, objects), training if isinstance(training, dict) else None)
    return replace(
        facts,
        saved_with=replace(facts.saved_with, keras=_text(content, "keras_version"), backend=_text(content, "backend")),
        layers=reading.layers,
        custom_objects=reading.custom_objects,
        lambdas=reading.lambdas,
        constructs=reading.constructs,
        extra={**facts.extra, "keras_metadata": where},
    )


def _configuration(model: Mapping[str, Any], objects: Sequence[_Object]) -> dict[str, Any]:
    """The model's own configuration; that of a subclassed model holds no layers, so they are taken one by one."""
    config = model.get("config")
    if isinstance(config, list) or (isinstance(config, dict) and "layers" in config):
        return _kept(model)
    layers = [_kept(content) for identifier, content in objects if identifier in _LAYERS]
    return {**_kept(model), "config": {"layers": layers}}


def _kept(content: Mapping[str, Any]) -> dict[str, Any]:
    return {"config": {}} | {key: content[key] for key in _KEPT if content.get(key) is not None}


def _text(content: Mapping[str, Any], key: str) -> str | None:
    value = content.get(key)
    return value if isinstance(value, str) and value else None
