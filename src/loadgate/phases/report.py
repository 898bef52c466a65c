"""The report phase: from the files of the phases before it to what people and programs read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from loadgate import interchange
from loadgate.diagnosis.definitions import by_name
from loadgate.domain import FailOn, Locks, Plan
from loadgate.phases.rounds import read_rounds
from loadgate.places import status_of
from loadgate.report import wording
from loadgate.report.assembly import assemble_shards
from loadgate.report.junit import encode_junit
from loadgate.report.remedied import remedied
from loadgate.report.report_json import encode_report, read_report
from loadgate.report.sarif import encode_sarif
from loadgate.report.summary import append_summary
from loadgate.report.truth import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """The files to write; None leaves one out."""

    json: Path | None = None
    junit: Path | None = None
    html: Path | None = None
    sarif: Path | None = None
    summary: Path | None = None
    """Is appended to."""
    prefix: str = ""
    """Where the repository lies in its checkout, with `/` at the end."""
    call: str = ""
    """The command that made the report, as the user gave it; empty where it is read at the root of the checkout."""

    @property
    def files(self) -> tuple[Path, ...]:
        named = (self.json, self.junit, self.html, self.sarif, self.summary)
        return tuple(path for path in named if path is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What decides whether failures block, beside the plan's own policy."""

    base_report: Path | None = None
    fail_on: FailOn | None = None


def report(  # noqa: PLR0913 -- each is a file, or a set of files, of its own
    plan: Plan,
    locks: Locks,
    result_files: Sequence[Path],
    outputs: Outputs = Outputs(),
    gate: Gate = Gate(),
    *,
    candidates: Sequence[Path] = (),
) -> Report:
    """Assemble the report from every file of results and write each output that is asked for.

    Several files are the shards of one run: in whatever order they are given, the report is the unsharded one's.
    `candidates` are the plans of the second round, each with what became of it beside it.
    """
    base = read_base(gate)
    results = (interchange.read_results(path) for path in result_files)
    assembled = assemble_shards(plan, locks, results, base, gate.fail_on)
    assembled = remedied(assembled, [read_rounds(path) for path in candidates], by_name(plan.definitions))
    write_outputs(assembled, outputs)
    return assembled


def read_base(gate: Gate) -> Report | None:
    """None also where the file is not there: the first run of a repository has no earlier one to compare with."""
    if gate.base_report is None or status_of(gate.base_report) is None:
        return None
    return read_report(gate.base_report)


def write_outputs(assembled: Report, outputs: Outputs) -> None:
    if outputs.json is not None:
        interchange.write_whole(outputs.json, encode_report(assembled))
    if outputs.junit is not None:
        interchange.write_whole(outputs.junit, encode_junit(assembled))
    call = outputs.call or wording.call_at_root(assembled.spec_file, outputs.prefix)
    if outputs.html is not None:
        from loadgate.report.html import encode_html

        interchange.write_whole(outputs.html, encode_html(assembled, call))
    if outputs.sarif is not None:
        interchange.write_whole(outputs.sarif, encode_sarif(assembled, outputs.prefix))
    if outputs.summary is not None:
        append_summary(outputs.summary, assembled, call=call)
