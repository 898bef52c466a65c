"""Leaves alone the models of packages that are installed in the repository and belong to others."""

from __future__ import annotations

from pathlib import Path

import pytest

from .making import formats, git, save_hdf5

FOLDERS = (".venv/lib", "env/lib/python3.11/site-packages/keras/tests", "web/node_modules/pose", ".tox/py311/share")
MODELS = {f"{folder}/model.h5" for folder in FOLDERS}


@pytest.fixture(params=["git", "walk"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "git":
        git(tmp_path, "init", "--quiet")
    for folder in (*FOLDERS, "own", "envelope"):
        (tmp_path / folder).mkdir(parents=True)
        save_hdf5(tmp_path / folder / "model.h5")
    return tmp_path


def test_models_of_installed_packages_are_not_ours(root: Path) -> None:
    assert set(formats(root)) == {"own/model.h5", "envelope/model.h5"}
    assert set(formats(root, include=["*.h5"])) == {"own/model.h5", "envelope/model.h5"}


def test_one_that_the_spec_names_outright_is(root: Path) -> None:
    assert set(formats(root, include=["web/node_modules/pose/**"])) == {"web/node_modules/pose/model.h5"}
    assert set(formats(root, include=["web/node_modules/pose/model.h5"])) == {"web/node_modules/pose/model.h5"}


def test_what_somebody_committed_is_ours_whatever_its_folder_is_called(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    for folder in FOLDERS:
        (tmp_path / folder).mkdir(parents=True)
        save_hdf5(tmp_path / folder / "model.h5")
    git(tmp_path, "add", "--all", "--force")
    assert set(formats(tmp_path)) == MODELS
