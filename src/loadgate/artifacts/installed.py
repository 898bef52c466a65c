"""Folders of packages that somebody installed into the repository and nobody committed: their models are not ours."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable
from pathlib import Path

from loadgate import git
from loadgate.artifacts.unlisted import place_of
from loadgate.repository import INSTALLED


def installed(root: Path, folders: Iterable[str], patterns: Iterable[str]) -> list[str]:
    """Those of `folders`, without such as hold a file that git tracks or as a pattern names outright."""
    found = [folder for folder in folders if _is_installed(folder)]
    if not found:
        return []
    places = [place for place in map(place_of, patterns) if _is_installed(place)]
    committed = _committed(root)
    return [folder for folder in found if folder not in committed and not any(_is_named(folder, at) for at in places)]


def _is_named(folder: str, place: str) -> bool:
    """Whether the place holds the folder, or lies in it."""
    return f"{folder}/".startswith(f"{place}/") or place.startswith(f"{folder}/")


def _is_installed(folder: str) -> bool:
    return not INSTALLED.isdisjoint(folder.split("/"))


def _committed(root: Path) -> frozenset[str]:
    """Folders, among those of such names, that hold a file which git tracks."""
    output = git.ask(root, "ls-files", "-z", "--cached", "--", *(f":(glob)**/{name}/**" for name in sorted(INSTALLED)))
    return frozenset(posixpath.dirname(path) for path in os.fsdecode(output or b"").split("\0"))
