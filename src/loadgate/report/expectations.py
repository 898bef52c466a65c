"""What is expected, told so that nobody takes it for a verdict: over a whole repository, and of one artifact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from packaging.version import Version
from rich.console import Console
from rich.text import Text

from loadgate import untrusted
from loadgate.diagnosis.predict import holder_of
from loadgate.domain import Forecast, Prediction
from loadgate.report import matrix, why, wording
from loadgate.report.terminal import Detail, labelled, page
from loadgate.report.truth import CaseReport, Report

IN_FULL = 20
STYLES: Mapping[Forecast, str] = {
    Forecast.WILL_LOAD: "",
    Forecast.WILL_NOT_LOAD: "red",
    Forecast.NOT_KNOWN: "bright_black",
}


WORDS: Mapping[Forecast, str] = {
    Forecast.WILL_LOAD: "to load in",
    Forecast.WILL_NOT_LOAD: "not to load in",
    Forecast.NOT_KNOWN: "nothing known for",
}
"""After `expected`."""


def headline(found: Sequence[Prediction]) -> str:
    if not found:
        return "No model artifact was found, so nothing was predicted"
    counts = Counter(prediction.forecast for prediction in found)
    parts = [
        f"{counts[forecast]:,} {words}"
        for forecast, words in (
            (Forecast.WILL_LOAD, "expected to load"),
            (Forecast.WILL_NOT_LOAD, "not expected to"),
            (Forecast.NOT_KNOWN, "not known"),
        )
        if counts[forecast]
    ]
    return f"Nothing was loaded; of {wording.count(len(found), 'case')}, {', '.join(parts)}"


def print_expectations(report: Report, console: Console, *, detail: Detail) -> None:
    with page(console):
        console.print(Text(untrusted.line(report.headline), "bold"))
        of_runtimes = ((each.name, note) for each in report.runtimes for note in each.runtime.notes)
        notes = [*report.notes, *(f"{name}: {note}" for name, note in of_runtimes if note not in report.notes)]
        if notes and detail is not Detail.QUIET:
            console.print()
            rows = [("note", Text(untrusted.line(note))) for note in dict.fromkeys(notes)]
            console.print(labelled(rows, indent=0, label_width=4))
        if report.cases and detail is not Detail.QUIET:
            console.print()
            matrix.draw(report, console)
        _draw_cases(report, console, detail)
        console.print()
        console.print(Text(f"predicted, not loaded; exit status {report.exit_status}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What is expected of some cases for one reason; of the first of them it is told."""

    prediction: Prediction
    cases: tuple[CaseReport, ...]


def doubts(report: Report) -> tuple[Expectation, ...]:
    """What keeps the exit status from 0: what is not expected to load, by cause; then what is not known, by reason."""
    found: dict[tuple[Forecast, str], list[tuple[Prediction, CaseReport]]] = {}
    for case in report.cases:
        if case.prediction is not None and case.prediction.forecast is not Forecast.WILL_LOAD:
            reason = case.prediction.cause or case.prediction.headline
            found.setdefault((case.prediction.forecast, reason), []).append((case.prediction, case))
    ordered = sorted(found.items(), key=lambda item: item[0][0] is Forecast.NOT_KNOWN)
    return tuple(Expectation(prediction=each[0][0], cases=tuple(case for _, case in each)) for _, each in ordered)


def _draw_cases(report: Report, console: Console, detail: Detail) -> None:
    told = doubts(report)
    if detail is Detail.VERBOSE:
        told = tuple(Expectation(prediction=each.prediction, cases=(each,)) for each in report.cases if each.prediction)
    in_full = len(told) if detail is Detail.VERBOSE else IN_FULL
    for expectation in told[:in_full]:
        prediction, case = expectation.prediction, expectation.cases[0].case
        console.print()
        title = Text.assemble((untrusted.name(case.artifact), "bold"), f" in {untrusted.name(case.runtime)}")
        console.print(title, soft_wrap=True)
        rows = [("expected", Text(untrusted.line(prediction.headline), STYLES[prediction.forecast]))]
        if prediction.measured:
            rows.append(("measured", Text(untrusted.line(prediction.measured))))
        if prediction.cause:
            rows.append(("cause", Text(untrusted.name(prediction.cause))))
        console.print(
            labelled(rows + why.others_rows("same cause" if prediction.cause else "the same", expectation.cases))
        )
    if len(told) > in_full:
        console.print()
        left = sum(len(each.cases) for each in told[in_full:])
        console.print(Text(f"and {wording.count(left, 'case')} more that may not load; --verbose tells them"))


# --- one artifact -------------------------------------------------------------------------------------------------


def told_in_ranges(steps: Iterable[tuple[str, Version, Prediction]]) -> Iterator[str]:
    """Versions next to each other of which the same is expected, as one range each: where it loads first."""
    runs: list[tuple[Prediction, str, list[Version]]] = []
    for line, version, prediction in steps:
        holder = holder_of(line, version)
        if runs and runs[-1][1] == holder and _same(runs[-1][0], prediction):
            runs[-1][2].append(version)
        else:
            runs.append((prediction, holder, [version]))
    for forecast, beginning in WORDS.items():
        by_cause: dict[str | None, list[str]] = {}
        for prediction, holder, versions in runs:
            if prediction.forecast is forecast:
                by_cause.setdefault(prediction.cause, []).append(_range(holder, versions))
        if by_cause:
            texts = (", ".join(ranges) + (f" ({cause})" if cause else "") for cause, ranges in by_cause.items())
            yield f"{beginning} {'; '.join(texts)}"


def _same(first: Prediction, second: Prediction) -> bool:
    return (first.forecast, first.cause) == (second.forecast, second.cause)


def _range(holder: str, versions: Sequence[Version]) -> str:
    first, last = versions[0], versions[-1]
    return f"{holder} {first}" if first == last else f"{holder} {first} to {last}"
