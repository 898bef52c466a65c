"""Recognises Keras HDF5 by content, and reads its facts."""

from __future__ import annotations

import base64
import zlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loadgate.artifacts.discover import read_artifact
from loadgate.artifacts.identify import identify
from loadgate.artifacts.interface import HEAD
from loadgate.domain import Artifact, Facts, Format, SavedWith, StandInKind
from loadgate.errors import UsageError

from .making import (
    formats,
    layer,
    save_data_set,
    save_hdf5,
    save_keras_3_weights,
    save_weights,
    sequential,
    sightings,
)

OFTEN = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def only_artifact(root: Path) -> Artifact:
    (sighting,) = sightings(root).values()
    return read_artifact(root, sighting, digest=False)


def facts_of(root: Path) -> Facts:
    facts = only_artifact(root).facts
    assert facts is not None
    return facts


@pytest.mark.parametrize("name", ["model.h5", "weights.bin", "model", "model.keras", "MODEL.HDF5"])
def test_a_model_is_found_by_its_content_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    save_hdf5(tmp_path / name)
    assert formats(tmp_path) == {name: "keras_h5"}


@pytest.mark.parametrize(
    "options", [{}, {"libver": "latest"}, {"track_order": True}], ids=["earliest", "latest", "order"]
)
def test_facts_of_a_whole_model(tmp_path: Path, options: dict[str, Any]) -> None:
    training = {"loss": "mse", "metrics": ["dice"]}
    save_hdf5(tmp_path / "model.h5", training=training, layers={"dense": 2, "other": 3}, **options)
    facts = facts_of(tmp_path)
    assert facts.saved_with == SavedWith(keras="2.15.0", backend="tensorflow")
    assert facts.layers == {"Dense": 1}
    assert [each.name for each in facts.custom_objects] == ["dice"]
    assert facts.signatures[0].inputs[0].shape == (None, 4)
    assert facts.tensors == 5


def test_a_model_that_does_not_say_its_keras_is_a_model_all_the_same(tmp_path: Path) -> None:
    save_hdf5(tmp_path / "model.h5", keras=None)
    assert facts_of(tmp_path).saved_with == SavedWith()


def test_a_configuration_without_a_group_of_weights_is_told_from_a_whole_model(tmp_path: Path) -> None:
    save_hdf5(tmp_path / "model.h5")
    assert "model_weights" not in facts_of(tmp_path).extra
    with h5py.File(tmp_path / "model.h5", "r+") as file:
        del file["model_weights"]
    assert facts_of(tmp_path).extra["model_weights"] == "missing"


def test_weights_alone_are_told_from_a_whole_model(tmp_path: Path) -> None:
    save_weights(tmp_path / "weights.h5", {"dense": 2, "flatten": 0})
    assert formats(tmp_path) == {"weights.h5": "keras_weights_h5"}
    facts = facts_of(tmp_path)
    assert facts.saved_with == SavedWith(keras="2.2.4-tf", backend="tensorflow")
    assert facts.tensors == 2
    assert facts.layers == {}


def test_names_of_layers_that_keras_splits_over_attributes_are_joined(tmp_path: Path) -> None:
    save_weights(tmp_path / "weights.h5", {f"layer_{number}": 1 for number in range(50)}, chunks=7)
    assert formats(tmp_path) == {"weights.h5": "keras_weights_h5"}
    assert facts_of(tmp_path).tensors == 50


def test_weights_of_keras_3_are_recognised_by_their_groups(tmp_path: Path) -> None:
    save_keras_3_weights(tmp_path / "a.bin", {"dense": 2, "flatten": 0, "lstm": 3})
    assert formats(tmp_path) == {"a.bin": "keras_weights_h5"}
    assert facts_of(tmp_path).tensors == 5


@pytest.mark.parametrize(
    "options", [{}, {"libver": "latest"}, {"track_order": True}], ids=["earliest", "latest", "order"]
)
@pytest.mark.parametrize("name", ["readings.h5", "model.hdf5", "model.keras"])
def test_another_data_set_is_no_artifact(tmp_path: Path, name: str, options: dict[str, Any]) -> None:
    save_data_set(tmp_path / name, **options)
    assert formats(tmp_path) == {}


def test_groups_that_are_merely_called_as_those_of_keras_3_are_no_weights(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "climate.h5", "w") as file:
        file.create_dataset("vars/temperature", data=np.zeros(3))
        file.create_dataset("layers/soil/depth", data=np.zeros(3))
    assert formats(tmp_path) == {}


