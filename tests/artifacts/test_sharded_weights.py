"""Weights of Keras 3 that lie in several files: each is an artifact, and one that is missing is told of."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pytest

from loadgate.artifacts.discover import read_artifact
from loadgate.artifacts.identify import identify
from loadgate.domain import StandIn, StandInKind
from loadgate.errors import UsageError

from .making import LFS_POINTER, formats, sightings
from .on_disk import write

SHARDS = [f"m_{number:05d}.weights.h5" for number in range(4)]


def save_variables(path: Path, *groups: str) -> None:
    with h5py.File(path, "w") as file:
        for group in groups:
            file.create_dataset(f"{group}/vars/0".lstrip("/"), data=np.zeros((4, 3), "float32"))


@pytest.fixture
def sharded(tmp_path: Path) -> Path:
    """As `model.save_weights("m.weights.json", max_shard_size=…)` writes them, one layer in two of them."""
    listed: dict[str, str | list[str]] = {"/layers/dense/vars": SHARDS[:2], "/vars": SHARDS[2], "/optimizer": SHARDS[3]}
    content = {"metadata": {"total_size": 1.0}, "weight_map": listed}
    (tmp_path / "m.weights.json").write_text(json.dumps(content, indent=4))
    for shard, group in zip(SHARDS, ("layers/dense", "layers/dense", "", "optimizer"), strict=True):
        save_variables(tmp_path / shard, group)
    return tmp_path


def test_every_shard_is_found_wherever_its_variables_lie_in_it(sharded: Path) -> None:
    assert formats(sharded) == dict.fromkeys(SHARDS, "keras_weights_h5")
    facts = read_artifact(sharded, sightings(sharded)[SHARDS[0]]).facts
    assert facts is not None
    assert (facts.tensors, facts.extra["layout"]) == (1, "weights of Keras 3")


def test_a_shard_that_is_missing_is_told_of_its_list(sharded: Path) -> None:
    (sharded / SHARDS[2]).unlink()
    sighting = sightings(sharded)["m.weights.json"]
    assert sighting.stand_in == StandIn(
        kind=StandInKind.MISSING_SHARDS, file=SHARDS[2], detail="1 of 4 shards are missing"
    )
    assert read_artifact(sharded, sighting).stand_in == sighting.stand_in
    assert identify(sharded / "m.weights.json")[1].stand_in == sighting.stand_in


def test_a_list_that_would_fill_memory_is_not_parsed(tmp_path: Path) -> None:
    """Python takes fifty times the bytes of one that is nothing but brackets."""
    nested = "[" * 900 + "]" * 900
    write(tmp_path, {"m.weights.json": f"[{','.join([nested] * 4_000)}]".encode()})
    tracemalloc.start()
    try:
        assert sightings(tmp_path) == {}
        assert tracemalloc.get_traced_memory()[1] < 64 * 1024**2
    finally:
        tracemalloc.stop()


def test_a_list_of_which_nothing_is_missing_is_no_artifact(sharded: Path) -> None:
    with pytest.raises(UsageError, match="this is no TensorFlow or Keras model"):
        identify(sharded / "m.weights.json")


def test_a_shard_that_is_damaged_is_damaged(sharded: Path) -> None:
    content = (sharded / SHARDS[1]).read_bytes()
    (sharded / SHARDS[1]).write_bytes(content[:-50])
    stand_in = sightings(sharded)[SHARDS[1]].stand_in
    assert stand_in is not None
    assert stand_in.kind is StandInKind.TRUNCATED


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b'{"metadata": {"total', StandInKind.TRUNCATED),
        (b"\x80", StandInKind.TRUNCATED),
        (b"[" * 100_000, StandInKind.TRUNCATED),
        (b"", StandInKind.EMPTY),
        (LFS_POINTER, StandInKind.GIT_LFS_POINTER),
    ],
)
def test_a_list_that_is_none_any_more_is_told_of(sharded: Path, content: bytes, kind: StandInKind) -> None:
    write(sharded, {"m.weights.json": content})
    stand_in = sightings(sharded)["m.weights.json"].stand_in
    assert stand_in is not None
    assert stand_in.kind is kind


@pytest.mark.parametrize(
    "content",
    [
        "[1]",
        "{}",
        '{"weight_map": 7}',
        '{"weight_map": {"a": 7, "b": ["c"], "d": [[]]}}',
        '{"weight_map": {"a": "model-00001-of-00002.safetensors"}}',
        '{"weight_map": {"a": "../elsewhere.weights.h5"}}',
        "no JSON",
        "",
    ],
)
def test_other_json_of_such_a_name_is_nothing(tmp_path: Path, content: str) -> None:
    write(tmp_path, {"m.weights.json": content.encode()})
    assert formats(tmp_path) == {}


def test_weights_that_are_the_model_s_own_alone_are_found(tmp_path: Path) -> None:
    save_variables(tmp_path / "own.weights.h5", "")
    assert formats(tmp_path) == {"own.weights.h5": "keras_weights_h5"}


def test_under_another_name_a_group_of_that_kind_is_any_data(tmp_path: Path) -> None:
    save_variables(tmp_path / "own.h5", "")
    assert formats(tmp_path) == {}


def test_a_data_set_that_is_named_as_weights_is_no_artifact(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "my.weights.h5", "w") as file:
        file.create_dataset("station/weights", data=np.zeros(3))
        file["circle"] = file["/"]
    assert formats(tmp_path) == {}
