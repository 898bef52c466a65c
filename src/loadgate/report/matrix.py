"""Artifacts × runtimes: which rows and columns there are, and how they are drawn on the width there is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from loadgate import untrusted
from loadgate.domain import Device, Forecast, Reason, Stage
from loadgate.report.terminal import STYLES, WORDS, fit_path, mark, symbol
from loadgate.report.truth import CaseReport, Report, Standing

EVERY_ROW_UP_TO = 50
"""With more artifacts than these, only those that a person must look at get a row."""
NARROWEST_PATH = 24
GAP = 2
HEADER = "artifact"


@dataclass(frozen=True, slots=True)
class Column:
    runtime: str
    device: Device


@dataclass(frozen=True, slots=True)
class Row:
    artifact: str
    loader: str | None
    """Named only where one artifact is loaded in two ways in the same place."""
    cells: Mapping[Column, CaseReport]

    @property
    def label(self) -> str:
        return f"{self.artifact} ({self.loader})" if self.loader else self.artifact

    @property
    def needs_a_look(self) -> bool:
        """A broken runtime and an interrupted run are told once, not once an artifact."""
        return any(
            (case.prediction is not None and case.prediction.forecast is Forecast.WILL_NOT_LOAD)
            or case.standing is Standing.FAILED
            or (case.standing is Standing.ERROR and case.reason is not Reason.RUNTIME)
            for case in self.cells.values()
        )


def columns(report: Report) -> Sequence[Column]:
    present = {Column(case.case.runtime, case.case.device) for case in report.cases}
    wanted = [Column(runtime.name, device) for runtime in report.runtimes for device in Device]
    return [column for column in wanted if column in present]


def rows(report: Report) -> Sequence[Row]:
    places = Counter((case.case.artifact, case.case.runtime, case.case.device) for case in report.cases)
    twice = {artifact for (artifact, _, _), number in places.items() if number > 1}
    cells: dict[tuple[str, str | None], dict[Column, CaseReport]] = {}
    for case in report.cases:
        key = (case.case.artifact, case.case.loader.value if case.case.artifact in twice else None)
        cells.setdefault(key, {})[Column(case.case.runtime, case.case.device)] = case
    return [Row(artifact, loader, found) for (artifact, loader), found in cells.items()]


def draw(report: Report, console: Console) -> None:
    found = rows(report)
    shown = found if len(found) <= EVERY_ROW_UP_TO else [row for row in found if row.needs_a_look]
    if shown:
        table = _table(shown, columns(report), console)
        if table is not None:
            console.print(table)
        else:
            _list(shown, console)
    if len(shown) < len(found):
        _count_the_rest(found, shown, console)


def _table(shown: Sequence[Row], across: Sequence[Column], console: Console) -> Table | None:
    """None where it would leave too little room for the paths."""
    cells = [[_cell(row.cells.get(column), console) for column in across] for row in shown]
    headers = [[fit_path(column.runtime, 18), column.device.value] for column in across]
    widths = [
        max(*(cell_len(part) for part in header), *(row[index].cell_len for row in cells))
        for index, header in enumerate(headers)
    ]
    room = console.width - sum(width + GAP for width in widths)
    longest = max(cell_len(HEADER), *(cell_len(untrusted.name(row.label)) for row in shown))
    if room < min(longest, NARROWEST_PATH):
        return None
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="bright_black")
    table.add_column(HEADER, width=min(longest, room), no_wrap=True)
    for header, width in zip(headers, widths, strict=True):
        table.add_column("\n".join(header), width=width, no_wrap=True)
    for row, row_cells in zip(shown, cells, strict=True):
        table.add_row(Text(fit_path(row.label, min(longest, room))), *row_cells)
    return table


FORECASTS: Mapping[Forecast, tuple[str, str]] = {
    Forecast.WILL_LOAD: ("expected", ""),
    Forecast.WILL_NOT_LOAD: ("NOT expected", "red"),
    Forecast.NOT_KNOWN: ("not known", "bright_black"),
}
"""A prediction is told in words of its own: none of them is one for an outcome."""


def _cell(case: CaseReport | None, console: Console) -> Text:
    if case is not None and case.prediction is not None:
        return Text(*FORECASTS[case.prediction.forecast])
    return Text("") if case is None else mark(console, case.standing, WORDS[case.standing] + _stage(case))


def word_of(case: CaseReport) -> str:
    """In a cell, without its symbol."""
    return FORECASTS[case.prediction.forecast][0] if case.prediction else WORDS[case.standing]


def _stage(case: CaseReport) -> str:
    """Named where it is not the load."""
    decisive = case.decisive
    return f" ({decisive.stage})" if decisive is not None and decisive.stage is not Stage.LOAD else ""


def _list(shown: Sequence[Row], console: Console) -> None:
    for row in shown:
        console.print(Text(fit_path(row.label, console.width), "bold"))
        for told, places in _grouped(row, console):
            line = Table.grid(padding=(0, GAP, 0, 0))
            line.add_column(width=len("- not reached"), no_wrap=True)
            line.add_column(overflow="fold")
            line.add_row(told, ", ".join(places))
            console.print(Padding(line, (0, 0, 0, 2)))


def _grouped(row: Row, console: Console) -> Iterator[tuple[Text, list[str]]]:
    """What is told of places, worst first, each with the places of which it is told."""
    for forecast in (Forecast.WILL_NOT_LOAD, Forecast.NOT_KNOWN, Forecast.WILL_LOAD):
        there = [item for item in row.cells.items() if item[1].prediction and item[1].prediction.forecast is forecast]
        if there:
            yield Text(*FORECASTS[forecast]), [_place(column, case) for column, case in there]
    for standing in (Standing.FAILED, Standing.ERROR, Standing.NOT_REACHED, Standing.SKIPPED, Standing.PASSED):
        there = [item for item in row.cells.items() if item[1].standing is standing and item[1].prediction is None]
        if there:
            yield mark(console, standing), [_place(column, case) for column, case in there]


def _place(column: Column, case: CaseReport) -> str:
    return f"{untrusted.name(column.runtime)} {column.device}{_stage(case)}"


def _count_the_rest(found: Sequence[Row], shown: Sequence[Row], console: Console) -> None:
    left_out = [row for row in found if row not in shown]
    cases = [case for row in left_out for case in row.cells.values()]
    forecasts = Counter(case.prediction.forecast for case in cases if case.prediction)
    standings = Counter(case.standing for case in cases if not case.prediction)
    number = len({row.artifact for row in left_out})
    text = Text(f"{'and ' if shown else ''}{number:,} {'more ' if shown else ''}artifact{'s' * (number != 1)}: ")
    parts = [
        Text(f"{forecasts[forecast]:,} {word}", style)
        for forecast, (word, style) in FORECASTS.items()
        if forecasts[forecast]
    ]
    parts += [
        Text(f"{symbol(console, standing)} {standings[standing]:,} {WORDS[standing]}", STYLES[standing])
        for standing in Standing
        if standings[standing]
    ]
    console.print(text + Text(", ").join(parts))
