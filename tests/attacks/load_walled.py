"""Load what a JSON file names as loadgate does: `load_walled.py ORDER ANSWER`, with loadgate's own Python."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from loadgate.domain import Case, CaseResult, Checks, Device, Loader, Lock
from loadgate.loading.job import Batch, Job, Limits
from loadgate.loading.pool import Pool
from loadgate.sandbox.walls import Sandbox, examine, standing


def job_of(job: dict[str, Any]) -> Job:
    path = Path(job["path"])
    files = tuple(each for each in path.rglob("*") if not each.is_dir()) if path.is_dir() else (path,)
    case = Case(id=job["name"], artifact=job["name"], runtime="target", device=Device.CPU, loader=Loader(job["loader"]))
    return Job(case=case, path=path, bytes=0, artifact_digest=None, files=files)


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


def main(order: dict[str, Any]) -> dict[str, Any]:
    answer = {}
    # both stages are asked of all, for some attacks begin with the second
    limits = Limits(
        checks=Checks(timeout=order["timeout"], memory=order["memory"], infer=True),
        workers=4,
        memory=8 << 30,
        disk=order["disk"],
    )
    with Pool(limits, started=lambda _case: None, sandbox=older() if "--older" in sys.argv else None) as pool:
        for result in pool.run([batch_of(order, order["jobs"])]):
            answer[result.case] = told(result)
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
