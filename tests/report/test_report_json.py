from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgate.errors import UsageError
from loadgate.report.report_json import encode_report, read_report, report_schema
from loadgate.report.truth import Report

from .sample_run import RUN, hostile_run


def test_a_report_reads_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(encode_report(RUN.report))

    assert read_report(path) == RUN.report


def test_it_holds_the_whole_truth() -> None:
    document = json.loads(encode_report(RUN.report))

    assert document["verdict"] == "failed"
    assert document["exit_status"] == 1
    assert document["artifacts"][0]["facts"]["saved_with"]["keras"] == "3.15.1"
    assert document["runtimes"][0]["state"]["lock"]["packages"]["keras"] == "2.15.0"
    assert document["runtimes"][2]["state"]["finding"]["cause"] == "numpy_2"
    assert document["cases"][0]["result"]["stages"][0]["exception"]["chain"]
    assert document["notes"] == list(RUN.plan.notes)


@given(st.text(st.characters()))
def test_any_text_is_written_as_valid_json_and_unchanged_but_for_lone_surrogates(text: str) -> None:
    report = msgspec.json.decode(encode_report(hostile_run(text).report), type=Report)

    assert report.notes == (text.encode("utf-8", "backslashreplace").decode(),)


def test_the_schema_describes_every_field_of_the_document() -> None:
    schema = report_schema()
    described = schema["$defs"]["Report"]["properties"]

    assert set(described) == set(json.loads(encode_report(RUN.report)))


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"{}", "this is no report of loadgate"), (b"", "this is no report"), (None, "cannot be read")],
)
def test_what_is_no_report_is_refused_in_one_line(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "report.json"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(UsageError, match=said) as refusal:
        read_report(path)
    assert "\n" not in str(refusal.value)


def test_a_report_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(encode_report(RUN.report).replace(b'"version": 1', b'"version": 2', 1))

    with pytest.raises(UsageError, match="version 2; this loadgate reads version 1"):
        read_report(path)
