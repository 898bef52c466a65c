"""Finds every artifact of a repository, and nothing that is none."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from loadgate.artifacts.discover import digest_of, discover, is_sound, read_artifact
from loadgate.artifacts.folder_view import Files
from loadgate.artifacts.identify import identify
from loadgate.domain import Format, StandInKind
from loadgate.errors import UsageError

from .making import LFS_POINTER, formats, git, save_data_set, save_hdf5, save_keras_v3, sightings

DATA = Path(__file__).parent / "data"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One artifact of each kind, and what looks like one."""
    for folder in ("keras", "tf", "data/assets.extra"):
        (tmp_path / folder).mkdir(parents=True)
    save_hdf5(tmp_path / "keras" / "model.h5")
    save_hdf5(tmp_path / "keras" / "weights.bin")
    save_keras_v3(tmp_path / "keras" / "zip.h5")
    shutil.copytree(DATA / "saved_model", tmp_path / "tf" / "saved")
    for name in ("version_2.index", "version_2.data-00000-of-00001", "graph.pb", "doubled.tflite"):
        shutil.copy(DATA / name, tmp_path / "tf" / name)
    save_data_set(tmp_path / "data" / "readings.h5")
    (tmp_path / "data" / "assets.extra" / "saved_model_config.pb").write_bytes(b"")
    (tmp_path / "data" / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "README.md").write_text("models\n")
    return tmp_path


EXPECTED = {
    "keras/model.h5": "keras_h5",
    "keras/weights.bin": "keras_h5",
    "keras/zip.h5": "keras_v3",
    "tf/doubled.tflite": "tflite",
    "tf/graph.pb": "graph_def",
    "tf/saved": "saved_model",
    "tf/version_2": "checkpoint",
}


def test_every_artifact_is_found_by_content_in_the_order_of_paths(repository: Path) -> None:
    assert formats(repository) == EXPECTED
    assert [sighting.path for sighting in discover(repository)] == sorted(EXPECTED)


def test_the_same_is_found_in_a_git_repository(repository: Path) -> None:
    git(repository, "init", "--quiet")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "-m", "models")
    assert formats(repository) == EXPECTED
    assert set(formats(repository / "keras")) == {"model.h5", "weights.bin", "zip.h5"}


def test_a_tracked_file_that_was_deleted_is_no_artifact(repository: Path) -> None:
    git(repository, "init", "--quiet")
    git(repository, "add", "--all")
    (repository / "keras" / "model.h5").unlink()
    shutil.rmtree(repository / "tf" / "saved")
    assert set(EXPECTED) - set(formats(repository)) == {"keras/model.h5", "tf/saved"}


def test_an_empty_folder_holds_nothing(tmp_path: Path) -> None:
    assert discover(tmp_path) == ()


@pytest.mark.parametrize(
    ("include", "exclude", "found"),
    [
        (["keras/**"], [], {"keras/model.h5", "keras/weights.bin", "keras/zip.h5"}),
        (["*.h5", "!zip.h5"], [], {"keras/model.h5"}),
        (["tf/"], ["*.tflite", "version_2*"], {"tf/graph.pb", "tf/saved"}),
        (["saved_model.pb"], [], {"tf/saved"}),
        ([], ["keras/", "**/saved"], {"tf/doubled.tflite", "tf/graph.pb", "tf/version_2"}),
        (["nothing"], [], set()),
    ],
)
def test_patterns_choose_artifacts(repository: Path, include: list[str], exclude: list[str], found: set[str]) -> None:
    assert set(formats(repository, include, exclude)) == found


@pytest.mark.parametrize(
    ("include", "exclude", "path"),
    [(["*.index"], [], "tf/version_2"), ([], ["*.data-*"], "tf/version_2"), ([], ["variables/"], "tf/saved")],
)
def test_a_pattern_for_some_of_its_files_does_not_tear_an_artifact_apart(
    repository: Path, include: list[str], exclude: list[str], path: str
) -> None:
    whole = sightings(repository)[path]
    assert sightings(repository, include, exclude)[path] == whole
    assert whole.stand_in is None


def test_what_a_saved_model_holds_is_its_own_and_a_model_beside_it_is_not(repository: Path) -> None:
    save_hdf5(repository / "tf" / "saved" / "assets.h5")
    (repository / "tf" / "saved" / "assets").mkdir(exist_ok=True)
    save_hdf5(repository / "tf" / "saved" / "assets" / "inner.h5")
    found = sightings(repository)
    assert set(found) == {*EXPECTED, "tf/saved/assets.h5"}
    assert "tf/saved/assets/inner.h5" in found["tf/saved"].files


