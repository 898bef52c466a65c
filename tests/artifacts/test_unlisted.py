"""Reaches what git ignores where somebody names it outright, and nowhere else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from loadgate.phases.plan import plan
from loadgate.sandbox.finding import discover_apart

from .making import git, save_hdf5
from .on_disk import DATA, write


@pytest.fixture(params=["git", "walk"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Models that another program puts where git ignores them."""
    if request.param == "git":
        git(tmp_path, "init", "--quiet")
    write(tmp_path, {".gitignore": b"/models/\n.venv/\n*.keep\n"})
    for folder in ("models/deep", "models/.venv/lib", ".venv"):
        (tmp_path / folder).mkdir(parents=True)
        save_hdf5(tmp_path / folder / "model.h5")
    shutil.copytree(DATA / "saved_model", tmp_path / "models" / "saved")
    shutil.copy(DATA / "version_2.index", tmp_path / "models" / "w.index")
    shutil.copy(DATA / "version_2.data-00000-of-00001", tmp_path / "models" / "w.data-00000-of-00001")
    return tmp_path


ALL = {"models/deep/model.h5", "models/saved", "models/w"}


def found(root: Path, *include: str, named: tuple[str, ...] = ()) -> set[str]:
    sightings = discover_apart(root, include=include, named=named)
    assert not [sighting for sighting in sightings if sighting.stand_in is not None]
    return {sighting.path for sighting in sightings}


@pytest.mark.parametrize(
    ("pattern", "reached"),
    [
        ("models/**", ALL),
        ("/models/", ALL),
        ("models", ALL),
        ("./models/**", set()),
        ("models/*/*.h5", {"models/deep/model.h5"}),
        ("models/deep/model.h5", {"models/deep/model.h5"}),
        ("models/saved/saved_model.pb", {"models/saved"}),
        ("models/saved", {"models/saved"}),
        ("models/w.index", {"models/w"}),
    ],
)
def test_an_include_that_begins_with_a_name_reaches_what_git_ignores_there(
    root: Path, pattern: str, reached: set[str]
) -> None:
    assert found(root, pattern) == reached


@pytest.mark.parametrize("pattern", ["**", "*.h5", "**/*.h5", "**/model.h5", "!models/**", "m*/**", "../**", ".git/**"])
def test_a_pattern_that_may_match_anywhere_reaches_nothing_that_git_ignores(root: Path, pattern: str) -> None:
    assert found(root, pattern) == set()


def test_without_a_pattern_what_git_ignores_is_left_alone(root: Path) -> None:
    assert found(root) == set()


@pytest.mark.parametrize("name", ["models/deep/model.h5", "./models/deep/model.h5", "models/deep/*.h5"])
def test_an_artifact_that_a_person_names_is_planned_although_git_ignores_it(root: Path, name: str) -> None:
    planned = plan(root, artifacts=[name])
    assert [artifact.path for artifact in planned.artifacts] == ["models/deep/model.h5"]


@pytest.mark.parametrize("name", ["models/w", "models/saved"])
def test_a_checkpoint_and_a_folder_may_be_named_as_well(root: Path, name: str) -> None:
    assert name in found(root, named=(name,))


def test_a_place_that_is_a_link_is_not_entered(root: Path) -> None:
    (root / "link").symlink_to("models")
    assert found(root, "link/**", "link/deep/model.h5") == set()


def notes(root: Path, *include: str, exclude: tuple[str, ...] = (), named: tuple[str, ...] = ()) -> list[str]:
    told: list[str] = []
    discover_apart(root, include, exclude, named, told.append)
    return told


def test_where_git_ignores_some_of_a_place_alone_it_is_told_how_many_of_those_were_looked_at(root: Path) -> None:
    (root / "ml" / "runs").mkdir(parents=True)
    write(root, {"ml/.gitignore": b"runs/\n", "ml/runs/log.txt": b"ordinary\n"})
    for path in ("ml/churn.h5", "ml/runs/1.h5", "ml/runs/2.h5"):
        save_hdf5(root / path)
    assert notes(root, "ml/**", "*.tflite") == [
        "In ml, which artifacts: include: names, 2 files that git ignores were looked at as well; "
        "leave out what was not meant with artifacts: {exclude: [...]} in the spec."
    ]
    assert notes(root, "ml/**", exclude=("ml/runs/",)) == notes(root, "ml/churn.h5") == notes(root, "*.h5") == []
    assert notes(root, "ml/**", named=("ml/churn.h5",)) == []


def test_nothing_is_told_of_a_place_of_which_git_ignores_all(root: Path) -> None:
    write(root, {"models/.gitignore": b"*\n"})
    assert notes(root, "models/**") == []
