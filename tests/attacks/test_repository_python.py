"""The Python that a repository puts beside its models, and what a package of a runtime runs at every start."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.attacks.canaries import Canaries, planted
from tests.attacks.ground import HERE, LAST_RESORT, NONE, Ground, Wall

pytestmark = pytest.mark.runtime

LOOKALIKES = ("sitecustomize", "usercustomize", "tensorflow", "keras", "json")
DEEDS = (
    *("connects_by_tcp", "talks_to_docker", "writes_into_the_home", "forges_the_result_of_another"),
    *("poisons_the_runtime", "kills_another_process", "reads_secrets"),
)


@contextmanager
def hostile(ground: Ground, way: str) -> Iterator[tuple[str, ...]]:
    """Put the module where `way` has it run; what is to be named under `imports:`."""
    if way == "imports":
        module = ground.root / "repository" / "acme_layers.py"
        module.write_text((HERE / "repository_python.py").read_text())
        yield ("acme_layers",)
        module.unlink()
    else:
        packages = ground.root / "runtime/lib/python3.11/site-packages"
        (packages / "acme_startup.py").write_text((HERE / "repository_python.py").read_text())
        (packages / "acme.pth").write_text("import acme_startup\n")
        yield ()
        (packages / "acme.pth").unlink()
        (packages / "acme_startup.py").unlink()


def deeds(ground: Ground, wall: Wall, way: str) -> dict[str, bool]:
    name = "prints_what_others_left"
    job = {"name": name, "path": str(ground.models / f"{name}.h5"), "loader": "keras", "infer": False, "saves": False}
    with planted(Canaries(ground.root)) as canaries, hostile(ground, way) as imports:
        told = ground.run(wall, [job], canaries, imports)
        return {
            **{name: canaries.reached(name) for name in DEEDS[:2]},
            **{name: canaries.changed(name) for name in DEEDS[2:5]},
            "kills_another_process": canaries.hit("killed"),
            "reads_secrets": canaries.secret in told[name]["log"],
        }


@pytest.mark.parametrize("way", ["imports", "pth"])
def test_what_it_does_where_nothing_stands_in_between_it_does_not_do_in_the_sandbox(ground: Ground, way: str) -> None:
    assert deeds(ground, NONE, way) == dict.fromkeys(DEEDS, True)
    assert deeds(ground, LAST_RESORT, way) == dict.fromkeys(DEEDS, False)


@pytest.fixture
def lookalikes(ground: Ground) -> Iterator[Path]:
    """Modules that would stand in for others, were the repository on anybody's path; each leaves a trace."""
    traces = ground.root / "traces"
    traces.mkdir()
    for folder in (ground.root / "repository", ground.models):
        for name in LOOKALIKES:
            (folder / f"{name}.py").write_text(f"open({str(traces / name)!r}, 'w').close()\nprint('LOOT {name}')\n")
    yield traces
    for folder in (ground.root / "repository", ground.models):
        for name in LOOKALIKES:
            (folder / f"{name}.py").unlink()
    shutil.rmtree(traces)


def test_modules_beside_a_model_stand_in_for_nothing(ground: Ground, lookalikes: Path) -> None:
    model = {
        "name": "honest",
        "path": str(ground.models / "honest_00.h5"),
        "loader": "keras",
        "infer": False,
        "saves": False,
    }
    # as a script in the repository would find them
    base = ground.interpreter.resolve()
    subprocess.run(
        [base, "-c", "import json, tensorflow, keras"],
        cwd=ground.root / "repository",
        env={"PYTHONPATH": str(ground.root / "repository")},
        check=True,
        timeout=60,
        capture_output=True,
    )
    assert {trace.name for trace in lookalikes.iterdir()} == set(LOOKALIKES)
    for trace in lookalikes.iterdir():
        trace.unlink()
    with planted(Canaries(ground.root)) as canaries:
        told = ground.run(LAST_RESORT, [model], canaries)
    assert told["honest"]["outcome"] == "passed"
    assert "LOOT" not in told["honest"]["log"]
    assert list(lookalikes.iterdir()) == []
