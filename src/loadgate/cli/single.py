"""Commands about one artifact, one cause or one spec."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from loadgate.cli.options import cache_of, cache_option, repository_argument, spec_option
from loadgate.endings import tell

if TYPE_CHECKING:
    pass


@click.command()
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
@click.option("-q", "--quiet", is_flag=True, help="Show no progress, and no attempt as it ends.")
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
        tell=lambda attempts: None if options["quiet"] else fixing.print_attempts(attempts, console),
    )
    written = os.path.relpath(fixed.written) if fixed.written else None
    fixing.print_verdict(fixed.report, fixed.rounds, console, written=written)
    sys.exit(phase.exit_status(fixed))


@click.command()
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


@click.command()
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


@click.command()
@repository_argument
@click.option("--force", is_flag=True, help="Replace a loadgate.yml that is there.")
def init(path: Path | None, force: bool) -> None:
    """Write a commented loadgate.yml from what is declared already.

    PATH is the repository. [default: the one we are in]
    """
    from loadgate.phases.init import init as phase
    from loadgate.phases.plan import repository_here

    click.echo(phase(path or repository_here(), force=force))
