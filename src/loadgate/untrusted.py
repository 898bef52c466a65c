"""Strings that a model's author may have chosen, made safe to show: spelled out where they do not print, and bounded.

A path, an exception's message and a log can carry terminal escapes, bidirectional overrides that make a line read
backwards, characters that no XML may hold, or a hundred megabytes. Each output escapes its own markup on top of this.
"""

from __future__ import annotations

import re

NAME_LIMIT = 1024
LINE_LIMIT = 500
CUT = " … "


def visible(text: str) -> str:
    """Spell out what does not print (`\\x1b`, `\\u202e`, a lone surrogate), and keep line breaks.

    What prints is Python's own definition, `str.isprintable`. It refuses every category that a terminal or a
    reader of XML could trip over: control, format, surrogate, unassigned, and every space but the plain one.
    """
    rows = text.replace("\r\n", "\n").replace("\t", "    ").split("\n")
    return "\n".join(row if row.isprintable() else "".join(map(_shown, row)) for row in rows)


def name(text: str, limit: int = NAME_LIMIT) -> str:
    """A path or an identifier: one line, nothing collapsed, so that two different ones still look different."""
    return shorten_middle(visible(shorten_middle(text, limit)).replace("\n", "\\n"), limit)


def line(text: str, limit: int = LINE_LIMIT) -> str:
    """Prose on one line: white space is collapsed, the end is cut."""
    words = " ".join(visible(text[: 2 * limit]).split())
    if len(words) <= limit and len(text) <= 2 * limit:
        return words
    return words[: limit - 1].rstrip() + "…"


def block(text: str, *, lines: int, characters: int) -> str:
    """Several lines; what is too much is cut out of the middle, because both ends of a log matter."""
    text = visible(_cut_out(text, characters).strip("\n"))
    rows = text.split("\n")
    if len(rows) > lines:
        head = (lines + 1) // 2
        tail = lines - head
        left_out = f"… {len(rows) - lines} lines left out …"
        rows = [*rows[:head], left_out, *rows[len(rows) - tail :]]
    return "\n".join(row.rstrip() for row in rows)


def first_lines(text: str, *, lines: int, characters: int) -> str:
    """The beginning of a message without its empty lines, and a mark where there is more."""
    rows = [row.rstrip() for row in visible(text[:characters]).split("\n") if row.strip()]
    if len(rows) > lines:
        return "\n".join([*rows[:lines], "…"])
    if len(text) > characters and rows:
        rows[-1] += "…"
    return "\n".join(rows)


def last_lines(text: str, *, lines: int, characters: int) -> str:
    """The end of a traceback without its empty lines, and a mark where there is more."""
    rows = [row.rstrip() for row in visible(text[-characters:]).split("\n") if row.strip()]
    if len(rows) > lines:
        return "\n".join(["…", *rows[-lines:]])
    if len(text) > characters and rows:
        rows[0] = f"…{rows[0]}"
    return "\n".join(rows)


def without_commands(text: str) -> str:
    """Break what a CI system would take from a log as a command to itself.

    GitHub's runner obeys `::command::` at the start of a line, after blanks, and its older `##[command]` anywhere in
    one; Azure's agent obeys `##vso[command]`.
    """
    text = re.sub(r"^( *):(?=:)", r"\1: ", text, flags=re.MULTILINE)
    return re.sub(r"#(?=#(?:vso)?\[)", "# ", text)


def shorten_middle(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    tail = limit // 2
    return f"{text[: limit - tail - 1]}…{text[len(text) - tail :]}"


def _cut_out(text: str, characters: int) -> str:
    if len(text) <= characters:
        return text
    half = characters // 2
    left_out = len(text) - 2 * half
    return f"{text[:half]}\n… {left_out:,} characters left out …\n{text[len(text) - half :]}"


def _shown(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
