"""`loadgate check`, and the phases that it chains, on real models in real runtimes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from loadgate.domain import Lock

from .command import LOADGATE, PATIENCE, Ended, environment, loadgate, wait_until

pytestmark = pytest.mark.runtime

EXAMPLES = Path(__file__).parents[1] / "examples"
SAVE_MISBEHAVING = Path(__file__).parent / "loading" / "save_misbehaving.py"

SPEC = """
version: 1
artifacts:
  loader: {"m/by_pattern": saved_model}
runtimes:
  serving: {python: "3.11", tensorflow: "2.15.1", imports: [acme.layers], loader: {saved_model: keras}}
  plain: {python: "3.11", tensorflow: "2.15.1"}
  raising: {python: "3.11", tensorflow: "2.15.1", imports: [acme.raises]}
  numpy2: {python: "3.10", tensorflow: "2.9.3", packages: ["numpy==2.2.6"]}
remedies: {try: false}
"""
NOTHING_TO_SAY: Mapping[str, Any] = dict.fromkeys(("seconds", "peak_memory", "log", "cached"))
"""What differs between two runs that come to the same."""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("check") / "a repository"
    models = root / "m"
    models.mkdir(parents=True)
    shutil.copy(EXAMPLES / "models/churn/churn_2019.h5", models / "plain.h5")
    shutil.copy(EXAMPLES / "models/vision/defects.keras", models / "custom.keras")
    for name in ("by_format", "by_pattern"):
        shutil.copytree(EXAMPLES / "models/churn/churn_2022", models / name)
    shutil.copytree(EXAMPLES / "acme", root / "acme", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "acme" / "raises.py").write_text('raise RuntimeError("no licence\\n::error::here")\n')
    (root / "loadgate.yml").write_text(SPEC)
    return root


@pytest.fixture(scope="module")
def env(runtimes_cache: Path) -> Mapping[str, str]:
    """That hides every GPU, where there is one."""
    return {"LOADGATE_CACHE": str(runtimes_cache), "CUDA_VISIBLE_DEVICES": ""}


@pytest.fixture(scope="module")
def whole(repository: Path, env: Mapping[str, str]) -> tuple[Ended, Any]:
    """One run of everything, and its report.json."""
    ended = loadgate("check", repository, "--junit", "j.xml", "--summary", "s.md", cwd=repository.parent, env=env)
    return ended, read_json(repository.parent / ".loadgate" / "report.json")


def read_json(path: Path) -> Any:
    return json.loads(path.read_bytes())


def standings(report: Any, runtime: str) -> dict[str, str]:
    return {
        case["case"]["artifact"]: case["standing"] for case in report["cases"] if case["case"]["runtime"] == runtime
    }


def test_a_runtime_that_is_broken_takes_no_verdict_from_one_that_is_not(whole: tuple[Ended, Any]) -> None:
    ended, report = whole
    assert ended.status == 1
    assert set(standings(report, "serving").values()) == {"passed"}
    assert set(standings(report, "numpy2").values()) == {"error"}


def test_a_runtime_that_cannot_import_tensorflow_is_explained_once(whole: tuple[Ended, Any]) -> None:
    ended, _ = whole
    assert ended.out.count("TensorFlow 2.9.3 was built for NumPy 1, and NumPy 2.2.6 is installed.") == 1
    assert "Add `numpy<2` to the requirements." in ended.out
    assert "TypeError: Unable to convert function return value to a Python type!" in ended.out


def test_a_custom_layer_loads_where_imports_register_it_and_nowhere_else(whole: tuple[Ended, Any]) -> None:
    _, report = whole
    assert standings(report, "serving")["m/custom.keras"] == "passed"
    assert standings(report, "plain") == {
        "m/by_format": "passed",
        "m/by_pattern": "passed",
        "m/custom.keras": "failed",
        "m/plain.h5": "passed",
    }


def test_the_module_that_defines_a_custom_layer_is_named_although_no_remedy_is_tried(whole: tuple[Ended, Any]) -> None:
    _, report = whole
    (failed,) = (case for case in report["cases"] if case["standing"] == "failed")
    remedy, *_ = failed["diagnosis"]["remedies"]
    assert "`acme.layers`" in remedy["headline"]
    assert remedy["why_not_verified"].startswith("no remedy was tried in this run")


def test_a_module_that_raises_is_an_error_with_its_reason_on_one_line(whole: tuple[Ended, Any]) -> None:
    _, report = whole
    told = {case["message"] for case in report["cases"] if case["case"]["runtime"] == "raising"}
    assert set(standings(report, "raising").values()) == {"error"}
    assert told == {"imports: acme.raises: RuntimeError: no licence ::error::here"}


def test_a_loader_is_chosen_by_pattern_before_format_and_format_before_default(whole: tuple[Ended, Any]) -> None:
    _, report = whole
    calls = {
        (case["case"]["runtime"], case["case"]["artifact"]): (case["result"]["api"], case["case"]["loader_chosen"])
        for case in report["cases"]
        if case["case"]["artifact"].startswith("m/by") and case["case"]["runtime"] in ("serving", "plain")
    }
    keras, (saved_model, _) = "keras.src.saving.saving_api.load_model", calls["plain", "m/by_format"]
    assert saved_model.startswith("tensorflow.")
    assert calls == {
        ("serving", "m/by_format"): (keras, True),
        ("serving", "m/by_pattern"): (saved_model, True),
        ("plain", "m/by_format"): (saved_model, False),
        ("plain", "m/by_pattern"): (saved_model, True),
    }


def test_a_link_to_nothing_fails_as_a_model_that_was_not_fetched(env: Mapping[str, str], tmp_path: Path) -> None:
    root = tmp_path / "annexed"
    (root / "saved").mkdir(parents=True)
    shutil.copy(EXAMPLES / "models/churn/churn_2019.h5", root / "here.h5")
    for name in ("gone.h5", "saved/saved_model.pb", "w.data-00000-of-00001"):
        (root / name).symlink_to(root / ".git/annex/objects/1")
    (root / "loadgate.yml").write_text('version: 1\nruntimes: {a: {python: "3.11", tensorflow: "2.15.1"}}\n')
    ended = loadgate("check", root, cwd=tmp_path, env=env)
    report = read_json(tmp_path / ".loadgate" / "report.json")
    assert standings(report, "a") == {"gone.h5": "failed", "here.h5": "passed", "saved": "failed", "w": "failed"}
    causes = {case["diagnosis"]["cause"] for case in report["cases"] if case["diagnosis"]}
    assert (ended.status, causes) == (1, {"dangling_link"})


@pytest.mark.usefixtures("whole")
def test_a_failing_run_writes_the_reports_that_were_asked_for(repository: Path) -> None:
    assert f"`loadgate check '{repository}' --artifact " in (repository.parent / "s.md").read_text()
    assert (repository.parent / "j.xml").read_bytes() == (repository.parent / ".loadgate/junit.xml").read_bytes()


@pytest.mark.parametrize(("runtime", "status"), [("serving", 0), ("plain", 1), ("raising", 3), ("numpy2", 3)])
def test_the_exit_status_tells_the_verdict(
    runtime: str, status: int, whole: tuple[Ended, Any], repository: Path, env: Mapping[str, str]
) -> None:
    again = ("check", repository, "--runtime", runtime, "--output", "again", "--quiet")
    ended = loadgate(*again, cwd=repository.parent, env=env)
    report = read_json(repository.parent / "again" / "report.json")
    assert (ended.status, report["exit_status"], ended.err) == (status, status, "")
    assert standings(report, runtime) == standings(whole[1], runtime)


def test_a_second_run_takes_the_runtimes_from_the_cache(
    whole: tuple[Ended, Any], repository: Path, env: Mapping[str, str]
) -> None:
    ended = loadgate("check", repository, "--runtime", "serving", "--output", "second", cwd=repository.parent, env=env)
    report = read_json(repository.parent / "second" / "report.json")
    assert "from the cache" in ended.err
    assert report["runtimes"][0]["state"]["cached"] is True
    assert report["artifacts"] == whole[1]["artifacts"]


def without_what_varies(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_what_varies(NOTHING_TO_SAY.get(key, item)) for key, item in value.items()}
    return [without_what_varies(item) for item in value] if isinstance(value, list) else value


def test_the_phases_one_by_one_and_in_shards_come_to_the_report_of_check(
    whole: tuple[Ended, Any], repository: Path, env: Mapping[str, str], tmp_path: Path
) -> None:
    def run(*arguments: str | Path) -> int:
        return loadgate(*arguments, cwd=tmp_path, env=env).status

    assert run("plan", repository) == 0
    assert run("provision") == 0
    assert run("load") == 0
    elsewhere = os.path.relpath(repository, tmp_path)
    assert run("load", "--shard", "1/2", "--output", "1.jsonl") == 0
    assert run("load", "--shard", "2/2", "--output", "2.jsonl", "--repository", elsewhere) == 0
    assert run("report", "--json", "unsharded.json") == 1
    assert run("report", "2.jsonl", "1.jsonl", "--json", "sharded.json") == 1

    wanted = without_what_varies(whole[1])
    assert without_what_varies(read_json(tmp_path / "unsharded.json")) == wanted
    assert without_what_varies(read_json(tmp_path / "sharded.json")) == wanted


@pytest.mark.parametrize(
    ("packages", "line"),
    [
        (
            'tensorflow: "2.15.1", packages: [this-package-does-not-exist-xyz]',
            "loadgate: loadgate.yml:4: runtime a: There is no package this-package-does-not-exist-xyz.",
        ),
        ('tensorflow: "2.99.0"', "loadgate: loadgate.yml:4: runtime a: There is no such version: tensorflow==2.99.0."),
    ],
)
def test_what_no_index_has_is_a_mistake_in_the_spec(
    packages: str, line: str, repository: Path, env: Mapping[str, str], tmp_path: Path
) -> None:
    spec = tmp_path / "loadgate.yml"
    runtimes = ('serving: {python: "3.11", tensorflow: "2.15.1"}', f'a: {{python: "3.11", {packages}}}')
    spec.write_text("version: 1\nruntimes:\n  " + "\n  ".join(runtimes) + "\n")
    ended = loadgate("check", repository, "--spec", spec, "--quiet", cwd=tmp_path, env=env)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.endswith("\n")
    assert ended.err.replace(str(spec), "loadgate.yml").rstrip("\n") == line


@pytest.mark.parametrize("expected", [("skip", 0, "skipped"), ("fail", 1, "failed")], ids=lambda each: each[0])
def test_without_a_gpu_a_case_for_it_is_what_the_policy_says(
    expected: tuple[str, int, str],
    serving: Lock,
    env: Mapping[str, str],
    repository: Path,
    tmp_path: Path,
) -> None:
    policy, status, standing = expected
    spec = tmp_path / "loadgate.yml"
    runtime = f"{{interpreter: {serving.interpreter}, devices: [cpu, gpu]}}"
    spec.write_text(f"version: 1\nruntimes:\n  serving: {runtime}\npolicy: {{gpu-missing: {policy}}}\n")
    ended = loadgate("check", repository, "--spec", spec, "--artifact", "m/plain.h5", cwd=tmp_path, env=env)
    by_device = {case["case"]["device"]: case for case in read_json(tmp_path / ".loadgate" / "report.json")["cases"]}
    assert ended.status == status
    assert by_device["cpu"]["standing"] == "passed"
    assert (by_device["gpu"]["standing"], by_device["gpu"]["reason"]) == (standing, "no_gpu")
    assert by_device["gpu"]["message"] in ended.out


# --- interruptions ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def endless(serving: Lock, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose first model loads and whose others never end."""
    saved = tmp_path_factory.mktemp("saved")
    subprocess.run([serving.interpreter, str(SAVE_MISBEHAVING), str(saved)], check=True, capture_output=True)
    root = tmp_path_factory.mktemp("endless")
    shutil.copy(saved / "behaves.h5", root / "a_loads.h5")
    shutil.copy(saved / "loops_for_ever.h5", root / "b_loops.h5")
    shutil.copy(saved / "waits_for_ever.h5", root / "c_waits.h5")
    runtime = '{python: "3.11", tensorflow: "2.15.1", env: {MISBEHAVE: "1"}}'
    (root / "loadgate.yml").write_text(f"version: 1\nruntimes:\n  serving: {runtime}\n")
    return root


