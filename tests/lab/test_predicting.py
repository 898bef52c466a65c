"""The bars that predictions are held to, over every load of the lab; and that what ships is what the loads prove."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from lab.foretelling import PAGE, SHIPPED, page, shipped, words_without
from lab.learning import learn
from lab.past_loads import Load, past_loads
from lab.predicting import Trial, folds, maker_of, score
from lab.vocabulary import vocabularies

from loadgate.diagnosis.traits import OP_TOO_NEW
from loadgate.domain import Lock

LEAST_PREDICTED = 95
LEAST_RIGHT = 99
MOST_WRONGLY_EXPECTED_TO_LOAD = 0.5


@pytest.fixture(scope="module")
def measured() -> list[Load]:
    return list(past_loads())


@pytest.fixture(scope="module")
def found(measured: list[Load]) -> dict[str, list[Trial]]:
    return dict(folds(measured, words_without))


@pytest.mark.slow
def test_savers_that_were_left_out_are_predicted_as_well_as_is_promised(found: dict[str, list[Trial]]) -> None:
    together = score([trial for trials in found.values() for trial in trials])
    assert together.loads == 38_163
    assert together.wrong_will_load < MOST_WRONGLY_EXPECTED_TO_LOAD
    assert together.right >= LEAST_RIGHT
    assert together.predicted >= LEAST_PREDICTED


@pytest.mark.slow
def test_no_saver_is_expected_to_load_wrongly_more_often_than_is_promised(found: dict[str, list[Trial]]) -> None:
    scores = {saver: score(trials) for saver, trials in found.items()}
    assert {saver: str(each) for saver, each in scores.items() if each.right < LEAST_RIGHT} == {}
    too_often = {s: str(e) for s, e in scores.items() if e.wrong_will_load >= MOST_WRONGLY_EXPECTED_TO_LOAD}
    assert too_often == {}


@pytest.mark.slow
def test_the_page_says_what_comes_out_today(found: dict[str, list[Trial]], measured: list[Load]) -> None:
    assert PAGE.read_text() == "".join(f"{line}\n" for line in page(found, len(measured))), "run script/lab predict"


@pytest.mark.slow
def test_what_ships_is_what_the_loads_prove(measured: list[Load]) -> None:
    for name, content in shipped(measured).items():
        assert (SHIPPED / name).read_bytes() == content, "run script/lab predict"


def test_the_page_tells_no_less_than_is_promised() -> None:
    (line,) = (line for line in PAGE.read_text().splitlines() if line.startswith("| **all**"))
    loads, predicted, right, wrong = (float(cell) for cell in re.findall(r"[\d.]+", line.replace(",", "")))
    assert loads == 38_163
    assert (predicted >= LEAST_PREDICTED, right >= LEAST_RIGHT, wrong < MOST_WRONGLY_EXPECTED_TO_LOAD) == (True,) * 3


# --- what is learnt -----------------------------------------------------------------------------------------------


def load(*traits: str, loaded: bool, saver: str = "tf2.9", cause: str = "some_cause") -> Load:
    return Load(
        id=f"{saver}/graph_def/{'-'.join(traits)}",
        savers=(saver,),
        is_part=False,
        subject="graph_def by graph_def",
        line="tensorflow",
        version="2.9",
        runtime="tf2.9",
        traits=frozenset(traits),
        saver=None,
        loaded=loaded,
        cause="" if loaded else cause,
    )


def lock(tensorflow: str) -> Lock:
    return Lock(
        digest="", interpreter="python", python="3.9.18", implementation="cpython", packages={}, tensorflow=tensorflow
    )


def obstacles(*loads: Load) -> set[frozenset[str]]:
    table = learn(loads, {})
    return {frozenset(table.traits[n] for n in each.traits) for each in table.knowledge[0].obstacles}


def test_a_trait_of_something_that_loaded_is_not_blamed_for_what_failed() -> None:
    assert obstacles(load("a", loaded=True), load("a", "b", loaded=False)) == {frozenset({"b"})}


def test_what_failed_with_one_suspect_alone_explains_the_others_that_have_it() -> None:
    assert obstacles(load("b", loaded=False), *(load("b", f"c{n}", "d", loaded=False) for n in range(5))) == {
        frozenset({"b"})
    }


def test_suspects_that_never_came_apart_are_blamed_together() -> None:
    assert obstacles(load("a", loaded=True), load("a", "b", "c", loaded=False)) == {frozenset({"b", "c"})}


def test_the_options_of_a_class_that_never_loaded_are_not_blamed_beside_it() -> None:
    gone = [f"Keras 2, CuDNNLSTM: {option}" for option in ("written", "units", "time_major")]
    assert obstacles(load("a", loaded=True), load("a", *gone, loaded=False)) == {frozenset(gone[:1])}


def test_what_a_runtime_was_asked_itself_fails_in_versions_as_well_where_nothing_had_it() -> None:
    seen = replace(load(OP_TOO_NEW, loaded=False), version="2.6")
    table = learn([seen, load("a", loaded=True)], {})
    (obstacle,) = table.knowledge[0].obstacles
    assert (table.knowledge[0].versions, obstacle.at) == (("2.6", "2.9"), 0b11)


def test_nothing_that_a_left_out_saver_wrote_is_learnt_from() -> None:
    mine, other = load("a", loaded=True, saver="tf2.6"), load("b", loaded=True, saver="tf2.9")
    for saver, trials in folds([mine, other], lambda _: {}):
        assert {maker_of(trial.load) for trial in trials} == {saver}
        assert not any(trial.is_known for trial in trials)


def test_an_option_that_only_a_left_out_saver_has_counts_as_never_asked() -> None:
    locks = {name: lock(name.removeprefix("tf")) for name in ("tf2.6", "tf2.9")}
    own = {"tf2.6": {"Dense": ["units"]}, "tf2.9": {"Dense": ["units", "new"]}}
    taken = {"tf2.6": {"Dense": {"units": True, "new": False}}, "tf2.9": {"Dense": {"units": True, "new": True}}}
    signatures: dict[str, dict[str, object]] = {
        name: {"calls": {}, "activations": [], "functions": [], "operations": {}, "needed": {}} for name in own
    }
    words = {"own": own, "taken": taken, "signatures": signatures}
    (known,) = vocabularies(words, locks).values()
    (without,) = vocabularies(words, locks, "tf2.9").values()
    assert known.refused == {"Dense": {"new": "1"}}
    assert without.refused == {}
    assert without.taken["Dense"]["new"] == "2"  # its own class says so, whoever wrote a file
