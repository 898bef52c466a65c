"""What mends a failure, found out by trying it: `check --remedies`, `fix`, and the phases on their own."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from loadgate.domain import Lock

from .command import Ended, loadgate

pytestmark = pytest.mark.runtime

EXAMPLES = Path(__file__).parents[1] / "examples"
PATIENCE = 3000.0
"""Seconds: on a cold cache each remedy makes an environment."""

SPEC = """
version: 1
runtimes:
  next:
    python: "3.11"
    tensorflow: "2.21.0"
    keras: "3.15.1"
    requirements: [requirements.txt]
    loader: {saved_model: keras}
  numpy2: {python: "3.10", tensorflow: "2.9.3", packages: ["numpy==2.2.6"]}
remedies: {runtimes: 2, time: 3000}
"""
CONTRAST = '''
import tensorflow as tf


class LocalContrast(tf.keras.layers.Layer):
    """Nobody registers it."""

    def __init__(self, size=3, **kwargs):
        super().__init__(**kwargs)
        self.size = size

    def call(self, images):
        return images - tf.nn.avg_pool2d(images, self.size, 1, "SAME")

    def get_config(self):
        return {**super().get_config(), "size": self.size}
'''
SHARDS = """
import sys
from tensorflow.compat import v1

with v1.Graph().as_default(), v1.Session() as session:
    v1.get_variable("weights", initializer=[1.0, 2.0])
    session.run(v1.global_variables_initializer())
    saver = v1.train.Saver(write_version=v1.train.SaverDef.V1, sharded=True)
    saver.save(session, sys.argv[1], write_state=False, write_meta_graph=False)
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory, serving: Lock) -> Path:
    root = tmp_path_factory.mktemp("remedies") / "repository"
    (root / "m").mkdir(parents=True)
    (root / "acme").mkdir()
    shutil.copy(EXAMPLES / "models/churn/churn_2019.h5", root / "m" / "keras2.h5")
    shutil.copy(EXAMPLES / "models/vision/scratches.keras", root / "m" / "custom.keras")
    shutil.copy(EXAMPLES / "models/translation/encoder.keras", root / "m" / "pointer.keras")
    shutil.copytree(EXAMPLES / "models/churn/churn_2022", root / "m" / "saved")
    shutil.copy(EXAMPLES / "models/churn/churn_2024.keras", root / "m" / "loads.keras")
    shutil.copy(EXAMPLES / "serving/requirements-next.txt", root / "requirements.txt")
    subprocess.run([serving.interpreter, "-c", SHARDS, root / "m" / "shards"], capture_output=True, check=True)
    (root / "acme" / "layers.py").write_text(CONTRAST)
    (root / "loadgate.yml").write_text(SPEC)
    return root


@pytest.fixture(scope="module")
def env(runtimes_cache: Path) -> Mapping[str, str]:
    return {"LOADGATE_CACHE": str(runtimes_cache), "CUDA_VISIBLE_DEVICES": ""}


@pytest.fixture(scope="module")
def checked(repository: Path, env: Mapping[str, str]) -> Ended:
    return loadgate("check", repository, "--remedies", cwd=repository.parent, env=env, patience=PATIENCE)


@pytest.fixture(scope="module")
def report(checked: Ended, repository: Path) -> Any:
    assert checked.status == 1, checked.err
    return json.loads((repository.parent / ".loadgate" / "report.json").read_bytes())


def remedies(report: Any, artifact: str, runtime: str = "next") -> list[Any]:
    """What is recommended, best first."""
    (case,) = (
        case for case in report["cases"] if case["case"]["artifact"] == artifact and case["case"]["runtime"] == runtime
    )
    found: list[Any] = case["diagnosis"]["remedies"]
    return found


def test_a_keras_2_file_in_keras_3_is_seen_to_load_with_the_legacy_keras(report: Any) -> None:
    verified = [remedy for remedy in remedies(report, "m/keras2.h5") if remedy["verified"]]
    assert "environment" in {remedy["kind"] for remedy in verified}
    legacy = next(remedy for remedy in verified if remedy["kind"] == "environment")
    assert legacy["tried_in"].startswith("TensorFlow 2.21.0, Keras 2.21.0 (tf_keras), Python 3.11")
    assert {edit["file"] for edit in legacy["edits"]} == {"loadgate.yml", "requirements.txt"}
    assert legacy["seconds"] > 0


def test_a_layer_that_nobody_registers_is_found_in_the_repository_and_registered(report: Any) -> None:
    best = remedies(report, "m/custom.keras")[0]
    assert (best["kind"], best["verified"]) == ("import", True)
    assert best["headline"] == "Register `LocalContrast` of `acme.layers`, as `custom_objects=` does before the load"
    assert "imports: [acme.layers:LocalContrast]" in best["edits"][0]["new"]


def test_a_spec_that_is_told_to_who_has_none_makes_the_model_load(
    repository: Path, env: Mapping[str, str], tmp_path: Path
) -> None:
    root = tmp_path / "undeclared"
    shutil.copytree(repository / "acme", root / "acme")
    shutil.copy(repository / "m" / "custom.keras", root)
    beside = (repository / "requirements.txt").read_text()
    (root / "requirements.txt").write_text(f"tensorflow==2.21.0\nkeras==3.15.1\n{beside}")
    (root / ".python-version").write_text("3.11\n")
    loadgate("check", root, "--remedies", cwd=tmp_path, env=env, patience=PATIENCE)
    best = remedies(json.loads((tmp_path / ".loadgate" / "report.json").read_bytes()), "custom.keras", "default")[0]
    assert best["verified"]
    (edit,) = best["edits"]
    (root / edit["file"]).write_text(edit["new"])
    again = loadgate("check", root, cwd=tmp_path, env=env)
    assert (edit["file"], again.status) == ("loadgate.yml", 0), again.out


