"""Paths that a person gave: what is there, or one clear line where that cannot even be asked."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from loadgate.errors import UsageError

OURS = Path(".loadgate")
"""The folder in a repository that is loadgate's own."""
SPEC_NAMES = tuple(f"{beginning}loadgate.{ending}" for beginning in ("", ".", ".github/") for ending in ("yml", "yaml"))
"""Where a spec is looked for in a repository."""

_OPENED = re.compile(r"/dev/(stdout|stderr|fd/\d+)|/proc/(self|\d+)/fd/\d+")
"""Names of what a process has open, be it a pipe, a terminal or a file."""


def status_of(path: Path) -> os.stat_result | None:
    """None where nothing is there. Raises `UsageError` where we may not look."""
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error


def is_folder(path: Path) -> bool:
    status = status_of(path)
    return status is not None and stat.S_ISDIR(status.st_mode)


def is_file(path: Path) -> bool:
    status = status_of(path)
    return status is not None and stat.S_ISREG(status.st_mode)


def is_stream(path: Path) -> bool:
    """Whether it is written into and never replaced: a device, a pipe, or a name of what this process has open."""
    if _OPENED.fullmatch(str(path.absolute())):
        return True
    status = status_of(path)
    return status is not None and not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode))


def refuse_link(path: Path) -> None:
    """Raise `UsageError` where a link is: a repository may have brought it, and who writes there writes anywhere."""
    if path.is_symlink():
        raise UsageError(f"{path}: is a link, and may lead out of the repository; remove it, or give another --output")
