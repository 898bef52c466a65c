"""Says what the repository declares and does not hold here, so that its models are not passed over without a word."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadgate.errors import UsageError
from loadgate.phases.plan import plan
from loadgate.sandbox.finding import discover_apart

from .making import git, save_hdf5
from .on_disk import write

SUBMODULE = "run `git submodule update --init`, or give actions/checkout `submodules: true`"
SPARSE = "take them into the sparse checkout"


def notes(root: Path, include: tuple[str, ...] = (), exclude: tuple[str, ...] = (), named: tuple[str, ...] = ()) -> str:
    told: list[str] = []
    discover_apart(root, include, exclude, named, told.append)
    return "\n".join(told)


def commit(root: Path) -> Path:
    git(root, "add", "--all", "--force")
    git(root, "commit", "--quiet", "-m", "models")
    return root


def repository(root: Path, *models: str) -> Path:
    root.mkdir(parents=True)
    git(root, "init", "--quiet")
    write(root, {"README.md": b"text\n"})
    for model in models:
        (root / model).parent.mkdir(parents=True, exist_ok=True)
        save_hdf5(root / model)
    return commit(root)


@pytest.fixture
def cloned(tmp_path: Path) -> Path:
    """As actions/checkout leaves it: with a submodule of models that is an empty folder."""
    inner = repository(tmp_path / "inner", "model.h5")
    outer = repository(tmp_path / "outer", "own.h5")
    git(outer, "submodule", "add", "--quiet", str(inner), "models")
    commit(outer)
    git(tmp_path, "clone", "--quiet", str(outer), str(tmp_path / "clone"))
    return tmp_path / "clone"


@pytest.fixture
def sparse(tmp_path: Path) -> Path:
    root = repository(tmp_path / "sparse", "kept/a.h5", "left/b.h5", "left/c.keras")
    write(root, {"left/text.txt": b"text\n", "left/saved/saved_model.pb": b"", "left/saved/variables/x.index": b""})
    commit(root)
    git(root, "sparse-checkout", "set", "kept")
    assert not (root / "left").exists()
    return root


def test_a_submodule_that_is_not_checked_out_is_told_of(cloned: Path) -> None:
    assert notes(cloned) == (
        f"A submodule is not checked out, and what is there was not looked at: models; {SUBMODULE}."
    )
    assert notes(cloned, include=("*.h5",)) == notes(cloned)


def test_the_plan_holds_what_is_told(cloned: Path) -> None:
    assert notes(cloned) in plan(cloned).notes


def test_nothing_is_said_of_one_that_is_checked_out(cloned: Path) -> None:
    git(cloned, "submodule", "update", "--quiet", "--init")
    assert notes(cloned) == ""


def test_nothing_is_said_of_one_that_the_spec_leaves_out(cloned: Path) -> None:
    assert notes(cloned, exclude=("models/",)) == ""


def test_a_submodule_in_a_submodule_is_told_of_by_its_whole_path(cloned: Path, tmp_path: Path) -> None:
    outermost = repository(tmp_path / "outermost")
    git(outermost, "submodule", "add", "--quiet", str(cloned), "theirs")
    assert "theirs/models;" in notes(outermost)


@pytest.mark.parametrize("pattern", ["models/**", "models/deep/model.h5", "/models/*.h5"])
def test_a_submodule_in_which_the_spec_asks_for_models_is_refused(cloned: Path, pattern: str) -> None:
    with pytest.raises(UsageError, match=r"A submodule is not checked out.*models;.*or leave it out with"):
        notes(cloned, include=("own.h5", pattern))


def test_one_below_the_place_where_the_spec_asks_for_models_is_told_of_and_not_refused(tmp_path: Path) -> None:
    inner, outer = repository(tmp_path / "inner"), repository(tmp_path / "outer", "src/own.h5")
    git(outer, "submodule", "add", "--quiet", str(inner), "src/theirs/json")
    commit(outer)
    git(tmp_path, "clone", "--quiet", str(outer), str(tmp_path / "clone"))
    assert "src/theirs/json;" in notes(tmp_path / "clone", include=("src/**/*.h5",))


def test_whoever_names_another_artifact_gets_it_all_the_same(cloned: Path) -> None:
    assert "models;" in notes(cloned, include=("own.h5", "models/**"), named=("own.h5",))


def test_models_that_a_sparse_checkout_leaves_out_are_told_of(sparse: Path) -> None:
    assert notes(sparse) == (
        "3 models that git tracks are left out by a sparse checkout, and what is there was not looked at: "
        f"left/b.h5, left/c.keras, left/saved/saved_model.pb; {SPARSE}."
    )
    assert notes(sparse, include=("kept/**",)) == ""
    assert notes(sparse, exclude=("left/",)) == ""


def test_one_that_the_spec_asks_for_is_refused(sparse: Path) -> None:
    with pytest.raises(UsageError, match=r"A model that git tracks is left out by a sparse checkout.*left/b\.h5"):
        notes(sparse, include=("*.h5",))


def test_a_second_work_tree_has_a_sparse_checkout_of_its_own(sparse: Path, tmp_path: Path) -> None:
    git(sparse, "worktree", "add", "--quiet", str(tmp_path / "second"))
    git(tmp_path / "second", "sparse-checkout", "set", "left")
    assert "left out by a sparse checkout, and what is there was not looked at: kept/a.h5;" in notes(
        tmp_path / "second"
    )


def test_a_model_that_was_merely_deleted_is_not_told_of(tmp_path: Path) -> None:
    root = repository(tmp_path / "repository", "a.h5")
    (root / "a.h5").unlink()
    assert notes(root) == ""


def folder_of_dvc(root: Path, name: str) -> Path:
    content = f"outs:\n- md5: 8d291ff40607d5c4a1a0f3e2c5f7b9aa.dir\n  nfiles: 3\n  path: {name.rpartition('/')[2]}\n"
    return write(root, {f"{name}.dvc": content.encode()})


@pytest.mark.parametrize("name", ["models", "churn-model", "models/resnet50", "weights/v2/best"])
def test_a_folder_of_models_that_dvc_did_not_fetch_is_told_of(name: str, tmp_path: Path) -> None:
    assert notes(folder_of_dvc(tmp_path, name)) == (
        f"A folder that DVC keeps was not fetched, and what is there was not looked at: {name}; run `dvc pull`."
    )


def test_a_folder_of_data_is_told_of_only_where_the_spec_asks_for_models_in_it(tmp_path: Path) -> None:
    folder_of_dvc(tmp_path, "data")
    assert notes(tmp_path) == ""
    with pytest.raises(UsageError, match=r"data; run `dvc pull`, or leave it out"):
        notes(tmp_path, include=("data/**",))
    assert notes(folder_of_dvc(tmp_path, "ml/data"), include=("ml/**/*.tflite",)) == ""


@pytest.mark.parametrize("name", ["dvc.lock", "dvc.yaml"])
def test_stages_of_dvc_that_cannot_be_read_are_told_of(name: str, tmp_path: Path) -> None:
    stages = {"dvc.lock": b"stages: {train: {}}\n", "dvc.yaml": b"stages: {train: {cmd: a}}\n"}
    assert notes(write(tmp_path, {f"ml/{file}": content for file, content in stages.items()})) == ""
    write(tmp_path, {f"ml/{name}": b"stages:\n\t- no YAML\n"})
    told = f"computes where models are, and what is there was not looked at: ml/{name}; name"
    assert f"A file of DVC is no YAML, too long, or {told}" in notes(tmp_path)


def test_a_stage_of_dvc_whose_folder_is_computed_is_told_of_where_it_makes_a_model(tmp_path: Path) -> None:
    write(tmp_path, {"dvc.yaml": b"stages: {train: {wdir: '${where}', cmd: a}}\n"})
    write(tmp_path, {"dvc.lock": b"stages: {train: {outs: [{path: table.csv}]}}\n"})
    assert notes(tmp_path) == ""
    write(tmp_path, {"dvc.lock": b"stages: {train: {outs: [{path: model.h5}]}}\n"})
    assert "computes where models are, and what is there was not looked at: dvc.yaml;" in notes(tmp_path)
