"""Writes texts as YAML that reads them back, whatever is in them."""

from __future__ import annotations

import re

_NOT_TEXT = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
"""What YAML, in one version or another, does not read as text without quotes."""


def word(text: str) -> str:
    """Without quotes, where nobody could read it as anything but text."""
    is_plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_./-]*", text) and text.lower() not in _NOT_TEXT
    return text if is_plain else quoted(text)


def quoted(text: str) -> str:
    """In double quotes, in which YAML can write every character."""
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    # Python spells them as YAML does: \xNN, \uNNNN, \UNNNNNNNN; and \n, \t, \r
    return character.encode("unicode_escape").decode("ascii")
