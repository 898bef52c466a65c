"""What the sandbox kept the loads from, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from loadgate.domain import CaseResult, Wall

KEPT_FROM: dict[Wall, str] = {
    Wall.FILES: "other files",
    Wall.NETWORK: "the network",
    Wall.LOCAL_SOCKETS: "local sockets",
    Wall.PROCESSES: "other processes",
    Wall.PRIVILEGES: "privileges",
}
OPEN: dict[Wall, str] = {
    Wall.FILES: "could read and write what you can read and write; it takes Landlock, which is in Linux since 5.13",
    Wall.NETWORK: "could reach the network; it takes seccomp, or a network namespace",
    Wall.LOCAL_SOCKETS: "could connect to local sockets, such as Docker's; it takes seccomp",
    Wall.PROCESSES: "could signal, and look into, your other processes; it takes Landlock and seccomp",
    Wall.PRIVILEGES: "could use setuid programs, or the powers of root",
}


def walls_of(results: Iterable[CaseResult]) -> tuple[Wall, ...] | None:
    """Those that stood around every load; None where no result says."""
    told = [result.walls for result in results if result.walls is not None]
    if not told:
        return None
    return tuple(wall for wall in Wall if all(wall in walls for walls in told))


def summary(walls: tuple[Wall, ...]) -> str:
    """One line: what holds, and what does not."""
    kept = ", ".join(KEPT_FROM[wall] for wall in Wall if wall in walls) or "nothing"
    missing = ", ".join(KEPT_FROM[wall] for wall in Wall if wall not in walls)
    return f"loads were kept from {kept}" + (f"; not from {missing}" if missing else "")


def notes(walls: tuple[Wall, ...] | None) -> Iterator[str]:
    """What a load could do that it should not be able to."""
    for wall in Wall if walls is not None else ():
        if walls is not None and wall not in walls:
            yield f"No sandbox around {KEPT_FROM[wall]}: a load {OPEN[wall]}."
