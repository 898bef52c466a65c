"""Make the runtimes, and find out which pins each TensorFlow needs today so that it can be imported at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lab.place import Place, write_json
from lab.runtimes import RELEASES, Release, between, runtimes, unpinned
from loadgate.domain import Lock, Plan, Requirement, Runtime, RuntimeState
from loadgate.phases.provision import provision
from loadgate.progress import Silent

Say = Callable[[str], None]
KEY_PACKAGES = ("numpy", "protobuf", "h5py", "keras", "tf-keras", "ml-dtypes", "tensorflow", "tensorflow-cpu")


def make(place: Place, cache: Path, say: Say) -> None:
    """Write `constraints.json` and `runtimes.json`. What is in the cache is found there, so a second run is short."""
    measured: dict[str, Any] = {}
    needed: dict[str, tuple[str, ...]] = {}
    locks = place.locks()
    for release in RELEASES:
        attempts = list(tried(release, cache))
        measured[release.minor] = constraint(release, attempts)
        needed[release.minor] = tuple(measured[release.minor]["pins"])
        say(f"TensorFlow {release.tensorflow}: {', '.join(needed[release.minor]) or 'imports without pins'}")
        write_json(place.constraints, measured)
        mine = [each for each in runtimes(needed) if each.tensorflow == release.tensorflow]
        for state in made(mine, cache):
            if state.lock is None:
                raise SystemExit(f"{state.name}: {state.finding}")
            locks[state.name] = state.lock
        write_json(place.runtimes, locks)


def make_between(place: Place, cache: Path) -> None:
    """Write `between.json`, of the runtimes in which parts alone are loaded."""
    states = made(list(between()), cache)
    locks = {state.name: state.lock for state in states if state.lock is not None}
    if len(locks) < len(states):
        raise SystemExit("\n".join(f"{state.name}: {state.finding}" for state in states if state.lock is None))
    write_json(place.between, locks)


def made(wanted: list[Runtime], cache: Path) -> tuple[RuntimeState, ...]:
    return provision(Plan(runtimes=tuple(wanted)), cache, progress=Silent()).runtimes


def tried(release: Release, cache: Path) -> list[tuple[tuple[str, ...], RuntimeState]]:
    """What became of the release without pins, then with more and more of them until it could be imported."""
    attempts = []
    for pins in ((), *release.pins):
        requirements = tuple(Requirement(text=pin) for pin in pins)
        (state,) = made([replace(unpinned(release), requirements=requirements)], cache)
        attempts.append((pins, state))
        if state.lock is not None:
            break
    return attempts


def constraint(release: Release, attempts: list[tuple[tuple[str, ...], RuntimeState]]) -> dict[str, Any]:
    pins, state = attempts[-1]
    return {
        "tensorflow": release.tensorflow,
        "measured": f"{datetime.now(UTC):%Y-%m-%d}",
        "python": state.lock.python if state.lock else release.python,
        "pins": list(pins),
        "imports": state.lock is not None,
        "failures": [
            {
                "pins": list(pins),
                "kind": failed.finding.kind,
                "cause": failed.finding.cause,
                "headline": failed.finding.headline,
                "detail": failed.finding.detail[-2000:],
            }
            for pins, failed in attempts
            if failed.finding is not None
        ],
        "packages": key_packages(state.lock) if state.lock else {},
    }


def key_packages(lock: Lock) -> dict[str, str]:
    return {name: lock.packages[name] for name in KEY_PACKAGES if name in lock.packages}
