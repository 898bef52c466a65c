"""What must lie in an environment for it to be whole, cheap enough to be looked at before every run."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path

LARGE = 64 * 1024
"""Bytes from which a file is looked at one by one: the shared libraries, and few others."""


def expected_sizes(environment: Path) -> dict[str, int]:
    """Path in the environment → size, for every large file that the wheels say they installed there."""
    sizes: dict[str, int] = {}
    for packages in site_packages(environment):
        for record in packages.glob("*.dist-info/RECORD"):
            for name, size in rows(record):
                if size >= LARGE:
                    path = os.path.normpath(packages.relative_to(environment) / name)
                    sizes[path] = size
    return sizes


def rows(record: Path) -> Iterator[tuple[str, int]]:
    with record.open(newline="", encoding="utf-8", errors="replace") as stream:
        for row in csv.reader(stream):
            if len(row) > 2 and row[2].isdigit():  # noqa: PLR2004 -- name, hash, size: the columns of a RECORD
                yield row[0], int(row[2])


def top_level(environment: Path) -> list[str]:
    """The entries of site-packages: every package and every distribution has one."""
    return sorted(
        str(entry.relative_to(environment)) for packages in site_packages(environment) for entry in packages.iterdir()
    )


def site_packages(environment: Path) -> list[Path]:
    return sorted(environment.glob("lib*/python3*/site-packages"))


def whole(environment: Path, sizes: dict[str, int], entries: list[str]) -> bool:
    try:
        return all((environment / name).lstat().st_size == size for name, size in sizes.items()) and all(
            os.path.lexists(environment / name) for name in entries
        )
    except OSError:
        return False
