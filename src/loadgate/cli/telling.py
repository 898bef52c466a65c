"""A report, to whoever reads standard output."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from loadgate.endings import whoever_reads

if TYPE_CHECKING:
    from loadgate.report.terminal import Detail
    from loadgate.report.truth import Report


def show(report: Report, detail: Detail, command: str) -> None:
    from loadgate.report.console import print_report
    from loadgate.report.terminal import open_console

    with whoever_reads():
        print_report(report, open_console(sys.stdout), detail=detail, call=command)
