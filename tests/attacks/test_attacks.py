"""Models that attack the machine that loads them: each gets through where nothing stands in between, and none here.

What is loaded is the same in both: the canaries that the attacks are after are planted anew. To hold another wall to
the same set, such as a container, give `Wall` another command.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from loadgate.domain import Lock
from tests.attacks import payloads
from tests.attacks.canaries import Canaries, end_named, planted, processes_named, wait_until_gone

pytestmark = pytest.mark.runtime

HERE = Path(__file__).parent
TIMEOUT = 40.0
MEMORY = 1 << 30
DISK = 96 << 20
HONEST = 20
OUTLIVING = ("lg-outlives", "lg-comet")

Answer = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Attack:
    """`got_through` looks at the canaries and at what the load printed and used."""

    file: str
    got_through: Callable[[Canaries, dict[str, Any]], bool]
    loader: str = "keras"
    infer: bool = False


def loot(canaries: Canaries, told: dict[str, Any]) -> bool:
    return canaries.secret in told["log"] or canaries.done in told["log"]


def reached(name: str) -> Callable[[Canaries, dict[str, Any]], bool]:
    return lambda canaries, _told: canaries.reached(name)


def changed(name: str) -> Callable[[Canaries, dict[str, Any]], bool]:
    return lambda canaries, _told: canaries.changed(name)


def hit(victim: str) -> Callable[[Canaries, dict[str, Any]], bool]:
    return lambda canaries, _told: canaries.hit(victim)


def outlived(name: str) -> Callable[[Canaries, dict[str, Any]], bool]:
    return lambda _canaries, _told: bool(processes_named(name))


def burst(_canaries: Canaries, told: dict[str, Any]) -> bool:
    """It had half as much again as it may have: what is looked at twenty times a second is not held to the byte."""
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
    "takes_the_files_of_another_process_away": hit("limited"),
    "takes_the_processor_from_another_process": hit("idle"),
    "takes_priority_from_another_process": hit("last"),
    "puts_words_into_another_process": hit("forged"),
    "outlives_its_case": outlived("lg-outlives"),
    "outlives_by_changing_its_number": outlived("lg-comet"),
    "floods_its_output": flooded,
}
PRINTED = ("prints_commands_for_the_runner", "prints_terminal_escapes")
"""Nothing that a wall could stop: what becomes of it is held to account where it is reported."""

ATTACKS: dict[str, Attack] = {
    **{
        function.__name__: Attack(f"{function.__name__}.h5", SEEN_BY.get(function.__name__, loot))
        for function in payloads.LAMBDAS
        if function.__name__ not in PRINTED
    },
    "a_lambda_in_a_saved_model": Attack("a_lambda_in_a_saved_model", loot),
    "code_in_py_function": Attack("code_in_py_function.h5", reached("connects_by_tcp"), infer=True),
    "an_op_reads_a_file": Attack("an_op_reads_a_file", loot, "saved_model"),
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
class Wall:
    """What stands between a model and the canaries, as a command that takes an order and gives an answer."""

    name: str
    command: Callable[[Path], list[str]]
    """From the runtime's interpreter."""


NONE = Wall("none", lambda python: [str(python), str(HERE / "load_unwalled.py")])
LAST_RESORT = Wall("last resort", lambda _python: [sys.executable, str(HERE / "load_walled.py")])


@dataclass(frozen=True)
class Outcome:
    got_through: dict[str, bool]
    told: Answer


@dataclass(frozen=True)
class Ground:
    """Where it happens: models, and an environment of the test's own that leads to a real runtime's packages."""

    root: Path
    interpreter: Path

    @property
    def models(self) -> Path:
        return self.root / "repository" / "models"

    def run(self, wall: Wall, jobs: list[dict[str, Any]], canaries: Canaries, imports: tuple[str, ...] = ()) -> Answer:
        order, answer = self.root / "order.json", self.root / "answer.json"
        order.write_text(
            json.dumps(
                {
                    "jobs": jobs,
                    "timeout": TIMEOUT,
                    "memory": MEMORY,
                    "disk": DISK,
                    "interpreter": str(self.interpreter),
                    "repository": str(self.root / "repository"),
                    "imports": imports,
                    "env": {"TARGETS": json.dumps(canaries.targets), "TF_CPP_MIN_LOG_LEVEL": "2"},
                }
            )
        )
        left_open = os.open(self.root / "held", os.O_RDONLY)
        try:
            subprocess.run(
                [*wall.command(self.interpreter), str(order), str(answer)],
                env={
                    "PATH": "/usr/bin:/bin",
                    "HOME": str(self.root / "home"),
                    "GITHUB_TOKEN": canaries.secret,
                    "PYTHONPATH": str(Path(__file__).parents[2]),
                    **({"TARGETS": json.dumps(canaries.targets)} if wall is NONE else {}),
                },
                cwd=self.root,
                pass_fds=[left_open],
                timeout=900,
                check=True,
            )
        finally:
            os.close(left_open)
        answered: Answer = json.loads(answer.read_text())
        return answered

    def attacked(self, wall: Wall, files: dict[str, str]) -> Outcome:
        """Plant, load everything in one run, and look what got through."""
        jobs = [
            {"name": name, "path": str(self.models / file), "loader": loader_of(name), "infer": is_run(name)}
            for name, file in files.items()
        ]
        with planted(Canaries(self.root)) as canaries:
            save_private(self.interpreter, canaries)
            told = self.run(wall, jobs, canaries)
            if wall is not NONE:
                wait_until_gone(OUTLIVING, 5.0)
            through = {name: ATTACKS[name].got_through(canaries, told[name]) for name in files if name in ATTACKS}
        return Outcome(through, told)


