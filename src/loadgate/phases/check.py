"""Check: the four phases one after another in one process, and the files between them in one folder."""

from __future__ import annotations

import errno
import fcntl
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, cast

from loadgate.diagnosis.attempts import Rounds
from loadgate.diagnosis.definitions import by_name
from loadgate.domain import FindingKind, Locks, Outcome, Plan
from loadgate.errors import INTERRUPTED, UsageError
from loadgate.interchange import keep_out_of_git, read_results, write_document, write_whole
from loadgate.phases.load import Options, load
from loadgate.phases.plan import plan
from loadgate.phases.provision import provision
from loadgate.phases.report import Gate, Outputs, read_base, write_outputs
from loadgate.phases.rounds import CANDIDATES, LOCKS, RESULTS, write_rounds
from loadgate.places import OURS, is_stream, refuse_link
from loadgate.progress import ShowProgress
from loadgate.report.assembly import assemble
from loadgate.report.remedied import remedied
from loadgate.report.truth import Report
from loadgate.sandbox.walls import examine, require

MISTAKES = ("no_such_package", "no_such_version", "no_such_python")
"""Causes of findings that only a wrong spec can have, so that nothing is to be run before it is mended."""

STALE = ("results.jsonl", "report.json", "junit.xml", CANDIDATES, LOCKS, RESULTS)
"""What an earlier run said."""


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
    require_sandbox: bool = False
    workers: int | None = None
    remedies: bool | None = None
    """Whether remedies are tried; None leaves it to the spec."""
    outputs: Outputs = field(default_factory=Outputs)
    """Reports that are wanted elsewhere as well."""
    gate: Gate = field(default_factory=Gate)


class Interrupted(Exception):
    """Somebody stopped the run. What it had reached is in the report."""

    def __init__(self, so_far: Report) -> None:
        super().__init__("interrupted")
        self.so_far = so_far


def check(request: Request, show_progress: ShowProgress) -> Report:
    """Plan, provision, load, report. Raises `Interrupted` with the report so far on Ctrl-C."""
    if request.require_sandbox:
        require(examine())
    planned = plan(
        request.repository,
        spec_file=request.spec_file,
        artifacts=request.artifacts,
        runtimes=request.runtimes,
    )
    if request.require_artifacts and not planned.artifacts:
        raise UsageError(f"{request.repository}: no model artifact was found, and --require-artifacts asks for one")
    base = read_base(request.gate)  # which may be the report that an earlier run left in the folder
    with claim(request.folder):
        for output in request.outputs.files:
            refuse_unwritable(output)
        return tried(request, planned, base, show_progress)


def tried(request: Request, planned: Plan, base: Report | None, show_progress: ShowProgress) -> Report:
    """Provision, load and report, in a folder that is ours alone."""
    locks = Locks()
    results = request.folder / "results.jsonl"
    write_document(request.folder / "plan.json", planned)
    write_document(request.folder / "locks.json", locks)
    write_whole(results, b"")
    interrupted = False
    rounds: tuple[Rounds, ...] = ()
    if planned.artifacts:
        try:
            with show_progress(cases=len(planned.cases)) as progress:
                locks = provision(planned, request.cache, refresh=request.refresh, progress=progress)
                refuse_mistakes(planned, locks)
                write_document(request.folder / "locks.json", locks)
                with results.open("ab", buffering=0) as stream:
                    load(planned, locks, cast(BinaryIO, stream), progress, Options(workers=request.workers))
            rounds, interrupted = mend(planned, locks, results, request, show_progress)
        except KeyboardInterrupt:
            interrupted = True
    assembled = assemble(planned, locks, read_results(results), base, request.gate.fail_on)
    assembled = remedied(assembled, rounds, by_name(planned.definitions))
    if interrupted:
        assembled = replace(assembled, exit_status=INTERRUPTED, headline=f"Stopped. {assembled.headline}")
    for outputs in (own_outputs(request.folder), request.outputs):
        write_outputs(assembled, outputs)
    if interrupted:
        raise Interrupted(assembled)
    return assembled


