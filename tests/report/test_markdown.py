from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loadgate import untrusted
from loadgate.report.markdown import block, code, details, html_code, html_prose, prose, table
from tests.report.rendering import Rendered

POISON = (
    "@everyone #12 GH-7 deadbeef www.evil.example http://evil.example a@b.example",
    "<img src=x onerror=alert(1)> <!-- --> </details></summary> <script>",
    "![x](http://evil.example/x.png) [x](javascript:alert(1)) [y]: z",
    "``` ` `` \\` | || \\| * _ ~~ **b** # h - li 1. x :bomb: :tada:",
    "\u202ereversed\u2066 \x1b[31m \x00 \ud800 line\nbreak\r\n\n\n    code",
    "octo-org/octo-repo#3 6dcb09b5b57875f334f61aebed695e2e4193db5e",
)
texts = st.one_of(
    st.text(max_size=80),
    st.lists(
        st.sampled_from([*"`|<>@#&*_~[]()!\\:-+.=/\n ", "www.", "http://x.y", "a", "1", "abcdef0", "\u202e"]),
        max_size=25,
    ).map("".join),
    st.sampled_from(POISON),
)
LIVE = re.compile(r"@\w|#\d|\bgh-\d|www\.|://|:\w+:|\b[0-9a-f]{7,}\b", re.IGNORECASE)
"""What GitHub turns into something in text that is no code."""


def harmless(rendered: Rendered) -> bool:
    return not rendered.links and not rendered.unbalanced and not rendered.open and not LIVE.search(rendered.bare_text)


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("text", POISON)
@pytest.mark.parametrize("form", [code, prose])
def test_what_a_stranger_chose_shows_as_text_and_does_nothing(form: object, text: str) -> None:
    assert callable(form)
    rendered = Rendered(f"before {form(text)} after")

    assert harmless(rendered), rendered.html
    assert set(rendered.tags) <= {"p", "code"}


@given(texts)
@example("1. a")
@example("- a")
@example("a  b")
@example("(`)")
@example("`\n`")
@example("`0\n`")
def test_prose_keeps_every_word_and_lets_none_act(text: str) -> None:
    rendered = Rendered(prose(text))

    assert harmless(rendered), rendered.html
    assert set(rendered.tags) <= {"p", "code"}
    assert flat(rendered.text.replace("`", "")) == flat(untrusted.line(text).replace("`", ""))


@given(texts)
def test_code_is_the_text_itself(text: str) -> None:
    rendered = Rendered(f"x {code(text)} y")
    shown = untrusted.name(text)

    assert rendered.tags == ["p", "code"]
    assert rendered.text.strip() == f"x {shown if shown.strip() else '(nothing)' if not shown else '(blank)'} y"


@given(texts, texts)
def test_a_cell_of_a_table_stays_in_its_cell(first: str, second: str) -> None:
    rendered = Rendered(table(["a", "b"], [[code(first), prose(second)]]))

    assert rendered.tags.count("td") == 2
    assert rendered.tags.count("tr") == 2
    assert harmless(rendered), rendered.html


@given(texts)
def test_a_block_ends_where_we_say(text: str) -> None:
    rendered = Rendered(f"{block(text)}\n\nafter")

    assert rendered.tags == ["pre", "code", "p"]
    assert rendered.text.rstrip().endswith("after")


@given(texts, texts)
def test_details_are_closed_by_nobody_else(summary: str, body: str) -> None:
    markdown = details(f"{html_code(summary)} {html_prose(summary)}", f"{prose(body)}\n\n{block(body)}")
    rendered = Rendered(f"{markdown}\n\nafter")

    assert rendered.tags.count("details") == rendered.tags.count("summary") == 1
    assert harmless(rendered), rendered.html


def test_words_that_are_plain_stay_plain() -> None:
    sentence = "2 of 6 artifacts do not load in serving (cpu), as Keras 2.15.0 says: models/a.h5 is older."

    assert prose(sentence) == sentence


def test_what_stands_in_backticks_is_code_without_them() -> None:
    assert prose("add `numpy<2` to the packages") == "add `numpy<2` to the packages"
    assert prose("what `it was in` says (`a b`), `c` `d`.") == "what `it was in` says (`a b`), `c` `d`."
