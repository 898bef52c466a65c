from __future__ import annotations

from dataclasses import replace

import pytest

from loadgate.domain import (
    Confidence,
    Diagnosis,
    Edit,
    Origin,
    Proposal,
    Reason,
    Remedy,
    RemedyKind,
    Requirement,
    Runtime,
    StandIn,
    StandInKind,
)
from loadgate.report.anchors import anchor_of
from loadgate.report.annotations import Annotation, Level, annotated
from loadgate.report.html import encode_html
from loadgate.report.markdown_page import Page, render
from loadgate.report.sarif import encode_sarif
from loadgate.report.workflow_commands import command, commands
from tests.report.sample_run import ARTIFACTS, RUN, failed, hostile_run, small_run
from tests.report.test_markdown import POISON

ARTIFACT = ARTIFACTS[0]
ORIGIN = Origin(file="loadgate.yml", line=3)
RUNTIME = Runtime(
    name="serving",
    origin=ORIGIN,
    key_lines={"tensorflow": 5, "imports": 8},
    requirements=(Requirement(text="keras==3.3.3", origin=Origin(file="serving/requirements.txt", line=7)),),
)
INFERRED = Runtime(
    name="serving",
    origin=Origin(file="requirements.txt", line=1),
    requirements=(
        Requirement(text="numpy", origin=Origin(file="requirements.txt", line=1)),
        Requirement(text="tensorflow-cpu==2.15.1", origin=Origin(file="requirements.txt", line=2)),
    ),
)
CHECKOUT = Origin(file=".github/workflows/ci.yml", line=9)


def because(*kinds: RemedyKind, remedies: tuple[Remedy, ...] = ()) -> Diagnosis:
    return Diagnosis(
        cause="x",
        headline="x",
        confidence=Confidence.CERTAIN,
        proposals=tuple(Proposal(kind=kind) for kind in kinds),
        remedies=remedies,
    )


@pytest.mark.parametrize(
    ("diagnosis", "runtime", "where"),
    [
        (because(RemedyKind.TENSORFLOW), RUNTIME, "loadgate.yml:5"),
        (because(RemedyKind.TENSORFLOW), INFERRED, "requirements.txt:2"),
        (because(RemedyKind.KERAS), RUNTIME, "serving/requirements.txt:7"),
        (because(RemedyKind.IMPORT), RUNTIME, "loadgate.yml:8"),
        (because(RemedyKind.ENVIRONMENT), RUNTIME, "loadgate.yml:3"),
        (because(RemedyKind.IMPORT), INFERRED, f"{ARTIFACT.path}:1"),
        (because(RemedyKind.IMPORT, RemedyKind.TENSORFLOW), INFERRED, "requirements.txt:2"),
        (because(RemedyKind.RESAVE), RUNTIME, f"{ARTIFACT.path}:1"),
        (because(RemedyKind.RESAVE, RemedyKind.TENSORFLOW), RUNTIME, "loadgate.yml:5"),
        (because(), RUNTIME, f"{ARTIFACT.path}:1"),
        (None, RUNTIME, f"{ARTIFACT.path}:1"),
        (because(RemedyKind.TENSORFLOW), Runtime(name="default"), f"{ARTIFACT.path}:1"),
    ],
)
def test_a_failure_is_anchored_where_a_person_would_mend_it(
    diagnosis: Diagnosis | None, runtime: Runtime, where: str
) -> None:
    assert str(anchor_of(ARTIFACT, runtime, diagnosis)) == where


def test_the_line_that_a_remedy_changes_goes_before_all_others() -> None:
    remedy = Remedy(kind=RemedyKind.TENSORFLOW, headline="x", edits=(Edit(file="Dockerfile", line=4, new="FROM y"),))

    assert str(anchor_of(ARTIFACT, RUNTIME, because(RemedyKind.IMPORT, remedies=(remedy,)))) == "Dockerfile:4"


def test_a_spec_that_is_yet_to_be_written_is_nowhere_to_point_at() -> None:
    remedy = Remedy(kind=RemedyKind.IMPORT, headline="x", verified=True, edits=(Edit(file="loadgate.yml", new="x"),))
    assert anchor_of(ARTIFACT, INFERRED, because(RemedyKind.IMPORT, remedies=(remedy,))).file == ARTIFACT.path


