"""What the sandbox costs a case: the same models loaded with and without it in turn, and its inner walls alone."""

from __future__ import annotations

import argparse
import dataclasses
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from loadgate.domain import Case, Checks, Device, Loader, Lock
from loadgate.loading import sandbox_policy as policy
from loadgate.loading.job import Batch, Job, Limits
from loadgate.loading.machine import available_memory
from loadgate.loading.pool import Pool
from loadgate.probe import confinement
from loadgate.sandbox.walls import NO_SANDBOX, Sandbox, examine
from loading import SAVE, made_runtime


def batch_of(python: str, models: list[Path]) -> Batch:
    lock = Lock(digest="", interpreter=python, python="", implementation="", packages={}, tensorflow="")
    jobs = tuple(
        Job(
            case=Case(id=path.stem, artifact=path.name, runtime="bench", device=Device.CPU, loader=Loader.KERAS),
            path=path,
            bytes=path.stat().st_size,
            artifact_digest=None,
        )
        for path in models
    )
    return Batch(runtime="bench", device=Device.CPU, lock=lock, env={}, imports=(), import_paths=(), jobs=jobs)


def computed(batch: Batch, sandbox: Sandbox) -> float:
    """Seconds on a processor that all processes of a run took together: a crowded machine changes them little."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    limits = Limits(checks=Checks(), workers=1, memory=available_memory())
    with Pool(limits, started=lambda _case: None, sandbox=sandbox) as pool:
        assert all(result.outcome == "passed" for result in pool.run([batch]))  # noqa: S101 - a bench of failures
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def milliseconds_a_case(batch: Batch, sandbox: Sandbox) -> float:
    """What each case but the first adds: importing TensorFlow is left out."""
    one = dataclasses.replace(batch, jobs=batch.jobs[:1])
    return (computed(batch, sandbox) - computed(one, sandbox)) / (len(batch.jobs) - 1) * 1000


def milliseconds_inside(batch: Batch, times: int) -> float:
    """What the inner walls take in the child itself, the median of many."""
    reach = policy.reach(batch, os.environ)
    request = {"run": reach.run, "read": reach.read, "names": reach.names, "gpu": False, "shared_memory": True}
    mechanisms = examine().mechanisms
    walls = confinement.Walls(
        request | {"landlock": mechanisms.landlock_version, "seccomp": mechanisms.seccomp is None}
    )
    artifact = [list(grant) for grant in policy.grants(batch, batch.jobs[0])]
    seconds = []
    for _ in range(times):
        read, write = os.pipe()
        process = os.fork()
        if process == 0:
            started = time.perf_counter()
            confinement.limit(1 << 30)
            walls.close(artifact, tempfile.gettempdir())
            os.write(write, repr(time.perf_counter() - started).encode())
            os._exit(0)
        os.waitpid(process, 0)
        seconds.append(float(os.read(read, 64)))
        os.close(read)
        os.close(write)
    return median(seconds) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", help="an interpreter with TensorFlow in it [default: one with 2.15.1 is made]")
    parser.add_argument("--models", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    python = arguments.python or made_runtime()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([python, "-c", SAVE, folder, str(arguments.models)], check=True, capture_output=True)
        batch = batch_of(python, sorted(Path(folder).glob("*.h5")))
        without, within = [], []
        for _ in range(arguments.rounds):
            without.append(milliseconds_a_case(batch, NO_SANDBOX))
            within.append(milliseconds_a_case(batch, examine()))
        inside = milliseconds_inside(batch, 200)
    for name, measured in (("without a sandbox", without), ("in the sandbox", within)):
        rounds = ", ".join(f"{each:.1f}" for each in measured)
        print(f"{name:<18} {min(measured):6.1f} ms of a processor a case (of {rounds})")
    print(f"the inner walls    {inside:6.2f} ms in the child itself")
    if inside > 5:  # noqa: PLR2004 - what the sandbox may cost
        sys.exit("the inner walls cost more than 5 ms")


if __name__ == "__main__":
    main()
