from __future__ import annotations

import base64
import hashlib
import json
import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgate.domain import Confidence, Diagnosis, Evidence, FailOn, Policy, Reason, Remedy, RemedyKind, Side, Stage
from loadgate.report import comment
from loadgate.report.annotations import annotated
from loadgate.report.comment import MOST_REMEMBERED, State
from loadgate.report.html import encode_html
from loadgate.report.links import Links
from loadgate.report.truth import Report
from tests.report.rendering import ALLOWED, Rendered
from tests.report.sample_run import RUN, failed, hostile_run, passed, skipped, small_run
from tests.report.test_markdown import POISON, harmless

LINKS = Links(server="https://github.com", repository="octo-org/octo-repo", sha="a" * 40, run="7")
STATE = State(sha="a" * 40, run=7, attempt=1)


def body(report: Report, last: State | None = None, name: str = "loadgate") -> str:
    state = comment.state_of(report, sha="a" * 40, run=7, attempt=1)
    return comment.body(report, name=name, links=LINKS, state=state, last=last)


def many(number: int, *, causes: int) -> Report:
    report = small_run(
        {
            f"models/team-{n % 17}/model-{n:05}.h5": {"serving": failed(Reason.CRASHED, f"SIGSEGV {n}" * 20)}
            for n in range(number)
        }
    ).report
    cases = [
        replace(
            case,
            diagnosis=Diagnosis(
                cause=f"cause_{index % causes}",
                headline=f"Cause {index % causes} " + "explains it " * 10,
                confidence=Confidence.CERTAIN,
                evidence=(Evidence(side=Side.ARTIFACT, text="seen in the file " * 20),),
            ),
        )
        for index, case in enumerate(report.cases)
    ]
    return replace(report, cases=tuple(cases))


def test_that_a_failure_does_not_block_stands_right_below_the_verdict() -> None:
    bad = failed(Reason.CRASHED, "SIGSEGV")
    page = body(small_run({"a.h5": {"serving": bad}}, policy=Policy(fail_on=FailOn.NEVER)).report)

    assert page.split("\n\n")[1] == (
        "**Does not block**; policy: fail-on is never, so what does not load does not fail this run."
    )
    assert page.count("fail-on is never") == 1


@pytest.mark.parametrize(
    ("confidence", "words"),
    [(Confidence.CERTAIN, "but not as it was"), (Confidence.LIKELY, "but perhaps not as it was")],
)
def test_a_warning_is_as_sure_as_its_cause_and_says_what_to_do(confidence: Confidence, words: str) -> None:
    report = small_run({"a.ckpt": {"serving": passed()}}).report
    warning = Diagnosis(cause="checkpoint_by_name", headline="Some of them may be left out.", confidence=confidence)
    report = replace(report, cases=tuple(replace(case, warnings=(warning,)) for case in report.cases))

    assert f"It loads, {words}:" in body(report)
    assert "- Call `.assert_existing_objects_matched()` on what `restore` returns" in body(report)
    for page in (encode_html(report).decode(), annotated(report)[0].message):
        assert words in page
        assert "loadgate explain checkpoint_by_name" in page


def test_where_there_is_no_page_to_link_to_the_command_that_tells_the_cause_is_named() -> None:
    report = many(1, causes=1)
    (case,) = report.cases
    assert case.diagnosis is not None
    remedies = (Remedy(kind=RemedyKind.RESAVE, headline="Save it again", why_not_verified="not tried"),)
    report = replace(report, cases=(replace(case, diagnosis=replace(case.diagnosis, remedies=remedies)),))

    assert "cause `cause_0` · more: `loadgate explain cause_0`" in body(report)


def test_the_verdict_is_the_first_line() -> None:
    first, *_ = body(RUN.report).split("\n")

    assert first == (
        "### ✗ loadgate: 4 of 6 artifacts do not load and 1 does not run: 2 in serving, 4 in next; "
        "runtime legacy could not be made"
    )


def test_a_run_in_which_nothing_was_tried_is_not_marked_as_well() -> None:
    report = small_run({"a.h5": {"serving": skipped(Reason.NO_GPU, "there is no GPU")}}).report

    assert body(report).startswith("### - loadgate: Nothing was loaded")


def test_everything_that_was_opened_is_closed_and_nothing_is_there_that_github_removes() -> None:
    rendered = Rendered(body(RUN.report))

    assert (rendered.open, rendered.unbalanced) == ([], [])
    assert set(rendered.tags) <= ALLOWED
    assert rendered.comments == 2


@pytest.mark.parametrize("number", [3, 60, 2_000])
@pytest.mark.parametrize("causes", [1, 10_000])
def test_a_comment_is_never_longer_than_github_takes_and_counts_what_it_leaves_out(number: int, causes: int) -> None:
    text = body(many(number, causes=causes))

    assert len(text.encode()) <= 65_536
    rendered = Rendered(text)
    assert (rendered.open, rendered.unbalanced) == ([], [])
    assert comment.marker("loadgate") in text
    assert comment.decode(text) is not None


