"""Tells the operations of Keras 3 among the layers of a functional model, such as the `Add` of a `+` between tensors.

HDF5 names the class alone, which is a layer's too, or that of no layer at all; what an operation lacks gives it away.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

_OF_EVERY_LAYER = frozenset({"trainable", "dtype"})


def is_operation(value: Mapping[str, Any]) -> bool:
    """Of an entry among the layers of a model."""
    config = value.get("config")
    if "inbound_nodes" not in value or not isinstance(config, dict) or not _OF_EVERY_LAYER.isdisjoint(config):
        return False
    return isinstance(value.get("class_name"), str) and value["class_name"] in _names()


@cache
def _names() -> frozenset[str]:
    text = Path(__file__).with_name("keras_operations.json").read_text("utf-8")
    return frozenset(json.loads(text)["operations"])
