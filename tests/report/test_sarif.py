from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from loadgate.domain import FailOn, Policy, Reason, StageResult
from loadgate.report.sarif import encode_sarif
from loadgate.report.truth import Report
from tests.report.sample_run import RUN, failed, hostile_run, passed, small_run
from tests.report.test_markdown import POISON

REPORTS = {
    "a whole run": RUN.report,
    "all is well": small_run({"a.h5": {"serving": passed()}}).report,
    "nothing": small_run({}).report,
    **{f"hostile {number}": hostile_run(text).report for number, text in enumerate(POISON)},
}


def results(report: Report) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(encode_sarif(report))["runs"][0]["results"]
    return found


@pytest.fixture(scope="module")
def multitool(node_modules: Path) -> Path:
    return node_modules / "@microsoft" / "sarif-multitool-linux"


@pytest.mark.parametrize("name", REPORTS)
def test_it_fits_the_schema_of_sarif(name: str, multitool: Path) -> None:
    schema = json.loads((multitool / "sarif-2.1.0.json").read_bytes())

    jsonschema.validators.validator_for(schema)(schema).validate(json.loads(encode_sarif(REPORTS[name])))


def test_the_validator_finds_no_error_by_the_rules_of_sarif_and_of_github(multitool: Path, tmp_path: Path) -> None:
    for number, report in enumerate((RUN.report, hostile_run(POISON[2]).report)):
        (tmp_path / f"{number}.sarif").write_bytes(encode_sarif(report))
    command = [str(multitool / "Sarif.Multitool"), "validate", str(tmp_path / "*.sarif")]
    command += ["--rule-kind", "Sarif;Gh", "--output", str(tmp_path / "found.json")]
    environment = os.environ | {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)

    assert done.returncode == 0, done.stdout
    found = json.loads((tmp_path / "found.json").read_text("utf-8-sig"))["runs"][0]["results"]
    assert [each for each in found if each.get("level") == "error"] == []


def test_of_a_folder_of_the_checkout_places_are_told_from_the_root() -> None:
    (run,) = json.loads(encode_sarif(RUN.report, "services/ml/"))["runs"]
    places = [place["physicalLocation"] for each in run["results"] for place in each["locations"]]

    assert all(place["artifactLocation"]["uri"].startswith("services/ml/") for place in places)


def test_a_result_stands_on_the_line_that_must_change() -> None:
    (runtime,) = (each for each in results(RUN.report) if each["ruleId"] == "runtime.numpy_2")

    place = runtime["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "loadgate.yml"
    assert place["region"] == {"startLine": 14}


def test_a_result_keeps_its_fingerprint_from_run_to_run() -> None:
    first, second = (results(RUN.report) for _ in range(2))

    assert [each["partialFingerprints"] for each in first] == [each["partialFingerprints"] for each in second]
    assert len({json.dumps(each["partialFingerprints"]) for each in first}) == len(first)


def test_what_does_not_block_is_a_warning() -> None:
    broken: dict[str, dict[str, StageResult | None]] = {"a.h5": {"serving": failed(Reason.CRASHED, "SIGSEGV")}}
    forgiven = small_run(broken, policy=Policy(fail_on=FailOn.NEVER)).report

    assert [each["level"] for each in results(small_run(broken).report)] == ["error"]
    assert [each["level"] for each in results(forgiven)] == ["warning"]


def test_a_rule_is_called_what_its_page_is_called() -> None:
    (run,) = json.loads(encode_sarif(RUN.report))["runs"]
    titles = {rule["id"]: rule["shortDescription"]["text"] for rule in run["tool"]["driver"]["rules"]}

    assert titles["git_lfs_pointer"] == "A Git LFS pointer lies where the model should be"
    assert titles["runtime.numpy_2"] == "runtime: numpy 2"
