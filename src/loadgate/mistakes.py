"""What is wrong in a file that a person wrote: where, what, and the nearest word that would be right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from loadgate.errors import UsageError

MOST_SHOWN = 20
LONGEST_QUOTE = 60


@dataclass(frozen=True, slots=True)
class Mistake:
    """Line and column count from 1."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{printable(self.file)}:{self.line}:{self.column}: {self.message}"


class Mistakes(UsageError):
    """Every mistake that was found, one line each, the same one only once."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(dict.fromkeys(mistakes))
        lines = [str(mistake) for mistake in self.mistakes[:MOST_SHOWN]]
        left_out = len(self.mistakes) - len(lines)
        if left_out:
            lines.append(f"and {left_out} more; put these right first")
        super().__init__("\n".join(lines))


def printable(text: str) -> str:
    """Spell out what a terminal or a workflow log would act upon: `\\x1b`, `\\n`, a lone surrogate."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def quoted(text: str) -> str:
    shown = text if len(text) <= LONGEST_QUOTE else f"{text[: LONGEST_QUOTE - 1]}…"
    return f"`{printable(shown)}`"


def nearest(word: str, words: Iterable[str]) -> str:
    """What to write instead of `word`: the one that it resembles, or all that there are."""
    from difflib import get_close_matches

    words = list(words)
    spelled = {candidate.lower().replace("-", "_"): candidate for candidate in words}
    close = get_close_matches(word[:LONGEST_QUOTE].lower().replace("-", "_"), spelled, n=1, cutoff=0.6)
    return f"did you mean `{spelled[close[0]]}`?" if close else f"write one of {', '.join(words)}"
