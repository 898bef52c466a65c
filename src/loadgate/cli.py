"""The command line: commands and options. No logic."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from loadgate import __version__
from loadgate.endings import run, tell, whoever_reads

if TYPE_CHECKING:
    from loadgate.domain import Locks, Plan
    from loadgate.phases.check import Request
    from loadgate.phases.publish import Publication
    from loadgate.phases.report import Gate, Outputs
    from loadgate.progress import Progress
    from loadgate.report.terminal import Detail
    from loadgate.report.truth import Report

FOLDER = Path(".loadgate")

Command = TypeVar("Command", bound=Callable[..., Any])

repository_argument = click.argument("path", required=False, type=click.Path(path_type=Path))
spec_option = click.option("--spec", "spec_file", type=click.Path(path_type=Path), help="Read this loadgate.yml.")
cache_option = click.option(
    "--cache",
    type=click.Path(path_type=Path),
    help="Where runtimes are kept. [default: $LOADGATE_CACHE, else the user's cache directory]",
)
refresh_option = click.option("--refresh", is_flag=True, help="Resolve every runtime anew, also where that is known.")
sandbox_option = click.option(
    "--require-sandbox", is_flag=True, help="Load nothing where a wall of the sandbox cannot be put up."
)
workers_option = click.option("--jobs", type=click.IntRange(1), help="Loads at once. [default: one a core]")
junit_option = click.option("--junit", type=click.Path(path_type=Path), help="Write JUnit XML to this file as well.")
json_option = click.option(
    "--json", "json_file", type=click.Path(path_type=Path), help="Write report.json to this file as well."
)
html_option = click.option("--html", type=click.Path(path_type=Path), help="Write a page for people to this file.")
sarif_option = click.option(
    "--sarif", type=click.Path(path_type=Path), help="Write SARIF for code scanning to this file."
)
summary_option = click.option(
    "--summary",
    type=click.Path(path_type=Path),
    help="Append Markdown to this file, such as $GITHUB_STEP_SUMMARY.",
)
plan_option = click.option(
    "--plan", "plan_file", type=click.Path(path_type=Path), default=FOLDER / "plan.json", show_default=True
)
locks_option = click.option(
    "--locks", "locks_file", type=click.Path(path_type=Path), default=FOLDER / "locks.json", show_default=True
)


images_option = click.option(
    "--images",
    type=click.Path(path_type=Path),
    help="Folders of the plan's images, where somebody else runs Docker. [default: Docker is run here]",
)


def detail_options(command: Command) -> Command:
    command = click.option("-v", "--verbose", is_flag=True, help="Tell tracebacks and logs as well.")(command)
    return click.option("-q", "--quiet", is_flag=True, help="Tell the verdict and the failures alone.")(command)


def output_options(command: Command) -> Command:
    for option in (summary_option, sarif_option, html_option, json_option, junit_option):
        command = option(command)
    return command


def gate_options(command: Command) -> Command:
    command = click.option(
        "--base-report",
        type=click.Path(path_type=Path),
        help="The base branch's last report.json, which tells new failures from old ones.",
    )(command)
    return click.option(
        "--fail-on",
        type=click.Choice(["any", "new", "never"]),
        help="Which failures end with status 1. [default: the spec's policy, else any]",
    )(command)


def github_options(command: Command) -> Command:
    for option in (
        click.option("--suggestions/--no-suggestions", default=True, help="Suggest fixes on the lines of a diff."),
        click.option(
            "--comment",
            type=click.Choice(["always", "on-failure", "on-change", "never"]),
            default="on-failure",
            show_default=True,
            help="When a pull request gets its comment; one that is there is kept current.",
        ),
        click.option("--name", default="loadgate", show_default=True, help="Of the check run and of the comment."),
        click.option(
            "--github",
            "posts",
            is_flag=True,
            help="Post to GitHub, with $GITHUB_TOKEN, what the event of this workflow calls for.",
        ),
    ):
        command = option(command)
    return command


def narrowing_options(command: Command) -> Command:
    command = click.option("--runtime", "runtimes", multiple=True, help="Only this runtime. May be repeated.")(command)
    return click.option(
        "--artifact", "artifacts", multiple=True, help="Only artifacts whose path fits this pattern. May be repeated."
    )(command)


class InOrder(click.Group):
    """Lists its commands in the order of this file, `check` and the phases first."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as click calls it
        return list(self.commands)


@click.group(cls=InOrder, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="loadgate", message="%(prog)s %(version)s")
def commands() -> None:
    """Will every model in this repository load where it is going to run?

    `loadgate check` answers it; the exit status is 0 when every model loads, 1 when one does not, 2 when the call or
    the spec is wrong, and 3 when there is no verdict.
    """


