"""What is expected of real models, held to what became of them. `python -m lab.corpus` tells which are not known."""

from __future__ import annotations

import pytest
from lab.corpus import IS_HERE, WHERE, Row, predicted

from loadgate.domain import Forecast

pytestmark = pytest.mark.skipif(not IS_HERE, reason=WHERE)


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return predicted()


def test_hardly_a_real_model_is_wrongly_expected_to_load(rows: list[Row]) -> None:
    expected = [row for row in rows if row.prediction.forecast is Forecast.WILL_LOAD]
    wrong = {row.name: row.prediction.measured for row in expected if not row.loads}
    assert len(wrong) / len(rows) < 0.005, wrong


def test_what_is_known_of_real_models_is_right(rows: list[Row]) -> None:
    known = [row for row in rows if row.is_known]
    wrong = {row.name: row.prediction.headline for row in known if not row.is_right}
    assert len(wrong) / len(known) <= 0.01, wrong


def test_of_most_real_models_it_is_known_whether_they_load(rows: list[Row]) -> None:
    assert sum(row.is_known for row in rows) / len(rows) >= 0.95
