"""How often a failure of the corpus gets a verified remedy, with real trials in real runtimes.

    .venv/bin/python script/remedies_by_trial.py CORPUS CACHE [RUNTIME...]

CORPUS has files/, manifest.json and truth.json. Counted is every failure of its truth.json of an artifact that loads in
one of its runtimes by one of its calls. Each runtime has the bounds of one `check`: four environments, and here all the
time it takes.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter, defaultdict
from io import BytesIO
from pathlib import Path
from typing import Any

from loadgate.artifacts.discover import discover, read_artifact
from loadgate.diagnosis.attempts import attempts
from loadgate.domain import Case, Device, Loader, Plan, RemedyBounds, Requirement, Runtime
from loadgate.interchange import decode_results
from loadgate.phases.load import load
from loadgate.phases.provision import provision
from loadgate.phases.remedies import Workbench, findings_of
from loadgate.progress import Silent
from loadgate.report.live import show_progress

LOADERS = {
    "keras.load_model": Loader.KERAS,
    "keras.TFSMLayer": Loader.KERAS_LAYER,
    "saved_model.load": Loader.SAVED_MODEL,
    "import_graph_def": Loader.GRAPH_DEF,
    "import_meta_graph": Loader.META_GRAPH,
    "load_checkpoint": Loader.CHECKPOINT,
    "tflite": Loader.TFLITE,
}
BOUNDS = RemedyBounds(runtimes=4, time=1e6)


def runtime_named(name: str, pins: dict[str, str]) -> Runtime:
    """With the very versions in which the truth was seen."""
    python = pins.pop("python").rpartition(".")[0]
    tensorflow = pins.pop("tensorflow-cpu", None)
    tensorflow = pins.pop("tensorflow", tensorflow)
    lines = tuple(Requirement(text=f"{package}=={version}") for package, version in pins.items())
    env = {"TF_USE_LEGACY_KERAS": "1"} if "legacykeras" in name else {}
    return Runtime(name=name, python=python, tensorflow=tensorflow, requirements=lines, env=env)


def main() -> None:
    corpus, cache, *names = sys.argv[1:]
    root = Path(corpus) / "files"
    truth = json.loads((Path(corpus) / "truth.json").read_text())
    artifacts = {artifact.path: artifact for artifact in (read_artifact(root, each) for each in discover(root))}
    loads = {row["id"] for row in truth["results"] if row["outcome"] == "ok"}
    total: Counter[str] = Counter()
    for name in names or list(truth["runtimes"]):
        rows = [
            row
            for row in truth["results"]
            if row["runtime"] == name and row["outcome"] != "ok" and row["id"] in loads and row["id"] in artifacts
        ]
        runtime = runtime_named(name, dict(truth["runtimes"][name]))
        total += measured(runtime, rows, artifacts, root, Path(cache))
        print(f"so far: {total['mended']} of {total.total()} ({total['mended'] / total.total():.1%})", flush=True)


def measured(
    runtime: Runtime, rows: list[dict[str, Any]], artifacts: dict[str, Any], root: Path, cache: Path
) -> Counter[str]:
    begun = time.monotonic()
    cases = tuple(
        Case(id=f"{n}", artifact=row["id"], runtime=runtime.name, device=Device.CPU, loader=LOADERS[row["api"]])
        for n, row in enumerate(rows)
    )
    used = {case.artifact for case in cases}
    plan = Plan(
        repository=str(root),
        artifacts=tuple(artifact for path, artifact in artifacts.items() if path in used),
        runtimes=(runtime,),
        cases=cases,
    )
    locks = provision(plan, cache, progress=Silent())
    stream = BytesIO()
    load(plan, locks, stream, Silent())
    findings = findings_of(plan, locks, decode_results(stream.getvalue(), Path("results.jsonl")))
    workbench = Workbench(
        findings=findings,
        bounds=BOUNDS,
        cache=cache,
        show_progress=lambda number: show_progress(sys.stderr, cases=number),
    )
    tried = attempts(workbench.run())
    count: Counter[str] = Counter()
    left: dict[str, list[str]] = defaultdict(list)
    for failure in findings.failures:
        mended = any(attempt.remedy.verified for attempt in tried.get(failure.case.id, ()))
        count["mended" if mended else "not mended"] += 1
        if not mended:
            left[failure.diagnosis.cause].append(f"{failure.case.artifact} by {failure.case.loader}")
    print(f"{runtime.name}: {dict(count)} in {time.monotonic() - begun:,.0f} s", flush=True)
    for cause, which in left.items():
        print(f"    {cause}: {', '.join(which)}", flush=True)
    return count


main()
