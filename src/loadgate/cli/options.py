"""Options that several commands have, and what they mean to the phases."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from loadgate.places import OURS

if TYPE_CHECKING:
    from loadgate.phases.publish import Publication
    from loadgate.phases.report import Gate, Outputs
    from loadgate.report.terminal import Detail

FOLDER = OURS

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
workers_option = click.option("--jobs", type=click.IntRange(1), help="Loads at once. [default: one more than cores]")
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


class Prefix(click.ParamType[str]):
    """`services/ml` becomes `services/ml/`, and the root nothing."""

    name = "FOLDER"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        parts = [part for part in str(value).split("/") if part not in ("", ".")]
        if str(value).startswith("/") or ".." in parts:
            self.fail(f"{value!r} is no folder of the checkout; give one such as services/ml", param, ctx)
        return "".join(f"{part}/" for part in parts)


prefix_option = click.option(
    "--prefix",
    type=Prefix(),
    default="",
    help="Where the repository lies in its checkout: what GitHub and SARIF are told of begins there.",
)


def output_options(command: Command) -> Command:
    for option in (prefix_option, summary_option, sarif_option, html_option, json_option, junit_option):
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


class Shard(click.ParamType[tuple[int, int]]):
    name = "I/N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        index, slash, of = str(value).partition("/")
        if not (slash and index.isdigit() and of.isdigit() and 1 <= int(index) <= int(of)):
            self.fail(f"{value!r} is no shard; give one such as 2/5", param, ctx)
        return int(index), int(of)


# --- what was asked for -------------------------------------------------------------------------------------------


def outputs_of(options: dict[str, Any], call: str = "") -> Outputs:
    from loadgate.phases.report import Outputs

    return Outputs(
        json=options["json_file"],
        junit=options["junit"],
        html=options["html"],
        sarif=options["sarif"],
        summary=options["summary"],
        prefix=options["prefix"],
        call=call,
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
    return publication(os.environ, wishes, prefix=options["prefix"])


def cache_of(given: Path | None) -> Path:
    from loadgate.runtimes.store import default_cache

    return given or default_cache(os.environ)


def detail_of(options: dict[str, Any]) -> Detail:
    from loadgate.report.terminal import Detail

    if options["quiet"]:
        return Detail.QUIET
    return Detail.VERBOSE if options["verbose"] else Detail.NORMAL
