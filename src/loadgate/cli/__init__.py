"""The command line: commands and options. No logic."""

from __future__ import annotations

import os
import sys

import click

from loadgate import __version__
from loadgate.cli.checking import check
from loadgate.cli.phases import load, outline, plan, provision, prune, report
from loadgate.cli.single import explain, fix, init, inspect
from loadgate.endings import run


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


for command in (check, plan, provision, load, report, outline, prune, fix, inspect, explain, init):
    commands.add_command(command)


def main() -> None:
    read_names_as_utf_8()
    run(commands)


def read_names_as_utf_8() -> None:
    """The names in a plan are UTF-8, whatever the terminal's language is: start again where ours would not be."""
    if sys.getfilesystemencoding() != "utf-8":
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606 - ourselves
