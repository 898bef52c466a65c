"""The same models where the action loads them: what they are after is where a container has it, so far as it has it."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from tests.attacks.ground import HERE, Ground, Wall
from tests.containers import SERVING_RUNTIME
from tests.e2e.acting import Runner

SPEC = f"version: 1\nruntimes:\n  target: {SERVING_RUNTIME}\n"
IN_THE_REPOSITORY = ("home", "listed", "raw", "private.h5")
"""Of what is planted: hidden in the repository, which is the only place that a load sees of this machine."""


def contained(ground: Ground, root: Path, runner: Runner, cache: Path) -> Ground:
    repository = root / "repository"
    inside = {
        f"{repository}/results.jsonl": "/loadgate/loaded/results.jsonl",
        **{f"{root}/{name}": f"/repository/.{name}" for name in IN_THE_REPOSITORY},
        f"{repository}": "/repository",
    }
    for name in ("home", "listed"):
        (repository / f".{name}").mkdir(parents=True)
    for name in IN_THE_REPOSITORY:
        (root / name).symlink_to(repository / f".{name}")
    shutil.copytree(ground.models, repository / "models", symlinks=True)
    for name in (*IN_THE_REPOSITORY, "repository"):
        aim(repository / "models", f"{ground.root}/{name}", inside[f"{root}/{name}"])
    runtime = made(repository, runner, cache)
    (root / "runtime").symlink_to(runtime)
    return Ground(root, ground.interpreter, {**inside, f"{root}/runtime": f"/cache/runtimes/{runtime.name}"})


def aim(models: Path, old: str, new: str) -> None:
    """At another path of the same length, as a length is written before it wherever it stands."""
    room = len(old) - len(new)
    first, rest = new[: len("/repository")], new[len("/repository") :]
    padded = first + "/." * (room // 2) + "/" * (room % 2) + rest
    for file in models.rglob("*"):
        if file.is_symlink():
            target = os.readlink(file)
            file.unlink()
            file.symlink_to(target.replace(old, new))
        elif file.is_file() and old.encode() in (content := file.read_bytes()):
            file.write_bytes(content.replace(old.encode(), padded.encode()))


def made(repository: Path, runner: Runner, cache: Path) -> Path:
    """The runtime, as the action makes it, on this machine."""
    (repository / "loadgate.yml").write_text(SPEC)
    act = runner.act(repository, {"only": "plan", "cache-directory": str(cache)})
    assert act.step("Provision").outcome == "success", act.log
    (runtime,) = (entry for entry in (cache / "runtimes").iterdir() if entry.is_dir())
    return runtime


def by_the_action(runner: Runner, cache: Path) -> Wall:
    program = HERE / "load_in_the_action.py"
    return Wall(
        "the action",
        lambda _python, order, answer: [sys.executable, program, order, answer, runner.place, runner.action, cache],
        disk=1 << 30,
        env={"PATH": os.environ["PATH"]},
    )


def in_a_bare_container(image: str, ground: Ground) -> Wall:
    """As root, where everything may be written: what the action's containers would be without their walls."""
    root = ground.root
    mounts = {f"{root}": f"{root}", f"{root}/repository": "/repository", str(HERE): "/attacks"}
    mounts |= {f"{root}/repository/results.jsonl": "/loadgate/loaded/results.jsonl"}
    (runtime,) = (path for path in ground.inside.values() if path.startswith("/cache/"))
    mounts |= {os.path.realpath(root / "runtime"): runtime}
    volumes = [f"--volume={source}:{target}" for source, target in mounts.items()]
    return Wall(
        "none, in a container",
        lambda _python, order, answer: [
            *("docker", "run", "--rm", "--user=0", "--env=TARGETS", "--env=GITHUB_TOKEN", *volumes),
            *(f"--entrypoint={runtime}/bin/python", image, "/attacks/load_unwalled.py", order, answer),
        ],
        none=True,
    )
