"""Runs the command, and kills it with SIGKILL at the N-th moment at which it changes something: a file, a process.

Run as `python killed_at.py N FILE ARGUMENT…`. FILE gets the number of such moments where the run comes to its end,
which with an N of 0 it does.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # only the first run after a change of a module would write
CHANGES = frozenset(
    {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.chmod", "os.link", "os.truncate", "fcntl.flock"}
    | {"shutil.rmtree", "subprocess.Popen", "os.fork", "os.killpg", "os.forkpty", "tempfile.mkdtemp"}
)
"""Without `os.kill`: whether a child that is done is killed, or has ended by then, is another thing in each run."""
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT

moments = 0


def main(number: int, count: Path, arguments: list[str]) -> None:
    main_process = os.getpid()

    def watch(event: str, details: tuple[object, ...]) -> None:
        global moments  # noqa: PLW0603 - a hook has nowhere else to count, and none is ever removed
        changes = event in CHANGES or (event == "open" and isinstance(details[2], int) and details[2] & WRITING)
        if not changes or os.getpid() != main_process:
            return
        moments += 1
        if moments == number:
            os.kill(main_process, signal.SIGKILL)

    sys.addaudithook(watch)
    sys.argv = ["loadgate", *arguments]
    from loadgate.cli import main as loadgate

    try:
        loadgate()
    finally:
        count.write_text(str(moments))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
