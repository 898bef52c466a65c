"""Tells what became of a model where its bytes are none any more, and leaves other data alone."""

from __future__ import annotations

import gzip
import io
import pickle
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import pytest

from loadgate.artifacts.discover import read_artifact
from loadgate.artifacts.identify import identify

from .making import formats, save_data_set, save_hdf5, save_keras_3_weights, save_keras_v3, sightings
from .on_disk import DATA, write

NAMES = ("model_7.h5", "weights.hdf5", "m.weights.h5", "m.keras", "m.tflite")
RANDOM = random.Random(0).randbytes(5000)  # noqa: S311 - the same bytes each time
NAMED_AS_NOTHING_ELSE = ("m.weights.h5", "m.keras", "M.TFLITE")


def damage(root: Path) -> str | None:
    (sighting,) = sightings(root).values()
    artifact = read_artifact(root, sighting)
    assert (artifact.facts, artifact.stand_in) == (None, None)
    return artifact.damage


def hdf5_bytes(save: Callable[[Path], None], folder: Path) -> bytes:
    save(folder / "saved")
    content = (folder / "saved").read_bytes()
    (folder / "saved").unlink()
    return content


def data_set(path: Path) -> None:
    save_data_set(path)
    with h5py.File(path, "a") as file:
        file.create_dataset("more", data=range(1000))


CONVERSIONS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "CRLF to LF": (lambda content: content.replace(b"\r\n", b"\n"), "its line ends were converted"),
    "LF to CRLF": (lambda content: content.replace(b"\n", b"\r\n"), "its line ends were converted"),
    "LF to CRLF, as git does": (
        lambda content: content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
        "its line ends were converted",
    ),
    "decoded as UTF-8": (
        lambda content: content.decode("utf-8", "replace").encode(),
        "its bytes that are no ASCII were replaced",
    ),
    "decoded as Latin-1": (
        lambda content: content.decode("latin-1").encode(),
        "its bytes that are no ASCII were replaced",
    ),
    "decoded as ASCII": (
        lambda content: content.decode("ascii", "replace").encode("ascii", "replace"),
        "its bytes that are no ASCII were replaced",
    ),
    "seven bits": (lambda content: bytes(byte & 0x7F for byte in content), "its bytes that are no ASCII were replaced"),
    "decoded as UTF-8, and CRLF to LF": (
        lambda content: content.decode("utf-8", "replace").replace("\r\n", "\n").encode(),
        "its bytes that are no ASCII were replaced and its line ends were converted",
    ),
}
CONVERTED = pytest.mark.parametrize("conversion", CONVERSIONS)


@CONVERTED
@pytest.mark.parametrize("save", [save_hdf5, lambda path: save_keras_3_weights(path, {"dense": 2})], ids=["2", "3"])
def test_a_model_that_was_taken_for_text_is_damaged_and_says_so(
    tmp_path: Path, save: Callable[[Path], None], conversion: str
) -> None:
    convert, said = CONVERSIONS[conversion]
    write(tmp_path, {"m.h5": convert(hdf5_bytes(save, tmp_path))})
    assert str(damage(tmp_path)).startswith(f"{said}: something took it for text")


@CONVERTED
def test_a_data_set_that_was_taken_for_text_is_nobody_s_business(tmp_path: Path, conversion: str) -> None:
    convert, _ = CONVERSIONS[conversion]
    write(tmp_path, {"readings.h5": convert(hdf5_bytes(data_set, tmp_path))})
    assert formats(tmp_path) == {}


@pytest.mark.parametrize("name", ["m.h5", "m.keras", "m.tflite"])
def test_a_model_that_is_packed_still_says_so(tmp_path: Path, name: str) -> None:
    makers: dict[str, Callable[[Path], None]] = {"m.h5": save_hdf5, "m.keras": save_keras_v3}
    content = hdf5_bytes(makers[name], tmp_path) if name in makers else (DATA / "doubled.tflite").read_bytes()
    write(tmp_path, {name: gzip.compress(content)})
    assert damage(tmp_path) == "it is packed with gzip still, as some servers send it; unpack it with gunzip"


