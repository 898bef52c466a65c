"""Names for runtimes, after the files that describe them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

LONGEST = 64
_PLAIN = frozenset(("requirements", "requirement", "environment", "env", "conda", "dockerfile", "containerfile"))
"""Words of a file's name that say what it is, not what it is for."""


def names_for(files: Sequence[str]) -> list[str]:
    """One name a file, each only once: short ones, as long as they tell the files apart."""
    short = [_short(file) for file in files]
    names = [name if short.count(name) == 1 else _long(file) for name, file in zip(short, files, strict=True)]
    taken: set[str] = set()
    for index, name in enumerate(names):
        number = 1
        while names[index] in taken:
            number += 1
            names[index] = f"{name[: LONGEST - 8]}-{number}"
        taken.add(names[index])
    return names


def _short(file: str) -> str:
    """`serving/requirements-gpu.txt` → `serving-gpu`; `requirements.txt` → `default`."""
    folder = posixpath.basename(posixpath.dirname(file))
    return _fit([folder, *_words_of(posixpath.basename(file))])


def _long(file: str) -> str:
    folders = posixpath.dirname(file).split("/")
    return _fit([*folders, *_words_of(posixpath.basename(file))])


def _words_of(base: str) -> list[str]:
    """Only a file whose name people choose says what it is for; uv.lock is always called uv.lock."""
    chosen = base.endswith((".txt", ".yml", ".yaml")) or "dockerfile" in base.lower() or "containerfile" in base.lower()
    return re.split(r"[^A-Za-z0-9]+", re.sub(r"\.(txt|ya?ml)$", "", base)) if chosen else []


def _fit(words: Sequence[str]) -> str:
    fitting = [re.sub(r"[^A-Za-z0-9._-]+", "-", word).strip("-._") for word in words if word.lower() not in _PLAIN]
    return "-".join(word for word in fitting if word)[:LONGEST].strip("-._") or "default"
