"""What every terminal output shares: how much detail, which symbols, and how text reaches the stream whole."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import TextIO

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table
from rich.text import Text

from loadgate import untrusted
from loadgate.report.truth import Standing

LOG_WIDTH = 120
"""Columns where the stream is no terminal and COLUMNS is not set."""


class Detail(StrEnum):
    QUIET = "quiet"
    """The verdict, and why."""
    NORMAL = "normal"
    VERBOSE = "verbose"
    """With tracebacks and logs, and every failure in full."""


WORDS: Mapping[Standing, str] = {
    Standing.PASSED: "passed",
    Standing.FAILED: "FAILED",
    Standing.ERROR: "error",
    Standing.SKIPPED: "skipped",
    Standing.NOT_REACHED: "not reached",
}
STYLES: Mapping[Standing, str] = {
    Standing.PASSED: "green",
    Standing.FAILED: "bold red",
    Standing.ERROR: "yellow",
    Standing.SKIPPED: "bright_black",
    Standing.NOT_REACHED: "magenta",
}
SYMBOLS: Mapping[Standing, str] = {
    Standing.PASSED: "✓",
    Standing.FAILED: "✗",
    Standing.ERROR: "!",
    Standing.SKIPPED: "-",
    Standing.NOT_REACHED: "?",
}
ASCII_SYMBOLS: Mapping[Standing, str] = {**SYMBOLS, Standing.PASSED: "+", Standing.FAILED: "x"}


def open_console(stream: TextIO) -> Console:
    """A console as the environment wants it: NO_COLOR, FORCE_COLOR, TERM=dumb and COLUMNS are honoured by rich.

    A stream that is no terminal gets a width of its own: rich would take the one of whatever terminal started us.
    """
    columns = os.environ.get("COLUMNS", "")
    width = None if stream.isatty() or columns.isdigit() else LOG_WIDTH
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False)


@contextmanager
def page(console: Console) -> Iterator[None]:
    """Collect what is printed, and write it at once."""
    with console.capture() as capture:
        yield
    write(console, capture.get())


def write(console: Console, text: str) -> None:
    """Without trailing spaces, without commands to a CI system, and in characters that the stream has."""
    text = untrusted.without_commands(re.sub(r" +$", "", text, flags=re.MULTILINE))
    if console.options.ascii_only:
        text = text.replace("…", "...")
    console.file.write(text.encode(console.encoding, "backslashreplace").decode(console.encoding))
    console.file.flush()


def symbol(console: Console, standing: Standing) -> str:
    return (ASCII_SYMBOLS if console.options.ascii_only else SYMBOLS)[standing]


def mark(console: Console, standing: Standing, word: str | None = None) -> Text:
    """The symbol and the word: never a colour alone."""
    return Text(f"{symbol(console, standing)} {word or WORDS[standing]}", STYLES[standing])


def fit_path(path: str, width: int) -> str:
    """The path on at most `width` columns. Its middle goes first: the end names the model, the beginning the place."""
    shown = untrusted.name(path)
    if cell_len(shown) <= width:
        return shown
    tail = max(0, (width - 1) * 2 // 3)
    end = shown
    while cell_len(end) > tail:
        end = end[1:]
    return set_cell_size(shown, max(0, width - 1 - cell_len(end))).rstrip() + "…" + end


def labelled(rows: list[tuple[str, Text]], *, indent: int = 4, label_width: int = 10) -> Table:
    """Labels on the left, values wrapped on the right; a word longer than the line is folded, never cut."""
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=indent + label_width, no_wrap=True, style="bright_black")
    table.add_column(overflow="fold")
    for label, value in rows:
        table.add_row(Text(" " * indent + label), value)
    return table
