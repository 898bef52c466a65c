from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgate import untrusted

ANY_TEXT = st.text(st.characters())  # lone surrogates included


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("abc\u202egpj.exe", "abc\\u202egpj.exe"),
        ("bell\x07 nul\x00", "bell\\x07 nul\\x00"),
        ("lone \ud800", "lone \\ud800"),
        ("one\u2028two", "one\\u2028two"),
        ("C1 \x9b31m", "C1 \\x9b31m"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("windows\r\nlines\rover", "windows\nlines\\rover"),
        ("plain", "plain"),
        ("größer 模型 ✓", "größer 模型 ✓"),
    ],
)
def test_what_does_not_print_is_spelled_out(hostile: str, shown: str) -> None:
    assert untrusted.visible(hostile) == shown


@given(ANY_TEXT)
def test_nothing_but_line_breaks_and_printable_characters_is_left(text: str) -> None:
    assert all(row.isprintable() for row in untrusted.visible(text).split("\n"))


@given(ANY_TEXT, st.integers(1, 80))
def test_names_and_lines_stay_on_one_line_within_their_limit(text: str, limit: int) -> None:
    for shown in (untrusted.name(text, limit), untrusted.line(text, limit)):
        assert shown.isprintable()
        assert len(shown) <= limit


@given(st.lists(ANY_TEXT).map("\n".join), st.integers(2, 20))
def test_a_block_is_bounded_and_keeps_both_ends(text: str, lines: int) -> None:
    assert len(untrusted.block(text, lines=lines, characters=10_000).split("\n")) <= lines + 1

    numbered = "\n".join(f"row {number}" for number in range(100))
    rows = untrusted.block(numbered, lines=lines, characters=10_000).split("\n")
    assert (rows[0], rows[-1]) == ("row 0", "row 99")


def test_a_name_keeps_its_line_break_visible() -> None:
    assert untrusted.name("models/a\n.h5") == "models/a\\n.h5"


def test_a_hundred_megabytes_are_cut_before_they_are_looked_at() -> None:
    flood = "\x1b" * 100_000_000

    assert len(untrusted.name(flood)) <= untrusted.NAME_LIMIT
    assert len(untrusted.line(flood)) <= untrusted.LINE_LIMIT
    assert "99,999,000 characters left out" in untrusted.block(flood, lines=10, characters=1_000)
    assert untrusted.first_lines(flood, lines=3, characters=100).endswith("…")


def test_the_beginning_of_a_message_leaves_out_empty_lines_and_says_that_there_is_more() -> None:
    assert untrusted.first_lines("one\n\n  \ntwo\nthree", lines=2, characters=100) == "one\ntwo\n…"
    assert untrusted.first_lines("one\n\ntwo\n", lines=2, characters=100) == "one\ntwo"


@pytest.mark.parametrize(
    ("line", "safe"),
    [
        ("::error::x", ": :error::x"),
        ("    ::set-output name=a::b", "    : :set-output name=a::b"),
        ("std::vector", "std::vector"),
        ("x ##[error]y", "x # #[error]y"),
        ("x ##vso[task.setvariable]y", "x # #vso[task.setvariable]y"),
        ("###[error]", "## #[error]"),
        ("## heading", "## heading"),
    ],
)
def test_a_ci_system_finds_no_command_in_it(line: str, safe: str) -> None:
    assert untrusted.without_commands(f"before\n{line}\nafter") == f"before\n{safe}\nafter"
