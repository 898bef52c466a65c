"""`loadgate check`: all phases on this machine, or what is expected of them."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from loadgate.cli.options import (
    FOLDER,
    cache_of,
    cache_option,
    detail_of,
    detail_options,
    gate_of,
    gate_options,
    narrowing_options,
    output_options,
    outputs_of,
    refresh_option,
    repository_argument,
    sandbox_option,
    spec_option,
    workers_option,
)
from loadgate.cli.telling import show
from loadgate.endings import whoever_reads

if TYPE_CHECKING:
    from loadgate.phases.check import Request
    from loadgate.report.terminal import Detail


@click.command()
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
    command = call(str(path or ""), str(options["spec_file"] or ""))
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
        outputs=outputs_of(options, command),
        gate=gate_of(options),
    )
    if options["predicts"]:
        sys.exit(foresee(request, detail))
    try:
        report = phase.check(request, partial(show_progress, sys.stderr, quiet=options["quiet"]))
    except phase.Interrupted as interruption:
        report = interruption.so_far
    show(report, detail, command)
    sys.exit(report.exit_status)


def foresee(request: Request, detail: Detail) -> int:
    from loadgate.phases.predict import foresee as phase
    from loadgate.report.expectations import print_expectations
    from loadgate.report.terminal import open_console

    report = phase(request)
    with whoever_reads():
        print_expectations(report, open_console(sys.stdout), detail=detail)
    return report.exit_status