@commands.command()
@repository_argument
@spec_option
@narrowing_options
@click.option(
    "--output", "folder", type=click.Path(path_type=Path), default=FOLDER, show_default=True, help="Folder for reports."
)
@output_options
@gate_options
@cache_option
@refresh_option
@workers_option
@click.option("--require-artifacts", is_flag=True, help="Fail where there is no model at all.")
@sandbox_option
@click.option(
    "--remedies/--no-remedies", default=None, help="Try what might mend a failure. [default: as the spec says]"
)
@click.option("--predict", "predicts", is_flag=True, help="Load nothing; tell in seconds what is expected to load.")
@detail_options
def check(path: Path | None, folder: Path, **options: Any) -> None:
    """Load every model in the runtimes that its repository declares.

    PATH is the repository. [default: the one we are in]
    """
    from loadgate.phases import check as phase
    from loadgate.phases.plan import repository_here
    from loadgate.report.live import show_progress
    from loadgate.report.wording import call

    detail = detail_of(options)
    request = phase.Request(
        repository=path or repository_here(),
        spec_file=options["spec_file"],
        artifacts=options["artifacts"],
        runtimes=options["runtimes"],
        folder=folder,
        cache=cache_of(options["cache"]),
        refresh=options["refresh"],
        require_artifacts=options["require_artifacts"],
        require_sandbox=options["require_sandbox"],
        workers=options["jobs"],
        remedies=options["remedies"],
        outputs=outputs_of(options),
        gate=gate_of(options),
    )
    if options["predicts"]:
        sys.exit(foresee(request, detail))
    try:
        report = phase.check(request, partial(show_progress, sys.stderr, quiet=options["quiet"]))
    except phase.Interrupted as interruption:
        report = interruption.so_far
    show(report, detail, call(str(path or ""), str(options["spec_file"] or "")))
    sys.exit(report.exit_status)


@commands.command()
@repository_argument
@spec_option
@narrowing_options
@click.option("--output", type=click.Path(path_type=Path), default=FOLDER / "plan.json", show_default=True)
def plan(path: Path | None, output: Path, **options: Any) -> None:
    """Find the artifacts, read the spec, write what is to be tried.

    PATH is the repository. [default: the one we are in]
    """
    from loadgate.interchange import write_document
    from loadgate.phases.plan import plan as phase
    from loadgate.phases.plan import repository_here
    from loadgate.report.wording import count

    planned = phase(path or repository_here(), **options)
    write_document(output, planned)
    parts = ((planned.artifacts, "artifact"), (planned.runtimes, "runtime"), (planned.cases, "case"))
    click.echo(f"{output}: {', '.join(count(len(found), noun) for found, noun in parts)}")


@commands.command()
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
    from loadgate.phases.provision import provision as phase
    from loadgate.report.live import show_progress
    from loadgate.report.wording import count

    planned = read_document(plan_file, Plan)
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


class Shard(click.ParamType[tuple[int, int]]):
    name = "I/N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        index, slash, of = str(value).partition("/")
        if not (slash and index.isdigit() and of.isdigit() and 1 <= int(index) <= int(of)):
            self.fail(f"{value!r} is no shard; give one such as 2/5", param, ctx)
        return int(index), int(of)


@commands.command()
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


@commands.command()
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
    from loadgate.report.wording import call

    planned, locks = read_document(plan_file, Plan), read_document(locks_file, Locks)
    files = results or (FOLDER / "results.jsonl",)
    publication = publication_of(options)
    outputs = outputs_of(options | {"summary": None}) if publication else outputs_of(options)
    assembled = phase(planned, locks, files, outputs, gate_of(options), candidates=options["candidates"])
    show(assembled, detail_of(options), call(planned.repository))
    if publication:
        publish(assembled, publication, options["summary"])
    sys.exit(assembled.exit_status)


@commands.command()
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
    from loadgate.interchange import read_document
    from loadgate.phases.outline import ask_for_images
    from loadgate.phases.outline import outline as phase
    from loadgate.report.report_json import read_report

    planned = read_document(plan_file, Plan) if plan_file else None
    if planned and images:
        ask_for_images(planned, images)
    locks = [read_document(path, Locks) for path in locks_files]
    for name, value in phase(planned, locks, read_report(report_file) if report_file else None, shards=shards):
        click.echo(f"{name}={value}")


@commands.command()
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


@commands.command()
@click.argument("artifact", type=click.Path(path_type=Path))
@click.option("--repository", type=click.Path(path_type=Path), help="[default: the one in which ARTIFACT lies]")
@spec_option
@click.option("--runtime", "runtimes", multiple=True, help="Only this runtime. May be repeated.")
@click.option("--write", is_flag=True, help="Write what was saved again beside the original, where that mends it.")
@click.option(
    "--time",
    type=click.FloatRange(0),
    default=1800.0,
    show_default=True,
    help="Seconds after which nothing more is begun.",
)
@cache_option
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
def fix(artifact: Path, **options: Any) -> None:
    """Find out what makes ARTIFACT load.

    Each remedy is tried for real, and the lines to change are told.
    """
    from loadgate.phases import fix as phase
    from loadgate.report import fixing
    from loadgate.report.live import show_progress
    from loadgate.report.terminal import open_console

    console = open_console(sys.stdout)
    request = phase.Request(
        artifact=artifact,
        repository=options["repository"],
        spec_file=options["spec_file"],
        runtimes=options["runtimes"],
        cache=cache_of(options["cache"]),
        time=options["time"],
        write=options["write"],
    )
    fixed = phase.fix(
        request,
        partial(show_progress, sys.stderr, quiet=options["quiet"]),
        begin=lambda report: fixing.print_failures(report, console),
        tell=lambda attempts: fixing.print_attempts(attempts, console),
    )
    fixing.print_verdict(fixed.report, console, written=os.path.relpath(fixed.written) if fixed.written else None)
    sys.exit(phase.exit_status(fixed))


