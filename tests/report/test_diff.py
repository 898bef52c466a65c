"""What is shown of an edit."""

from __future__ import annotations

import pytest

from loadgate.domain import Edit
from loadgate.report.diff import MOST_LINES, diff


@pytest.mark.parametrize(
    ("edit", "shown"),
    [
        (Edit(file="r.txt", line=1, old="a==1", new="a==2"), ["- a==1", "+ a==2"]),
        (Edit(file="r.txt", line=1, old="a==1", new="a==1\n  b"), ["+   b"]),
        (Edit(file="r.txt", line=1, old="a==1", new="a==2\n  b"), ["- a==1", "+ a==2", "+   b"]),
        (Edit(file="r.txt", line=1, old="a==1"), ["- a==1"]),
        (Edit(file="r.yml", new="version: 1\nruntimes:\n  a: {}"), ["+ version: 1", "+ runtimes:", "+   a: {}"]),
        (Edit(file="r.txt", new="\x1b[2J"), ["+ \\x1b[2J"]),
        (Edit(file="r.txt", line=1, old="a==1\r", new="a==2\r"), ["- a==1", "+ a==2"]),
    ],
)
def test_each_line_keeps_its_indentation_and_what_stays_is_not_told(edit: Edit, shown: list[str]) -> None:
    assert [f"{sign} {text}" for sign, text in diff(edit)] == shown


def test_no_more_lines_are_shown_than_a_person_would_copy() -> None:
    shown = list(diff(Edit(file="r.txt", new="x\n" * 100_000)))
    assert len(shown) == MOST_LINES + 1
    assert shown[-1] == ("+", "…")
