"""Recognises `.keras` zips by content, and reads their facts without unpacking what they claim to hold."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loadgate.artifacts.discover import read_artifact
from loadgate.domain import Artifact, CustomObject, Format, SavedWith, StandInKind

from .making import DENSE, formats, layer, save_keras_v3, sequential, sightings

LOCAL_HEADER_SIZE = 30
"""Bytes before the name of a member of an archive."""
OFTEN = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def only_artifact(root: Path) -> Artifact:
    (sighting,) = sightings(root).values()
    return read_artifact(root, sighting, digest=False)


@pytest.mark.parametrize("name", ["model.keras", "model.h5", "model", "model.zip"])
def test_a_model_is_found_by_its_content_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    save_keras_v3(tmp_path / name)
    assert formats(tmp_path) == {name: "keras_v3"}


@pytest.mark.parametrize("place", [512, 1024, 2048])
def test_an_archive_whose_weights_begin_where_a_file_of_hdf5_may_is_still_an_archive(
    tmp_path: Path, place: int
) -> None:
    save_keras_v3(tmp_path / "whole.keras")
    with zipfile.ZipFile(tmp_path / "whole.keras") as whole, zipfile.ZipFile(tmp_path / "model.keras", "w") as moved:
        weights = whole.read("model.weights.h5")
        moved.writestr("metadata.json", whole.read("metadata.json"))
        headers = 3 * LOCAL_HEADER_SIZE + len("metadata.json" + "config.json" + "model.weights.h5")
        room = place - headers - len(whole.read("metadata.json"))
        moved.writestr("config.json", json.dumps(sequential(DENSE)).ljust(room))
        moved.writestr("model.weights.h5", weights)
    (tmp_path / "whole.keras").unlink()
    assert (tmp_path / "model.keras").read_bytes()[place:].startswith(b"\x89HDF")
    assert formats(tmp_path) == {"model.keras": "keras_v3"}


def test_facts_of_a_model(tmp_path: Path) -> None:
    own = {**layer("Patch", "patch"), "module": "acme.layers", "registered_name": "acme>Patch"}
    save_keras_v3(tmp_path / "model.keras", sequential(layer("InputLayer", "x", batch_shape=[None, 4]), own))
    facts = only_artifact(tmp_path).facts
    assert facts is not None
    assert facts.saved_with == SavedWith(keras="3.9.2")
    assert facts.layers == {"InputLayer": 1, "Patch": 1}
    assert facts.custom_objects == (
        CustomObject(name="Patch", module="acme.layers", registered_name="acme>Patch", where="patch"),
    )
    assert facts.signatures[0].inputs[0].shape == (None, 4)
    assert facts.tensors == 2
    assert facts.extra == {"config_dialect": "keras 3", "date_saved": "2025-04-09@10:26:13", "weights_layout": "layers"}


def test_a_model_of_keras_2_is_told_by_its_modules(tmp_path: Path) -> None:
    config = {"module": "keras.src.engine.functional", "class_name": "Functional", "config": {"layers": []}}
    save_keras_v3(tmp_path / "model.keras", config, metadata={"keras_version": "2.13.1"})
    facts = only_artifact(tmp_path).facts
    assert facts is not None
    assert facts.extra["config_dialect"] == "keras 2"


def test_weights_that_are_compressed_are_not_inflated_to_be_counted(tmp_path: Path) -> None:
    save_keras_v3(tmp_path / "model.keras", compression=zipfile.ZIP_DEFLATED)
    facts = only_artifact(tmp_path).facts
    assert facts is not None
    assert facts.tensors is None


@pytest.mark.parametrize("name", ["archive.zip", "model.keras", "model.h5", "arrays.npz"])
def test_a_plain_zip_is_no_artifact(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.writestr("readme.txt", "nothing to load")
        archive.writestr("data/config.json", "{}")
    assert formats(tmp_path) == {}


def test_a_truncated_model_is_reported_as_truncated(tmp_path: Path) -> None:
    save_keras_v3(tmp_path / "model.bin")
    content = (tmp_path / "model.bin").read_bytes()
    (tmp_path / "model.bin").write_bytes(content[: len(content) // 2])
    artifact = only_artifact(tmp_path)
    assert artifact.format is Format.KERAS_V3
    assert artifact.stand_in is not None
    assert artifact.stand_in.kind is StandInKind.TRUNCATED


def test_a_truncated_plain_zip_is_no_broken_model(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        archive.writestr("readme.txt", "nothing to load")
    (tmp_path / "archive.zip").write_bytes((tmp_path / "archive.zip").read_bytes()[:60])
    assert formats(tmp_path) == {}


@pytest.mark.parametrize("declared", ["honest", "a lie"])
def test_a_configuration_that_would_fill_the_memory_is_refused(tmp_path: Path, declared: str) -> None:
    bomb = b'{"class_name": "' + b"x" * 40_000_000 + b'"}'
    save_keras_v3(tmp_path / "model.keras", bomb, compression=zipfile.ZIP_DEFLATED)
    if declared == "a lie":
        content = (tmp_path / "model.keras").read_bytes()
        size = len(bomb).to_bytes(4, "little")
        (tmp_path / "model.keras").write_bytes(content.replace(size, (1000).to_bytes(4, "little")))
    artifact = only_artifact(tmp_path)
    assert artifact.facts is None
    told, other = (artifact.unread, artifact.damage) if declared == "honest" else (artifact.damage, artifact.unread)
    assert "config.json" in (told or "")
    assert other is None


def test_a_configuration_that_is_no_json_is_damage(tmp_path: Path) -> None:
    save_keras_v3(tmp_path / "model.keras", b"{broken")
    assert str(only_artifact(tmp_path).damage).startswith("the configuration is no JSON")


def test_metadata_of_the_wrong_shape_are_no_metadata(tmp_path: Path) -> None:
    save_keras_v3(tmp_path / "model.keras", metadata={"keras_version": 3, "date_saved": []})
    facts = only_artifact(tmp_path).facts
    assert facts is not None
    assert facts.saved_with == SavedWith()


@OFTEN
@given(data=st.data())
def test_a_model_cut_off_anywhere_is_truncated(tmp_path: Path, data: st.DataObject) -> None:
    save_keras_v3(tmp_path / "model.keras")
    content = (tmp_path / "model.keras").read_bytes()
    length = data.draw(st.integers(4, len(content) - 1))
    (tmp_path / "model.keras").write_bytes(content[:length])
    stand_in = only_artifact(tmp_path).stand_in
    assert stand_in is not None
    assert stand_in.kind is StandInKind.TRUNCATED


@OFTEN
@given(data=st.data())
def test_a_model_with_wrong_bytes_is_read_or_says_why_not(tmp_path: Path, data: st.DataObject) -> None:
    save_keras_v3(tmp_path / "model.keras", json.dumps(DENSE).encode(), compression=zipfile.ZIP_DEFLATED)
    content = bytearray((tmp_path / "model.keras").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(4, len(content) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "model.keras").write_bytes(content)
    for sighting in sightings(tmp_path).values():
        artifact = read_artifact(tmp_path, sighting, digest=False)
        told = (artifact.facts, artifact.stand_in, artifact.damage, artifact.unread)
        assert sum(each is not None for each in told) == 1