@commands.command()
@click.argument("artifacts", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Write JSON instead of a sheet for people.")
def inspect(artifacts: tuple[Path, ...], as_json: bool) -> None:
    """Tell what ARTIFACTS say of themselves, without loading them."""
    from loadgate.phases.inspect import inspect as phase
    from loadgate.report.inspection import encode_inspection, print_inspection
    from loadgate.report.terminal import open_console

    found = phase(artifacts)
    if found.artifacts and as_json:
        click.echo(encode_inspection(found.artifacts))
    elif found.artifacts:
        print_inspection(found.artifacts, open_console(sys.stdout))
    for refusal in found.refusals:
        tell(f"loadgate: {refusal}")
    sys.exit(found.exit_status)


@commands.command()
@click.argument("cause", required=False)
def explain(cause: str | None) -> None:
    """Tell why CAUSE happens and what to do about it.

    Without it, tell which causes there are.
    """
    from loadgate.report.explanation import cause_named, print_cause, print_causes
    from loadgate.report.terminal import open_console

    console = open_console(sys.stdout)
    if cause is None:
        print_causes(console)
    else:
        print_cause(cause_named(cause), console)


@commands.command()
@repository_argument
@click.option("--force", is_flag=True, help="Replace a loadgate.yml that is there.")
def init(path: Path | None, force: bool) -> None:
    """Write a commented loadgate.yml from what is declared already.

    PATH is the repository. [default: the one we are in]
    """
    from loadgate.phases.init import init as phase
    from loadgate.phases.plan import repository_here

    click.echo(phase(path or repository_here(), force=force))


def outputs_of(options: dict[str, Any]) -> Outputs:
    from loadgate.phases.report import Outputs

    return Outputs(
        json=options["json_file"],
        junit=options["junit"],
        html=options["html"],
        sarif=options["sarif"],
        summary=options["summary"],
    )


def gate_of(options: dict[str, Any]) -> Gate:
    from loadgate.domain import FailOn
    from loadgate.phases.report import Gate

    fail_on = options["fail_on"]
    return Gate(base_report=options["base_report"], fail_on=FailOn(fail_on) if fail_on else None)


def publication_of(options: dict[str, Any]) -> Publication | None:
    if not options["posts"]:
        return None
    from loadgate.phases.publish import publication
    from loadgate.report.comment import Mode
    from loadgate.report.github.posting import Wishes

    wishes = Wishes(name=options["name"], comment=Mode(options["comment"]), suggestions=options["suggestions"])
    return publication(os.environ, wishes)


def publish(report: Report, publication: Publication, summary: Path | None) -> None:
    """Post the report. The runner reads its commands from standard output."""
    from loadgate.phases.publish import publish as phase

    published = phase(report, publication, summary)
    for line in published.commands:
        click.echo(line)
    for problem in published.problems:
        click.echo(f"loadgate: {problem}", err=True)


def provision_candidates(planned: Plan, file: Path, cache: Path, images: Path | None, progress: Progress) -> Locks:
    """What a plan of candidates asks for was worked out where models' code ran: it is held to the plan before it."""
    from loadgate.diagnosis.allowed import refuse_what_no_remedy_is
    from loadgate.domain import Plan
    from loadgate.interchange import read_document
    from loadgate.phases.remedies import make_candidates

    refuse_what_no_remedy_is(planned, read_document(file.with_name("plan.json"), Plan))
    return make_candidates(planned, cache, progress, patience=planned.remedies.time, images=images)


def foresee(request: Request, detail: Detail) -> int:
    from loadgate.phases.predict import foresee as phase
    from loadgate.report.expectations import print_expectations
    from loadgate.report.terminal import open_console

    report = phase(request)
    with whoever_reads():
        print_expectations(report, open_console(sys.stdout), detail=detail)
    return report.exit_status


def cache_of(given: Path | None) -> Path:
    from loadgate.runtimes.store import default_cache

    return given or default_cache(os.environ)


def detail_of(options: dict[str, Any]) -> Detail:
    from loadgate.report.terminal import Detail

    if options["quiet"]:
        return Detail.QUIET
    return Detail.VERBOSE if options["verbose"] else Detail.NORMAL


def show(report: Report, detail: Detail, command: str) -> None:
    from loadgate.report.console import print_report
    from loadgate.report.terminal import open_console

    with whoever_reads():
        print_report(report, open_console(sys.stdout), detail=detail, call=command)


def main() -> None:
    run(commands)


if __name__ == "__main__":
    main()
