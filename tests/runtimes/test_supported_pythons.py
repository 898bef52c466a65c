from __future__ import annotations

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from loadgate.runtimes.supported_pythons import advice, support_of, supports


@pytest.mark.parametrize(
    ("tensorflow", "newest"),
    [
        ("==1.15.5", "3.7"),
        ("==2.3.4", "3.8"),
        (">=2.15,<2.16", "3.11"),
        ("~=2.9.0", "3.10"),
        ("<2.17", "3.12"),
        ("==2.15.0.post1", "3.11"),
        ("", "3.13"),
    ],
)
def test_the_newest_release_that_is_allowed_decides(tensorflow: str, newest: str) -> None:
    assert support_of(SpecifierSet(tensorflow)).pythons()[0] == newest


def test_a_release_newer_than_the_table_is_taken_for_its_last() -> None:
    assert support_of(SpecifierSet("==2.40.1")) == supports()[-1]


def test_the_table_goes_from_old_to_new_without_a_gap() -> None:
    releases = [Version(release) for support in supports() for release in support.releases]
    assert releases == sorted(releases)
    assert all(release.startswith(support.tensorflow) for support in supports() for release in support.releases)


def test_advice_names_the_pythons_that_would_do() -> None:
    assert advice(SpecifierSet("==2.3.4"), "3.10.13") == (
        'TensorFlow 2.3 has builds for Python 3.6 to 3.8: set `python: "3.8"`.'
    )


def test_there_is_no_advice_where_the_python_is_not_the_reason() -> None:
    assert advice(SpecifierSet("==2.15.1"), "3.10.13") is None
    assert advice(SpecifierSet(), "3.5.2") is None
