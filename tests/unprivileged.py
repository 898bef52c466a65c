"""Runs the real command as a user without rights, which whoever runs the tests may not be."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests import as_user
from tests.command import LOADGATE, Ended, ended, environment

REPOSITORY = Path(__file__).parents[1]


def loadgate_as_a_user(
    *arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None, shows: tuple[Path, ...] = ()
) -> Ended:
    """`shows`: what that user may look into besides `cwd` and all that loadgate itself needs, even if it lies in a
    folder that is closed to others, as the home of root is."""
    command = [*LOADGATE, *arguments]
    if os.geteuid() == 0:
        places = [Path(sys.base_prefix), Path(sys.prefix), REPOSITORY, cwd, *shows]
        command = [sys.executable, str(Path(as_user.__file__)), *map(str, places), "--", *command]
    return ended(command, cwd, environment({"HOME": str(cwd), **(env or {})}))


def give_to_the_user(*paths: Path) -> None:
    if os.geteuid() == 0:
        for path in paths:
            os.chown(path, as_user.USER, as_user.USER)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """An empty folder of that user's."""
    give_to_the_user(tmp_path)
    return tmp_path