def test_a_git_lfs_pointer_is_anchored_at_the_checkout_that_left_it_out() -> None:
    pointer = StandIn(kind=StandInKind.GIT_LFS_POINTER, file=ARTIFACT.path, detail="points at 1 byte")
    artifact = replace(ARTIFACT, stand_in=pointer)

    assert anchor_of(artifact, RUNTIME, because(RemedyKind.FILE), [CHECKOUT]) == CHECKOUT
    assert anchor_of(artifact, RUNTIME, because(RemedyKind.FILE)).file == ARTIFACT.path


def test_what_is_wrong_with_the_bytes_is_anchored_at_the_bytes() -> None:
    page = StandIn(kind=StandInKind.HTML, file=ARTIFACT.path, detail="a page")

    assert anchor_of(replace(ARTIFACT, stand_in=page), RUNTIME, because(RemedyKind.TENSORFLOW)).file == ARTIFACT.path


def test_failures_of_one_cause_on_one_line_are_one_annotation_and_the_most_cases_come_first() -> None:
    report = small_run(
        {f"m{n}.h5": {"serving": failed(Reason.CRASHED, "SIGSEGV")} for n in range(5)},
    ).report
    diagnosed = [because(RemedyKind.RESAVE), *[because(RemedyKind.TENSORFLOW)] * 4]
    report = replace(
        report,
        cases=tuple(replace(case, diagnosis=d) for case, d in zip(report.cases, diagnosed, strict=True)),
        runtimes=(replace(report.runtimes[0], runtime=RUNTIME),),
    )
    found = annotated(report)

    assert [(str(each.file), each.line, each.cases) for each in found] == [("loadgate.yml", 5, 4), ("m0.h5", 1, 1)]
    assert all(f"m{n}.h5 does not load in serving (cpu)" in found[0].message for n in range(1, 5))


def test_a_runtime_that_could_not_be_made_is_annotated_once_where_it_is_asked_for() -> None:
    (found,) = (each for each in annotated(RUN.report) if each.line == 14)

    assert found.file == "loadgate.yml"
    assert found.title == "runtime legacy could not be made"
    assert "6 cases without a verdict" in found.message


@pytest.mark.parametrize("text", POISON)
def test_an_annotation_holds_nothing_that_does_not_print(text: str) -> None:
    for each in annotated(hostile_run(text).report):
        assert all(line.isprintable() for line in (each.title, *each.message.split("\n")))
        assert len(each.title) <= 255
        assert len(each.message.encode()) <= 64 * 1024


def unescaped(text: str) -> str:
    """As the runner reads it back."""
    for escape, character in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(escape, character)
    return text


@pytest.mark.parametrize("text", ["a,b:c%d", "%0A", "::error::x", "a\nb\r\n::set-output name=x::y", "%2525,%3A"])
def test_a_command_is_one_line_that_the_runner_reads_back(text: str) -> None:
    line = command(Annotation(level=Level.FAILURE, file=text, line=3, title=text, message=text))

    assert "\n" not in line
    assert "\r" not in line
    head, properties, data = line.split("::", 2)[0], *line.removeprefix("::").split("::", 1)
    assert head == ""
    assert unescaped(data) == text
    found = dict(item.split("=", 1) for item in properties.removeprefix("error ").split(","))
    assert (unescaped(found["file"]), found["line"], unescaped(found["title"])) == (text, "3", text)


@pytest.mark.parametrize("number", [0, 1, 10, 11, 500])
def test_at_most_ten_commands_of_a_level_and_the_rest_is_counted(number: int) -> None:
    found = [Annotation(level=Level.FAILURE, file="a", line=1, title=str(n), message="x") for n in range(number)]
    lines = list(commands([*found, *(replace(each, level=Level.WARNING) for each in found)]))

    for level in ("error", "warning"):
        mine = [line for line in lines if line.startswith(f"::{level} ")]
        assert len(mine) == min(number, 10)
        if number > 10:
            assert mine[-1] == f"::{level} title=loadgate::and {number - 9:,} more, which the step's summary has"


def test_a_runtime_that_could_not_be_made_is_told_with_what_was_seen_to_mend_it() -> None:
    fix = Remedy(kind=RemedyKind.PACKAGE, headline="Add the older NumPy", verified=True, tried_in="legacy with numpy<2")
    report = RUN.report
    legacy = tuple(replace(each, remedies=(fix,)) if each.finding else each for each in report.runtimes)
    report = replace(report, runtimes=legacy)
    faces = (
        "\n".join(each.message for each in annotated(report)),
        render(report, Page(limit=60_000)),
        encode_sarif(report).decode(),
        encode_html(report).decode(),
    )

    assert [face.count("Fix, verified:") for face in faces] == [1] * len(faces)
    assert all("Add the older NumPy" in face for face in faces)
