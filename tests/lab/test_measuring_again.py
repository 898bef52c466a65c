"""A sample of the lab, from the saving on, comes out as the table that ships says."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab.loading import TIERS, load_alone, missing
from lab.making import made
from lab.place import Place, read_lines, write_json
from lab.runtimes import runtimes
from lab.saving import save
from lab.sweeping import sweep
from lab.table import letter

from loadgate.diagnosis.measured import Cell, measured

pytestmark = pytest.mark.runtime

RUNTIMES = ("tf2.15", "tf2.16-keras3")
MODELS = ("dense", "normalization", "lambda_layer", "registered_layer")
"""What loads, what changes silently, what is refused, and what needs an import."""

Cells = dict[tuple[str, str, bool, str], str]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, runtimes_cache: Path) -> Place:
    """Where those models lie, saved anew in those runtimes."""
    place = Place(tmp_path_factory.mktemp("lab"))
    states = made([each for each in runtimes({}) if each.name in RUNTIMES], runtimes_cache)
    write_json(place.runtimes, {state.name: state.lock for state in states})
    save(place, print, MODELS)
    return place


def cells_of(place: Place) -> Cells:
    return {
        (line["artifact"], line["loader"], line["imports"], line["runtime"]): letter(line)
        for line in read_lines(place.loads)
    }


@pytest.fixture(scope="module")
def expected() -> Cells:
    return {
        (row.artifact, row.loader, row.imports, runtime.name): character
        for row in measured().rows
        for runtime, character in zip(measured().runtimes, row.outcomes, strict=True)
        if row.saver in RUNTIMES and row.model in MODELS and runtime.name in RUNTIMES and character != Cell.NOT_MEASURED
    }


def test_loads_that_share_a_process_end_as_they_were_measured(place: Place, expected: Cells) -> None:
    sweep(place, print)
    assert {key: cell for key, cell in cells_of(place).items() if key in expected} == expected


def test_loads_that_have_a_process_of_their_own_end_the_same(place: Place, expected: Cells) -> None:
    alone = Place(place.root, results="alone.jsonl")
    everything = [each for name, lock in alone.locks().items() for each in missing(alone, name, lock, TIERS - 1)]
    load_alone(alone, everything, print)
    assert {key: cell for key, cell in cells_of(alone).items() if key in expected} == expected
