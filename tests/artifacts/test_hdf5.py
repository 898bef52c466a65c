"""Reads the groups and attributes of HDF5 files as h5py does, and survives what h5py need not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from loadgate.artifacts import hdf5

Tree = dict[str, Mapping[str, hdf5.Value]]


def tree(group: hdf5.Group, path: str = "") -> Tree:
    found: Tree = {path: {name: group.attribute(name) for name in group.attribute_names()}}
    for name in group.members():
        inner = group.group(name)
        if inner is not None:
            found.update(tree(inner, f"{path}/{name}"))
    return found


def write(path: Path, **options: Any) -> None:
    with h5py.File(path, "w", **options) as file:
        file.attrs["text"] = "grüße"
        file.attrs["bytes"] = np.bytes_(b"fixed")
        file.attrs["long"] = "x" * 100_000
        file.attrs["names"] = [b"a", b"bcd"]
        file.attrs["texts"] = ["a", "bcd", ""]
        file.attrs["none"] = []
        file.attrs["number"] = 7
        file.attrs["empty"] = h5py.Empty("f4")
        for number in range(300):
            file.create_group(f"group_{number}").attrs["number"] = str(number)
        file.create_dataset("data", data=np.zeros(3))
        file.create_group("deep/er/still").attrs["here"] = "yes"
        file["soft"] = h5py.SoftLink("/deep")
        file["outside"] = h5py.ExternalLink("other.h5", "/")


EXPECTED: Tree = {
    "": {
        "text": "grüße",
        "bytes": "fixed",
        "long": "x" * 100_000,
        "names": ("a", "bcd"),
        "texts": ("a", "bcd", ""),
        "none": None,
        "number": None,
        "empty": None,
    },
    **{f"/group_{number}": {"number": str(number)} for number in range(300)},
    "/deep": {},
    "/deep/er": {},
    "/deep/er/still": {"here": "yes"},
}


@pytest.mark.parametrize(
    "options",
    [{}, {"libver": "v108"}, {"libver": "latest"}, {"track_order": True}, {"userblock_size": 1024}],
    ids=["earliest", "v108", "latest", "tracked order", "user block"],
)
def test_every_layout_reads_as_it_was_written(tmp_path: Path, options: dict[str, Any]) -> None:
    write(tmp_path / "file", **options)
    assert hdf5.read(tmp_path / "file", tree) == EXPECTED


@pytest.mark.parametrize("groups", [9, 100, 3_000])
def test_dense_storage_of_any_depth_reads_as_it_was_written(tmp_path: Path, groups: int) -> None:
    with h5py.File(tmp_path / "file", "w", libver="latest") as file:
        for number in range(groups):
            file.create_group(f"group_{number}" + "x" * (number % 50))
        for number in range(60):
            file.attrs[f"attribute_{number}"] = [b"y" * 20] * (number * 10 + 1)
    found = hdf5.read(tmp_path / "file", tree)
    assert len(found) == groups + 1
    assert found[""] == {f"attribute_{number}": ("y" * 20,) * (number * 10 + 1) for number in range(60)}


def test_links_out_of_the_file_are_not_followed(tmp_path: Path) -> None:
    write(tmp_path / "file")
    (tmp_path / "other.h5").symlink_to(tmp_path / "file")
    assert hdf5.read(tmp_path / "file", lambda root: root.group("outside")) is None


def test_a_file_that_ends_before_its_end_is_truncated(tmp_path: Path) -> None:
    write(tmp_path / "file")
    content = (tmp_path / "file").read_bytes()
    (tmp_path / "file").write_bytes(content[:-1])
    with pytest.raises(hdf5.TruncatedError, match=f"{len(content) - 1:,} bytes of {len(content):,}"):
        hdf5.read(tmp_path / "file", tree)


def test_an_attribute_beyond_all_measure_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "file", "w") as file:
        file.attrs["huge"] = "x" * (hdf5.MAX_ATTRIBUTE + 8192)
    with pytest.raises(hdf5.DamagedError, match="attribute of more than"):
        hdf5.read(tmp_path / "file", tree)


def test_groups_that_contain_themselves_are_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "file", "w") as file:
        file.create_group("a")["again"] = file["/"]
    with pytest.raises(hdf5.DamagedError, match="nested"):
        hdf5.read(tmp_path / "file", tree)


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_whichever_byte_is_wrong_it_reads_or_is_damaged(tmp_path: Path, libver: str) -> None:
    with h5py.File(tmp_path / "file", "w", libver=libver) as file:
        for number in range(10):
            file.attrs[f"texts_{number}"] = ["a", "b"]
            file.create_group(f"group_{number}").attrs["names"] = [b"a"]
    content = (tmp_path / "file").read_bytes()
    outcomes = set()
    for position in range(0, len(content), 11):
        value = (0, 0x7F, 0xFF, content[position] ^ 1)[position % 4]
        (tmp_path / "file").write_bytes(content[:position] + bytes([value]) + content[position + 1 :])
        outcomes.add(_outcome(tmp_path / "file"))
    assert outcomes == {"read", "damaged"}


def test_wherever_it_is_cut_off_it_is_damaged(tmp_path: Path) -> None:
    write(tmp_path / "file")
    content = (tmp_path / "file").read_bytes()
    for length in [*range(200), *range(200, len(content), 997)]:
        (tmp_path / "file").write_bytes(content[:length])
        assert _outcome(tmp_path / "file") == "damaged"


def _outcome(path: Path) -> str:
    try:
        hdf5.read(path, tree)
    except hdf5.DamagedError:
        return "damaged"
    return "read"
