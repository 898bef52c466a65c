from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec

from loadgate.artifacts.patterns import compiled
from tests.endless import comes_to_an_end

parts = st.text(st.sampled_from("aab*?.!-"), min_size=1, max_size=8)
lines = st.lists(parts, min_size=1, max_size=3).map("/".join).filter(lambda line: "***" not in line)
paths = st.lists(st.text(st.sampled_from("aab.-"), min_size=1, max_size=8), min_size=1, max_size=4).map("/".join)


@given(line=lines, path=paths)
def test_a_pattern_means_what_it_means_to_others(line: str, path: str) -> None:
    try:
        theirs = GitIgnoreSpec.from_lines([line])
    except ValueError:
        return
    if line.count("**") <= 3:
        assert compiled([line]).match_file(path) == theirs.match_file(path)


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("*a" * 12 + "b", "a" * 250),
        ("*[ab]" * 12 + "c", "a" * 250),
        ("*?" * 12 + "b", "a" * 250),
        ("x/" + "*a" * 12 + "b/y", "x/" + "a" * 250 + "/y"),
        ("**/" * 3 + "b", "a/" * 1_000 + "c"),
        ("a/**/a/**/b", "a/" * 1_000 + "c"),
    ],
)
def test_no_pattern_takes_for_ever_on_any_path(line: str, path: str) -> None:
    spec = compiled([line])
    with comes_to_an_end():
        assert not spec.match_file(path)


def test_a_pattern_of_very_many_folders_is_none() -> None:
    with pytest.raises(ValueError, match=r"more than 3 `\*\*`"):
        compiled(["a/**/b/**/c/**/d/**/e"])


def test_a_range_that_ends_before_it_begins_is_no_pattern() -> None:
    with pytest.raises(ValueError, match="bad character range z-a"):
        compiled(["model[z-a].h5"])
