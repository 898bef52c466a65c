"""What `fix` tells in the end."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from loadgate.diagnosis.attempts import Rounds
from loadgate.domain import Confidence, Diagnosis, Locks, Plan, Reason, Remedy, RemedyKind, Trial
from loadgate.report.fixing import print_verdict

from .sample_run import failed, small_run

RUN = small_run({"a.h5": {"serving": failed(Reason.CRASHED, "SIGSEGV")}})
RESAVE = Remedy(
    kind=RemedyKind.RESAVE, headline="Save it again as a SavedModel", command="loadgate fix a.h5 --write", seconds=0.2
)


def told(remedy: Remedy, *trials: Trial, written: str | None = None) -> str:
    (case,) = RUN.report.cases
    diagnosis = Diagnosis(cause="crashed", headline="It crashed.", confidence=Confidence.LIKELY, remedies=(remedy,))
    report = replace(RUN.report, cases=(replace(case, diagnosis=diagnosis),))
    stream = io.StringIO()
    rounds = Rounds.of(Plan(cases=RUN.plan.cases, trials=trials), Locks(), ())
    print_verdict(report, rounds, Console(file=stream, width=120, color_system=None), written=written)
    return " ".join(stream.getvalue().split())


def test_where_nothing_was_tried_nothing_is_said_to_have_been() -> None:
    (case,) = RUN.report.cases
    out_of_time = Trial(case=case.case.id, mends=case.case.id, remedy=RESAVE)

    assert told(RESAVE, out_of_time).startswith("Nothing was tried that could mend it in serving (cpu)")


def test_who_has_written_what_was_saved_again_is_told_what_is_left_to_do() -> None:
    text = told(replace(RESAVE, verified=True), written="a.resaved")

    assert "written: a.resaved next: load that file in production; then remove the original" in text
    assert "--write" not in text


def test_who_has_not_is_told_the_command_that_writes_it() -> None:
    text = told(replace(RESAVE, verified=True))

    assert "loadgate fix a.h5 --write" in text
    assert "tried in less than 1 s" in text