def mend(
    planned: Plan, locks: Locks, results: Path, request: Request, show_progress: ShowProgress
) -> tuple[tuple[Rounds, ...], bool]:
    """The second round, and whether it was interrupted; none where nothing failed, or nobody wants it."""
    bounds = planned.remedies
    wanted = bounds.tried if request.remedies is None else request.remedies
    failed = any(result.outcome is Outcome.FAILED for result in read_results(results))
    broken = any(state.finding is not None for state in locks.runtimes)
    if not wanted or not (failed or broken):
        return (), False
    from loadgate.phases.remedies import Workbench, findings_of

    workbench = Workbench(
        findings=findings_of(planned, locks, read_results(results)),
        bounds=bounds,
        cache=request.cache,
        show_progress=show_progress,
        workers=request.workers,
    )
    interrupted = False
    try:
        workbench.run()
    except KeyboardInterrupt:
        interrupted = True
    write_rounds(request.folder, workbench.rounds)
    return (workbench.rounds,), interrupted


@contextmanager
def claim(folder: Path) -> Iterator[None]:
    """Make the folder of a run, out of git's sight, empty it of what an earlier run said, and keep others from it.

    A run must not change what the next one finds, nor be told by a report that is not its own. The lock is one that
    the kernel takes back, so a run that is killed leaves none.
    """
    # in a folder of somebody else, such as the repository itself, .gitignore would hide what is theirs
    is_ours = folder.name == OURS.name or not folder.exists()
    if folder.name == OURS.name:
        refuse_link(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written: {error.strerror}; choose another with --output") from error
    try:
        hold(descriptor, folder)
        empty(folder, is_ours)
        yield
    finally:
        os.close(descriptor)


def hold(descriptor: int, folder: Path) -> None:
    """Raise `UsageError` where another run holds the folder. A file system without locks needs none of us."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UsageError(f"{folder}: another run writes there; wait for it, or choose another with --output") from error
    except OSError:  # NFS, for one, may have no locks to give
        return


def empty(folder: Path, is_ours: bool) -> None:
    try:
        for stale in STALE:
            (folder / stale).unlink(missing_ok=True)
        for half in folder.glob(".*.[0-9]*"):  # what a run that was killed had not written to its end
            if half.name[1:].rpartition(".")[0] in (*STALE, "plan.json", "locks.json"):
                half.unlink(missing_ok=True)
        if is_ours:
            keep_out_of_git(folder)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written: {error.strerror}; choose another with --output") from error


def refuse_unwritable(file: Path) -> None:
    """Before the work and not after it."""
    if file.parent.name == OURS.name:
        refuse_link(file.parent)
    elif is_stream(file):
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        with tempfile.TemporaryFile(dir=file.parent):
            pass
    except OSError as error:
        raise UsageError(f"{file}: cannot be written: {error.strerror}; choose another") from error


def own_outputs(folder: Path) -> Outputs:
    return Outputs(json=folder / "report.json", junit=folder / "junit.xml")


def refuse_mistakes(planned: Plan, locks: Locks) -> None:
    """Raise `UsageError` where a runtime of the spec asks for a package or version that does not exist."""
    findings = {state.name: state.finding for state in locks.runtimes if state.finding is not None}
    lines = []
    declared = [] if planned.spec_file is None else planned.runtimes
    for runtime in (each for each in declared if not planned.was_inferred(each)):
        finding = findings.get(runtime.name)
        if finding is not None and finding.kind is FindingKind.RESOLVE and finding.cause in MISTAKES:
            where = f"{runtime.origin}: " if runtime.origin else ""
            lines.append(f"{where}runtime {runtime.name}: {finding.headline}")
    if lines:
        raise UsageError("\n".join(lines))