@pytest.mark.parametrize("signals", [[signal.SIGINT], [signal.SIGTERM], [signal.SIGINT, signal.SIGINT]])
def test_a_run_that_is_stopped_keeps_what_it_had_and_leaves_no_process_behind(
    signals: Sequence[signal.Signals], endless: Path, env: Mapping[str, str], tmp_path: Path
) -> None:
    results = tmp_path / ".loadgate" / "results.jsonl"
    process = subprocess.Popen(
        [*LOADGATE, "check", str(endless)],
        cwd=tmp_path,
        env=environment({**env, "TMPDIR": str(tmp_path)}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: results.exists() and results.read_bytes().endswith(b"\n"), process)
    for number in signals:
        process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)
    report = read_json(tmp_path / ".loadgate" / "report.json")

    assert process.returncode == 130
    assert "Traceback" not in err
    assert out.partition("\n")[0] == "! Stopped. No verdict: the run is partial, 2 of 3 cases not reached"
    assert (report["partial"], report["exit_status"]) == (True, 130)
    assert [json.loads(line)["stages"][0]["outcome"] for line in results.read_text().splitlines()] == ["passed"]
    assert processes_that_mention(tmp_path) == []


def processes_that_mention(folder: Path) -> list[str]:
    """Those whose environment holds the folder, as every probe's does, and every load's."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if entry.name != str(os.getpid()) and bytes(folder) in (entry / "environ").read_bytes():
                found.append((entry / "cmdline").read_text())
        except OSError:
            continue
    return found