def test_a_truncated_model_is_reported_as_truncated_with_what_is_missing(tmp_path: Path) -> None:
    save_hdf5(tmp_path / "model.bin")
    content = (tmp_path / "model.bin").read_bytes()
    (tmp_path / "model.bin").write_bytes(content[: len(content) // 2])
    artifact = only_artifact(tmp_path)
    assert artifact.format is Format.KERAS_H5
    assert artifact.facts is None
    assert artifact.stand_in is not None
    assert artifact.stand_in.kind is StandInKind.TRUNCATED
    assert artifact.stand_in.detail == f"{len(content) // 2:,} bytes of {len(content):,} are there"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("model.weights.h5", "keras_weights_h5"),
        ("model.h5", "keras_weights_h5"),
        ("data.bin", None),
    ],
)
def test_truncated_weights_of_keras_3_are_known_by_name_and_groups(
    tmp_path: Path, name: str, found: str | None
) -> None:
    save_keras_3_weights(tmp_path / name, {"dense": 2})
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) - 100])
    assert formats(tmp_path).get(name) == found


def test_a_truncated_data_set_is_no_broken_model_whatever_its_extension(tmp_path: Path) -> None:
    save_data_set(tmp_path / "readings.h5")
    content = (tmp_path / "readings.h5").read_bytes()
    (tmp_path / "readings.h5").write_bytes(content[: len(content) - 100])
    assert formats(tmp_path) == {}


LINK_WITH_A_NAME_OF_MANY_EXABYTES = (
    "c-rgqaB<`1lHy_j0S*oZQb7WgX2c=S$iNDglYsICfDi-}m?3-vsK$^WS6AGojDk@xFo2C="
    "zmg57y~T&cc3;~H?S4;sZTIe^_x=D5hW*B$Z`l=&h7c710OIZvrv"
)
"""Found by the fuzzer, compressed."""


def test_a_length_that_python_cannot_index_ends_in_one_line(tmp_path: Path) -> None:
    content = zlib.decompress(base64.b85decode(LINK_WITH_A_NAME_OF_MANY_EXABYTES))
    (tmp_path / "model.h5").write_bytes(content)
    with pytest.raises(UsageError, match="no TensorFlow or Keras model that loadgate knows"):
        identify(tmp_path / "model.h5")


def test_a_configuration_that_is_no_json_is_damage_in_one_line(tmp_path: Path) -> None:
    save_hdf5(tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5", "a") as file:
        file.attrs["model_config"] = "{broken"
    artifact = only_artifact(tmp_path)
    assert artifact.facts is None
    assert artifact.stand_in is None
    assert artifact.damage is not None
    assert artifact.damage.startswith("the configuration is no JSON")
    assert "\n" not in artifact.damage


@OFTEN
@given(data=st.data())
def test_a_model_cut_off_anywhere_is_truncated_or_by_its_name_no_model(tmp_path: Path, data: st.DataObject) -> None:
    save_hdf5(tmp_path / "model.h5")
    content = (tmp_path / "model.h5").read_bytes()
    length = data.draw(st.integers(8, len(content) - 1))
    (tmp_path / "model.h5").write_bytes(content[:length])
    stand_in = only_artifact(tmp_path).stand_in
    assert stand_in is not None
    assert stand_in.kind is StandInKind.TRUNCATED


@OFTEN
@given(data=st.data())
def test_a_model_with_wrong_bytes_is_read_or_damaged(tmp_path: Path, data: st.DataObject) -> None:
    save_hdf5(tmp_path / "model.h5", sequential(layer("Dense", "d", units=2)))
    content = bytearray((tmp_path / "model.h5").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(8, HEAD))] = data.draw(st.integers(0, 255))
    (tmp_path / "model.h5").write_bytes(content)
    for sighting in sightings(tmp_path).values():
        artifact = read_artifact(tmp_path, sighting, digest=False)
        told = (artifact.facts, artifact.stand_in, artifact.damage, artifact.unread)
        assert sum(each is not None for each in told) == 1


@OFTEN
@given(data=st.data())
def test_a_data_set_with_wrong_bytes_is_never_called_a_model(tmp_path: Path, data: st.DataObject) -> None:
    save_data_set(tmp_path / "data.h5")
    content = bytearray((tmp_path / "data.h5").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "data.h5").write_bytes(content)
    assert formats(tmp_path) == {}


def test_a_gigabyte_of_weights_is_not_read(tmp_path: Path) -> None:
    save_hdf5(tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5", "a") as file:
        file.create_dataset("model_weights/large", shape=(2**28,), dtype="float32")
        file["model_weights/large"][-1] = 1.0
    assert (tmp_path / "model.h5").stat().st_size > 2**30
    before = bytes_read()
    assert facts_of(tmp_path).tensors == 2
    assert bytes_read() - before < 2**20


def bytes_read() -> int:
    """So far, by this process."""
    return int(Path("/proc/self/io").read_text().split()[1])
