"""How often a failure of the corpus gets a verified remedy, with real trials in real runtimes.

usage: python -m lab.remedies_by_trial CACHE RESULTS [RUNTIME...]

Counted is every failure in the truth of the corpus of an artifact that loads in one of its runtimes by one of its
calls. Each runtime has the bounds of one `check`: four environments, and here all the time it takes.

What a runtime came to is written to RESULTS/RUNTIME.json, and a runtime that is there is not measured again: a run that
was stopped goes on where it stood, and a run of what is all there only prints the table. The exit status is 1 where
fewer are mended than 95 %.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec

from lab.corpus import CORPUS, LOADERS, RUNTIMES, runtime_named, truth
from loadgate.artifacts.discover import discover, read_artifact
from loadgate.diagnosis.attempts import Attempt, attempts
from loadgate.diagnosis.changes import Failure
from loadgate.domain import Artifact, Case, Device, Loader, Outcome, Plan, RemedyBounds, Runtime
from loadgate.interchange import decode_results
from loadgate.phases.load import load
from loadgate.phases.provision import provision
from loadgate.phases.remedies import Workbench, findings_of
from loadgate.progress import Silent
from loadgate.report.live import show_progress

BOUNDS = RemedyBounds(runtimes=4, time=1e6)
LEAST = 0.95
"""Of the failures, with a verified remedy."""


@dataclass(frozen=True, kw_only=True)
class Mending:
    """A failure, and what became of the trials of its remedies."""

    artifact: str
    loader: Loader
    cause: str
    verified: tuple[str, ...]
    """Headlines; empty where nothing mended it."""
    others: tuple[str, ...]
    """What else was to be tried, and why it is no verified remedy."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    runtime: str
    mendings: tuple[Mending, ...]
    passed: tuple[str, ...]
    """What fails according to truth.json, and passed."""
    unknown: tuple[str, ...]
    """What is in truth.json, and was not found or has no verdict."""
    seconds: float

    @property
    def mended(self) -> int:
        return sum(bool(mending.verified) for mending in self.mendings)


def main() -> int:
    cache, results = map(Path, sys.argv[1:3])
    results.mkdir(parents=True, exist_ok=True)
    root = CORPUS / "files"
    artifacts = {artifact.path: artifact for artifact in (read_artifact(root, each) for each in discover(root))}
    for name in sys.argv[3:] or RUNTIMES:
        file = results / f"{name}.json"
        if not file.exists():
            outcome = measured(runtime_named(name), to_mend(truth()["results"], name), artifacts, root, cache)
            file.write_bytes(msgspec.json.format(msgspec.json.encode(outcome)))
    known = [results / f"{name}.json" for name in RUNTIMES]
    outcomes = [msgspec.json.decode(file.read_bytes(), type=Measured) for file in known if file.exists()]
    sys.stdout.writelines(f"{line}\n" for line in table(outcomes))
    return 0 if share(outcomes) >= LEAST else 1


def to_mend(rows: list[dict[str, Any]], runtime: str) -> list[dict[str, Any]]:
    loads = {row["id"] for row in rows if row["outcome"] == "ok"}
    return [row for row in rows if row["runtime"] == runtime and row["outcome"] != "ok" and row["id"] in loads]


def measured(
    runtime: Runtime, rows: list[dict[str, Any]], artifacts: Mapping[str, Artifact], root: Path, cache: Path
) -> Measured:
    begun = time.monotonic()
    cases = tuple(
        Case(id=f"{n}", artifact=row["id"], runtime=runtime.name, device=Device.CPU, loader=LOADERS[row["api"]])
        for n, row in enumerate(rows)
        if row["id"] in artifacts
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
    results = list(decode_results(stream.getvalue(), Path("results.jsonl")))
    findings = findings_of(plan, locks, results)
    workbench = Workbench(
        findings=findings,
        bounds=BOUNDS,
        cache=cache,
        show_progress=partial(show_progress, sys.stderr),
    )
    tried = attempts(workbench.run())
    outcomes = {result.case: result.outcome for result in results}
    failed = {failure.case.id for failure in findings.failures}
    passed = [case.artifact for case in cases if outcomes.get(case.id) is Outcome.PASSED]
    unknown = [case.artifact for case in cases if case.id not in failed and outcomes.get(case.id) is not Outcome.PASSED]
    return Measured(
        runtime=runtime.name,
        mendings=tuple(mending(failure, tried.get(failure.case.id, ())) for failure in findings.failures),
        passed=tuple(passed),
        unknown=(*unknown, *(row["id"] for row in rows if row["id"] not in artifacts)),
        seconds=time.monotonic() - begun,
    )


def mending(failure: Failure, tried: tuple[Attempt, ...]) -> Mending:
    return Mending(
        artifact=failure.case.artifact,
        loader=failure.case.loader,
        cause=failure.diagnosis.cause,
        verified=tuple(each.remedy.headline for each in tried if each.remedy.verified),
        others=tuple(
            f"{each.remedy.headline}: {each.remedy.why_not_verified}" for each in tried if not each.remedy.verified
        ),
    )


def table(outcomes: list[Measured]) -> Iterator[str]:
    for outcome in outcomes:
        yield f"{outcome.runtime:24} {outcome.mended:3} of {len(outcome.mendings):3}  {outcome.seconds:6,.0f} s"
        for each in outcome.mendings:
            if not each.verified:
                yield f"    no remedy: {each.artifact} by {each.loader} ({each.cause})"
        yield from (f"    passed, and fails in truth.json: {path}" for path in outcome.passed)
        yield from (f"    no verdict: {path}" for path in outcome.unknown)
    mended, failures = sum(each.mended for each in outcomes), sum(len(each.mendings) for each in outcomes)
    every = f"all {len(outcomes)} runtimes"
    yield f"{every:24} {mended:3} of {failures:3}  {share(outcomes):.1%} (at least {LEAST:.0%})"


def share(outcomes: list[Measured]) -> float:
    return sum(each.mended for each in outcomes) / max(1, sum(len(each.mendings) for each in outcomes))


if __name__ == "__main__":
    sys.exit(main())
