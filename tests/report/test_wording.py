from __future__ import annotations

import shlex
import subprocess
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgate.domain import Checks, Device, FailOn, Policy, Reason, Stage, StageResult
from loadgate.report import wording

from .sample_run import RUN, Run, failed, passed, skipped, small_run

BAD = failed(Reason.EXCEPTION, "the loader raised ValueError")
SKIP = skipped(Reason.NO_GPU, "no GPU is visible")


@pytest.mark.parametrize(
    ("run", "headline"),
    [
        (small_run({}), "No model artifact was found, so nothing was loaded"),
        (small_run({"a.h5": {"serving": passed()}}), "1 artifact loads in serving"),
        (
            small_run({"a.h5": {"serving": passed(), "next": passed()}, "b.h5": {"serving": passed()}}),
            "All 2 artifacts load in serving and next",
        ),
        (
            small_run({"a.h5": {"serving": passed()}, "b.h5": {"serving": SKIP}}),
            "1 of 2 artifacts loads in serving; 1 case skipped",
        ),
        (small_run({"a.h5": {"serving": SKIP}}), "Nothing was loaded: the only case was skipped"),
        (
            small_run({f"{n}.h5": {"serving": BAD if n < 3 else passed()} for n in range(12)}),
            "3 of 12 artifacts do not load in serving",
        ),
        (small_run({"a.h5": {"serving": BAD}}), "1 of 1 artifact does not load in serving"),
        (
            small_run({"a.h5": {"serving": BAD, "next": BAD}, "b.h5": {"serving": passed(), "next": passed()}}),
            "1 of 2 artifacts does not load in serving and next",
        ),
        (
            small_run({"a.h5": {"serving": BAD, "next": BAD}, "b.h5": {"serving": BAD, "next": passed()}}),
            "2 of 2 artifacts do not load: 2 in serving, 1 in next",
        ),
        (
            small_run({"a.h5": {f"tf{n}": BAD if n < 5 else passed() for n in range(7)}}),
            "1 of 1 artifact does not load: failures in 5 of 7 runtimes",
        ),
        (
            small_run({"a.h5": {"serving": passed()}, "b.h5": {"serving": None}}),
            "No verdict: the run is partial, 1 of 2 cases not reached",
        ),
        (
            small_run({"a.h5": {"serving": BAD}, "b.h5": {"serving": None}}),
            "1 of 2 artifacts does not load in serving; the run is partial, 1 of 2 cases not reached",
        ),
        (
            small_run({"a.h5": {"serving": passed(), "old": passed()}}).with_broken("old"),
            "No verdict: runtime old could not be made",
        ),
        (
            small_run({"a.h5": {f"tf{n}": passed() for n in range(5)}}).with_broken("tf0", "tf1", "tf2", "tf3"),
            "No verdict: 4 of 5 runtimes could not be made",
        ),
        (
            RUN,
            "4 of 6 artifacts do not load and 1 does not run: 2 in serving, 4 in next; "
            "runtime legacy could not be made",
        ),
    ],
)
def test_headline(run: Run, headline: str) -> None:
    assert run.report.headline == headline


def test_the_headline_names_the_device_where_the_others_did_not_fail() -> None:
    run = small_run({"a.h5": {"serving": BAD}, "b.h5": {"serving": passed()}})
    on_gpu = replace(run.plan.cases[0], device=Device.GPU)
    run = replace(run, plan=replace(run.plan, cases=(on_gpu, *run.plan.cases[1:])))

    assert run.report.headline == "1 of 2 artifacts does not load in serving on gpu"


def test_the_headline_of_a_run_with_more_checks_says_that_they_passed() -> None:
    run = small_run({"a.h5": {"serving": passed()}})
    results = (replace(run.results[0], stages=(*run.results[0].stages, passed(Stage.INFER))),)
    run = replace(run, plan=replace(run.plan, checks=Checks(infer=True)), results=results)

    assert run.report.headline == "1 artifact loads and passes every check in serving"


NOTHING = skipped(Reason.NOTHING_TO_RUN, "these weights say of no model", Stage.INFER)


@pytest.mark.parametrize(
    ("infers", "headline"),
    [
        ([NOTHING, NOTHING], "All 2 artifacts load in serving; no check was made, there was nothing to run"),
        (
            [passed(Stage.INFER), NOTHING],
            "All 2 artifacts load in serving; 1 passes every check, 1 has a check with nothing to run",
        ),
    ],
)
def test_the_headline_counts_no_check_as_passed_that_had_nothing_to_run(
    infers: list[StageResult], headline: str
) -> None:
    run = small_run({"a.h5": {"serving": passed()}, "b.h5": {"serving": passed()}})
    results = tuple(
        replace(result, stages=(*result.stages, infer)) for result, infer in zip(run.results, infers, strict=True)
    )
    run = replace(run, plan=replace(run.plan, checks=Checks(infer=True)), results=results)

    assert run.report.headline == headline


def test_a_policy_is_only_mentioned_where_it_changed_something() -> None:
    assert small_run({"a.h5": {"serving": passed()}}, policy=Policy(fail_on=FailOn.NEVER)).report.notes == ()


def test_the_command_that_reproduces_a_case_is_for_a_shell() -> None:
    case = replace(RUN.plan.cases[0], artifact="models/it's here.h5")

    assert shlex.split(wording.reproduction(case, wording.call("my repo", "my spec.yml"))) == [
        *("loadgate", "check", "my repo", "--spec", "my spec.yml"),
        *("--artifact", "models/it's here.h5", "--runtime", case.runtime),
    ]


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
def test_bash_reads_a_quoted_word_back_and_it_shows_no_control_characters(word: str) -> None:
    quoted = wording.quoted(word)
    read_back = subprocess.run(["bash", "-c", f"printf %s {quoted}"], capture_output=True, check=True).stdout

    assert read_back == word.encode()
    assert quoted.isprintable()


def test_saver_and_runtime_are_told_in_the_same_order() -> None:
    report = RUN.report
    lock = report.runtimes[0].lock
    assert lock is not None

    assert wording.saved_by(report.artifacts[0]) == ("TensorFlow not recorded", "Keras 3.15.1")
    assert wording.loaded_by(lock) == ("TensorFlow 2.15.1", "Keras 2.15.0", "Python 3.11.7")


def test_a_keras_that_is_not_called_keras_is_named() -> None:
    lock = RUN.report.runtimes[0].lock
    assert lock is not None

    assert "Keras 2.15.0 (tf_keras)" in wording.loaded_by(replace(lock, keras_module="tf_keras"))
