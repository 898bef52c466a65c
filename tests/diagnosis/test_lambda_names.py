"""Which names the code of a Lambda finds around it: what ships, held to what is known of Keras otherwise."""

from __future__ import annotations

import pytest
from packaging.version import Version

from loadgate.diagnosis.lambda_names import is_found
from loadgate.diagnosis.target import Line


@pytest.mark.parametrize(
    ("name", "line", "version", "is_there"),
    [
        ("K", Line.KERAS_2, "1.15.5", True),
        ("K", Line.KERAS_2, "2.4.4", True),  # between two that have it
        ("K", Line.KERAS_2, "2.8.4", False),  # between one that has it and one that has not
        ("K", Line.KERAS_2, "2.15.1", False),
        ("tf", Line.KERAS_2, "2.15.1", True),
        ("tf", Line.KERAS_2, "2.3.4", False),
        ("tf", Line.KERAS_3, "3.8.0", False),
        ("np", Line.KERAS_2, "9.0", False),  # beyond what was read
    ],
)
def test_a_name_is_found_where_keras_itself_imports_it(name: str, line: str, version: str, is_there: bool) -> None:
    assert is_found(name, line, Version(version)) is is_there