def loader_of(name: str) -> str:
    return ATTACKS[name].loader if name in ATTACKS else "keras"


def is_run(name: str) -> bool:
    return name in ATTACKS and ATTACKS[name].infer


def save_private(python: Path, canaries: Canaries) -> None:
    """Weights of a model that is nobody's business, as HDF5."""
    program = (
        "import h5py, numpy, sys\n"
        "with h5py.File(sys.argv[1], 'w') as file: file['weights'] = numpy.frombuffer(sys.argv[2].encode(), '<f4')"
    )
    text = canaries.secret.ljust(64, ".")
    subprocess.run([python, "-c", program, canaries.targets["private"], text], check=True, timeout=120)


@pytest.fixture(scope="module")
def ground(serving: Lock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    root = tmp_path_factory.mktemp("attacks")
    packages = Path(serving.interpreter).parent.parent / "lib/python3.11/site-packages"
    own = root / "runtime"
    (own / "bin").mkdir(parents=True)
    (own / "bin/python").symlink_to(os.path.realpath(serving.interpreter))
    home = Path(os.path.realpath(serving.interpreter)).parent
    (own / "pyvenv.cfg").write_text(f"home = {home}\ninclude-system-site-packages = false\n")
    (own / "lib/python3.11/site-packages").mkdir(parents=True)
    (own / "lib/python3.11/site-packages/real.pth").write_text(f"{packages}\n")
    made = Ground(root, own / "bin/python")
    made.models.mkdir(parents=True)
    with planted(Canaries(root)) as canaries:
        save_private(made.interpreter, canaries)
        targets = root / "targets.json"
        targets.write_text(json.dumps(canaries.fixed()))
        subprocess.run(
            [made.interpreter, HERE / "save_attacks.py", made.models, targets],
            check=True,
            timeout=600,
            env={"PATH": "/usr/bin:/bin", "TF_CPP_MIN_LOG_LEVEL": "2", "CUDA_VISIBLE_DEVICES": "-1"},
        )
    yield made
    for name in OUTLIVING:
        end_named(name)


@pytest.fixture(scope="module")
def unwalled(ground: Ground) -> Outcome:
    outcome = ground.attacked(NONE, {name: attack.file for name, attack in ATTACKS.items()})
    for name in OUTLIVING:
        end_named(name)
    return outcome


@pytest.fixture(scope="module")
def walled(ground: Ground, unwalled: Outcome) -> Outcome:
    """The attackers and the honest models side by side."""
    assert unwalled.told
    everything = {name: attack.file for name, attack in ATTACKS.items()}
    return ground.attacked(LAST_RESORT, HONEST_FILES | everything)


@pytest.fixture(scope="module")
def undisturbed(ground: Ground) -> Outcome:
    return ground.attacked(LAST_RESORT, HONEST_FILES)


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_gets_through_where_nothing_stands_in_between(unwalled: Outcome, name: str) -> None:
    assert unwalled.got_through[name], unwalled.told[name]["log"][-2000:]


@pytest.mark.parametrize("name", ATTACKS)
def test_the_same_attack_does_not_get_through_the_sandbox_of_last_resort(walled: Outcome, name: str) -> None:
    assert not walled.got_through[name], walled.told[name]["log"][-2000:]


def test_the_verdict_of_an_honest_model_is_the_same_with_all_attackers_beside_it(
    walled: Outcome, undisturbed: Outcome
) -> None:
    def verdicts(outcome: Outcome) -> dict[str, tuple[str, str]]:
        return {name: (outcome.told[name]["outcome"], outcome.told[name]["reason"]) for name in HONEST_FILES}

    assert verdicts(walled) == verdicts(undisturbed) == dict.fromkeys(HONEST_FILES, ("passed", ""))


def test_there_are_forty_attacks_and_more() -> None:
    assert len(ATTACKS) >= 40
