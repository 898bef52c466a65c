"""Knows which models DVC has: finds those that were fetched although git ignores them, and tells of the others."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loadgate.artifacts.discover import read_artifact
from loadgate.artifacts.dvc import outputs
from loadgate.domain import StandIn, StandInKind
from loadgate.errors import UsageError
from loadgate.sandbox.finding import discover_apart

from .encoding import bundle_index
from .making import formats, git, save_hdf5, sightings
from .on_disk import DATA, write

DVC_FILE = """\
outs:
- md5: 8d291ff40607d5c4a1a0f3e2c5f7b9aa
  size: 105619304
  hash: md5
  path: model.h5
"""


LOCK = """\
schema: '2.0'
stages:
  train:
    cmd: python train.py
    deps:
    - path: models/base.h5
      md5: 11111111111111111111111111111111
    outs:
    - path: models/churn.h5
      md5: 22222222222222222222222222222222
      size: 4096
  export@small:
    cmd: python export.py
    outs:
    - path: small.tflite
      md5: 33333333333333333333333333333333
      size: 512
"""
STAGES = """\
stages:
  train: {cmd: python train.py}
  export:
    foreach: [small]
    do: {wdir: mobile, cmd: python export.py}
"""


TELLING = st.sampled_from([b"../", b"/", b"[", b"{", b"- ", b": ", b"*a", b"&a ", b"!!binary ", b"\n  ", b"wdir: .."])


def pointer(path: str, *, folder: bool = False) -> bytes:
    more = ".dir\n  nfiles: 3" if folder else ""
    return f"outs:\n- md5: 8d291ff40607d5c4a1a0f3e2c5f7b9aa{more}\n  size: 105619304\n  path: {path}\n".encode()


def only_stand_in(root: Path) -> StandIn:
    (sighting,) = sightings(root).values()
    artifact = read_artifact(root, sighting)
    assert (artifact.facts, artifact.damage) == (None, None)
    assert artifact.stand_in is not None
    return artifact.stand_in


@pytest.fixture
def fetched(tmp_path: Path) -> Path:
    """A repository whose model DVC fetched, as `dvc add` leaves it."""
    git(tmp_path, "init", "--quiet")
    write(tmp_path, {"models/churn.h5.dvc": pointer("churn.h5"), "models/.gitignore": b"/churn.h5\n"})
    save_hdf5(tmp_path / "models" / "churn.h5")
    return tmp_path


def test_a_dvc_file_stands_for_the_model_that_is_missing(tmp_path: Path) -> None:
    write(tmp_path, {"models/model.h5.dvc": DVC_FILE.encode()})
    (sighting,) = sightings(tmp_path).values()
    assert sighting.path == "models/model.h5"
    assert sighting.files == ("models/model.h5.dvc",)
    assert only_stand_in(tmp_path) == StandIn(
        kind=StandInKind.DVC_POINTER,
        file="models/model.h5.dvc",
        detail="points at 105,619,304 bytes, md5 8d291ff4060…",
    )


@pytest.mark.parametrize(
    "content",
    [
        DVC_FILE.replace("model.h5", "table.csv"),
        DVC_FILE.replace("model.h5", "../../outside.h5"),
        DVC_FILE.replace("model.h5", "/etc/model.h5"),
        "outs: 7",
        "wdir: [1]\nouts: [{path: model.h5}]",
        "[" * 50_000,
        "- " * 20_000,
        "\0",
        "!!python/object/apply:os.system ['false']",
        DVC_FILE.replace("model.h5", "s3://bucket/model.h5"),
        DVC_FILE.replace("model.h5", "remote://storage/model.h5"),
        DVC_FILE.replace("model.h5", "C:\\models\\model.h5"),
        DVC_FILE.replace("model.h5", "C:/models/model.h5"),
    ],
)
def test_a_dvc_file_of_something_else_is_no_artifact(tmp_path: Path, content: str) -> None:
    write(tmp_path, {"models/model.h5.dvc": content.encode()})
    assert formats(tmp_path) == {}


def test_a_dvc_file_whose_model_is_there_says_nothing(tmp_path: Path) -> None:
    write(tmp_path, {"model.bin.dvc": DVC_FILE.replace("model.h5", "model.bin").encode()})
    write(tmp_path, {"model.bin": b"not empty, and not a model either"})
    assert formats(tmp_path) == {}


# --- what was fetched ---------------------------------------------------------------------------------------------


def test_a_model_that_dvc_fetched_is_found_although_git_ignores_it(fetched: Path) -> None:
    found = discover_apart(fetched)
    assert [(sighting.path, sighting.stand_in) for sighting in found] == [("models/churn.h5", None)]


def test_before_it_is_fetched_the_pointer_stands_for_it(fetched: Path) -> None:
    (fetched / "models" / "churn.h5").unlink()
    (sighting,) = discover_apart(fetched)
    assert (sighting.path, only_stand_in(fetched).kind) == ("models/churn.h5", StandInKind.DVC_POINTER)


def test_what_else_git_ignores_stays_ignored(fetched: Path) -> None:
    write(fetched, {".gitignore": b"scratch.h5\n"})
    save_hdf5(fetched / "scratch.h5")
    save_hdf5(fetched / "models" / "scratch.h5")
    assert set(formats(fetched)) == {"models/churn.h5"}


def test_a_folder_that_dvc_fetched_is_searched(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    write(tmp_path, {"export.dvc": pointer("export", folder=True), ".gitignore": b"/export\n"})
    shutil.copytree(DATA / "saved_model", tmp_path / "export" / "1")
    write(tmp_path, {"export/1/assets/vocabulary.txt": b"one\n"})
    (sighting,) = discover_apart(tmp_path)
    assert (sighting.path, sighting.stand_in) == ("export/1", None)
    assert sighting.files == ("export/1/assets/vocabulary.txt", "export/1/saved_model.pb")


def test_what_a_stage_of_dvc_made_is_found_where_its_lock_says(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    write(tmp_path, {"dvc.lock": LOCK.encode(), "dvc.yaml": STAGES.encode(), ".gitignore": b"*.h5\n*.tflite\n"})
    write(tmp_path, {"mobile/small.tflite": (DATA / "doubled.tflite").read_bytes()})
    found = {sighting.path: sighting.stand_in for sighting in discover_apart(tmp_path)}
    assert found == {
        "mobile/small.tflite": None,
        "models/churn.h5": StandIn(
            kind=StandInKind.DVC_POINTER, file="dvc.lock", detail="points at 4,096 bytes, md5 22222222222…"
        ),
    }


def test_a_lock_of_dvc_1_has_its_stages_at_the_top(tmp_path: Path) -> None:
    lock = "".join(line.removeprefix("  ") for line in LOCK.splitlines(keepends=True)[2:])
    write(tmp_path, {"dvc.lock": lock.encode(), "dvc.yaml": STAGES.encode()})
    assert set(formats(tmp_path)) == {"models/churn.h5", "mobile/small.tflite"}


def test_a_lock_of_a_thousand_stages_is_read(tmp_path: Path) -> None:
    head, *rest = LOCK.partition("  train:")
    lock = head + "".join(
        "".join(rest).replace("train", f"train{n}").replace("export", f"export{n}") for n in range(1000)
    )
    write(tmp_path, {"dvc.lock": lock.encode(), "dvc.yaml": b"stages:\n  train999: {cmd: python train.py}\n"})
    assert [output.path for output in outputs(tmp_path, "dvc.lock")] == ["models/churn.h5"]


def test_a_stage_that_is_locked_and_no_longer_declared_promises_nothing(tmp_path: Path) -> None:
    write(tmp_path, {"dvc.lock": LOCK.encode()})
    assert formats(tmp_path) == {}
    write(tmp_path, {"dvc.yaml": STAGES.replace("  train:", "  learn:").encode()})
    assert set(formats(tmp_path)) == {"mobile/small.tflite"}


def test_however_often_a_stage_uses_parameters_its_folder_is_known(tmp_path: Path) -> None:
    command = " ".join(f"${{train.p{number}}}" for number in range(200))
    stages = f"stages:\n  train:\n    wdir: inner\n    cmd: python train.py {command}\n"
    write(tmp_path, {"dvc.lock": LOCK.encode(), "dvc.yaml": stages.encode()})
    assert set(formats(tmp_path)) == {"inner/models/churn.h5"}


def test_where_the_stages_cannot_be_read_no_model_is_called_missing(tmp_path: Path) -> None:
    write(tmp_path, {"dvc.lock": LOCK.encode(), "dvc.yaml": b"stages: {train: {wdir: inner}}\n# " + b"[" * 200})
    assert formats(tmp_path) == {}


def test_a_model_that_dvc_keeps_behind_a_link_out_of_the_repository_is_not_looked_for(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (tmp_path / "data").symlink_to(tmp_path_factory.mktemp("storage"))
    write(tmp_path, {"churn.dvc": pointer("data/churn.h5"), "own.dvc": pointer("own.h5")})
    assert [sighting.path for sighting in discover_apart(tmp_path)] == ["own.h5"]


@pytest.mark.parametrize("name", ["dvc.lock", "m.dvc"])
def test_an_output_that_aliases_name_a_million_times_is_read_once(tmp_path: Path, name: str) -> None:
    many = range(1500)
    keys = "".join(f"      k{number}: v\n" for number in many)
    outs = f"    outs:\n    - &o\n      path: a.h5\n{keys}" + "    - *o\n" * len(many)
    stages = "".join(f"  s{number}: *s\n" for number in many)
    content = {"dvc.lock": f"stages:\n  s: &s\n{outs}{stages}", "m.dvc": outs}[name]
    declared = "stages:\n  s: &s {cmd: a}\n" + stages
    write(tmp_path, {name: content.encode(), "dvc.yaml": declared.encode()})
    assert [output.path for output in outputs(tmp_path, name)] == ["a.h5"]


@pytest.mark.parametrize("include", ["models/**", "*.h5"])
def test_a_model_that_dvc_has_is_told_of_where_the_spec_includes_the_model_and_not_the_pointer(
    fetched: Path, include: str
) -> None:
    (fetched / "models" / "churn.h5").unlink()
    assert set(formats(fetched, include=[include])) == {"models/churn.h5"}
    assert formats(fetched, exclude=["models/"]) == {}


def test_no_pointer_of_dvc_leads_out_of_the_repository_or_into_what_git_keeps(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    save_hdf5(outside / "model.h5")
    git(tmp_path, "init", "--quiet")
    save_hdf5(tmp_path / ".git" / "model.h5")
    (tmp_path / "link").symlink_to(outside)
    (tmp_path / "circle").symlink_to(tmp_path)
    for number, path in enumerate((".git", ".git/model.h5", "link", "link/model.h5", "circle", "..", ".")):
        write(tmp_path, {f"{number}.dvc": pointer(path), f"{number}.folder.dvc": pointer(path, folder=True)})
    assert formats(tmp_path) == {}


@pytest.mark.parametrize("name", ["dvc.lock", "dvc.yaml"])
def test_more_pointers_than_anybody_has_are_refused_rather_than_read(tmp_path: Path, name: str) -> None:
    for number in range(5):
        write(tmp_path, {f"{number}/dvc.lock": b"", f"{number}/{name}": bytes(1024**2)})
    with pytest.raises(UsageError, match=r"4/dvc\.lock: the pointers of DVC take more than 4,194,304 bytes together"):
        formats(tmp_path)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.parametrize("name", ["dvc.lock", "dvc.yaml", "m.h5.dvc"])
def test_whatever_a_pointer_says_it_stands_for_something_in_the_repository_or_for_nothing(
    tmp_path: Path, name: str, data: st.DataObject
) -> None:
    files = {"dvc.lock": LOCK.encode(), "dvc.yaml": STAGES.encode(), "m.h5.dvc": DVC_FILE.encode()}
    content = bytearray(files[name])
    for _ in range(data.draw(st.integers(0, 4))):
        start = data.draw(st.integers(0, len(content)))
        content[start : start + data.draw(st.integers(0, 20))] = data.draw(st.binary(max_size=6) | TELLING)
    write(tmp_path, files | {name: bytes(content)})
    for pointer in ("dvc.lock", "m.h5.dvc"):
        for output in outputs(tmp_path, pointer):
            path = tmp_path / output.path
            assert path != tmp_path
            assert Path(os.path.normpath(path)).is_relative_to(tmp_path)
            assert output.detail.isprintable()


# --- models of several files --------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", ["", "export/"])
def test_a_saved_model_of_which_dvc_has_the_graph_is_missing_as_a_whole(folder: str, tmp_path: Path) -> None:
    write(tmp_path, {f"{folder}saved_model.pb.dvc": pointer("saved_model.pb")})
    assert formats(tmp_path) == {folder.rstrip("/") or ".": "saved_model"}


def test_a_checkpoint_of_which_dvc_has_every_file_is_missing_once(tmp_path: Path) -> None:
    names = [f"model.ckpt.{part}" for part in ("index", "data-00000-of-00002", "data-00001-of-00002")]
    write(tmp_path, {f"ckpt/{name}.dvc": pointer(name) for name in names})
    (sighting,) = discover_apart(tmp_path)
    assert (sighting.path, sighting.format) == ("ckpt/model.ckpt", "checkpoint")
    assert sighting.files == tuple(f"ckpt/{name}.dvc" for name in names[1:])


def test_a_checkpoint_of_which_dvc_has_the_weights_alone_is_one_that_lacks_a_shard(tmp_path: Path) -> None:
    write(tmp_path, {"model.ckpt.index": bundle_index({"kernel": (1, 0, 24)})})
    write(tmp_path, {"weights.dvc": pointer("model.ckpt.data-00000-of-00001")})
    (sighting,) = discover_apart(tmp_path)
    assert sighting.stand_in is not None
    assert (sighting.path, sighting.stand_in.kind) == ("model.ckpt", StandInKind.MISSING_SHARDS)


# --- folders that were not ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["saved_model", "churn-saved-model-2", "SavedModel"])
def test_a_folder_named_as_a_saved_model_that_was_not_fetched_is_told_of(name: str, tmp_path: Path) -> None:
    write(tmp_path, {f"export/{name}.dvc": pointer(name, folder=True)})
    assert formats(tmp_path) == {f"export/{name}": "saved_model"}
    assert only_stand_in(tmp_path).detail == "points at 105,619,304 bytes, md5 8d291ff4060…"


def test_a_folder_whose_files_a_storage_keeps_versions_of_is_one(tmp_path: Path) -> None:
    listed = "outs:\n- path: saved_model\n  files:\n  - {relpath: saved_model.pb, size: 10, version_id: a}\n"
    write(tmp_path, {"export.dvc": listed.encode()})
    assert formats(tmp_path) == {"saved_model": "saved_model"}


@pytest.mark.parametrize("name", ["data", "modelling", "model", "churn-model"])
def test_a_folder_that_may_be_of_anything_and_was_not_fetched_is_no_artifact(name: str, tmp_path: Path) -> None:
    write(tmp_path, {f"{name}.dvc": pointer(name, folder=True)})
    assert formats(tmp_path) == {}
