"""The phases one by one, each a file in and a file out."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from loadgate.cli.options import (
    FOLDER,
    Shard,
    cache_of,
    cache_option,
    detail_of,
    detail_options,
    gate_of,
    gate_options,
    github_options,
    images_option,
    locks_option,
    narrowing_options,
    output_options,
    outputs_of,
    plan_option,
    publication_of,
    refresh_option,
    repository_argument,
    sandbox_option,
    spec_option,
    workers_option,
)
from loadgate.cli.telling import show

if TYPE_CHECKING:
    from loadgate.domain import Locks, Plan
    from loadgate.phases.publish import Publication
    from loadgate.progress import Progress
    from loadgate.report.truth import Report


@click.command()
@repository_argument
@spec_option
@narrowing_options
@click.option("--output", type=click.Path(path_type=Path), default=FOLDER / "plan.json", show_default=True)
def plan(path: Path | None, output: Path, **options: Any) -> None:
    """Find the artifacts, read the spec, write what is to be tried.

    PATH is the repository. [default: the one we are in]
    """
    from loadgate.interchange import write_document
    from loadgate.phases.check import refuse_unwritable
    from loadgate.phases.plan import plan as phase
    from loadgate.phases.plan import repository_here
    from loadgate.report.wording import count

    planned = phase(path or repository_here(), **options)
    refuse_unwritable(output)
    write_document(output, planned)
    parts = ((planned.artifacts, "artifact"), (planned.runtimes, "runtime"), (planned.cases, "case"))
    click.echo(f"{output}: {', '.join(count(len(found), noun) for found, noun in parts)}")


@click.command()
@plan_option
@click.option("--output", type=click.Path(path_type=Path), default=FOLDER / "locks.json", show_default=True)
@cache_option
@refresh_option
@images_option
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
def provision(plan_file: Path, output: Path, quiet: bool, **options: Any) -> None:
    """Make the runtimes of a plan. The only phase that needs the network."""
    from loadgate import untrusted
    from loadgate.domain import Plan
    from loadgate.interchange import read_document, write_document
    from loadgate.phases.check import refuse_unwritable
    from loadgate.phases.provision import provision as phase
    from loadgate.report.live import show_progress
    from loadgate.report.wording import count

    planned = read_document(plan_file, Plan)
    refuse_unwritable(output)
    with show_progress(sys.stderr, cases=0, quiet=quiet) as progress:
        place = cache_of(options["cache"])
        if planned.trials:
            locks = provision_candidates(planned, plan_file, place, options["images"], progress)
        else:
            locks = phase(planned, place, refresh=options["refresh"], images=options["images"], progress=progress)
    write_document(output, locks)
    broken = [state for state in locks.runtimes if state.finding is not None]
    for state in broken:
        headline = untrusted.line(state.finding.headline) if state.finding else ""
        click.echo(f"runtime {untrusted.name(state.name)}: {headline}", err=True)
    click.echo(f"{output}: {count(len(locks.runtimes) - len(broken), 'runtime')} made, {len(broken)} not")


@click.command()
@plan_option
@locks_option
@click.option("--output", type=click.Path(path_type=Path), default=FOLDER / "results.jsonl", show_default=True)
@click.option("--repository", type=click.Path(path_type=Path), help="Where the artifacts are. [default: as planned]")
@click.option("--shard", type=Shard(), default=(1, 1), help="Only every N-th case, from the I-th. [default: all]")
@images_option
@click.option(
    "--candidates",
    type=click.Path(path_type=Path),
    help="Where to write what might mend the failures, as a plan. [default: beside the results]",
)
@workers_option
@sandbox_option
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
def load(plan_file: Path, locks_file: Path, output: Path, **options: Any) -> None:
    """Try every case of a plan. Runs the code of the models."""
    from loadgate.domain import Locks, Plan
    from loadgate.interchange import open_results, read_document
    from loadgate.loading.schedule import shard
    from loadgate.phases.load import Options
    from loadgate.phases.load import load as phase
    from loadgate.report.live import show_progress

    planned, locks = read_document(plan_file, Plan), read_document(locks_file, Locks)
    asked = Options(
        require_sandbox=options["require_sandbox"],
        repository=options["repository"],
        workers=options["jobs"],
        images=options["images"],
        shard=options["shard"],
    )
    cases = len(shard(len(planned.cases), *asked.shard))
    with (
        open_results(output) as results,
        show_progress(sys.stderr, cases=cases, quiet=options["quiet"]) as progress,
    ):
        phase(planned, locks, results, progress, asked)
    if planned.remedies.tried and not planned.trials:
        from loadgate.phases.remedies import write_candidates

        write_candidates(options["candidates"] or output.with_name("candidates.json"), planned, locks, output)


@click.command()
@plan_option
@locks_option
@click.argument("results", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--candidates",
    type=click.Path(path_type=Path),
    multiple=True,
    help="A plan of candidates that was tried; beside it lie candidate-locks.json and candidate-results.jsonl.",
)
@output_options
@gate_options
@github_options
@detail_options
def report(plan_file: Path, locks_file: Path, results: tuple[Path, ...], **options: Any) -> None:
    """Tell what came of a plan, from the files of RESULTS together. [default: .loadgate/results.jsonl]"""
    from loadgate.domain import Locks, Plan
    from loadgate.interchange import read_document
    from loadgate.phases.report import report as phase
    from loadgate.report.wording import call_at_root

    planned, locks = read_document(plan_file, Plan), read_document(locks_file, Locks)
    files = results or (FOLDER / "results.jsonl",)
    publication = publication_of(options)
    outputs = outputs_of(options | {"summary": None}) if publication else outputs_of(options)
    if plan_file == FOLDER / "plan.json" and outputs.json is None:
        outputs = replace(outputs, json=FOLDER / "report.json")  # an earlier run's would be taken for this one's
    assembled = phase(planned, locks, files, outputs, gate_of(options), candidates=options["candidates"])
    show(assembled, detail_of(options), call_at_root(planned.spec_file, f"{planned.repository}/"))
    if publication:
        publish(assembled, publication, options["summary"])
    sys.exit(assembled.exit_status)


@click.command()
@click.option("--plan", "plan_file", type=click.Path(path_type=Path), help="What is to be tried.")
@click.option("--locks", "locks_files", type=click.Path(path_type=Path), multiple=True, help="May be repeated.")
@click.option("--report", "report_file", type=click.Path(path_type=Path), help="A report.json.")
@click.option("--shards", type=click.IntRange(1, 256), default=1, help="Into how many parts the load may be split.")
@click.option("--images", type=click.Path(path_type=Path), help="Make a folder here for each image of the plan.")
def outline(
    plan_file: Path | None,
    locks_files: tuple[Path, ...],
    report_file: Path | None,
    shards: int,
    images: Path | None,
) -> None:
    """Tell scripts what is in the files between the phases.

    In lines of `name=value`.
    """
    from loadgate.domain import Locks, Plan
    from loadgate.errors import UsageError
    from loadgate.interchange import read_document
    from loadgate.phases.outline import ask_for_images
    from loadgate.phases.outline import outline as phase
    from loadgate.report.report_json import read_report

    if not (plan_file or report_file):
        raise UsageError("outline: name a file to tell of, with --plan or --report")
    planned = read_document(plan_file, Plan) if plan_file else None
    if planned and images:
        ask_for_images(planned, images)
    locks = [read_document(path, Locks) for path in locks_files]
    for name, value in phase(planned, locks, read_report(report_file) if report_file else None, shards=shards):
        click.echo(f"{name}={value}")


@click.command()
@click.argument("locks_files", metavar="LOCKS...", nargs=-1, required=True, type=click.Path(path_type=Path))
@cache_option
def prune(locks_files: tuple[Path, ...], cache: Path | None) -> None:
    """Remove from the cache every runtime that none of LOCKS names.

    Only where no other run uses the cache: those of other projects are removed as well.
    """
    from loadgate.domain import Locks
    from loadgate.interchange import read_document
    from loadgate.phases.outline import prune as phase
    from loadgate.report.wording import count

    place = cache_of(cache)
    removed = phase([read_document(path, Locks) for path in locks_files], place)
    click.echo(f"{place}: {count(removed, 'runtime')} removed")


def provision_candidates(planned: Plan, file: Path, cache: Path, images: Path | None, progress: Progress) -> Locks:
    """What a plan of candidates asks for was worked out where models' code ran: it is held to the plan before it."""
    from loadgate.diagnosis.allowed import refuse_what_no_remedy_is
    from loadgate.domain import Plan
    from loadgate.interchange import read_document
    from loadgate.phases.remedies import make_candidates

    refuse_what_no_remedy_is(planned, read_document(file.with_name("plan.json"), Plan))
    return make_candidates(planned, cache, progress, patience=planned.remedies.time, images=images)


def publish(report: Report, publication: Publication, summary: Path | None) -> None:
    """Post the report. The runner reads its commands from standard output."""
    from loadgate.phases.publish import publish as phase

    published = phase(report, publication, summary)
    for line in published.commands:
        click.echo(line)
    for problem in published.problems:
        click.echo(f"loadgate: {problem}", err=True)
