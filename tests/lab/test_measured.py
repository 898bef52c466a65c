"""The table that ships: it hangs together, it is what the raw results say, and the page is what the table says."""

from __future__ import annotations

import json
import re
from collections import Counter
from importlib.resources import files
from typing import Any

import msgspec
import pytest
from lab.page import PAGE, page
from lab.surprises import SURPRISES, Claim
from lab.table import COMPILED, KEPT, raw
from lab.table import measured as table_of

from loadgate.diagnosis.measured import Cell, Measured, measured
from loadgate.diagnosis.rule import rules
from loadgate.domain import Lock

SIZE_LIMIT = 500_000


@pytest.fixture(scope="module")
def table() -> Measured:
    return measured()


@pytest.fixture(scope="module")
def loads() -> list[dict[str, Any]]:
    return raw("loads")


def test_every_row_has_an_outcome_for_every_runtime_and_a_failure_for_every_cell_that_does_not_load(
    table: Measured,
) -> None:
    for row in table.rows:
        assert len(row.outcomes) == len(table.runtimes), row
        cells = [Cell(character) for character in row.outcomes]
        assert len(row.failures) == sum(not cell.loads and cell is not Cell.NOT_MEASURED for cell in cells), row


def test_every_kind_of_failure_is_counted_as_often_as_rows_name_it(table: Measured) -> None:
    named = Counter(number for row in table.rows for number in row.failures)
    assert named == {number: failure.loads for number, failure in enumerate(table.failures)}


def test_the_number_of_loads_is_the_number_of_cells(table: Measured) -> None:
    rows = [row for row in table.rows if row.loader != COMPILED]
    assert table.loads == sum(character != Cell.NOT_MEASURED for row in rows for character in row.outcomes)


def test_no_artifact_is_there_twice_and_every_saver_is_a_runtime(table: Measured) -> None:
    keys = [(row.artifact, row.loader, row.imports) for row in table.rows]
    assert len(set(keys)) == len(keys)
    assert {row.saver for row in table.rows} <= {runtime.name for runtime in table.runtimes}


def test_the_table_is_what_the_raw_results_come_to(table: Measured, loads: list[dict[str, Any]]) -> None:
    locks = msgspec.json.decode((KEPT / "runtimes.json").read_bytes(), type=dict[str, Lock])
    about = {"on": table.measured, "command": table.command, "machine": table.machine}
    assert table_of(locks, raw("artifacts"), loads, about) == table


def test_the_page_is_what_the_table_says(table: Measured) -> None:
    assert PAGE.read_text(encoding="utf-8") == page(table), "run script/lab table"


def test_no_path_of_the_machine_that_measured_is_kept(loads: list[dict[str, Any]]) -> None:
    text = msgspec.json.encode([loads, raw("artifacts"), raw("not_saved")]).decode()
    assert not re.findall(r"/(?:root|home|work|var/tmp)/", text)


def test_the_table_is_small_enough_for_reading_it_not_to_be_felt() -> None:
    assert len(files("loadgate.diagnosis").joinpath("measured.json").read_bytes()) < SIZE_LIMIT


@pytest.mark.parametrize("claim", SURPRISES, ids=lambda claim: claim.title)
def test_what_the_page_explains_holds_in_every_cell_that_was_measured(table: Measured, claim: Claim) -> None:
    assert list(claim.measured(table))
    assert claim.contradicted(table) == []


def test_the_cause_of_a_missing_flex_delegate_names_the_tensorflows_that_bring_it_and_those_that_do_not() -> None:
    (rule,) = (rule for rule in rules() if rule.cause == "tflite_flex_delegate_missing")
    brings, _, lacks = rule.explanation.partition("and not")
    seen: dict[bool, set[str]] = {True: set(), False: set()}
    for load in raw("part_loads"):
        if load["artifact"].endswith("/tflite_flex.tflite"):
            seen[load["exception"] is None].add(load["runtime"].removeprefix("tf").partition("-")[0])

    assert {True: set(re.findall(r"\d\.\d+", brings)), False: set(re.findall(r"\d\.\d+", lacks))} == seen


def test_the_cause_of_a_file_of_keras_3_in_keras_2_counts_the_loads_that_passed(loads: list[dict[str, Any]]) -> None:
    (rule,) = (rule for rule in rules() if rule.cause == "keras_3_file_in_keras_2")
    locks = json.loads((KEPT / "runtimes.json").read_bytes())
    saved = {each["id"]: each["artifact"] for each in raw("artifacts")}
    found = [
        load
        for load in loads
        if _is_of_keras_3(saved[load["artifact"]]) and _keras(load, locks[load["runtime"]]).startswith("2.")
    ]
    passed = [load for load in found if load["reason"] is None]
    places = {(load["artifact"].partition("/")[2], load["runtime"]) for load in passed}

    assert f"of {len(found):,} such loads {len(passed):,} passed" in " ".join(rule.explanation.split())
    assert places == {("keras_v3/subclassed", "tf2.12"), ("keras_v3/subclassed", "tf2.13")}


def _is_of_keras_3(artifact: dict[str, Any]) -> bool:
    saver = (artifact.get("facts") or {}).get("saved_with", {}).get("keras") or ""
    return artifact["format"] in ("keras_v3", "keras_h5") and saver.startswith("3.")


def _keras(load: dict[str, Any], lock: dict[str, Any]) -> str:
    """The version of Keras that was called; empty for another loader."""
    found = {"keras": lock.get("keras"), "tf_keras": lock["packages"].get("tf-keras")}.get(load["loader"])
    return found or ""
