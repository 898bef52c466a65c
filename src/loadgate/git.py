"""Asks git which files a repository has. The repository is hostile: its own configuration names programs to start."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

SECONDS = 300

# A repository that another user owns is the normal case in a container. What `safe.directory` and `safe.bareRepository`
# guard against is that its configuration names programs; those that a listing could come to are switched off.
_OPTIONS = (
    *("-c", "safe.directory=*"),
    *("-c", "safe.bareRepository=explicit"),
    *("-c", "core.fsmonitor=false"),
    *("-c", f"core.hooksPath={os.devnull}"),
)
_INHERITED = frozenset({"PATH", "HOME", "XDG_CONFIG_HOME", "LANG"})
_OURS = {
    "GIT_OPTIONAL_LOCKS": "0",
    # What a partial clone lacks is fetched at need, from an address that may be a command. Git before 2.45 does not
    # know the first, but no address is of a protocol of that name.
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
}


def ask(folder: Path, *arguments: str) -> bytes | None:
    """What git prints when it is run in `folder`; None where it cannot be run or says no."""
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command; the folder is only where it runs
            ["git", *_OPTIONS, *arguments],  # noqa: S607 - git is found on PATH, as users expect
            cwd=folder,
            env=environment(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def environment(ours: Mapping[str, str]) -> dict[str, str]:
    """Neither secrets, nor what a hook's git says of which repository is meant: it is not always ours."""
    needed = {name: value for name, value in ours.items() if name in _INHERITED or name.startswith("LC_")}
    return needed | _OURS
