"""Which walls hold on this machine, and what those that do not leave open. `standing` is pure; `examine` tries them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from loadgate.domain import Wall
from loadgate.errors import LoadgateError
from loadgate.probe import confinement, landlock
from loadgate.sandbox.reach import Reach

PROGRAM = Path(__file__).with_name("enter.py")
PATIENCE = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mechanisms:
    """What the kernel lets us use. Each is None where it works, or the reason why it does not."""

    resources: str | None = None
    no_new_privileges: str | None = None
    namespaces: str | None = None
    shared_memory: str | None = None
    """A /dev/shm of one's own."""
    capabilities: str | None = None
    landlock: str | None = None
    seccomp: str | None = None
    landlock_version: int = 0

    @property
    def working(self) -> tuple[str, ...]:
        """Names, in the order in which `enter.py` puts them up."""
        names = (
            *("resources", "no_new_privileges", "namespaces", "shared_memory"),
            *("capabilities", "landlock", "seccomp"),
        )
        return tuple(name for name in names if getattr(self, name) is None)


NOTHING_WORKS = Mechanisms(
    resources="not tried",
    no_new_privileges="not tried",
    namespaces="not tried",
    shared_memory="not tried",
    capabilities="not tried",
    landlock="not tried",
    seccomp="not tried",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """What stands between a load and this machine."""

    mechanisms: Mechanisms
    held: tuple[Wall, ...]
    gaps: tuple[str, ...]
    """What a load can do all the same, one sentence each, with what it would take to stop it."""

    @property
    def missing(self) -> tuple[Wall, ...]:
        return tuple(wall for wall in Wall if wall not in self.held)


def standing(mechanisms: Mechanisms) -> Sandbox:
    """From what works to what is kept from a load."""
    has = set(mechanisms.working)
    version = mechanisms.landlock_version if "landlock" in has else 0
    closed = {
        Wall.FILES: version >= landlock.KNOWS_TRUNCATION or (version > 0 and "seccomp" in has),
        Wall.NETWORK: bool(has & {"namespaces", "seccomp"}),
        Wall.LOCAL_SOCKETS: "seccomp" in has,
        Wall.PROCESSES: version > 0 and "seccomp" in has,
        Wall.PRIVILEGES: has >= {"no_new_privileges", "capabilities"},
    }
    held = tuple(wall for wall in Wall if closed[wall])
    return Sandbox(mechanisms=mechanisms, held=held, gaps=tuple(_gaps(mechanisms, held, version)))


def _gaps(mechanisms: Mechanisms, held: tuple[Wall, ...], version: int) -> Iterator[str]:
    no_landlock = f"Landlock: {mechanisms.landlock}; it needs Linux 5.13"
    no_seccomp = f"seccomp: {mechanisms.seccomp}"
    if Wall.FILES not in held:
        why = no_landlock if not version else "Landlock knows no truncation before Linux 6.2, and " + no_seccomp
        yield f"a load can read and write the files that you can ({why})"
    if Wall.NETWORK not in held:
        yield f"a load can reach the network (namespaces: {mechanisms.namespaces}; {no_seccomp})"
    if Wall.LOCAL_SOCKETS not in held:
        yield f"a load can connect to local sockets that you can connect to, such as Docker's ({no_seccomp})"
    if Wall.PROCESSES not in held:
        why = no_seccomp if version else no_landlock
        yield f"a load can signal, or look into, other processes of yours ({why})"
    elif version < landlock.KNOWS_SCOPES:
        yield "modules under imports: can signal other processes of yours (Landlock knows no signals before Linux 6.12)"
    if Wall.PRIVILEGES not in held:
        yield "a load can use setuid programs, or the powers of root"


NO_SANDBOX = standing(NOTHING_WORKS)


@cache
def examine() -> Sandbox:
    """Try every wall once, in a process that ends with it."""
    # `-I -S`: as it will be run, with nothing of the user's and nothing of the environment
    command = [sys.executable, "-I", "-S", str(PROGRAM), "--examine"]
    try:
        ended = subprocess.run(command, capture_output=True, check=True, timeout=PATIENCE)  # noqa: S603 - our own Python
        return standing(Mechanisms(**json.loads(ended.stdout)))
    except (OSError, subprocess.SubprocessError, ValueError, TypeError) as error:
        raise LoadgateError(f"the sandbox could not be examined: {error}") from error


def command(  # noqa: PLR0913 -- each says what one wall lets through
    sandbox: Sandbox,
    reach: Reach,
    scratch: Path,
    *,
    env: Mapping[str, str],
    gpu: bool,
    artifacts: Sequence[tuple[str, int]] = (),
) -> list[str]:
    """What to put before a command, so that the outer walls stand before anything of a runtime runs.

    The command sees the variables `env`, which are for the inside alone, and writes nowhere but into `scratch`. Nothing
    is to be put before it where no wall holds.
    """
    if not sandbox.held:
        return []
    mechanisms = sandbox.mechanisms
    # the machine's own is everybody's: what is inside gets one of its own or none
    shared_memory = [confinement.SHARED_MEMORY] if mechanisms.shared_memory is None else []
    description = {
        "mechanisms": mechanisms.working,
        "landlock_version": mechanisms.landlock_version,
        "env": dict(env),
        "run": reach.run,
        "read": reach.read,
        "names": reach.names,
        "artifacts": artifacts,
        "use": [os.path.realpath(scratch), *shared_memory],
        "gpu": gpu,
    }
    file = scratch / "walls.json"
    file.write_text(json.dumps(description))
    return [sys.executable, "-I", "-S", str(PROGRAM), str(file)]


def require(sandbox: Sandbox) -> None:
    """Raise `LoadgateError` where a wall is missing. Nobody called wrongly: elsewhere the same call gives a verdict."""
    if sandbox.missing:
        raise LoadgateError(f"--require-sandbox: nothing was loaded, for on this machine {'; '.join(sandbox.gaps)}")
