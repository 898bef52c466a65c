"""Makes real files of Keras models in the layouts that each Keras writes, without Keras."""

from __future__ import annotations

import io
import json
import subprocess
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from loadgate.artifacts.discover import discover
from loadgate.artifacts.interface import Sighting

LFS_POINTER = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\n"
    b"size 98231112\n"
)
ERROR_PAGE = b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head><body></body></html>\n"
ERROR_DOCUMENT = b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code><Message>The key is gone.</Message></Error>"
ERROR_JSON = b'{"error": "Invalid username or password."}'


def layer(class_name: str, name: str | None = None, **config: object) -> dict[str, Any]:
    return {"class_name": class_name, "config": {"name": name or class_name.lower(), **config}}


def sequential(*layers: Mapping[str, Any]) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": {"name": "sequential", "layers": list(layers)}}


DENSE = sequential(layer("Dense", "dense", batch_input_shape=[None, 4], dtype="float32", units=3, activation="relu"))


def save_hdf5(
    path: Path,
    config: Mapping[str, Any] = DENSE,
    *,
    training: Mapping[str, Any] | None = None,
    keras: str | None = "2.15.0",
    layers: Mapping[str, int] = {"dense": 2},
    **options: Any,
) -> None:
    """A whole model, as Keras 2 writes it. `layers` says how many weights each layer has."""
    with h5py.File(path, "w", **options) as file:
        if keras is not None:
            file.attrs["keras_version"] = keras
            file.attrs["backend"] = "tensorflow"
        file.attrs["model_config"] = json.dumps(config)
        if training is not None:
            file.attrs["training_config"] = json.dumps(training)
        write_layers(file.create_group("model_weights"), layers)


def save_weights(path: Path, layers: Mapping[str, int], *, chunks: int = 0, **options: Any) -> None:
    """Weights alone, as Keras 1 and 2 write them; the names in `chunks` attributes where that is not 0."""
    with h5py.File(path, "w", **options) as file:
        file.attrs["keras_version"] = "2.2.4-tf"
        file.attrs["backend"] = "tensorflow"
        write_layers(file, layers, chunks)


def write_layers(group: h5py.Group, layers: Mapping[str, int], chunks: int = 0) -> None:
    names = [name.encode() for name in layers]
    if chunks:
        for index, part in enumerate(np.array_split(np.array(names), chunks)):
            group.attrs[f"layer_names{index}"] = part
    else:
        group.attrs["layer_names"] = names
    for name, count in layers.items():
        weights = [f"{name}/weight_{index}:0" for index in range(count)]
        inner = group.create_group(name)
        inner.attrs["weight_names"] = [weight.encode() for weight in weights]
        for weight in weights:
            inner.create_dataset(weight, data=np.zeros((4, 3), "float32"))


def save_keras_3_weights(path: Path | io.BytesIO, layers: Mapping[str, int]) -> None:
    """Weights alone, as Keras 3 writes them."""
    with h5py.File(path, "w") as file:
        file.create_group("vars")
        for name, count in layers.items():
            variables = file.create_group(f"layers/{name}/vars")
            for index in range(count):
                variables.create_dataset(str(index), data=np.zeros((4, 3), "float32"))


def save_keras_v3(
    path: Path,
    config: Mapping[str, Any] | bytes = DENSE,
    *,
    metadata: Mapping[str, Any] | None = None,
    compression: int = zipfile.ZIP_STORED,
) -> None:
    weights = io.BytesIO()
    save_keras_3_weights(weights, {"dense": 2})
    metadata = {"keras_version": "3.9.2", "date_saved": "2025-04-09@10:26:13"} if metadata is None else metadata
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("metadata.json", json.dumps(metadata))
        archive.writestr("config.json", config if isinstance(config, bytes) else json.dumps(config))
        archive.writestr("model.weights.h5", weights.getvalue())


def save_data_set(path: Path, **options: Any) -> None:
    """HDF5 that is no model."""
    with h5py.File(path, "w", **options) as file:
        file.attrs["title"] = "temperatures"
        file.create_dataset("station/readings", data=np.zeros((16, 16)))


def git(root: Path, *arguments: str) -> None:
    who = ("-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "protocol.file.allow=always")
    subprocess.run(["git", "-C", str(root), *who, *arguments], check=True, capture_output=True)


def sightings(root: Path, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> dict[str, Sighting]:
    return {sighting.path: sighting for sighting in discover(root, include, exclude)}


def formats(root: Path, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> dict[str, str]:
    return {path: str(sighting.format) for path, sighting in sightings(root, include, exclude).items()}
