"""Check: the four phases one after another in one process, and the files between them in one folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from loadgate.domain import FindingKind, Locks, Plan
from loadgate.errors import LoadgateError, UsageError
from loadgate.interchange import write_document
from loadgate.phases.load import Options, load
from loadgate.phases.plan import plan
from loadgate.phases.progress import Progress
from loadgate.phases.provision import provision
from loadgate.phases.report import Outputs, report, write_outputs
from loadgate.report.truth import Report

MISTAKES = ("no_such_package", "no_such_version", "no_such_python")
"""Causes of findings that only a wrong spec can have, so that nothing is to be run before it is mended."""

ShowProgress = Callable[[int], AbstractContextManager[Progress]]
"""From the number of cases to something that shows how they get on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    repository: Path
    spec_file: Path | None = None
    artifacts: Sequence[str] = ()
    runtimes: Sequence[str] = ()
    folder: Path
    """Where the files between the phases, and the reports, are written."""
    cache: Path
    refresh: bool = False
    require_artifacts: bool = False
    workers: int | None = None
    outputs: Outputs = field(default_factory=Outputs)
    """Reports that are wanted elsewhere as well."""


class Interrupted(Exception):
    """Somebody stopped the run. What it had reached is in the report."""

    def __init__(self, so_far: Report | None) -> None:
        super().__init__("interrupted")
        self.so_far = so_far


def check(request: Request, show_progress: ShowProgress) -> Report:
    """Plan, provision, load, report. Raises `Interrupted` with the report so far on Ctrl-C."""
    claim(request.folder)
    planned = plan(
        request.repository,
        spec_file=request.spec_file,
        artifacts=request.artifacts,
        runtimes=request.runtimes,
    )
    if request.require_artifacts and not planned.artifacts:
        raise UsageError(f"{request.repository}: no model artifact was found, and --require-artifacts asks for one")
    write_document(request.folder / "plan.json", planned)
    locks = Locks()
    results = request.folder / "results.jsonl"
    results.write_bytes(b"")
    interrupted = False
    if planned.artifacts:
        try:
            with show_progress(len(planned.cases)) as progress:
                locks = provision(planned, request.cache, refresh=request.refresh, progress=progress)
                refuse_mistakes(planned, locks)
                write_document(request.folder / "locks.json", locks)
                with results.open("ab") as stream:
                    load(planned, locks, stream, progress, Options(workers=request.workers))
        except KeyboardInterrupt:
            interrupted = True
    assembled = report(planned, locks, [results], own_outputs(request.folder))
    write_outputs(assembled, request.outputs)
    if interrupted:
        raise Interrupted(assembled)
    return assembled


def claim(folder: Path) -> None:
    """Make the folder of a run, out of git's sight: a run must not change what the next one finds."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / ".gitignore").exists():
            (folder / ".gitignore").write_text("*\n")
    except OSError as error:
        raise LoadgateError(f"{folder}: cannot be written: {error.strerror}; choose another with --output") from error


def own_outputs(folder: Path) -> Outputs:
    return Outputs(json=folder / "report.json", junit=folder / "junit.xml")


def refuse_mistakes(planned: Plan, locks: Locks) -> None:
    """Raise `UsageError` where a runtime asks for a package or version that does not exist."""
    findings = {state.name: state.finding for state in locks.runtimes if state.finding is not None}
    lines = []
    for runtime in planned.runtimes:
        finding = findings.get(runtime.name)
        if finding is not None and finding.kind is FindingKind.RESOLVE and finding.cause in MISTAKES:
            where = f"{runtime.origin}: " if runtime.origin else ""
            lines.append(f"{where}runtime {runtime.name}: {finding.headline}")
    if lines:
        raise UsageError("\n".join(lines))
