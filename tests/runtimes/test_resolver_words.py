"""What uv really wrote, in two ways of framing it, and the cause that is read out of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from loadgate.domain import FindingKind
from loadgate.runtimes.resolver_words import MOST_LINES, finding_of


@dataclass(frozen=True)
class Said:
    uv: str
    asked: str
    cause: str
    words: str


SAID = msgspec.json.decode(Path(__file__).with_name("resolver_words.json").read_bytes(), type=list[Said])
NAMES = [f"uv {said.uv}: {said.asked}" for said in SAID]


@pytest.mark.parametrize("said", SAID, ids=NAMES)
def test_what_uv_wrote_leads_to_its_cause(said: Said) -> None:
    assert finding_of(FindingKind.RESOLVE, said.words).cause == said.cause


@pytest.mark.parametrize("said", SAID, ids=NAMES)
def test_the_frame_of_uv_is_taken_off_its_sentences(said: Said) -> None:
    detail = finding_of(FindingKind.RESOLVE, said.words).detail
    assert detail
    assert not any(frame in detail for frame in ("╰─▶", "×", "cause:", "Caused by:", "Resolved ", "error:"))


def test_a_sentence_that_uv_wrapped_is_one_line_again() -> None:
    said = next(said for said in SAID if (said.uv, said.cause) == ("0.8.0", "conflict"))
    assert finding_of(FindingKind.RESOLVE, said.words).detail.splitlines() == [
        "No solution found when resolving dependencies:",
        "Because tensorflow==2.15.1 depends on keras>=2.15.0,<2.16 and you require tensorflow==2.15.1, we can conclude "
        "that you require keras>=2.15.0,<2.16.",
        "And because you require keras>=3, we can conclude that your requirements are unsatisfiable.",
    ]


@pytest.mark.parametrize(
    ("cause", "headline"),
    [
        ("no_such_package", "There is no package nosuchpackagexyz9q."),
        ("no_such_version", "There is no such version: tensorflow==2.99.0."),
        ("no_build_for_python", "There is no build for this Python: tensorflow==2.3.4."),
        ("unreachable", "The package index could not be reached."),
    ],
)
def test_the_headline_names_what_the_user_wrote(cause: str, headline: str) -> None:
    assert {finding_of(FindingKind.RESOLVE, said.words).headline for said in SAID if said.cause == cause} == {headline}


def test_where_the_machine_is_to_be_changed_it_is_said_how() -> None:
    finding = finding_of(FindingKind.RESOLVE, "error: Failed to fetch: `https://a.test/`\n  cause: dns error\n")
    assert finding.cause == "unreachable"
    assert finding.suggestion is not None
    assert "`UV_DEFAULT_INDEX`" in finding.suggestion


def test_a_flood_of_words_is_cut() -> None:
    words = "error: Failed to build `x==1`\n" + "  cause: no\n" * 10_000 + "y" * 1_000_000
    detail = finding_of(FindingKind.INSTALL, words).detail
    assert len(detail.splitlines()) == MOST_LINES
    assert len(detail) < 20_000


def test_words_that_nobody_knows_are_passed_on() -> None:
    finding = finding_of(FindingKind.INSTALL, "error: the moon is in the wrong place\n")
    assert (finding.cause, finding.detail) == ("unknown", "the moon is in the wrong place")
