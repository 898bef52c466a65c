"""What people read is held in golden files. To renew them: LOADGATE_WRITE_GOLDEN=1 pytest tests/report; then review."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from loadgate.domain import Device, FailOn, Policy, Reason, StageResult
from loadgate.report import wording
from loadgate.report.assembly import assemble
from loadgate.report.console import print_report
from loadgate.report.terminal import Detail, open_console

from .sample_run import RUN, Run, failed, hostile_run, passed, small_run

GOLDEN = Path(__file__).parent / "golden"
UNEXPLAINED = failed(Reason.EXITED, "ended its own process with status 3 before it was done")
BAD = failed(Reason.OUT_OF_MEMORY, "4.3 GB of resident memory, 4.0 GB allowed")


def shown(run: Run, *, width: int = 80, detail: Detail = Detail.NORMAL, path: str = "") -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, color_system=None, markup=False, highlight=False, emoji=False)
    print_report(run.report, console, detail=detail, call=wording.call(path))
    return stream.getvalue()


def grid(artifacts: int, runtimes: int, *, failing: Sequence[int] = ()) -> Run:
    stage: dict[bool, StageResult] = {True: BAD, False: passed()}
    return small_run(
        {
            f"models/team-{number % 7}/production/export/model_{number:03}.h5": {
                f"tf2.{9 + column}": stage[number in failing and column == 0] for column in range(runtimes)
            }
            for number in range(artifacts)
        }
    )


@pytest.mark.parametrize("detail", Detail)
def test_why_a_failure_does_not_fail_the_run_is_told_in_every_detail(detail: Detail) -> None:
    run = small_run({"a.h5": {"serving": BAD}}, policy=Policy(fail_on=FailOn.NEVER))

    assert "fail-on is never, so what does not load does not fail this run" in shown(run, width=120, detail=detail)


@pytest.mark.parametrize(
    ("name", "run", "width", "detail"),
    [
        ("run-80.txt", RUN, 80, Detail.NORMAL),
        ("run-120.txt", RUN, 120, Detail.NORMAL),
        ("run-120-verbose.txt", RUN, 120, Detail.VERBOSE),
        ("run-80-quiet.txt", RUN, 80, Detail.QUIET),
        ("partial-80.txt", RUN.without_results(*(case.id for case in RUN.plan.cases[5:])), 80, Detail.NORMAL),
        ("passed-80.txt", grid(3, 2), 80, Detail.NORMAL),
        ("nothing-80.txt", small_run({}), 80, Detail.NORMAL),
        ("hundred-80.txt", grid(100, 2, failing=(3, 50)), 80, Detail.NORMAL),
        ("many-runtimes-80.txt", grid(4, 9, failing=(1,)), 80, Detail.NORMAL),
        ("many-runtimes-200.txt", grid(4, 9, failing=(1,)), 200, Detail.NORMAL),
        ("hostile-80.txt", hostile_run("[red]a[/]\x1b[31m\u202e]]>\n::error::x"), 80, Detail.NORMAL),
    ],
)
def test_what_people_read(name: str, run: Run, width: int, detail: Detail) -> None:
    text = shown(run, width=width, detail=detail)
    if os.environ.get("LOADGATE_WRITE_GOLDEN"):
        (GOLDEN / name).write_text(text, encoding="utf-8")
    assert text == (GOLDEN / name).read_text(encoding="utf-8")


@settings(deadline=None)
@given(st.text(st.characters()), st.sampled_from(Detail), st.sampled_from((20, 80, 200)))
def test_no_string_reaches_the_terminal_with_a_control_character(text: str, detail: Detail, width: int) -> None:
    assert all(row.isprintable() for row in shown(hostile_run(text), width=width, detail=detail).split("\n"))


@pytest.mark.parametrize("width", range(20, 120, 7))
@pytest.mark.parametrize("detail", Detail)
def test_no_string_becomes_a_command_to_the_ci_system(width: int, detail: Detail) -> None:
    for row in shown(hostile_run("a\n::error::b\n##[group]c ::add-mask::d"), width=width, detail=detail).split("\n"):
        assert not row.lstrip().startswith("::")
        assert "##[" not in row


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_only_commands_and_evidence_are_wider_than_the_terminal(width: int) -> None:
    for row in shown(RUN, width=width).split("\n"):
        assert len(row) <= width or row.startswith("    try it ")


def test_a_stream_without_utf_8_gets_ascii() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    print_report(hostile_run("größer").report, open_console(stream))

    text = raw.getvalue().decode("ascii")
    assert text.startswith("x 1 of 2 artifacts does not load")
    assert "gr\\xf6\\xdfer" in text


def test_a_stream_that_is_no_terminal_gets_no_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("FORCE_COLOR", "NO_COLOR", "COLUMNS", "TTY_COMPATIBLE"):
        monkeypatch.delenv(variable, raising=False)
    stream = io.StringIO()
    print_report(RUN.report, open_console(stream))

    assert "\x1b" not in stream.getvalue()
    assert max(len(row) for row in stream.getvalue().split("\n")) <= 120


def test_force_color_colours_a_log_and_no_color_wins_over_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured, plain = io.StringIO(), io.StringIO()
    print_report(RUN.report, open_console(coloured))
    monkeypatch.setenv("NO_COLOR", "1")
    print_report(RUN.report, open_console(plain))

    assert "\x1b[1;31m" in coloured.getvalue()
    assert "31m" not in plain.getvalue()


def test_the_command_repeats_the_path_that_the_user_gave() -> None:
    assert "loadgate check examples --artifact models/churn/legacy.h5" in shown(RUN, path="examples")


def test_failures_of_one_cause_are_told_once_with_the_cases_that_share_it() -> None:
    text = shown(grid(30, 1, failing=range(30)))

    assert text.count("The load took more memory than a case may take.") == 1
    assert text.count("try it") == 1
    assert "and 21 more; --verbose tells each in full" in text


def test_more_than_twenty_failures_that_nobody_can_explain_get_a_line_each_unless_more_detail_is_asked_for() -> None:
    run = small_run({f"models/team-{number}/model.h5": {"serving": UNEXPLAINED} for number in range(30)})

    assert shown(run).count("try it") == 20
    assert shown(run).count("✗ models/team-") == 30
    assert shown(run, detail=Detail.VERBOSE).count("try it") == 30


def test_a_broken_runtime_is_explained_once_however_many_cases_it_has() -> None:
    assert shown(grid(40, 2).with_broken("tf2.9")).count("nothing provides tensorflow==9") == 1


def test_two_loaders_of_one_artifact_are_two_rows() -> None:
    run = small_run({"a.h5": {"serving": passed()}})
    other = replace(run.plan.cases[0], id="other", loader=run.plan.cases[0].loader.TF_KERAS)
    plan = replace(run.plan, cases=(*run.plan.cases, other))
    text = shown(Run(plan, run.locks, (*run.results, replace(run.results[0], case="other"))))

    assert "a.h5 (keras) " in text
    assert "a.h5 (tf_keras) " in text


def test_a_device_without_cases_is_no_column() -> None:
    run = small_run({"a.h5": {"serving": passed()}})
    runtimes = (replace(run.plan.runtimes[0], devices=(Device.CPU, Device.GPU)),)
    report = assemble(replace(run.plan, runtimes=runtimes), run.locks, run.results)
    stream = io.StringIO()
    print_report(report, Console(file=stream, width=80))

    assert "gpu" not in stream.getvalue()
