"""The report phase: from the files of the phases before it to what people and programs read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from loadgate import interchange
from loadgate.domain import Locks, Plan
from loadgate.report.assembly import assemble_shards
from loadgate.report.junit import encode_junit
from loadgate.report.report_json import encode_report
from loadgate.report.truth import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """The files to write; None leaves one out."""

    json: Path | None = None
    junit: Path | None = None


def report(plan: Plan, locks: Locks, result_files: Sequence[Path], outputs: Outputs = Outputs()) -> Report:
    """Assemble the report from every file of results and write each output that is asked for.

    Several files are the shards of one run: in whatever order they are given, the report is the unsharded one's.
    """
    assembled = assemble_shards(plan, locks, (interchange.read_results(path) for path in result_files))
    write_outputs(assembled, outputs)
    return assembled


def write_outputs(assembled: Report, outputs: Outputs) -> None:
    if outputs.json is not None:
        interchange.write_whole(outputs.json, encode_report(assembled))
    if outputs.junit is not None:
        interchange.write_whole(outputs.junit, encode_junit(assembled))
