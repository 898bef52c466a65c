"""Holds discovery and the Keras formats to a corpus of real models from public repositories.

The corpus is a folder with `files` and a `manifest.json` that says of each artifact what it is. It is not part of this
repository: LOADGATE_CORPUS names it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from loadgate.artifacts.discover import discover, read_artifact
from loadgate.domain import Artifact

REPOSITORY = Path(__file__).parents[2]
CORPUS = Path(os.environ.get("LOADGATE_CORPUS", REPOSITORY.parent / "shared" / "corpus"))
pytestmark = pytest.mark.skipif(
    not (CORPUS / "manifest.json").is_file(), reason="the corpus is not here; LOADGATE_CORPUS names its folder"
)

FORMATS = {
    "keras_v3_zip": "keras_v3",
    "savedmodel": "saved_model",
    "frozen_graphdef": "graph_def",
    "tf_checkpoint": "checkpoint",
}
"""As the corpus calls them, where it does not call them as we do."""


@pytest.fixture(scope="module")
def manifest() -> dict[str, dict[str, Any]]:
    entries = json.loads((CORPUS / "manifest.json").read_text())
    return {entry["id"]: entry for entry in entries if entry["format"] != "not_a_model"}


@pytest.fixture(scope="module", params=["folder", "git repository"])
def root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("corpus") / "files"
    shutil.copytree(CORPUS / "files", copy)
    subprocess.run(["chmod", "-R", "u+w", copy], check=True)
    if request.param == "git repository":
        subprocess.run(["git", "init", "--quiet"], cwd=copy, check=True)
        subprocess.run(["git", "add", "--all"], cwd=copy, check=True)
    return copy


@pytest.fixture(scope="module")
def artifacts(root: Path) -> dict[str, Artifact]:
    return {sighting.path: read_artifact(root, sighting) for sighting in discover(root)}


def test_every_artifact_is_found_with_its_format_and_nothing_else_is(
    manifest: dict[str, dict[str, Any]], artifacts: dict[str, Artifact]
) -> None:
    expected = {name: FORMATS.get(entry["format"], entry["format"]) for name, entry in manifest.items()}
    assert {path: str(artifact.format) for path, artifact in artifacts.items()} == expected


def test_exactly_the_pointers_are_stand_ins_and_nothing_is_called_damaged(
    manifest: dict[str, dict[str, Any]], artifacts: dict[str, Artifact]
) -> None:
    pointers = {name for name, entry in manifest.items() if "lfs_pointer" in entry["notable"]}
    found = {path: artifact.stand_in.kind for path, artifact in artifacts.items() if artifact.stand_in}
    assert found == dict.fromkeys(pointers, "git_lfs_pointer")
    assert {path: artifact.damage for path, artifact in artifacts.items() if artifact.damage} == {}
    assert {path for path, artifact in artifacts.items() if artifact.facts is None} == pointers


def test_the_saver_is_read_as_the_manifest_says(
    manifest: dict[str, dict[str, Any]], artifacts: dict[str, Artifact]
) -> None:
    keras = {name: artifact for name, artifact in artifacts.items() if artifact.format.startswith("keras")}
    said = {name: manifest[name]["saved_with"] for name in keras}
    assert {name: _saver(artifact) for name, artifact in keras.items()} == {
        name: (saver["keras_version"], saver["backend"]) for name, saver in said.items()
    }


def test_custom_layers_are_named_and_nothing_that_keras_brings_is_called_custom(
    manifest: dict[str, dict[str, Any]], artifacts: dict[str, Artifact]
) -> None:
    built_in = {"AdamW", "LecunUniform"}  # which the manifest lists because it knows older versions of Keras alone
    custom_functions = {"softplus2"}  # which the manifest does not list because it is no layer
    for name, artifact in artifacts.items():
        if not artifact.format.startswith("keras") or artifact.facts is None:
            continue
        notable = [note.partition(":") for note in manifest[name]["notable"]]
        expected = {value for kind, _, value in notable if kind == "custom_layer"} - built_in
        found = {each.name for each in artifact.facts.custom_objects}
        assert found - custom_functions == expected, name
        assert bool(artifact.facts.lambdas) == ("lambda" in manifest[name]["notable"]), name


def _saver(artifact: Artifact) -> tuple[str | None, str | None]:
    if artifact.facts is None:
        return None, None
    return artifact.facts.saved_with.keras, artifact.facts.saved_with.backend