def test_a_link_is_followed_within_the_repository_and_one_out_of_it_is_told_of_and_never_opened(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "model.h5"
    save_hdf5(outside)
    (repository / "latest.h5").symlink_to("keras/model.h5")
    (repository / "theirs.h5").symlink_to(outside)
    (repository / "elsewhere.h5").symlink_to(outside.with_name("nowhere.h5"))

    found = sightings(repository)

    assert set(found) == {*EXPECTED, "latest.h5", "theirs.h5", "elsewhere.h5"}
    for artifact in (read_artifact(repository, found[path]) for path in ("theirs.h5", "elsewhere.h5")):
        assert artifact.hindrance == (
            "it is a link out of the repository, which is not followed; put the model itself in its place"
        )
        assert (artifact.unfollowed, artifact.bytes, artifact.digest, artifact.stand_in) == (True, 0, None, None)


def test_a_link_to_nothing_stands_in_for_the_model_that_it_is_named_after(repository: Path) -> None:
    annex = "../.git/annex/objects/0/1/2"
    (repository / "broken.h5").symlink_to("nowhere")
    (repository / "round.tflite").symlink_to("round.tflite")
    (repository / "annexed").mkdir()
    for name in ("saved_model.pb", "labels.pb", "w.ckpt.index", "w.ckpt.data-00000-of-00001"):
        (repository / "annexed" / name).symlink_to(annex)
    (repository / "annexed" / "variables").mkdir()
    (repository / "annexed" / "variables" / "variables.data-00000-of-00001").symlink_to(f"../{annex}")
    expected = {
        "broken.h5": (Format.KERAS_H5, "leads to nowhere, which is not there"),
        "round.tflite": (Format.TFLITE, "leads to round.tflite, which is not there"),
        "annexed": (Format.SAVED_MODEL, f"leads to {annex}, which is not there"),
        "annexed/w.ckpt": (Format.CHECKPOINT, f"leads to {annex}, which is not there"),
    }

    found = sightings(repository)

    assert found.keys() - EXPECTED.keys() == expected.keys()
    for path, (kind, detail) in expected.items():
        artifact = read_artifact(repository, found[path])
        assert artifact.stand_in is not None
        assert (artifact.format, artifact.stand_in.kind, artifact.stand_in.detail) == (
            kind,
            StandInKind.DANGLING_LINK,
            detail,
        )
        assert (artifact.hindrance, artifact.damage, artifact.digest) == (None, None, None)


def test_a_link_that_is_not_followed_is_left_out_where_the_spec_leaves_it_out(repository: Path) -> None:
    (repository / "broken.h5").symlink_to("nowhere")
    assert "broken.h5" not in formats(repository, exclude=["*.h5"])
    assert "broken.h5" not in formats(repository, include=["tf/**"])


def test_what_looks_into_files_may_not_say_that_one_is_a_link(repository: Path) -> None:
    lie = replace(sightings(repository)["keras/model.h5"], unfollowed="it is a link to nothing")
    assert not is_sound(Files(repository, ()), lie)


def test_a_folder_of_the_index_that_became_a_link_out_of_the_repository_is_not_entered(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    git(repository, "init", "--quiet")
    git(repository, "add", "--all")
    outside = tmp_path_factory.mktemp("outside")
    shutil.move(repository / "keras", outside / "keras")
    (repository / "keras").symlink_to(outside / "keras")
    assert not any(path.startswith("keras") for path in formats(repository))


@pytest.mark.parametrize("name", ["model.h5", "no_extension"])
def test_what_is_no_regular_file_is_not_opened(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    assert formats(tmp_path) == {}


def test_a_model_whose_name_is_not_utf_8_is_read_and_says_why_it_cannot_be_tried(tmp_path: Path) -> None:
    save_hdf5(tmp_path / os.fsdecode(b"caf\xe9.h5"))
    (sighting,) = discover(tmp_path)
    artifact = read_artifact(tmp_path, sighting)
    assert (artifact.path, artifact.files) == ("caf\\xe9.h5", ("caf\\xe9.h5",))
    assert artifact.facts is not None
    assert artifact.digest is not None
    assert str(artifact.hindrance).startswith("its name is not UTF-8")


def test_a_file_in_a_saved_model_whose_name_is_not_utf_8_does_not_keep_the_model_from_being_tried(
    repository: Path,
) -> None:
    (repository / "tf/saved/assets").mkdir(exist_ok=True)
    (repository / "tf/saved/assets" / os.fsdecode(b"\xff")).write_bytes(b"not an asset")
    artifact = read_artifact(repository, sightings(repository)["tf/saved"])
    assert artifact.hindrance is None
    assert "tf/saved/saved_model.pb" in artifact.files
    assert all(file.isascii() for file in artifact.files)


def test_an_artifact_has_its_size_digest_and_facts(repository: Path) -> None:
    artifact = read_artifact(repository, sightings(repository)["tf/saved"])
    assert artifact.format is Format.SAVED_MODEL
    assert artifact.bytes == sum((repository / file).stat().st_size for file in artifact.files)
    assert artifact.digest is not None
    assert artifact.digest.startswith("sha256:")
    assert artifact.facts is not None
    assert (artifact.stand_in, artifact.damage) == (None, None)


def test_without_a_digest_none_is_computed(repository: Path) -> None:
    assert read_artifact(repository, sightings(repository)["tf/saved"], digest=False).digest is None


def test_the_digest_stays_when_a_folder_moves_and_changes_with_names_and_contents(tmp_path: Path) -> None:
    for name, files in {
        "a": {"x": b"1", "y/z": b"2"},
        "moved/a": {"x": b"1", "y/z": b"2"},
        "renamed": {"x": b"1", "y/w": b"2"},
        "changed": {"x": b"1", "y/z": b"3"},
        "shifted": {"x": b"12", "y/z": b""},
    }.items():
        for file, content in files.items():
            (tmp_path / name / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / file).write_bytes(content)
    digests = {
        name: digest_of(
            tmp_path,
            [f"{name}/{file.relative_to(tmp_path / name)}" for file in (tmp_path / name).rglob("?") if file.is_file()],
        )
        for name in ("a", "moved/a", "renamed", "changed", "shifted")
    }
    assert digests["a"] == digests["moved/a"]
    assert len(set(digests.values())) == 4


def test_a_file_that_vanishes_is_damage_and_no_traceback(repository: Path) -> None:
    sighting = sightings(repository)["keras/model.h5"]
    (repository / "keras" / "model.h5").unlink()
    artifact = read_artifact(repository, sighting)
    assert artifact.facts is None
    assert artifact.digest is None
    assert artifact.damage is not None


# --- identify -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ("keras/model.h5", "keras/model.h5"),
        ("keras/weights.bin", "keras/weights.bin"),
        ("tf/saved", "tf/saved"),
        ("tf/saved/", "tf/saved"),
        ("tf/saved/saved_model.pb", "tf/saved"),
        ("tf/version_2", "tf/version_2"),
        ("tf/version_2.index", "tf/version_2"),
        ("tf/version_2.data-00000-of-00001", "tf/version_2"),
    ],
)
def test_a_path_names_its_artifact(repository: Path, monkeypatch: pytest.MonkeyPatch, named: str, found: str) -> None:
    monkeypatch.chdir(repository)
    root, sighting = identify(Path(named))
    assert (root, sighting.path) == (repository, found)
    assert sighting == sightings(repository)[found]


@pytest.mark.parametrize("named", ["keras/model.h5", "tf/saved", "tf/saved/saved_model.pb", "tf/version_2"])
def test_a_path_outside_the_current_folder_is_read_as_well(
    repository: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    root, sighting = identify(repository / named)
    assert (root / sighting.path).as_posix() in (repository / named).as_posix()
    assert read_artifact(root, sighting).facts is not None


def test_the_current_folder_may_be_the_saved_model(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository / "tf" / "saved")
    root, sighting = identify(Path())
    assert read_artifact(root, sighting).facts is not None


def test_a_model_is_named_whatever_git_and_its_extension_say(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(repository, "init", "--quiet")
    (repository / ".gitignore").write_text("*\n")
    save_hdf5(repository / "model.txt")
    monkeypatch.chdir(repository)
    assert identify(Path("model.txt"))[1].format is Format.KERAS_H5


def test_a_link_that_a_person_names_is_followed(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    link = tmp_path_factory.mktemp("outside") / "link.h5"
    link.symlink_to(repository / "keras" / "model.h5")
    assert identify(link)[1].format is Format.KERAS_H5


def test_a_pointer_is_identified_as_one(tmp_path: Path) -> None:
    (tmp_path / "model.h5").write_bytes(LFS_POINTER)
    assert identify(tmp_path / "model.h5")[1].stand_in is not None


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ("nowhere.h5", "nowhere.h5: there is no such file"),
        ("nowhere/model.h5", "there is no such file"),
        ("README.md", "README.md: by its content, this is no"),
        ("data/readings.h5", "by its content, this is no"),
        ("data", "data: this folder is no SavedModel"),
        ("keras", "keras: this folder is no SavedModel; name a model in it, such as keras/model.h5"),
    ],
)
def test_what_is_no_artifact_is_refused_in_one_line(
    repository: Path, monkeypatch: pytest.MonkeyPatch, named: str, message: str
) -> None:
    monkeypatch.chdir(repository)
    with pytest.raises(UsageError) as refusal:
        identify(Path(named))
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)
