"""What is taken of what a load has saved."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from loadgate.probe.resave import PRODUCT, keep


@pytest.fixture
def product(tmp_path: Path) -> Path:
    folder = tmp_path / "case" / PRODUCT
    (folder / "model/variables").mkdir(parents=True)
    (folder / "model/variables/variables.index").touch()
    (folder / "recorded.npz").touch()
    return folder


def kept(product: Path) -> bool:
    place = product.parent.parent / "kept"
    keep(str(product.parent), str(place))
    return place.exists()


def test_files_and_folders_are_kept(product: Path) -> None:
    assert kept(product)


@pytest.mark.parametrize("name", ["recorded-too.npz", "model/assets"])
def test_what_holds_a_link_is_not_kept(product: Path, name: str) -> None:
    (product / name).symlink_to("/etc")
    assert not kept(product)


def test_what_is_a_link_is_not_kept(product: Path) -> None:
    product.rename(product.with_name("elsewhere"))
    product.symlink_to(product.with_name("elsewhere"))
    assert not kept(product)


def test_what_holds_a_pipe_is_not_kept(product: Path) -> None:
    os.mkfifo(product / "model.h5")
    assert not kept(product)


def test_what_is_deeper_than_any_model_is_not_kept(product: Path) -> None:
    (product / "/".join("d" * 40)).mkdir(parents=True)
    assert not kept(product)


def test_a_case_that_saved_nothing_is_no_matter(tmp_path: Path) -> None:
    keep(str(tmp_path), str(tmp_path / "kept"))
    assert not (tmp_path / "kept").exists()
