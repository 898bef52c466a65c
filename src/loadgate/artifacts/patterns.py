"""Patterns as in .gitignore, matched in time that grows with the path and not with the power of its stars.

Patterns come with a repository, and so from strangers. To a regular expression `*a*a*a*b` means every way of choosing
three `a`s of a name: twelve stars on one name of 250 letters took it longer than anybody waited. For a star that
another one follows in the same part of the path the first fit is as good as any, so no other needs to be tried.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pathspec import GitIgnoreSpec

MAX_ANY_FOLDERS = 3
"""How often `**` may stand in a pattern: each is tried at every folder of a path."""

_FIXED = r"(?:\\.|\[(?:\\.|[^\]\\])+\](?!\*)|[^][()*+?{}|^$\\./])"
"""What a regular expression has for one character of a pattern that is no star."""
_STAR_BEFORE_ANOTHER = re.compile(rf"\[\^/\]\*({_FIXED}+)(?={_FIXED}*\[\^/\]\*)")


def compiled(lines: Iterable[str]) -> GitIgnoreSpec:
    """Raises ValueError for a line that is no pattern, or one that has too many `**`."""
    kept = list(lines)
    for line in kept:
        if line.count("**") > MAX_ANY_FOLDERS:
            raise ValueError(f"a pattern with more than {MAX_ANY_FOLDERS} `**`")
    try:
        patterns = GitIgnoreSpec.from_lines(kept).patterns
    except re.error as error:  # of `[z-a]`, and no ValueError
        raise ValueError(f"a pattern with a {error.msg}") from error
    for pattern in patterns:
        if pattern.regex is not None:
            pattern.regex = re.compile(_STAR_BEFORE_ANOTHER.sub(r"(?>[^/]*?\1)", pattern.regex.pattern))
    return GitIgnoreSpec(patterns)