def test_other_data_that_are_packed_are_no_artifact(tmp_path: Path) -> None:
    for name, content in {"a.h5": hdf5_bytes(data_set, tmp_path), "b.hdf5": b"text", "c.h5": b""}.items():
        write(tmp_path, {name: gzip.compress(content)})
    write(tmp_path, {"d.h5": b"\x1f\x8b\x08 and no more"})
    assert formats(tmp_path) == {}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [8, 2000, 4096])
def test_a_file_of_zeros_is_damaged(tmp_path: Path, name: str, size: int) -> None:
    write(tmp_path, {name: bytes(size)})
    assert damage(tmp_path) == "all of its bytes are zeros"


@pytest.mark.parametrize("name", NAMES)
def test_a_file_whose_beginning_is_zeros_is_damaged(tmp_path: Path, name: str) -> None:
    write(tmp_path, {name: bytes(4096) + b"what is left"})
    assert damage(tmp_path) == "its first 4,096 bytes are zeros"


@pytest.mark.parametrize("name", ["zeros.h5", "remodelled.hdf5"])
def test_zeros_are_no_artifact_where_other_data_have_such_a_name(tmp_path: Path, name: str) -> None:
    write(tmp_path, {name: bytes(10_000)})
    assert formats(tmp_path) == {}


def test_weights_behind_a_block_of_the_user_s_own_are_not_called_broken(tmp_path: Path) -> None:
    path = tmp_path / "m.weights.h5"
    save_hdf5(path, userblock_size=8192)
    path.write_bytes(b"written by hand\n" + path.read_bytes()[16:])
    assert formats(tmp_path) == {}


@pytest.mark.parametrize("block", [4096, 65536])
def test_a_data_set_behind_a_block_of_the_user_s_own_is_not_called_broken(tmp_path: Path, block: int) -> None:
    save_data_set(tmp_path / "readings.h5", userblock_size=block)
    assert (tmp_path / "readings.h5").read_bytes().startswith(bytes(4096))
    assert formats(tmp_path) == {}


@pytest.mark.parametrize("content", [RANDOM, pickle.dumps({"a": 1}), b"\xff" * 9])
@pytest.mark.parametrize("name", NAMED_AS_NOTHING_ELSE)
def test_bytes_that_say_nothing_are_a_broken_model_where_nothing_else_has_such_a_name(
    tmp_path: Path, name: str, content: bytes
) -> None:
    write(tmp_path, {name: content})
    assert damage(tmp_path)
    assert identify(tmp_path / name)[1].stand_in is None


@pytest.mark.parametrize("content", [RANDOM, pickle.dumps({"a": 1}), b"\x0e\x03\x13\x01"])
@pytest.mark.parametrize("name", ["m.h5", "m.hdf5"])
def test_bytes_that_say_nothing_are_no_artifact_where_other_data_have_such_a_name(
    tmp_path: Path, name: str, content: bytes
) -> None:
    write(tmp_path, {name: content})
    assert formats(tmp_path) == {}


def test_what_macos_keeps_beside_a_model_is_no_artifact(tmp_path: Path) -> None:
    write(tmp_path, {f"._{name}": b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X" + bytes(100) for name in NAMES})
    assert formats(tmp_path) == {}


def packed_anew(path: Path, drop: str = "", folder: str = "") -> None:
    kept = io.BytesIO(path.read_bytes())
    with zipfile.ZipFile(kept) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            if name != drop:
                new.writestr(folder + name, old.read(name))


def test_an_archive_that_was_packed_anew_with_a_folder_on_top_says_so(tmp_path: Path) -> None:
    save_keras_v3(tmp_path / "m.keras")
    packed_anew(tmp_path / "m.keras", folder="churn/")
    assert damage(tmp_path) == (
        "the zip holds no config.json but in the folder churn: pack what is in it, and not the folder"
    )


def test_an_archive_without_its_configuration_is_damaged(tmp_path: Path) -> None:
    save_keras_v3(tmp_path / "m.keras")
    packed_anew(tmp_path / "m.keras", drop="config.json")
    assert damage(tmp_path) == "the zip holds no config.json"


def test_neither_is_said_of_a_zip_of_another_name(tmp_path: Path) -> None:
    save_keras_v3(tmp_path / "m.zip")
    packed_anew(tmp_path / "m.zip", folder="churn/")
    assert formats(tmp_path) == {}
