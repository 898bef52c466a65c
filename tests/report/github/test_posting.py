"""Posting against a GitHub of our own: what is there afterwards, whatever went wrong on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from loadgate.domain import Confidence, Diagnosis, Edit, Policy, Reason, Remedy, RemedyKind, StageResult
from loadgate.report.comment import Mode, State, encode, marker
from loadgate.report.github.api import Api
from loadgate.report.github.event import Head, Target
from loadgate.report.github.patience import Patience
from loadgate.report.github.posting import Posted, Wishes, post
from loadgate.report.truth import Report
from tests.report.github.double import REPOSITORY, Fault, GitHub, served
from tests.report.sample_run import RUN, failed, passed, small_run

Outcomes = dict[str, dict[str, StageResult | None]]
SHA = "6dcb09b5b57875f334f61aebed695e2e4193db5e"
TARGET = Target(repository=REPOSITORY, sha=SHA, pull_request=1, run=7)
WORKS = small_run({"a.h5": {"serving": passed()}, "b.h5": {"serving": passed()}}).report
BROKEN = small_run({"a.h5": {"serving": failed(Reason.CRASHED, "SIGSEGV")}, "b.h5": {"serving": passed()}}).report


@pytest.fixture
def github() -> Iterator[GitHub]:
    with served(GitHub()) as state:
        yield state


def posted(
    github: GitHub,
    report: Report,
    target: Target = TARGET,
    wishes: Wishes | None = None,
    naps: list[float] | None = None,
) -> Posted:
    api = Api("token", REPOSITORY, url=github.url, between_writes=0)
    patience = Patience(sleep=(naps if naps is not None else []).append, now=lambda: 1_000_000.0)
    return post(report, target, api, wishes or Wishes(), patience)


def ours(github: GitHub) -> list[str]:
    return [each["body"] for each in github.comments if marker("loadgate") in each["body"]]


# --- what is posted -------------------------------------------------------------------------------------------


def test_a_failure_is_a_check_run_that_fails_and_a_comment(github: GitHub) -> None:
    result = posted(github, RUN.report)

    assert result.problems == []
    (run,) = github.check_runs
    assert (run["conclusion"], run["head_sha"], run["name"]) == ("failure", SHA, "loadgate")
    assert len(github.annotations[run["id"]]) == 6
    (body,) = ours(github)
    assert body.startswith("### ✗ loadgate: 4 of 6 artifacts do not load")


def test_a_repeat_leaves_one_comment_and_one_check_run_without_a_second_copy_of_an_annotation(github: GitHub) -> None:
    posted(github, RUN.report)
    posted(github, RUN.report, replace(TARGET, attempt=2))

    (run,) = github.check_runs
    assert len(github.annotations[run["id"]]) == 6
    assert len(ours(github)) == 1


def test_annotations_that_hold_no_more_are_not_left_on_the_check_run(github: GitHub) -> None:
    posted(github, RUN.report)
    posted(github, WORKS)

    latest = github.check_runs[-1]
    assert latest["conclusion"] == "success"
    assert github.annotations[latest["id"]] == []


def test_a_check_is_there_also_when_there_was_nothing_to_do(github: GitHub) -> None:
    posted(github, small_run({}).report)

    assert [(run["name"], run["conclusion"]) for run in github.check_runs] == [("loadgate", "success")]
    assert github.comments == []


def test_a_run_without_a_verdict_does_not_pass_a_required_check(github: GitHub) -> None:
    posted(github, small_run({"a.h5": {"serving": None}}).report)

    assert github.check_runs[0]["conclusion"] == "failure"


def test_failures_that_are_forgiven_are_neutral(github: GitHub) -> None:
    from loadgate.domain import FailOn

    policy = Policy(fail_on=FailOn.NEVER)
    posted(github, small_run({"a.h5": {"serving": failed(Reason.CRASHED, "SIGSEGV")}}, policy=policy).report)

    assert github.check_runs[0]["conclusion"] == "neutral"


def test_many_annotations_go_in_batches_of_fifty(github: GitHub) -> None:
    cases: Outcomes = {f"models/{n:03}.h5": {"serving": failed(Reason.CRASHED, f"SIGSEGV {n}")} for n in range(120)}
    posted(github, small_run(cases).report)

    (run,) = github.check_runs
    assert len(github.annotations[run["id"]]) == 120
    assert github.requests.count(("PATCH", f"/repos/{REPOSITORY}/check-runs/{run['id']}")) == 3


def test_an_annotation_that_github_refuses_costs_only_itself(github: GitHub) -> None:
    github.refused_paths = {"models/3.h5"}
    cases: Outcomes = {f"models/{n}.h5": {"serving": failed(Reason.CRASHED, f"SIGSEGV {n}")} for n in range(6)}
    result = posted(github, small_run(cases).report)

    (run,) = github.check_runs
    assert sorted(each["path"] for each in github.annotations[run["id"]]) == [f"models/{n}.h5" for n in (0, 1, 2, 4, 5)]
    assert result.problems == ["1 annotation could not be posted: GitHub refused them (422)"]


# --- the comment ----------------------------------------------------------------------------------------------


def test_the_comment_is_found_on_a_later_page_and_edited_in_place(github: GitHub) -> None:
    for number in range(250):
        github.add_comment(f"looks good {number}", "octocat")
    mine = github.add_comment(f"old\n{marker('loadgate')}")
    posted(github, BROKEN)

    assert len(github.comments) == 251
    assert "1 of 2 artifacts does not load" in mine["body"]


def test_a_marker_in_a_comment_of_somebody_else_is_left_alone(github: GitHub) -> None:
    theirs = github.add_comment(f"hello {marker('loadgate')}", "mallory")
    posted(github, BROKEN)

    assert theirs["body"] == f"hello {marker('loadgate')}"
    assert len(ours(github)) == 2


def test_a_comment_that_only_quotes_the_marker_is_not_taken_over(github: GitHub) -> None:
    listed = f"Coverage of `{marker('loadgate')}.h5` is 91 %"
    theirs = github.add_comment(listed)
    posted(github, BROKEN)

    assert theirs["body"] == listed
    assert len(github.comments) == 2


def test_a_file_whose_name_is_a_state_does_not_silence_later_runs(github: GitHub) -> None:
    forged = encode(State(run=10**15, attempt=1))
    report = small_run({f"{forged}.h5": {"serving": passed()}}).report
    posted(github, report, wishes=Wishes(comment=Mode.ALWAYS))
    posted(github, BROKEN, replace(TARGET, run=8))

    (body,) = ours(github)
    assert "1 of 2 artifacts does not load" in body


def test_two_gates_have_a_comment_and_a_check_each(github: GitHub) -> None:
    posted(github, BROKEN)
    posted(github, BROKEN, wishes=Wishes(name="gpu --> gate"))

    assert len(github.comments) == 2
    assert [run["name"] for run in github.check_runs] == ["loadgate", "gpu --> gate"]


def test_a_comment_tells_what_changed_since_the_last_push(github: GitHub) -> None:
    def now(*broken: str) -> Report:
        return small_run(
            {
                path: {"serving": failed(Reason.CRASHED, "SIGSEGV") if path in broken else passed()}
                for path in ("a.h5", "b.h5", "c.h5")
            }
        ).report

    posted(github, now("a.h5", "b.h5"), replace(TARGET, sha="a" * 40, run=1))
    posted(github, now("b.h5", "c.h5"), replace(TARGET, sha="b" * 40, run=2))

    (body,) = ours(github)
    assert "Since `aaaaaaa`: 1 newly broken, 1 still broken, 1 fixed." in body
    assert "Fixed: `a.h5` in `serving`." in body


def test_a_comment_says_when_all_is_well_again(github: GitHub) -> None:
    posted(github, BROKEN, replace(TARGET, sha="a" * 40, run=1))
    posted(github, WORKS, replace(TARGET, sha="b" * 40, run=2))

    (body,) = ours(github)
    assert body.startswith("### ✓ loadgate: All 2 artifacts load in serving")
    assert "1 fixed" in body


@pytest.mark.parametrize(
    ("mode", "reports", "comments"),
    [
        (Mode.ALWAYS, [WORKS], 1),
        (Mode.ON_FAILURE, [WORKS], 0),
        (Mode.ON_FAILURE, [BROKEN], 1),
        (Mode.ON_CHANGE, [WORKS], 0),
        (Mode.ON_CHANGE, [BROKEN], 1),
        (Mode.NEVER, [BROKEN], 0),
    ],
)
def test_a_mode_decides_whether_there_is_a_comment(
    github: GitHub, mode: Mode, reports: list[Report], comments: int
) -> None:
    for report in reports:
        posted(github, report, wishes=Wishes(comment=mode))

    assert len(github.comments) == comments


def test_on_change_leaves_a_comment_as_it_is_while_nothing_changes(github: GitHub) -> None:
    wishes = Wishes(comment=Mode.ON_CHANGE)
    posted(github, BROKEN, replace(TARGET, sha="a" * 40, run=1), wishes)
    before = ours(github)
    posted(github, BROKEN, replace(TARGET, sha="b" * 40, run=2), wishes)

    assert ours(github) == before
    posted(github, WORKS, replace(TARGET, sha="c" * 40, run=3), wishes)
    assert ours(github) != before


def test_of_two_runs_that_create_a_comment_at_once_one_comment_is_left(github: GitHub) -> None:
    def somebody_else(method: str, path: str) -> None:
        if method == "POST" and path.endswith("/issues/1/comments"):
            github.before = lambda *_: None
            posted(github, BROKEN, replace(TARGET, run=6))

    github.before = somebody_else
    posted(github, WORKS, wishes=Wishes(comment=Mode.ALWAYS))

    (body,) = ours(github)
    assert body.startswith("### ✓")


def test_an_older_run_that_ends_later_does_not_have_the_last_word(github: GitHub) -> None:
    posted(github, WORKS, replace(TARGET, run=9), Wishes(comment=Mode.ALWAYS))
    posted(github, BROKEN, replace(TARGET, run=8))

    (body,) = ours(github)
    assert body.startswith("### ✓")


def test_a_comment_that_is_deleted_while_it_is_edited_is_made_anew(github: GitHub) -> None:
    posted(github, BROKEN)

    def somebody_else(method: str, _path: str) -> None:
        if method == "PATCH" and github.comments:
            github.comments.clear()

    github.before = somebody_else
    posted(github, WORKS, replace(TARGET, run=8, sha="b" * 40), Wishes(comment=Mode.ALWAYS))

    assert len(ours(github)) == 1


def test_a_token_of_an_app_finds_its_own_comment_again(github: GitHub) -> None:
    github.author = "acme-gate[bot]"
    posted(github, BROKEN)
    posted(github, BROKEN, replace(TARGET, run=8))

    assert [method for method, _ in github.requests].count("DELETE") == 0
    assert len(ours(github)) == 1


def test_a_token_of_an_app_tells_when_all_is_well_again(github: GitHub) -> None:
    github.author = "acme-gate[bot]"
    posted(github, BROKEN)
    posted(github, WORKS, replace(TARGET, run=8))

    (body,) = ours(github)
    assert body.startswith("### ✓")


def test_the_check_of_a_later_run_stays_where_an_older_one_ends_after_it(github: GitHub) -> None:
    posted(github, BROKEN, replace(TARGET, run=9))
    posted(github, WORKS, replace(TARGET, run=8))

    (run,) = github.check_runs
    assert run["conclusion"] == "failure"


def test_the_check_of_an_older_run_is_brought_up_to_date(github: GitHub) -> None:
    posted(github, BROKEN)
    posted(github, BROKEN, replace(TARGET, attempt=2))
    posted(github, WORKS, replace(TARGET, run=6))

    (run,) = github.check_runs
    assert run["conclusion"] == "failure"


# --- events ---------------------------------------------------------------------------------------------------


def test_a_push_gets_a_check_and_no_comment(github: GitHub) -> None:
    posted(github, BROKEN, replace(TARGET, pull_request=None))

    assert len(github.check_runs) == 1
    assert github.comments == []


def test_a_branch_that_was_deleted_gets_nothing(github: GitHub) -> None:
    posted(github, BROKEN, replace(TARGET, pull_request=None, sha=None))

    assert github.requests == []


FORK = Target(
    repository=REPOSITORY,
    sha=SHA,
    head=Head(owner="stranger", branch="main", repository=55),
    from_fork=True,
    trusts_results=False,
    run=7,
)


def pull(number: int, sha: str = SHA, repository: int = 55) -> dict[str, object]:
    return {"number": number, "head": {"label": "stranger:main", "sha": sha, "repo": {"id": repository}}}


def test_the_pull_request_of_a_fork_is_the_one_whose_head_was_run(github: GitHub) -> None:
    github.pulls = [pull(3, sha="f" * 40), pull(4, repository=56), pull(5)]
    posted(github, BROKEN, FORK)

    assert ("POST", f"/repos/{REPOSITORY}/issues/5/comments") in github.requests


def test_where_no_pull_request_has_the_commit_there_is_a_check_and_no_comment(github: GitHub) -> None:
    github.pulls = [pull(3, sha="f" * 40)]
    result = posted(github, BROKEN, FORK)

    assert (len(github.check_runs), github.comments, result.problems) == (1, [], [])


def test_a_token_that_may_only_read_fails_nothing_and_is_said(github: GitHub) -> None:
    def read_only(method: str, _path: str) -> Fault | None:
        message = "Resource not accessible by integration"
        return Fault(status=403, message=message) if method != "GET" else None

    github.always = read_only
    result = posted(github, BROKEN, replace(TARGET, from_fork=True))

    assert result.check_run is None
    assert len(result.problems) == 2
    assert all("a pull request from a fork may only read (403)" in problem for problem in result.problems)


def test_of_a_folder_of_the_checkout_github_is_told_paths_from_the_root(github: GitHub) -> None:
    github.files = [
        {"filename": "requirements.txt", "patch": PATCH},
        {"filename": "services/ml/requirements.txt", "patch": PATCH},
    ]
    posted(github, with_fix(BROKEN), replace(TARGET, prefix="services/ml/"))

    (annotations,) = github.annotations.values()
    assert all(each["path"].startswith("services/ml/") for each in annotations)
    assert [each["path"] for each in github.review_comments] == ["services/ml/requirements.txt"]
    (body,) = ours(github)
    assert f"/blob/{SHA}/services/ml/" in body
    for told in (body, annotations[0]["message"]):
        assert "loadgate check services/ml --artifact" in told


# --- suggestions ----------------------------------------------------------------------------------------------

FIX = Diagnosis(
    cause="keras_3_file_in_keras_2",
    headline="Keras 3 wrote it, and Keras 2 reads it",
    confidence=Confidence.CERTAIN,
    remedies=(
        Remedy(
            kind=RemedyKind.TENSORFLOW,
            headline="Use TensorFlow 2.18.1",
            verified=True,
            edits=(Edit(file="requirements.txt", line=2, old="tensorflow==2.15.1", new="tensorflow==2.18.1"),),
        ),
    ),
)
PATCH = "@@ -1,2 +1,3 @@\n numpy\n+six\n-tensorflow==2.14.0\n+tensorflow==2.15.1"


def with_fix(report: Report, diagnosis: Diagnosis = FIX) -> Report:
    cases = [replace(case, diagnosis=diagnosis) if case.reason else case for case in report.cases]
    return replace(report, cases=tuple(cases))


def test_a_verified_fix_of_a_line_of_the_diff_is_suggested_on_that_line_once(github: GitHub) -> None:
    github.files = [{"filename": "requirements.txt", "patch": PATCH}]
    for run in (7, 8):
        posted(github, with_fix(BROKEN), replace(TARGET, run=run))

    (comment,) = github.review_comments
    assert (comment["path"], comment["line"], comment["side"]) == ("requirements.txt", 3, "RIGHT")
    assert "```suggestion\ntensorflow==2.18.1\n```" in comment["body"]


def test_a_fix_that_was_not_verified_is_not_suggested_on_a_line(github: GitHub) -> None:
    github.files = [{"filename": "requirements.txt", "patch": PATCH}]
    unverified = replace(FIX, remedies=(replace(FIX.remedies[0], verified=False),))
    posted(github, with_fix(BROKEN, unverified))

    assert github.review_comments == []


def test_nothing_is_suggested_from_results_that_a_stranger_may_have_made(github: GitHub) -> None:
    github.files = [{"filename": "requirements.txt", "patch": PATCH}]
    github.pulls = [pull(1)]
    posted(github, with_fix(BROKEN), FORK)

    assert github.review_comments == []


def test_a_binary_artifact_of_the_pull_request_gets_a_comment_on_the_file_as_a_whole(github: GitHub) -> None:
    github.files = [{"filename": "a.h5"}]
    posted(github, BROKEN)

    (comment,) = github.review_comments
    assert (comment["path"], comment["subject_type"]) == ("a.h5", "file")
    assert "line" not in comment


# --- what goes wrong ------------------------------------------------------------------------------------------

FAULTS = {
    "401": Fault(status=401, message="Bad credentials"),
    "403 read-only": Fault(status=403, message="Resource not accessible by integration"),
    "404": Fault(status=404, message="Not Found"),
    "409": Fault(status=409, message="Conflict"),
    "422": Fault(status=422, message="Validation Failed"),
    "429": Fault(status=429, message="Too Many Requests", headers={"Retry-After": "2"}),
    "secondary limit": Fault(
        status=403, message="You have exceeded a secondary rate limit", headers={"Retry-After": "3"}
    ),
    "primary limit": Fault(
        status=403,
        message="API rate limit exceeded",
        headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1000005"},
    ),
    "500": Fault(status=500, message="Server Error"),
    "502 of what was carried out": Fault(status=502, message="Bad Gateway", after=True),
    "cut": Fault(cut=True),
    "cut after it was carried out": Fault(cut=True, after=True),
}
PASSING = ("409", "429", "secondary limit", "primary limit", "500", "502 of what was carried out", "cut")
REQUESTS = 10
"""So many a run makes that posts one of each."""
FILES = [{"filename": "requirements.txt", "patch": PATCH}]


def requests_of_an_undisturbed_run() -> int:
    with served(GitHub(files=list(FILES))) as github:
        posted(github, with_fix(BROKEN))
        return len(github.requests)


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("number", range(1, REQUESTS + 1))
def test_whatever_one_request_meets_a_repeat_leaves_one_of_each(github: GitHub, name: str, number: int) -> None:
    github.files = list(FILES)
    github.faults = {number: FAULTS[name]}
    naps: list[float] = []
    first = posted(github, with_fix(BROKEN), naps=naps)
    github.faults = {}
    second = posted(github, with_fix(BROKEN), replace(TARGET, attempt=2))

    assert second.problems == []
    assert len(github.check_runs) == len(ours(github)) == len(github.review_comments) == 1
    assert len(github.annotations[github.check_runs[0]["id"]]) == 1
    if name in PASSING or name.startswith("cut"):
        assert first.problems == []
        assert len(naps) <= 1


def test_the_faults_above_reach_every_request() -> None:
    assert requests_of_an_undisturbed_run() == REQUESTS


def test_an_answer_that_does_not_come_in_time_is_no_answer(github: GitHub) -> None:
    github.faults = {1: Fault(silent=True)}
    naps: list[float] = []
    api = Api("token", REPOSITORY, url=github.url, timeout=2, between_writes=0)
    result = post(BROKEN, TARGET, api, Wishes(), Patience(sleep=naps.append, now=lambda: 1_000_000.0))

    assert (result.problems, naps) == ([], [1.0])


@pytest.mark.parametrize(
    ("name", "waits"),
    [("429", [2.0]), ("secondary limit", [3.0]), ("primary limit", [6.0]), ("500", [1.0])],
)
def test_github_is_asked_again_when_it_says(github: GitHub, name: str, waits: list[float]) -> None:
    github.faults = {1: FAULTS[name]}
    naps: list[float] = []
    posted(github, BROKEN, naps=naps)

    assert naps == waits


def test_a_github_that_is_down_is_given_up_and_said(github: GitHub) -> None:
    github.always = lambda *_: Fault(status=503, message="Unavailable")
    naps: list[float] = []
    result = posted(github, BROKEN, naps=naps)

    assert result.check_run is None
    assert result.problems[0] == "the check run could not be posted: GitHub said 503 Unavailable"
    assert sum(naps) < 60
