"""Runs action.yml as a runner of GitHub does: as a user of its own, with Docker, and a folder that outlives the run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from tests.report.github.double import GitHub, served

ROOT = Path(__file__).parents[2]
RUNNER = ROOT / "tests" / "node" / "runner"
USER = 1001
"""Of GitHub's own runners, and nobody on most machines."""
PATIENCE = 3600


@dataclass(frozen=True, kw_only=True)
class Step:
    name: str
    outcome: str
    status: int | None
    seconds: float
    outputs: Mapping[str, str]
    log: str
    commands: list[dict[str, str]]


@dataclass(frozen=True, kw_only=True)
class Container:
    """What Docker says of one, before it started."""

    arguments: list[str]
    inspected: dict[str, Any]

    @property
    def role(self) -> str:
        """The phase that it runs, or `describe` and `listen` of an image that is a runtime."""
        command = self.inspected["Config"]["Cmd"] or []
        if "--listen" in command:
            return "listen"
        if any(part.endswith("describe.py") for part in command):
            return "describe"
        return str(command[0]) if command else ""

    @property
    def host(self) -> dict[str, Any]:
        host: dict[str, Any] = self.inspected["HostConfig"]
        return host

    @property
    def mounts(self) -> dict[str, bool]:
        """Where something of the host is in it, and whether it may be written."""
        return {mount["Destination"]: mount["RW"] for mount in self.inspected["Mounts"]}

    @property
    def variables(self) -> dict[str, str]:
        return dict(line.partition("=")[::2] for line in self.inspected["Config"]["Env"])


@dataclass(frozen=True, kw_only=True)
class Act:
    succeeded: bool
    steps: list[Step]
    outputs: Mapping[str, str]
    summary: str
    containers: list[Container] = field(default_factory=list)

    def step(self, name: str) -> Step:
        return next(step for step in self.steps if step.name == name)

    def of_role(self, role: str) -> list[Container]:
        return [container for container in self.containers if container.role == role]

    @property
    def log(self) -> str:
        return "\n".join(f"== {step.name}: {step.outcome}\n{step.log}" for step in self.steps)


@dataclass(frozen=True, kw_only=True)
class Runner:
    """A machine: what is kept from one run to the next, and the action's own folder."""

    place: Path
    action: Path
    user: int = USER

    def act(
        self,
        workspace: Path,
        inputs: Mapping[str, str] | None = None,
        *,
        event: Mapping[str, str] | None = None,
        github: Mapping[str, str] | None = None,
    ) -> Act:
        temp, seen = self.place / "temp", self.place / "containers"
        for folder in (temp, seen):  # as GitHub does before each job
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        (self.place / "store").mkdir(exist_ok=True)
        programs = self.place / "bin"
        programs.mkdir(exist_ok=True)
        shutil.copy(Path(__file__).with_name("docker.sh"), programs / "docker")
        request = self.place / "request.json"
        asked = {
            "action": str(self.action),
            "workspace": str(workspace),
            "temp": str(temp),
            "store": str(self.place / "store"),
            "event": event or {"name": "pull_request", "action": "opened"},
            "inputs": dict(inputs or {}),
            # nobody is there: to give up on what would be posted takes three quarters of a minute
            "github": {"api_url": "http://127.0.0.1:9", **(github or {})},
            # for the program that stands before docker
            "env": {"LOADGATE_DOCKER": shutil.which("docker") or "docker", "LOADGATE_CONTAINERS": str(seen)},
        }
        request.write_text(json.dumps(asked))
        for path in (self.place, workspace):
            give(path, self.user)
        env = {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(self.place)}
        group = Path("/var/run/docker.sock").stat().st_gid
        command = ["node", "--import", "./json-modules.mjs", "run.mjs", str(request)]
        ended = subprocess.run(
            ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", f"--groups={group}", *command],
            cwd=RUNNER,
            env=env,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr.decode()
        told = json.loads(ended.stdout)
        return Act(
            succeeded=told["succeeded"],
            steps=[Step(**{name: step[name] for name in Step.__dataclass_fields__}) for step in told["steps"]],
            outputs=told["outputs"],
            summary=told["summary"],
            containers=containers_in(seen),
        )


def containers_in(folder: Path) -> list[Container]:
    files = sorted(folder.glob("*.inspect"), key=lambda file: file.stat().st_mtime_ns)
    return [
        Container(
            arguments=file.with_suffix(".arguments").read_text().split("\0")[:-1],
            inspected=json.loads(file.read_text())[0],
        )
        for file in files
    ]


def give(path: Path, user: int) -> None:
    """A job owns what it works on. What it owns already is left alone: a cache is a hundred thousand files, and to give
    each of them away is a change of each."""
    others = ("(", "!", "-user", str(user), "-o", "!", "-group", str(user), ")")
    owner = ("chown", "--no-dereference", f"{user}:{user}")
    subprocess.run(["find", path, *others, "-exec", *owner, "{}", "+"], check=True)


@contextmanager
def github_for_containers() -> Iterator[GitHub]:
    """Where containers with a network reach this machine."""
    told = ("docker", "network", "inspect", "bridge", "--format", "{{json (index .IPAM.Config 0)}}")
    network = json.loads(subprocess.run(told, capture_output=True, text=True, check=True).stdout)
    # an engine that was never restarted does not say it of its first network: it is the first address there
    gateway = network.get("Gateway") or str(next(ip_network(network["Subnet"]).hosts()))
    with served(GitHub(), gateway) as github:
        yield github


def copy_of_the_action(to: Path) -> Path:
    """What a runner downloads: what git has."""
    to.mkdir()
    listed = subprocess.run(
        ["git", "ls-files", "-z", "action.yml", "Dockerfile", ".dockerignore", "container", "src", "pyproject.toml",
         "README.md", "LICENSE"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout  # fmt: skip
    for name in listed.decode().split("\0")[:-1]:
        source, target = ROOT / name, to / name
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    return to
