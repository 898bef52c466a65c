"""Fix: one artifact, and everything that might make it load, tried for real. Nothing of the user's is changed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

from loadgate.diagnosis.attempts import Attempt, Ending, Rounds
from loadgate.diagnosis.remedy import MOST_KEPT, most_different
from loadgate.domain import CaseResult, Format, Locks, Plan, RemedyBounds
from loadgate.errors import LoadgateError, UsageError
from loadgate.interchange import decode_results
from loadgate.loading.resaving import model_in
from loadgate.phases.inspect import inspect
from loadgate.phases.load import Options, load
from loadgate.phases.plan import plan, repository_around
from loadgate.phases.provision import provision
from loadgate.phases.remedies import Tell, Workbench, findings_of
from loadgate.places import status_of
from loadgate.progress import ShowProgress
from loadgate.report.assembly import assemble
from loadgate.report.remedied import remedied
from loadgate.report.truth import Report, Standing

ENVIRONMENTS = 8
"""More than `check` makes: here a person waits for the answer to one question."""
SUFFIXES = {Format.KERAS_H5: ".h5", Format.KERAS_V3: ".keras", Format.SAVED_MODEL: ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    artifact: Path
    repository: Path | None = None
    """None for the one in which the artifact lies."""
    spec_file: Path | None = None
    runtimes: Sequence[str] = ()
    cache: Path
    time: float
    """Seconds after which no further remedy is begun."""
    write: bool = False
    """Write what was saved again beside the original."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    report: Report
    """Of the artifact's own cases, with what mends each."""
    rounds: Rounds
    written: Path | None = None


def fix(request: Request, show_progress: ShowProgress, begin: Callable[[Report], None], tell: Tell) -> Fixed:
    """`begin` is told what failed and why, `tell` what each candidate came to, as it comes."""
    root = request.repository or repository_of(request.artifact)
    whole = plan(root, spec_file=request.spec_file, runtimes=request.runtimes)
    path = path_in(root, request.artifact, whole)
    if request.write:  # before the minutes of work, in whichever format it will be saved
        for format_ in SUFFIXES:
            refuse_existing(beside(root / path, format_))
    planned = with_company(whole, path)
    with show_progress(cases=len(planned.cases)) as progress:
        locks = provision(planned, request.cache, progress=progress)
        stream = BytesIO()
        load(planned, locks, stream, progress, Options())
    results = list(decode_results(stream.getvalue(), Path("results.jsonl")))
    report = about(path, planned, locks, results)
    begin(report)
    findings = findings_of(planned, locks, results)
    failures = tuple(failure for failure in findings.failures if failure.artifact.path == path)
    with tempfile.TemporaryDirectory(prefix="loadgate-", ignore_cleanup_errors=True) as folder:
        workbench = Workbench(
            findings=replace(findings, failures=failures),
            bounds=RemedyBounds(runtimes=ENVIRONMENTS, time=request.time),
            cache=request.cache,
            show_progress=show_progress,
            tell=tell,
            resave_always=True,
            products=Path(folder).resolve(),
        )
        rounds = workbench.run()
        written = write_beside(root / path, rounds, Path(folder)) if request.write else None
    why_not = (
        f"not tried: the {request.time:g} s of --time, or the {ENVIRONMENTS} environments that are made, were used up"
    )
    return Fixed(report=remedied(report, [rounds], why_not=why_not), rounds=rounds, written=written)


def repository_of(artifact: Path) -> Path:
    """The nearest folder above it that has a spec or is a checkout; else the one we are in."""
    named = (artifact, artifact.with_name(f"{artifact.name}.index"))
    if not any(status_of(path) is not None or path.is_symlink() for path in named):
        raise UsageError(f"{artifact}: no such file or directory; give the path of an artifact")
    return repository_around(_from_the_root(artifact).parent) or Path()


def path_in(root: Path, artifact: Path, whole: Plan) -> str:
    """The path by which the plan knows the artifact."""
    known = {found.path for found in whole.artifacts}
    at, folder = _from_the_root(artifact), _from_the_root(root)
    path = at.relative_to(folder).as_posix() if at.is_relative_to(folder) else str(artifact)
    for candidate in (path, str(artifact)):
        if candidate in known:
            return candidate
    if refusals := inspect([artifact]).refusals:
        raise UsageError(refusals[0])
    raise UsageError(f"{artifact}: no artifact that `loadgate plan {root}` finds; does the spec leave it out?")


def _from_the_root(path: Path) -> Path:
    """Without `..`, and by the links that the plan names it by."""
    return Path(os.path.abspath(path))


def with_company(whole: Plan, path: str) -> Plan:
    """Its cases, and so many others that it shows whether a remedy for it would break them."""
    artifacts = {artifact.path: artifact for artifact in whole.artifacts}
    mine = [case for case in whole.cases if case.artifact == path]
    others = [case for case in whole.cases if case.artifact != path]
    kept = most_different(others, artifacts)[:MOST_KEPT]
    cases = (*mine, *kept)
    used = {case.artifact for case in cases}
    return replace(whole, cases=cases, artifacts=tuple(each for each in whole.artifacts if each.path in used))


def about(path: str, planned: Plan, locks: Locks, results: Sequence[CaseResult]) -> Report:
    mine = tuple(case for case in planned.cases if case.artifact == path)
    ids = {case.id for case in mine}
    artifacts = tuple(artifact for artifact in planned.artifacts if artifact.path == path)
    narrowed = replace(planned, cases=mine, artifacts=artifacts)
    return assemble(narrowed, locks, [result for result in results if result.case in ids])


def beside(original: Path, format_: Format) -> Path:
    return original.with_name(f"{original.stem}.resaved{SUFFIXES[format_]}")


def refuse_existing(place: Path) -> None:
    if os.path.lexists(place):
        raise UsageError(f"{os.path.relpath(place)}: exists already; move it away first")


def write_beside(original: Path, rounds: Rounds, products: Path) -> Path | None:
    """The first re-save that was verified, as a new file; None where there is none."""
    for attempt in verified_resaves(rounds):
        resave = attempt.trial.resave
        assert resave is not None  # noqa: S101 -- that is what was asked for
        place = beside(original, resave.format)
        refuse_existing(place)
        source = model_in(products / resave.source, resave.format)
        try:
            # a link would be followed when the copy is read, and the model's own code has written here
            if source.is_dir():
                shutil.copytree(source, place, symlinks=True)
            else:
                shutil.copyfile(source, place, follow_symlinks=False)
        except OSError as error:
            raise LoadgateError(f"{place}: cannot be written: {error.strerror}") from error
        return place
    return None


def verified_resaves(rounds: Rounds) -> list[Attempt]:
    from loadgate.diagnosis.attempts import attempts

    found = [each for tried in attempts(rounds).values() for each in tried]
    return [each for each in found if each.trial.resave is not None and each.ending is Ending.VERIFIED]


def exit_status(fixed: Fixed) -> int:
    """0 where it loads, or every failure has a remedy that was seen to work; 1 where not; 3 without a verdict."""
    failed = [case for case in fixed.report.cases if case.standing is Standing.FAILED]
    mended = [case for case in failed if case.diagnosis and any(one.verified for one in case.diagnosis.remedies)]
    if len(mended) < len(failed):
        return 1
    repaired = {one.name for one in fixed.report.runtimes if any(remedy.verified for remedy in one.remedies)}
    unknown = [case for case in fixed.report.cases if case.standing in (Standing.ERROR, Standing.NOT_REACHED)]
    return 0 if all(case.case.runtime in repaired for case in unknown) else 3
