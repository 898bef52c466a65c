"""Load what a JSON file names as loadgate does: `load_walled.py ORDER ANSWER`, with loadgate's own Python."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from loadgate.artifacts.discover import discover
from loadgate.domain import Case, CaseResult, Checks, Device, Format, Loader, Lock, Resave, Trial
from loadgate.loading.job import Batch, Job, Limits
from loadgate.loading.pool import Pool
from loadgate.loading.resaving import reading, saving
from loadgate.sandbox.walls import Sandbox, examine, standing

AGAIN = " again"


def job_of(job: dict[str, Any]) -> Job:
    path = Path(job["path"])
    case = Case(id=job["name"], artifact=job["name"], runtime="target", device=Device.CPU, loader=Loader(job["loader"]))
    return Job(case=case, path=path, bytes=0, artifact_digest=None, files=files_of(path))


def files_of(path: Path) -> tuple[Path, ...]:
    if not path.is_dir():
        return (path,)
    return tuple(path / file for found in discover(path) if found.path == "." for file in found.files)


def batch_of(order: dict[str, Any], jobs: list[dict[str, Any]]) -> Batch:
    return Batch(
        runtime="target",
        device=Device.CPU,
        lock=Lock(
            digest="", interpreter=order["interpreter"], python="", implementation="", packages={}, tensorflow=""
        ),
        env=order["env"],
        imports=tuple(order["imports"]),
        import_paths=(Path(order["repository"]),) if order["imports"] else (),
        jobs=tuple(map(job_of, jobs)),
        repository=Path(order["repository"]),
        made_by_us=False,
    )


def older() -> Sandbox:
    """As on Linux 6.8 where AppArmor permits no user namespace, which many a runner is."""
    refused = {"namespaces": "as if refused", "shared_memory": "as if refused"}
    return standing(replace(examine().mechanisms, landlock_version=4, **refused))


def loads_again(orders: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[Trial]]:
    """Those that are saved in another format, and what of each is loaded then: the orders, and what ties them."""
    again = [job | {"name": f"{job['name']}{AGAIN}"} for job in orders if job["saves"]]
    trials = [Trial(case=job["name"], saves=Format.KERAS_H5) for job in orders if job["saves"]]
    for job in again:
        source = Resave(source=job["name"].removesuffix(AGAIN), format=Format.KERAS_H5)
        trials.append(Trial(case=job["name"], resave=source))
    return again, trials


def main(order: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    again, trials = loads_again(order["jobs"])
    # both stages are asked of all, for some attacks begin with the second
    limits = Limits(
        checks=Checks(timeout=order["timeout"], memory=order["memory"], infer=True),
        workers=4,
        memory=8 << 30,
        disk=order["disk"],
    )
    sandbox = older() if "--older" in sys.argv else None
    with tempfile.TemporaryDirectory() as folder, Pool(limits, lambda _case: None, sandbox) as pool:
        products = Path(folder).resolve()
        for result in pool.run(saving([batch_of(order, order["jobs"])], trials, products)):
            answer[result.case] = told(result)
        for result in pool.run(reading([batch_of(order, again)], trials, products)):
            answer[result.case.removesuffix(AGAIN)]["log"] += result.log
    return answer


def told(result: CaseResult) -> dict[str, Any]:
    stage = result.stages[0]
    return {
        "log": result.log,
        "log_size": len(result.log),
        "outcome": str(stage.outcome),
        "reason": str(stage.reason or ""),
        "message": stage.message,
        "peak": result.peak_memory or 0,
        "walls": list(map(str, result.walls or ())),
    }


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(main(json.loads(Path(sys.argv[1]).read_text()))))