def test_a_savedmodel_that_keras_3_refuses_is_seen_to_load_by_another_call(report: Any) -> None:
    best = remedies(report, "m/saved")[0]
    assert (best["kind"], best["verified"]) == ("loader", True)
    assert "saved_model: saved_model" in best["edits"][0]["new"]


def test_a_checkpoint_of_format_v1_is_seen_to_load_by_a_pattern_for_its_shards(report: Any) -> None:
    best = remedies(report, "m/shards")[0]
    assert (best["kind"], best["verified"]) == ("loader", True)
    assert "checkpoint: checkpoint_shards" in best["edits"][0]["new"]


def test_a_pointer_is_no_matter_for_trials(report: Any) -> None:
    (remedy,) = remedies(report, "m/pointer.keras")
    assert (remedy["kind"], remedy["verified"], remedy["command"]) == ("file", False, "git lfs pull")


def test_a_runtime_that_could_not_import_tensorflow_is_seen_to_do_so_with_another_numpy(report: Any) -> None:
    (runtime,) = (runtime for runtime in report["runtimes"] if runtime["runtime"]["name"] == "numpy2")
    (remedy,) = runtime["remedies"]
    assert remedy["verified"]
    assert remedy["headline"].startswith("Require `numpy<2`; then ")


def test_what_loaded_before_is_loaded_again_only_where_something_is_mended(report: Any, repository: Path) -> None:
    folder = repository.parent / ".loadgate"
    candidates = json.loads((folder / "candidates.json").read_bytes())
    results = [json.loads(line) for line in (folder / "candidate-results.jsonl").read_text().splitlines()]
    passed = {each["case"] for each in results if all(stage["outcome"] == "passed" for stage in each["stages"])}
    runtime_of = {case["id"]: case["runtime"] for case in candidates["cases"]}
    keeping = {runtime_of[trial["case"]] for trial in candidates["trials"] if trial["keeps"]}
    mending = {
        runtime_of[trial["case"]] for trial in candidates["trials"] if trial["mends"] and trial["case"] in passed
    }
    assert keeping
    assert keeping <= mending
    assert report["cases"]


def test_the_original_files_are_never_touched(report: Any, repository: Path) -> None:
    assert (repository / "m" / "keras2.h5").read_bytes() == (EXAMPLES / "models/churn/churn_2019.h5").read_bytes()
    assert (repository / "loadgate.yml").read_text() == SPEC
    assert report["cases"]


def test_the_phases_on_their_own_come_to_what_check_comes_to(
    report: Any, repository: Path, env: Mapping[str, str], tmp_path: Path
) -> None:
    run = [
        ("plan", repository, "--runtime", "next"),
        ("provision", "--quiet"),
        ("load", "--quiet"),
        ("provision", "--quiet", "--plan", ".loadgate/candidates.json", "--output", ".loadgate/candidate-locks.json"),
        (
            *("load", "--quiet", "--plan", ".loadgate/candidates.json", "--locks", ".loadgate/candidate-locks.json"),
            *("--output", ".loadgate/candidate-results.jsonl"),
        ),
    ]
    for command in run:
        ended = loadgate(*command, cwd=tmp_path, env=env, patience=PATIENCE)
        assert ended.status == 0, ended.err
    loadgate("report", "--candidates", ".loadgate/candidates.json", "--json", "r.json", cwd=tmp_path, env=env)
    phased = json.loads((tmp_path / "r.json").read_bytes())
    for artifact in ("m/custom.keras", "m/saved"):
        assert remedies(phased, artifact)[0]["headline"] == remedies(report, artifact)[0]["headline"]
        assert remedies(phased, artifact)[0]["verified"]


def test_fix_shows_what_it_tried_and_writes_what_it_saved_again(
    report: Any, repository: Path, env: Mapping[str, str], tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(repository, tmp_path / "copy"))
    ended = loadgate("fix", "m/keras2.h5", "--runtime", "next", "--write", cwd=copy, env=env, patience=PATIENCE)
    assert ended.status == 0, ended.err
    assert "Set `TF_USE_LEGACY_KERAS=1` and require `tf-keras==2.21.*`" in ended.out
    assert "its outputs are the same" in ended.out
    assert "written: m/keras2.resaved.h5\nnext: load that file in production; " in ended.out
    again = loadgate("check", "--artifact", "m/keras2.resaved.h5", "--runtime", "next", cwd=copy, env=env)
    assert again.status == 0, again.out
    assert report["cases"]


def test_fix_that_has_no_time_says_so_and_nothing_of_a_spec(
    repository: Path, env: Mapping[str, str], tmp_path: Path
) -> None:
    ended = loadgate("fix", repository / "m/keras2.h5", "--runtime", "next", "--time", "0", cwd=tmp_path, env=env)
    assert "not tried: the 0 s of --time, or the 8 environments that are made, were used up" in " ".join(
        ended.out.split()
    )
    assert "Nothing was tried that could mend it in next (cpu)" in ended.out
    assert "in the spec" not in ended.out
