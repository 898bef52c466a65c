"""Models that attack the machine that loads them: each gets through where nothing stands in between, and none here.

What is loaded is the same each time: the canaries that the attacks are after are planted anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.attacks import payloads
from tests.attacks.canaries import OUTLIVING, Canaries, end_named, is_there, planted, wait_until_gone
from tests.attacks.contained import by_the_action, contained, in_a_bare_container
from tests.attacks.ground import LAST_RESORT, MEMORY, NONE, OLDER_KERNEL, Answer, Ground, Wall, save_private
from tests.command import loadgate

pytestmark = pytest.mark.runtime

HONEST = 20


@dataclass(frozen=True)
class Attack:
    """`got_through` looks at the canaries and at what the load printed and used."""

    file: str
    got_through: Callable[[Canaries, dict[str, Any]], bool]
    loader: str = "keras"
    infer: bool = False
    saves: bool = False
    """Whether it is saved in another format, and what was saved is loaded then."""


def loot(canaries: Canaries, told: dict[str, Any]) -> bool:
    return canaries.secret in told["log"] or canaries.done in told["log"]


def reached(name: str) -> Callable[[Canaries, dict[str, Any]], bool]:
    return lambda canaries, _told: canaries.reached(name)


def changed(name: str) -> Callable[[Canaries, dict[str, Any]], bool]:
    return lambda canaries, _told: canaries.changed(name)


def hit(victim: str) -> Callable[[Canaries, dict[str, Any]], bool]:
    return lambda canaries, _told: canaries.hit(victim)


def outlived(name: str) -> Callable[[Canaries, dict[str, Any]], bool]:
    return lambda _canaries, _told: is_there(name)


def burst(_canaries: Canaries, told: dict[str, Any]) -> bool:
    """It had half as much again as it may have: what is looked at fifty times a second is not held to the byte."""
    return bool(told["peak"] > MEMORY * 3 // 2)


def flooded(_canaries: Canaries, told: dict[str, Any]) -> bool:
    return bool(told["log_size"] > 64 << 20)


SEEN_BY: dict[str, Callable[[Canaries, dict[str, Any]], bool]] = {
    **{
        name: reached(name)
        for name in (
            *("connects_by_tcp", "connects_by_tcp_over_ipv6", "sends_a_datagram", "asks_a_name_server"),
            *("fetches_a_page", "connects_from_a_program", "talks_to_docker"),
            *("sends_to_a_local_socket_from_half_a_pair", "connects_to_an_abstract_socket"),
        )
    },
    **{
        name: changed(name)
        for name in (
            *("writes_into_the_home", "makes_a_file_in_the_home", "writes_into_the_workspace"),
            *("writes_over_another_model", "forges_the_result_of_another", "poisons_the_runtime", "poisons_bytecode"),
            *("commands_the_runner_by_a_file", "makes_a_file_unreadable", "gives_a_file_away", "cuts_a_file"),
            *("removes_a_file", "moves_a_file_over_another", "unpacks_an_archive_that_climbs"),
        )
    },
    "writes_into_shared_memory": lambda canaries, _told: Path(f"{canaries.targets['shared_memory']}.written").exists(),
    "kills_another_process": hit("killed"),
    "stops_another_process": hit("stopped"),
    "kills_by_a_descriptor": hit("killed_by_descriptor"),
    "signals_another_process_by_a_pipe": hit("signalled"),
    "takes_the_files_of_another_process_away": hit("limited"),
    "takes_the_processor_from_another_process": hit("idle"),
    "takes_priority_from_another_process": hit("last"),
    "puts_words_into_another_process": hit("forged"),
    "outlives_its_case": outlived("lg-outlives"),
    "outlives_by_changing_its_number": outlived("lg-comet"),
    "floods_its_output": flooded,
}
PRINTED = ("prints_commands_for_the_runner", "prints_terminal_escapes", "prints_what_others_left")
"""Nothing that a wall could stop: what becomes of it is held to account where it is reported."""

ATTACKS: dict[str, Attack] = {
    **{
        function.__name__: Attack(f"{function.__name__}.h5", SEEN_BY.get(function.__name__, loot))
        for function in payloads.LAMBDAS
        if function.__name__ not in PRINTED
    },
    "leaves_a_link_where_it_is_saved": Attack("leaves_a_link_where_it_is_saved.h5", loot, saves=True),
    "a_lambda_in_a_saved_model": Attack("a_lambda_in_a_saved_model", loot),
    "code_in_py_function": Attack("code_in_py_function.h5", reached("connects_by_tcp"), infer=True),
    "an_op_reads_a_file": Attack("an_op_reads_a_file", loot, "saved_model"),
    "an_op_reads_a_file_below_its_folder": Attack("an_op_reads_a_file_below_its_folder", loot, "saved_model"),
    "an_op_writes_a_file": Attack("an_op_writes_a_file", changed("an_op_writes_a_file"), "saved_model"),
    "an_op_lists_a_folder": Attack("an_op_lists_a_folder", loot, "saved_model"),
    "an_asset_is_a_link": Attack("an_asset_is_a_link", loot, "saved_model"),
    "external_data": Attack("external_data.h5", loot, infer=True),
    "zip_bomb": Attack("zip_bomb.keras", burst),
    "hdf5_bomb": Attack("hdf5_bomb.h5", burst, "weights"),
}
HONEST_FILES = {
    f"honest_{number:02d}": f"honest_{number:02d}{('.h5', '.keras')[number % 2]}" for number in range(HONEST)
}


@dataclass(frozen=True)
class Outcome:
    got_through: dict[str, bool]
    told: Answer


def attacked(ground: Ground, wall: Wall, files: dict[str, str]) -> Outcome:
    """Plant, load everything in one run, and look what got through."""
    jobs = [
        {"name": name, "path": str(ground.models / file)} | how(ATTACKS.get(name, Attack(file, loot)))
        for name, file in files.items()
    ]
    with planted(ground.canaries()) as canaries:
        save_private(ground.interpreter, canaries)
        told = ground.run(wall, jobs, canaries)
        if not wall.none:
            wait_until_gone(OUTLIVING, 5.0)
        through = {name: ATTACKS[name].got_through(canaries, told[name]) for name in files if name in ATTACKS}
    return Outcome(through, told)


def how(attack: Attack) -> dict[str, Any]:
    return {"loader": attack.loader, "infer": attack.infer, "saves": attack.saves}


@pytest.fixture(scope="module")
def unwalled(ground: Ground) -> Outcome:
    outcome = attacked(ground, NONE, {name: attack.file for name, attack in ATTACKS.items()})
    for name in OUTLIVING:
        end_named(name)
    return outcome


@dataclass(frozen=True)
class Ring:
    ground: Ground
    wall: Wall


@pytest.fixture(scope="module", params=["the sandbox of last resort", "that of an older kernel", "the action"])
def ring(ground: Ground, request: pytest.FixtureRequest) -> Ring:
    if request.param == "the action":
        runner, cache = request.getfixturevalue("runner"), request.getfixturevalue("action_cache")
        place = request.getfixturevalue("place") / "attacked"
        return Ring(contained(ground, place, runner, cache), by_the_action(runner, cache))
    return Ring(ground, OLDER_KERNEL if "older" in request.param else LAST_RESORT)


@pytest.fixture(scope="module")
def walled(ring: Ring, unwalled: Outcome) -> Outcome:
    """The attackers and the honest models side by side."""
    assert unwalled.told
    everything = {name: attack.file for name, attack in ATTACKS.items()}
    return attacked(ring.ground, ring.wall, HONEST_FILES | everything)


@pytest.fixture(scope="module")
def undisturbed(ground: Ground) -> Outcome:
    return attacked(ground, LAST_RESORT, HONEST_FILES)


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_gets_through_where_nothing_stands_in_between(unwalled: Outcome, name: str) -> None:
    assert unwalled.got_through[name], unwalled.told[name]["log"][-2000:]


@pytest.mark.parametrize("name", ATTACKS)
def test_the_same_attack_does_not_get_through_a_wall(walled: Outcome, name: str) -> None:
    assert not walled.got_through[name], walled.told[name]["log"][-2000:]


MOVED = (
    *(
        "an_op_reads_a_file",
        "an_op_reads_a_file_below_its_folder",
        "an_op_writes_a_file",
        "an_op_lists_a_folder",
        "an_asset_is_a_link",
        "external_data",
    ),
    *("reads_a_credentials_file", "poisons_the_runtime", "forges_the_result_of_another"),
)


@pytest.mark.parametrize("ring", ["the action"], indirect=True)
def test_what_was_moved_to_where_a_container_has_it_is_reached_in_a_container_without_walls(
    ring: Ring, image: str
) -> None:
    bare = in_a_bare_container(image, ring.ground)
    outcome = attacked(ring.ground, bare, {name: ATTACKS[name].file for name in MOVED})
    assert outcome.got_through == dict.fromkeys(MOVED, True)


def test_the_verdict_of_an_honest_model_is_the_same_with_all_attackers_beside_it(
    walled: Outcome, undisturbed: Outcome
) -> None:
    def verdicts(outcome: Outcome) -> dict[str, tuple[str, str]]:
        return {name: (outcome.told[name]["outcome"], outcome.told[name]["reason"]) for name in HONEST_FILES}

    assert verdicts(walled) == verdicts(undisturbed) == dict.fromkeys(HONEST_FILES, ("passed", ""))


def test_nothing_that_is_printed_commands_the_runner(walled: Outcome) -> None:
    assert walled.told.get("the step", {"commands": []})["commands"] == []


@pytest.mark.parametrize("command", [("inspect", "--json"), ("check", "--predict", "--quiet")])
def test_to_inspect_every_one_of_them_or_to_predict_it_runs_none(ground: Ground, command: tuple[str, ...]) -> None:
    with planted(Canaries(ground.root)) as canaries:
        environment = {"TARGETS": json.dumps(canaries.targets), "GITHUB_TOKEN": canaries.secret}
        files = [ground.models / attack.file for attack in ATTACKS.values()]
        subjects = files if command[0] == "inspect" else [ground.models]
        ended = loadgate(*command, *subjects, cwd=ground.root, env=environment)
        assert ended.status in ((0,) if command[0] == "inspect" else (1, 3)), ended.err
        looked_at = ended.out if command[0] == "inspect" else (ground.root / ".loadgate" / "plan.json").read_text()
        assert all(attack.file in looked_at for attack in ATTACKS.values())
        told = {"log": ended.out + ended.err, "log_size": len(ended.out), "peak": 0}
        assert [name for name, attack in ATTACKS.items() if attack.got_through(canaries, told)] == []


def test_there_are_forty_attacks_and_more() -> None:
    assert len(ATTACKS) >= 40
