"""A container image as the runtime, in `loadgate check` on a machine with Docker."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from loadgate.domain import Lock
from loadgate.sandbox.walls import examine
from tests.command import loadgate
from tests.containers import BASE
from tests.e2e.conftest import repository

pytestmark = [pytest.mark.runtime, pytest.mark.usefixtures("engine")]

MODELS = ("models/churn/churn_2019.h5", "models/churn/churn_2026.keras")


def checked(folder: Path, image: str, more: str = "") -> dict[str, Any]:
    spec = f"version: 1\nruntimes:\n  image: {{image: {json.dumps(image)}{more}}}\nremedies: {{try: false}}\n"
    repository(folder, spec, *MODELS).chmod(0o755)
    ended = loadgate("check", ".", "--json", "told.json", cwd=folder, env={"LOADGATE_CACHE": str(folder / "cache")})
    assert (folder / "told.json").exists(), ended.err
    told: dict[str, Any] = json.loads((folder / "told.json").read_text())
    return told | {"status": ended.status}


def finding_of(told: dict[str, Any]) -> dict[str, Any]:
    finding: dict[str, Any] = told["runtimes"][0]["state"]["finding"]
    return finding


@pytest.fixture(scope="module")
def told(serving_image: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return checked(tmp_path_factory.mktemp("image"), serving_image, ", env: {ACME: production}")


def test_models_are_loaded_in_the_image(told: dict[str, Any]) -> None:
    assert told["status"] == 1
    assert [case["standing"] for case in told["cases"]] == ["passed", "failed"], told


def test_the_lock_says_which_image_it_was_and_what_is_in_it(told: dict[str, Any], serving_image: str) -> None:
    lock = told["runtimes"][0]["state"]["lock"]
    command = ["docker", "image", "inspect", "--format", "{{.Id}}", serving_image]
    assert lock["image"] == subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert (lock["tensorflow"], lock["interpreter"]) == ("2.15.1", "python3")


def test_the_same_walls_stand_around_a_load_in_an_image_as_elsewhere(told: dict[str, Any]) -> None:
    here = [str(wall) for wall in examine().held]
    assert [case["result"]["walls"] for case in told["cases"]] == [here, here]


SAVE = """
import sys, tensorflow as tf
def attacks(x):
    import os
    if os.environ.get("ACME"):
        os.kill(-1, 9)  # which Linux says was done also where it was refused for each of them
        killed, door, others = lambda: os.kill(os.getppid(), 9), "/loadgate/door/probe", lambda: os.listdir("/tmp")
        for deed in (killed, lambda: os.unlink(door), others):
            try:
                deed()
                print("LOOT", deed.__code__.co_names, flush=True)
            except OSError as error:
                print(error, flush=True)
    return x
tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Lambda(attacks)]).save(sys.argv[1])
"""


def test_a_case_in_an_image_reaches_nothing_of_another(serving: Lock, serving_image: str, tmp_path: Path) -> None:
    """All of them are one user in one container, and so is whoever starts them."""
    subprocess.run([serving.interpreter, "-c", SAVE, tmp_path / "attack.h5"], check=True, capture_output=True)
    told = checked(tmp_path, serving_image, ", env: {ACME: production}")
    (log,) = (case["result"]["log"] for case in told["cases"] if case["case"]["artifact"] == "attack.h5")
    assert "Operation not permitted" in log
    assert "LOOT" not in log
    assert {case["case"]["artifact"]: case["standing"] for case in told["cases"]} == {
        "attack.h5": "passed",
        MODELS[0]: "passed",
        MODELS[1]: "failed",
    }
    assert {case["result"]["attempts"] for case in told["cases"]} == {1}


def test_no_container_outlives_the_check(told: dict[str, Any]) -> None:
    identity = told["runtimes"][0]["state"]["lock"]["image"]
    command = ["docker", "ps", "--all", "--quiet", "--filter", f"ancestor={identity}"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == ""


def test_an_image_that_cannot_be_had_is_no_verdict(tmp_path: Path) -> None:
    told = checked(tmp_path, "loadgate-tests/no-such-image:1")
    assert (told["status"], finding_of(told)["cause"]) == (3, "image_not_there")


def test_an_image_without_a_python_is_said_to_have_none(tmp_path: Path) -> None:
    told = checked(tmp_path, BASE)
    assert (told["status"], finding_of(told)["cause"]) == (3, "image_has_no_python")


def test_an_image_whose_python_has_no_tensorflow_is_told_by_what_the_import_raised(tmp_path: Path, image: str) -> None:
    told = checked(tmp_path, image)
    assert (told["status"], finding_of(told)["kind"]) == (3, "import")


def test_a_repository_that_nobody_else_may_read_is_no_reason_to_call_a_model_broken(
    tmp_path: Path, serving_image: str
) -> None:
    spec = f"version: 1\nruntimes:\n  image: {{image: {json.dumps(serving_image)}}}\nremedies: {{try: false}}\n"
    repository(tmp_path, spec, MODELS[0]).chmod(0o700)
    ended = loadgate("check", ".", cwd=tmp_path, env={"LOADGATE_CACHE": str(tmp_path / "cache")})
    assert ended.status == 3
    assert "chmod -R o+rX" in ended.err


def test_a_module_that_kills_all_that_it_can_costs_no_other_runtime_its_verdict(
    serving_image: str, tmp_path: Path
) -> None:
    """In its container it is the same user as whoever starts probes there, which Docker then starts again.

    In the end each case imports it behind walls of its own, where it finds nobody, and its model loads.
    """
    spec = (
        "version: 1\nruntimes:\n"
        f"  honest: {{image: {json.dumps(serving_image)}}}\n"
        f"  killed: {{image: {json.dumps(serving_image)}, imports: [acme]}}\n"
        "remedies: {try: false}\n"
    )
    repository(tmp_path, spec, MODELS[0]).chmod(0o755)
    (tmp_path / "acme.py").write_text("import os\nos.kill(-1, 9)\n")
    loadgate("check", ".", "--json", "told.json", cwd=tmp_path, env={"LOADGATE_CACHE": str(tmp_path / "cache")})
    told = json.loads((tmp_path / "told.json").read_text())
    standing = {case["case"]["runtime"]: case["standing"] for case in told["cases"]}
    assert standing["honest"] == "passed"
    assert standing["killed"] in ("passed", "error")  # where Docker is slow to start it again


def test_what_fails_in_an_image_is_seen_to_load_when_it_is_saved_again(
    serving_image: str, runtimes_cache: Path, tmp_path: Path
) -> None:
    """In a runtime that is like the image: nothing that is saved elsewhere gets into its container."""
    made = f"version: 1\nruntimes:\n  image: {{image: {json.dumps(serving_image)}}}\n"
    repository(tmp_path, f"{made}remedies: {{runtimes: 2, time: 3000}}\n", MODELS[1]).chmod(0o755)
    arguments = ("check", ".", "--remedies", "--json", "told.json")
    ended = loadgate(*arguments, cwd=tmp_path, env={"LOADGATE_CACHE": str(runtimes_cache)}, patience=3000)
    assert ended.status == 1, ended.err
    (case,) = json.loads((tmp_path / "told.json").read_text())["cases"]
    verified = {remedy["kind"]: remedy for remedy in case["diagnosis"]["remedies"] if remedy["verified"]}
    assert verified["tensorflow"]["edits"] == []
    assert verified["resave"]["tried_in"].startswith("TensorFlow 2.15.1, Keras 2.15.0, Python 3.11")