@pytest.mark.parametrize("text", POISON)
def test_hostile_strings_show_as_text(text: str) -> None:
    rendered = Rendered(body(hostile_run(text).report, name=text))
    links = [link for link in rendered.links if not link.startswith("https://github.com/octo-org/octo-repo/")]

    assert links == []
    rendered.links.clear()
    assert harmless(rendered)
    assert set(rendered.tags) <= ALLOWED
    assert rendered.comments == 2


@pytest.mark.parametrize(
    ("server", "pages"),
    [
        ("https://github.com", ["https://github.com/octo-org/loadgate/blob/v1/docs/causes/keras_3_file_in_keras_2.md"]),
        ("https://github.example", []),
    ],
)
def test_a_cause_is_a_link_to_its_page_where_the_action_is_known_to_have_it(server: str, pages: list[str]) -> None:
    links = replace(LINKS, server=server, action="octo-org/loadgate", action_ref="v1")
    state = comment.state_of(RUN.report, sha="a" * 40, run=7, attempt=1)

    rendered = Rendered(comment.body(RUN.report, name="loadgate", links=links, state=state, last=None))

    assert sorted({link for link in rendered.links if "keras_3_file_in_keras_2" in link}) == pages


def test_the_state_survives_the_journey() -> None:
    report = many(200, causes=1)
    state = comment.state_of(report, sha="0123abcd" * 5, run=9, attempt=3)

    assert comment.decode(f"text\r\n{comment.encode(state)}\r\n") == state


def test_a_state_is_found_at_the_end_of_a_comment_alone() -> None:
    state = comment.state_of(many(3, causes=1), sha="", run=9, attempt=3)

    assert comment.decode(f"`{comment.encode(state)}.h5` does not load") is None


def test_as_many_failures_as_are_remembered_leave_room_for_what_people_read() -> None:
    failing = {hashlib.sha256(str(n).encode()).hexdigest()[:12]: Stage.LOAD for n in range(MOST_REMEMBERED)}

    assert len(comment.encode(replace(STATE, broken=failing))) < comment.LIMIT // 2


def test_more_failures_than_can_be_remembered_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comment, "MOST_REMEMBERED", 5)
    state = comment.state_of(RUN.report, sha="a" * 40, run=1, attempt=1)
    decoded = comment.decode(comment.encode(state))

    assert decoded is not None
    assert decoded.broken is None
    assert comment.changes_since(RUN.report, decoded) == {}
    assert "Since" not in body(RUN.report, decoded)


def packed(content: object) -> str:
    return f"<!-- loadgate-state {base64.b64encode(zlib.compress(json.dumps(content).encode())).decode()} -->"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<!-- loadgate-state AAAA -->",
        "<!-- loadgate-state ==== -->",
        packed([]),
        packed({"version": 2, "sha": "", "run": 1, "attempt": 1, "broken": {}}),
        packed({"version": 1, "sha": 3, "run": 1, "attempt": 1, "broken": {}}),
        packed({"version": 1, "sha": "", "run": 1, "attempt": 1, "broken": {"no stage": "0123456789ab"}}),
        packed({"version": 1, "sha": "", "run": 1, "attempt": 1, "broken": {"load": [[[]]]}}),
        packed("a" * 50_000_000),
        packed([[]] * 3),
    ],
)
def test_a_state_that_somebody_changed_is_none(text: str) -> None:
    assert comment.decode(text) is None


def test_a_state_says_nothing_but_a_commit() -> None:
    text = packed({"version": 1, "sha": "<img src=x>", "run": 1, "attempt": 1, "broken": {}})
    decoded = comment.decode(text)

    assert decoded is not None
    assert decoded.sha == ""


@given(st.text(max_size=40))
def test_a_marker_never_ends_early(name: str) -> None:
    marker = comment.marker(name)

    assert marker.count("-->") == 1
    assert marker.isascii()


@pytest.mark.parametrize(("run", "attempt", "outdated"), [(6, 9, False), (7, 1, False), (7, 2, True), (8, 1, True)])
def test_a_later_run_makes_this_one_outdated(run: int, attempt: int, outdated: bool) -> None:
    assert comment.is_outdated(STATE, replace(STATE, run=run, attempt=attempt)) is outdated


def test_a_model_that_only_did_not_run_and_now_does_not_load_is_newly_broken() -> None:
    infer = small_run({"a.h5": {"serving": failed(Reason.CRASHED, "SIGSEGV", stage=Stage.INFER)}}).report
    load = small_run({"a.h5": {"serving": failed(Reason.CRASHED, "SIGSEGV")}}).report
    last = comment.state_of(infer, sha="a" * 40, run=1, attempt=1)

    assert list(comment.changes_since(load, last).values()) == ["newly_broken"]
    assert list(comment.changes_since(infer, last).values()) == ["still_broken"]
    assert comment.changes_since(small_run({"b.h5": {"serving": passed()}}).report, last) == {}
