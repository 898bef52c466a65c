"""Markdown as GitHub renders it, in which strings that a stranger chose show as text and do nothing else.

Text nodes of a comment are searched for mentions, issue numbers, commits, links and emoji after the Markdown was
rendered, so that no backslash and no entity keeps them quiet; only what is code is left alone. Hence a hostile name is
always a code span, and of hostile prose every word that is more than letters, digits and plain punctuation is one.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from loadgate import untrusted

PLAIN = re.compile(r"\(?[^\W_]+(?:[.,/'’+=-][^\W_]+|\([^\W_]+\))*\)?[,;:.?…]*|[–…×]", re.ASCII)
ADDRESS = re.compile(r"www\.|\bgh-\d|\b[0-9a-f]{7,}\b", re.IGNORECASE)
"""What GitHub would make a link of although it looks plain: a site, an issue, a commit."""
LIST_ITEM = re.compile(r"\d+[.)]")
_SPAN = r"`(?=[^`]*[^`\s])[^`]+`"
SPAN = re.compile(_SPAN)
TICKED = re.compile(rf"\(?{_SPAN}\)?[,;:.?]*")
WORDS = re.compile(rf"{TICKED.pattern}(?=\s|$)|\S+")
PLAIN_KIND, CODE_KIND = -1, -2
FRAMED = re.compile(r"(\(?)(.*?)(\)?[,;:.?]*)", re.DOTALL)


def code(text: str, limit: int = untrusted.NAME_LIMIT) -> str:
    """A code span. Nothing inside one is Markdown, HTML, a mention or a link, and it ends where we say."""
    shown = untrusted.name(text, limit)
    if not shown.strip():
        return "`(nothing)`" if not shown else "`(blank)`"
    fence = "`" * (_longest_run(shown) + 1)
    padding = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{padding}{shown}{padding}{fence}"


def prose(text: str, limit: int = untrusted.LINE_LIMIT) -> str:
    """A sentence of ours that may quote a stranger: one line of Markdown."""
    return _by_words(untrusted.line(text, limit), code)


def html_code(text: str, limit: int = untrusted.NAME_LIMIT) -> str:
    """For a line that is HTML as a whole, such as a `summary`."""
    return f"<code>{html.escape(untrusted.name(text, limit)) or '(nothing)'}</code>"


def html_prose(text: str, limit: int = untrusted.LINE_LIMIT) -> str:
    return _by_words(untrusted.line(text, limit), html_code)


def block(text: str, *, lines: int = 20, characters: int = 2_000, language: str = "") -> str:
    """A fenced block, whose fence is longer than any in the text."""
    shown = untrusted.block(text, lines=lines, characters=characters)
    fence = "`" * max(3, _longest_run(shown) + 1)
    return f"{fence}{language}\n{shown}\n{fence}"


def cell(markdown: str) -> str:
    """For a table, where a bar divides cells even inside code."""
    return markdown.replace("|", "\\|")


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(cell, line))} |" for line in lines)


def details(summary: str, body: str, *, unfolded: bool = False) -> str:
    """`summary` is HTML, `body` Markdown."""
    return f"<details{' open' if unfolded else ''}><summary>{summary}</summary>\n\n{body}\n\n</details>"


def _by_words(sentence: str, as_code: Callable[[str], str]) -> str:
    """Words that are not plain become code, neighbours together; what stands in backticks already is one of its own."""
    words = [match[0] for match in WORDS.finditer(sentence)]
    runs = groupby(enumerate(words), key=lambda numbered: _kind(numbered[1], numbered[0]))
    parts = []
    for kind, numbered in runs:
        run = " ".join(word for _, word in numbered)
        parts.append(run if kind == PLAIN_KIND else _framed(run, as_code))
    return " ".join(parts)


def _kind(word: str, number: int) -> int:
    """Neighbours of one kind are written together."""
    if TICKED.fullmatch(word):
        return number
    return PLAIN_KIND if _is_plain(word, is_first=number == 0) else CODE_KIND


def _is_plain(word: str, *, is_first: bool) -> bool:
    if is_first and LIST_ITEM.fullmatch(word):
        return False
    return word == "" or (PLAIN.fullmatch(word) is not None and ADDRESS.search(word) is None)


def _framed(run: str, as_code: Callable[[str], str]) -> str:
    """As code without the punctuation of the sentence around it."""
    parts = FRAMED.fullmatch(run)
    opening, core, closing = parts.groups() if parts else ("", run, "")
    is_code_already = SPAN.fullmatch(core) is not None
    if not core or ((")" in closing) != bool(opening) and not is_code_already):
        return as_code(run)
    return f"{opening}{as_code(core[1:-1] if is_code_already else core)}{closing}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)
