"""Outline: what whoever runs the phases has to know of their files, as `name=value` lines.

GitHub reads such lines from $GITHUB_OUTPUT, GitLab from a dotenv report, a shell as they are. Every value is a number
or is made of letters, digits and a few signs: nothing of what an artifact or a spec says reaches a line as it came.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from loadgate.domain import Device, Locks, Plan
from loadgate.report.truth import Report, Verdict
from loadgate.runtimes.failure import NotMadeError
from loadgate.runtimes.image import ask
from loadgate.runtimes.making import request_of, this_platform
from loadgate.runtimes.resolution import digest_of

KEY_DIGITS = 16


def outline(
    plan: Plan | None, locks: Sequence[Locks], report: Report | None, *, shards: int = 1
) -> Iterator[tuple[str, str]]:
    if plan is not None:
        yield from of_plan(plan, shards)
        yield from of_locks(plan, locks)
    if report is not None:
        yield from of_report(report)


def of_plan(plan: Plan, shards: int) -> Iterator[tuple[str, str]]:
    for name, found in (("artifacts", plan.artifacts), ("runtimes", plan.runtimes), ("cases", plan.cases)):
        yield name, str(len(found))
    yield "gpu", spelled(any(case.device is Device.GPU for case in plan.cases))
    yield "images", str(sum(runtime.image is not None for runtime in plan.runtimes))
    of = max(1, min(shards, len(plan.cases)))
    yield "shards", json.dumps([f"{index}/{of}" for index in range(1, of + 1)], separators=(",", ":"))


def of_locks(plan: Plan, locks: Sequence[Locks]) -> Iterator[tuple[str, str]]:
    """Under which name a cache of the runtimes is looked for, and where it is known already, saved."""
    found = (state.lock for each in locks for state in each.runtimes if state.lock and state.lock.image is None)
    made = sorted({lock.interpreter for lock in found})
    key = f"{cache_prefix()}{cache_digest(plan)}"
    yield "cache_prefix", cache_prefix()
    yield "cache_key", f"{key}-{digest_of(made)[:KEY_DIGITS]}" if locks else key


def cache_prefix() -> str:
    """Runtimes of another kind of machine, or made for another libc, are of no use here."""
    return f"loadgate-{this_platform().replace(' ', '-')}-"


def cache_digest(plan: Plan) -> str:
    """Of all that decides what is made: the same plan on the same kind of machine needs the same runtimes."""
    requests = sorted(request_of(runtime) for runtime in plan.runtimes if not (runtime.interpreter or runtime.image))
    return digest_of(requests)[:KEY_DIGITS]


def of_report(report: Report) -> Iterator[tuple[str, str]]:
    totals = report.totals
    yield "verdict", {Verdict.NONE: "no-verdict"}.get(report.verdict, report.verdict.value)
    yield "exit_status", str(report.exit_status)
    for name in ("passed", "failed", "errors", "skipped", "not_reached"):
        yield name, str(getattr(totals, name))


def spelled(value: bool) -> str:
    return "true" if value else "false"


def ask_for_images(plan: Plan, images: Path) -> None:
    """Make a folder in `images` for each image, for `runtimes/image.sh` to work with."""
    for runtime in plan.runtimes:
        if runtime.image is not None:
            with suppress(NotMadeError):  # provisioning says so
                ask(images, runtime)


def prune(locks: Sequence[Locks], cache: Path) -> int:
    """Remove every runtime that none of `locks` names, and say how many that were."""
    from loadgate.runtimes.processes import Processes
    from loadgate.runtimes.store import Store

    wanted = [Path(state.lock.interpreter) for each in locks for state in each.runtimes if state.lock]
    return Store(cache, Processes()).prune(wanted)
