"""Run a piece of Python behind chosen walls, as `enter.py` puts them up, and tell what it printed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from loadgate.sandbox.reach import HARDWARE, PROGRAMS, SETTINGS
from loadgate.sandbox.walls import PROGRAM, examine

SELF = Path(os.path.realpath(sys.executable)).parent.parent


def run_inside(folder: Path, code: str, mechanisms: tuple[str, ...] | None = None, **more: Any) -> str:
    """`folder` is the scratch directory. The process prints what it comes to, errors as the name of their number."""
    description = {
        "mechanisms": examine().mechanisms.working if mechanisms is None else mechanisms,
        "landlock_version": examine().mechanisms.landlock_version,
        "env": {},
        "run": [*PROGRAMS, str(SELF)],
        "read": [*SETTINGS, *HARDWARE],
        "names": [],
        "artifacts": [],
        "use": [str(folder)],
        "gpu": False,
    } | more
    file = folder / "walls.json"
    file.write_text(json.dumps(description))
    program = (
        "import ctypes, errno, os, socket, sys\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "def call(number, *arguments):\n"
        "    if libc.syscall(number, *arguments) < 0:\n"
        "        raise OSError(ctypes.get_errno(), '')\n"
        "def tell(action):\n"
        "    try:\n"
        "        action()\n"
        "        print('done')\n"
        "    except OSError as error:\n"
        "        print(errno.errorcode[error.errno])\n" + code
    )
    ended = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            str(PROGRAM),
            str(file),
            os.path.realpath(sys.executable),
            "-I",
            "-S",
            "-c",
            program,
        ],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()
