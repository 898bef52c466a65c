"""Runtimes that resolve and install and then cannot import TensorFlow, as `check` finds, tells and mends them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from .command import Ended, loadgate

pytestmark = pytest.mark.runtime

MODEL = Path(__file__).parents[1] / "examples/models/speech/keyword_spotter_2019.tflite"
"""Every TensorFlow loads it, so that only the runtimes are in question."""
PATIENCE = 3000.0
"""Seconds: on a cold cache each runtime is made once as it is asked for, and once as it should be."""

DECLARED = {
    "protobuf": '{python: "3.8", tensorflow: "2.4.4"}',
    "numpy": '{python: "3.10", tensorflow: "2.10.1"}',
    "keras": '{python: "3.9", tensorflow: "2.6.0"}',
    "legacy": '{python: "3.11", tensorflow: "2.16.2", env: {TF_USE_LEGACY_KERAS: "1"}}',
    "backend": '{python: "3.11", tensorflow: "2.16.2", env: {KERAS_BACKEND: torch}}',
    "python": '{python: "3.12", tensorflow: "2.15.1"}',
}
CAUSES = {
    "protobuf": "protobuf_too_new",
    "numpy": "numpy_2",
    "keras": "protobuf_too_new",
    "legacy": "tf_keras_missing",
    "backend": "keras_backend_missing",
    "python": "no_build_for_python",
}
REPAIRS = {
    "protobuf": "Require `protobuf<3.21`",
    "numpy": "Require `numpy<2`",
    # which Keras is too new shows only when protobuf is not
    "keras": "Require `protobuf<3.21` and `keras==2.6.*`",
    "legacy": "Require `tf-keras==2.16.*`",
    "backend": "Set `KERAS_BACKEND=tensorflow`",
    "python": "Use Python 3.11",
}


@pytest.fixture(scope="module")
def env(runtimes_cache: Path) -> Mapping[str, str]:
    return {"LOADGATE_CACHE": str(runtimes_cache), "CUDA_VISIBLE_DEVICES": ""}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("repairs")
    shutil.copy(MODEL, root)
    runtimes = "".join(f"  {name}: {made_from}\n" for name, made_from in DECLARED.items())
    bounds = f"remedies: {{runtimes: {len(DECLARED) + 1}, time: {PATIENCE:.0f}}}\n"
    (root / "loadgate.yml").write_text(f"version: 1\nruntimes:\n{runtimes}{bounds}")
    return root


@pytest.fixture(scope="module")
def checked(repository: Path, env: Mapping[str, str]) -> Ended:
    return loadgate("check", repository, "--remedies", cwd=repository, env=env, patience=PATIENCE)


@pytest.fixture(scope="module")
def runtimes(checked: Ended, repository: Path) -> Mapping[str, Any]:
    assert checked.status == 3, checked.err
    report = json.loads((repository / ".loadgate" / "report.json").read_bytes())
    return {runtime["runtime"]["name"]: runtime for runtime in report["runtimes"]}


@pytest.mark.parametrize("name", DECLARED)
def test_what_hinders_the_import_is_told_once(name: str, checked: Ended, runtimes: Mapping[str, Any]) -> None:
    finding = runtimes[name]["state"]["finding"]
    assert finding["cause"] == CAUSES[name]
    assert " ".join(checked.out.split()).count(f"{name} ! could not be made: {finding['headline']}") == 1


@pytest.mark.parametrize("name", DECLARED)
def test_the_repair_was_seen_to_let_the_model_load(name: str, runtimes: Mapping[str, Any]) -> None:
    (remedy,) = runtimes[name]["remedies"]
    assert remedy["verified"]
    assert remedy["headline"] == f"{REPAIRS[name]}; then 1 of 1 artifacts load"


def test_the_lines_that_it_gives_mend_every_one_of_them(
    repository: Path, runtimes: Mapping[str, Any], env: Mapping[str, str], tmp_path: Path
) -> None:
    mended = Path(shutil.copytree(repository, tmp_path / "mended"))
    lines = (mended / "loadgate.yml").read_text().split("\n")
    for runtime in runtimes.values():
        for edit in runtime["remedies"][0]["edits"]:
            assert lines[edit["line"] - 1] == edit["old"]
            lines[edit["line"] - 1] = edit["new"]
    (mended / "loadgate.yml").write_text("\n".join(lines))
    again = loadgate("check", mended, "--no-remedies", cwd=mended, env=env, patience=PATIENCE)
    assert again.status == 0, again.out
