"""What importing TensorFlow really said in runtimes that cannot, and the cause that is named for it."""

from __future__ import annotations

import signal
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pytest

from loadgate.domain import FindingKind
from loadgate.runtimes.findings import ImportFailure, rules, runtime_finding


@dataclass(frozen=True)
class Seen:
    seen: str
    cause: str
    failure: ImportFailure


SEEN = msgspec.json.decode(Path(__file__).with_name("import_failures.json").read_bytes(), type=list[Seen])


@pytest.mark.parametrize("seen", SEEN, ids=lambda seen: seen.seen)
def test_what_was_really_said_leads_to_its_cause(seen: Seen) -> None:
    finding = runtime_finding(seen.failure)
    assert (finding.kind, finding.cause) == (FindingKind.IMPORT, seen.cause)
    assert finding.suggestion
    assert finding.detail.splitlines()[-1] in seen.failure.traceback


@pytest.mark.parametrize("seen", SEEN, ids=lambda seen: seen.seen)
def test_a_headline_names_the_versions_that_do_not_fit(seen: Seen) -> None:
    headline = runtime_finding(seen.failure).headline
    assert "{" not in headline
    assert "  " not in headline
    assert " ," not in headline
    assert " ." not in headline


def test_every_rule_has_been_seen_to_happen() -> None:
    assert {rule.cause for rule in rules()} == {seen.cause for seen in SEEN}


def test_the_same_words_with_packages_that_fit_have_no_known_cause() -> None:
    seen = next(seen for seen in SEEN if seen.cause == "protobuf_too_new")
    assert runtime_finding(replace(seen.failure, packages={"protobuf": "3.19.6"})).cause == "unknown"


def test_an_unknown_failure_is_told_in_its_own_words() -> None:
    failure = ImportFailure(
        stage="tensorflow",
        type="acme.errors.ConfigurationError",
        message="no licence\nsee the manual",
        traceback="Traceback (most recent call last):\n  …\nacme.errors.ConfigurationError: no licence",
    )
    finding = runtime_finding(failure)
    assert finding.cause == "unknown"
    assert finding.headline == "Importing TensorFlow fails: ConfigurationError: no licence"
    assert finding.detail.endswith("acme.errors.ConfigurationError: no licence")
    assert finding.suggestion is None


def test_an_illegal_instruction_is_named_as_such() -> None:
    finding = runtime_finding(ImportFailure(stage="tensorflow", status=-signal.SIGILL, output="last words"))
    assert finding.cause == "crashed"
    assert "SIGILL, an instruction that this CPU does not have" in finding.headline
    assert finding.detail == "last words"


def test_an_import_that_is_killed_is_not_called_a_crash() -> None:
    assert runtime_finding(ImportFailure(stage="keras", status=-signal.SIGKILL)).cause == "killed"


def test_an_import_that_never_ends_is_named_as_such() -> None:
    finding = runtime_finding(ImportFailure(stage="tensorflow", status=None))
    assert (finding.cause, finding.headline) == ("timed_out", "Importing TensorFlow was not done in time.")


def test_an_import_that_ends_the_process_quietly_says_with_which_status() -> None:
    finding = runtime_finding(ImportFailure(stage="tensorflow", status=3))
    assert (finding.cause, finding.headline) == (
        "crashed",
        "Importing TensorFlow ended the process with exit status 3.",
    )
