"""`loadgate explain` as somebody without the repository sees it."""

from __future__ import annotations

import io

import pytest

from loadgate.errors import UsageError
from loadgate.report.explanation import cause_named, known_causes, print_cause, print_causes
from loadgate.report.terminal import open_console


@pytest.mark.parametrize("cause", known_causes())
def test_every_cause_is_explained(cause: str) -> None:
    stream = io.StringIO()
    rule = cause_named(cause)

    print_cause(rule, open_console(stream))

    title, *_ = stream.getvalue().splitlines()
    assert title == rule.title
    assert "\nWhy\n" in stream.getvalue()
    assert "\nWhat to do\n" in stream.getvalue()


def test_all_causes_are_named() -> None:
    stream = io.StringIO()

    print_causes(open_console(stream))

    assert [line.split()[0] for line in stream.getvalue().splitlines() if not line.startswith(" ")] == list(
        known_causes()
    )


def test_a_name_that_is_misspelt_is_put_right() -> None:
    with pytest.raises(UsageError, match="did you mean `lambda_refused`"):
        cause_named("lambda_refusd")


def test_a_name_like_no_other_is_refused_in_one_line() -> None:
    with pytest.raises(UsageError, match="is no cause; `loadgate explain` names them all"):
        cause_named("\x1b[31mqqqqqqqq\n")
