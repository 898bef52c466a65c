from __future__ import annotations

import os
import re
import shlex
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from loadgate.domain import (
    Artifact,
    Case,
    CaseResult,
    Device,
    FailOn,
    Format,
    Loader,
    Locks,
    Outcome,
    Plan,
    Reason,
    Runtime,
    Stage,
    StageResult,
)
from loadgate.errors import LoadgateError, UsageError
from loadgate.interchange import append_result
from loadgate.phases.report import Gate, Outputs, report
from loadgate.report.report_json import read_report
from loadgate.report.truth import Standing
from loadgate.report.wording import call

PATHS = [f"models/{number}.h5" for number in range(8)]
PLAN = Plan(
    artifacts=tuple(Artifact(path=path, format=Format.KERAS_H5, files=(path,), bytes=1) for path in PATHS),
    runtimes=(Runtime(name="serving"),),
    cases=tuple(
        Case(id=path, artifact=path, runtime="serving", device=Device.CPU, loader=Loader.KERAS) for path in PATHS
    ),
)
LOCKS = Locks()


def results() -> list[CaseResult]:
    passed = StageResult(stage=Stage.LOAD, outcome=Outcome.PASSED)
    crashed = StageResult(stage=Stage.LOAD, outcome=Outcome.FAILED, reason=Reason.CRASHED, message="SIGSEGV")
    return [CaseResult(case=path, stages=(crashed if "3" in path else passed,)) for path in PATHS]


def written(path: Path, of: list[CaseResult]) -> Path:
    with path.open("wb") as stream:
        for result in of:
            append_result(stream, result)
    return path


def test_shards_in_any_order_write_the_same_files_as_one_run(tmp_path: Path) -> None:
    whole = written(tmp_path / "results.jsonl", results())
    shards = [written(tmp_path / f"results-{shard}.jsonl", results()[shard::3]) for shard in range(3)]
    outputs = [Outputs(json=tmp_path / f"{n}.json", junit=tmp_path / f"{n}.xml") for n in range(3)]

    for files, output in zip(([whole], shards, shards[::-1]), outputs, strict=True):
        report(PLAN, LOCKS, files, output)
    for kind in ("json", "xml"):
        contents = {(tmp_path / f"{n}.{kind}").read_bytes() for n in range(3)}
        assert len(contents) == 1


def test_a_run_that_was_cut_off_in_the_middle_of_a_line_gives_a_partial_report(tmp_path: Path) -> None:
    path = written(tmp_path / "results.jsonl", results()[:3])
    path.write_bytes(path.read_bytes() + b'{"case": "models/3.h5", "stag')
    assembled = report(PLAN, LOCKS, [path], Outputs(json=tmp_path / "report.json"))

    assert assembled.partial
    assert [case.standing for case in assembled.cases[:4]] == [Standing.PASSED] * 3 + [Standing.NOT_REACHED]
    assert read_report(tmp_path / "report.json") == assembled


def test_no_results_at_all_is_a_partial_report_and_no_verdict() -> None:
    assembled = report(PLAN, LOCKS, [])

    assert assembled.partial
    assert assembled.exit_status == 3


def test_outputs_may_lie_in_directories_that_are_not_there_yet(tmp_path: Path) -> None:
    report(PLAN, LOCKS, [], Outputs(junit=tmp_path / "build" / "reports" / "loadgate.xml"))

    assert (tmp_path / "build" / "reports" / "loadgate.xml").read_bytes().startswith(b"<?xml")


def test_an_output_that_cannot_be_written_is_said_in_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "report.json").mkdir()

    with pytest.raises(LoadgateError, match=r"report\.json: cannot be written: "):
        report(PLAN, LOCKS, [], Outputs(json=tmp_path / "report.json"))
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_a_pipe_is_written_into_and_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "junit.xml"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    report(PLAN, LOCKS, [], Outputs(junit=pipe))

    assert os.read(reader, 5) == b"<?xml"
    assert pipe.is_fifo()
    os.close(reader)


def test_a_name_of_an_open_file_means_that_file_as_for_every_program(tmp_path: Path) -> None:
    with (tmp_path / "opened").open("wb") as stream:
        report(PLAN, LOCKS, [], Outputs(junit=Path(f"/proc/self/fd/{stream.fileno()}")))
        assert Path(f"/dev/fd/{stream.fileno()}").is_symlink()
    assert (tmp_path / "opened").read_bytes().startswith(b"<?xml")


def test_results_that_are_not_there_are_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"missing\.jsonl: cannot be read"):
        report(PLAN, LOCKS, [tmp_path / "missing.jsonl"])


def test_what_the_report_of_the_base_branch_has_broken_does_not_block_what_is_new(tmp_path: Path) -> None:
    path = written(tmp_path / "results.jsonl", results())
    before = report(PLAN, LOCKS, [path], Outputs(json=tmp_path / "base.json"))
    gate = Gate(base_report=tmp_path / "base.json", fail_on=FailOn.NEW)

    assert before.exit_status == 1
    assert report(PLAN, LOCKS, [path], gate=gate).exit_status == 0
    assert report(PLAN, LOCKS, [path], gate=replace(gate, base_report=tmp_path / "none.json")).exit_status == 1


def test_a_base_report_that_is_none_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "base.json").write_text("{}")

    with pytest.raises(UsageError, match=r"base\.json: this is no report of loadgate"):
        report(PLAN, LOCKS, [], gate=Gate(base_report=tmp_path / "base.json"))


def test_the_summary_is_appended_to_what_the_step_has_written_and_stays_within_the_runners_limit(
    tmp_path: Path,
) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before")
    report(PLAN, LOCKS, [written(tmp_path / "results.jsonl", results())], Outputs(summary=summary))

    assert summary.read_text().startswith("before\n### ✗ loadgate: 1 of 8 artifacts does not load in serving")
    summary.write_bytes(b"x" * 1024**2)
    report(PLAN, LOCKS, [], Outputs(summary=summary))
    assert summary.stat().st_size == 1024**2


@pytest.mark.parametrize(
    ("spec", "outputs", "command"),
    [
        (None, Outputs(call=call("rep o's")), ["check", "rep o's"]),
        ("loadgate.yml", Outputs(), ["check"]),
        ("loadgate.yml", Outputs(prefix="services/ml/"), ["check", "services/ml"]),
        ("ci/gate.yml", Outputs(prefix="ml/"), ["check", "ml", "--spec", "ml/ci/gate.yml"]),
    ],
)
def test_the_command_that_tries_a_case_alone_works_where_the_page_is_read(
    tmp_path: Path, spec: str | None, outputs: Outputs, command: list[str]
) -> None:
    outputs = replace(outputs, summary=tmp_path / "summary.md", html=tmp_path / "page.html")
    path = written(tmp_path / "results.jsonl", results())
    report(replace(PLAN, spec_file=spec), LOCKS, [path], outputs)

    assert outputs.summary is not None
    assert outputs.html is not None
    in_markdown = re.search(r"To try this case alone: `(.+)`$", outputs.summary.read_text(), re.MULTILINE)
    in_html = re.search(r"<dt>To try it alone</dt><dd><code>(.+?)</code>", outputs.html.read_text())
    for told in (in_markdown, in_html):
        assert told is not None
        words = shlex.split(unescape(told[1]))
        assert words == ["loadgate", *command, "--artifact", "models/3.h5", "--runtime", "serving"]
