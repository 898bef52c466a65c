"""Predicting a whole repository: what is expected is told everywhere, and nowhere as a load."""

from __future__ import annotations

import io
import json
import re
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from rich.console import Console

from loadgate.domain import FailOn, Forecast, Prediction
from loadgate.phases.check import Request
from loadgate.phases.predict import exit_status, foresee
from loadgate.phases.report import Outputs
from loadgate.report.annotations import annotated
from loadgate.report.expectations import print_expectations
from loadgate.report.terminal import Detail
from loadgate.report.truth import Report, Standing, Verdict

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def foreseen(tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, Path]:
    repository = tmp_path_factory.mktemp("foreseen") / "examples"
    shutil.copytree(EXAMPLES, repository, ignore=shutil.ignore_patterns(".loadgate", "__pycache__"))
    folder = repository / ".loadgate"
    outputs = Outputs(summary=folder.with_name("summary.md"))
    return foresee(Request(repository=repository, folder=folder, cache=repository / "cache", outputs=outputs)), folder


def test_every_case_is_skipped_whatever_is_expected_of_it(foreseen: tuple[Report, Path]) -> None:
    report, _ = foreseen
    assert {case.standing for case in report.cases} == {Standing.SKIPPED}
    assert {case.prediction.forecast for case in report.cases if case.prediction} == set(Forecast)
    assert report.verdict is Verdict.NONE


def test_what_holds_for_the_whole_run_is_noted_once(tmp_path: Path) -> None:
    shutil.copy(EXAMPLES / "models" / "churn" / "churn_2019.h5", tmp_path)
    folder = tmp_path / ".loadgate"
    report = foresee(Request(repository=tmp_path, folder=folder, cache=tmp_path, outputs=Outputs()))
    stream = io.StringIO()
    print_expectations(report, Console(file=stream, width=120, color_system=None), detail=Detail.NORMAL)
    assert stream.getvalue().count("No file of the repository says which TensorFlow") == 1


def told(report: Report, detail: Detail = Detail.NORMAL) -> str:
    stream = io.StringIO()
    print_expectations(report, Console(file=stream, width=120, color_system=None), detail=detail)
    return stream.getvalue()


@pytest.mark.parametrize("detail", [Detail.QUIET, Detail.NORMAL])
def test_why_something_is_not_known_is_told_once_with_all_of_which_it_is_so(
    foreseen: tuple[Report, Path], detail: Detail
) -> None:
    text = told(foreseen[0], detail)
    assert text.count("not known: what is imported need not bring all of its objects") == 1
    (place,) = re.findall(r"the same +(.+)", text)
    assert place == "models/vision/scratches.keras in next (cpu)"


def test_a_cause_that_several_have_is_told_once(foreseen: tuple[Report, Path]) -> None:
    text = told(foreseen[0])
    assert text.count("A file of Keras 3 in Keras 2") == 1
    assert "same cause models/ranking/ranker_2026.h5 in serving (cpu)" in text


def test_the_summary_shows_what_is_expected_and_not_that_all_was_skipped(foreseen: tuple[Report, Path]) -> None:
    page = foreseen[1].with_name("summary.md").read_text()
    assert "| `models/churn/churn_2026.keras` | NOT expected | expected |" in page
    assert "and 18 artifacts more: 34 expected, 2 not known" in page
    assert (
        "- `models/churn/churn_2026.keras` in `serving` cpu and 1 more: not expected to load in TensorFlow 2.15.1"
        in page
    )
    assert "skipped" not in page


def test_junit_holds_neither_a_pass_nor_a_failure_nor_an_error(foreseen: tuple[Report, Path]) -> None:
    tests = list(ET.parse(foreseen[1] / "junit.xml").iter("testcase"))  # noqa: S314 - our own
    assert len(tests) > 50
    assert {tuple(child.tag for child in test if child.tag != "properties") for test in tests} == {("skipped",)}


def test_report_json_says_of_no_stage_that_it_passed(foreseen: tuple[Report, Path]) -> None:
    report = json.loads((foreseen[1] / "report.json").read_text())
    outcomes = {stage["outcome"] for case in report["cases"] for stage in case["result"]["stages"]}
    assert (report["verdict"], outcomes) == ("none", {"skipped"})
    assert "Nothing was loaded" in report["headline"]


def test_a_summary_says_of_no_case_that_it_passed_and_no_annotation_blames_a_line(
    foreseen: tuple[Report, Path],
) -> None:
    report, folder = foreseen
    summary = folder.with_name("summary.md").read_text()
    assert "Nothing was loaded" in summary
    assert "passed" not in summary
    assert annotated(report) == ()


def test_no_result_is_written_that_somebody_could_take_for_one_of_a_load(foreseen: tuple[Report, Path]) -> None:
    assert not list(foreseen[1].glob("results*.jsonl"))


@pytest.mark.parametrize(
    ("forecasts", "fail_on", "status"),
    [
        ([Forecast.WILL_LOAD], FailOn.ANY, 0),
        ([Forecast.WILL_LOAD, Forecast.NOT_KNOWN], FailOn.ANY, 3),
        ([Forecast.NOT_KNOWN, Forecast.WILL_NOT_LOAD], FailOn.ANY, 1),
        ([Forecast.WILL_NOT_LOAD, Forecast.WILL_LOAD], FailOn.NEVER, 0),
    ],
)
def test_the_exit_status_tells_what_is_expected(forecasts: list[Forecast], fail_on: FailOn, status: int) -> None:
    found = {str(number): Prediction(forecast=each, headline="") for number, each in enumerate(forecasts)}
    assert exit_status(found, fail_on) == status
