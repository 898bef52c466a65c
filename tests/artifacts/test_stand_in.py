"""Tells what is under a model's name when the model is not there."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgate.artifacts.discover import read_artifact
from loadgate.artifacts.stand_in import of_file
from loadgate.domain import StandIn, StandInKind

from .making import ERROR_DOCUMENT, ERROR_JSON, ERROR_PAGE, LFS_POINTER, formats, sightings


def write(path: Path, content: bytes = b"") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def only_stand_in(root: Path) -> StandIn:
    (sighting,) = sightings(root).values()
    artifact = read_artifact(root, sighting)
    assert artifact.facts is None
    assert artifact.damage is None
    assert artifact.stand_in is not None
    return artifact.stand_in


def test_a_git_lfs_pointer_is_reported_as_a_pointer_and_not_as_a_corrupt_model(tmp_path: Path) -> None:
    write(tmp_path / "models" / "model.h5", LFS_POINTER)
    assert only_stand_in(tmp_path) == StandIn(
        kind=StandInKind.GIT_LFS_POINTER,
        file="models/model.h5",
        detail="points at 98,231,112 bytes, sha256 4d7a214614ab…",
    )


@pytest.mark.parametrize(
    ("content", "kind", "detail"),
    [
        (ERROR_PAGE, StandInKind.HTML, "an HTML page of 84 bytes: 404 Not Found"),
        (ERROR_DOCUMENT, StandInKind.XML, "an XML document of 93 bytes: The key is gone."),
        (ERROR_JSON, StandInKind.JSON, 'JSON of 42 bytes: {"error": "Invalid username or password."}'),
        (b"", StandInKind.EMPTY, "the file is empty"),
        (b"\xef\xbb\xbf <!-- x --> <HTML>", StandInKind.HTML, "an HTML page of 21 bytes"),
        (b"<?xml version='1.0'?><!DOCTYPE html><html/>", StandInKind.HTML, "an HTML page of 43 bytes"),
        (
            b"version https://git-lfs.github.com/spec/v1\n",
            StandInKind.GIT_LFS_POINTER,
            "a Git LFS pointer that names no object",
        ),
    ],
)
def test_what_came_in_place_of_a_download_is_named(
    tmp_path: Path, content: bytes, kind: StandInKind, detail: str
) -> None:
    write(tmp_path / "model.keras", content)
    assert only_stand_in(tmp_path) == StandIn(kind=kind, file="model.keras", detail=detail)


@pytest.mark.parametrize(
    ("name", "promised"),
    [
        ("m.h5", "keras_h5"),
        ("m.weights.h5", "keras_weights_h5"),
        ("m.hdf5", "keras_h5"),
        ("m.keras", "keras_v3"),
        ("m.tflite", "tflite"),
        ("M.TFLITE", "tflite"),
        ("m.pb", "graph_def"),
        ("saved_model.pb", "saved_model"),
        ("m.json", None),
        ("m.bin", None),
        ("m.txt", None),
    ],
)
def test_a_pointer_has_the_format_that_its_extension_promises(tmp_path: Path, name: str, promised: str | None) -> None:
    write(tmp_path / "a" / name, LFS_POINTER)
    assert set(formats(tmp_path).values()) == ({promised} if promised else set())


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("frozen_inference_graph.pb", True),
        ("Model-2.pb", True),
        ("export/graph.pb", True),
        ("fingerprint.pb", False),
        ("remodelled.pb", False),
        ("assets.extra/saved_model_config.pb", False),
        ("x/assets/model.pb", False),
    ],
)
@pytest.mark.parametrize("content", [b"", b'{"a": 1}', ERROR_DOCUMENT], ids=["empty", "JSON", "XML"])
def test_an_empty_protobuf_and_a_document_are_a_missing_model_only_where_the_name_says_so(
    tmp_path: Path, path: str, counts: bool, content: bytes
) -> None:
    write(tmp_path / path, content)
    assert (path in formats(tmp_path)) is counts


def test_test_data_of_onnx_behind_pointers_are_no_models(tmp_path: Path) -> None:
    write(tmp_path / "resnet" / "test_data_set_0" / "input_0.pb", LFS_POINTER)
    assert formats(tmp_path) == {}


@pytest.mark.parametrize("name", ["m.h5", "m.weights.h5", "m.hdf5", "m.keras", "M.TFLITE"])
def test_a_text_under_the_name_of_a_model_is_told_of(name: str, tmp_path: Path) -> None:
    write(tmp_path / name, b"404: Not Found\n")
    assert only_stand_in(tmp_path) == StandIn(
        kind=StandInKind.TEXT, file=name, detail="text of 15 bytes: 404: Not Found"
    )


@pytest.mark.parametrize("content", [b"\x93NUMPY\x01\0", b"PAR1\x15\0"])
@pytest.mark.parametrize("name", ["m.h5", "m.weights.h5", "m.hdf5", "m.keras", "m.tflite"])
def test_other_data_under_the_name_of_a_model_is_no_artifact_and_never_called_broken(
    name: str, content: bytes, tmp_path: Path
) -> None:
    write(tmp_path / name, content)
    assert formats(tmp_path) == {}


@pytest.mark.parametrize("name", ["labels.pb", "frozen_graph.pb", "m.bin", "m.txt"])
def test_bytes_of_no_format_under_any_other_name_are_nothing(name: str, tmp_path: Path) -> None:
    write(tmp_path / name, b"404: Not Found\n")
    assert formats(tmp_path) == {}


@pytest.mark.parametrize(
    "content",
    [
        b"\n{\n\x05const\x12\x05Const" + bytes(100),
        b"\n<\n\x05const\x12\x05Const" + bytes(100),
        b"\x89HDF\r\n\x1a\n",
        b"PK\x03\x04",
        b"node { name: 'x' }",
        b"[not json]",
    ],
)
def test_bytes_that_may_be_a_model_are_no_stand_in(content: bytes) -> None:
    assert of_file(content, len(content)) is None


def test_a_file_that_cannot_be_read_is_not_called_empty() -> None:
    assert of_file(b"", 4096) is None


@given(
    st.binary(max_size=300)
    | st.sampled_from([b"{", b"<", b"<html>", b"["]).flatmap(lambda s: st.binary().map(s.__add__))
)
def test_any_bytes_get_one_printable_line(content: bytes) -> None:
    found = of_file(content, len(content))
    assert found is None or found[1].isprintable()
