"""Runs the programs that make a runtime: bounded in time and output, and ended together when we are interrupted."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

OUTPUT_LIMIT = 256 * 1024
"""Bytes of each stream that are kept; of what is longer, the end."""

INHERITED = (
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR",
    "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "PYENV_ROOT",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "NETRC",
    "CC", "CXX", "CFLAGS", "LDFLAGS", "LD_LIBRARY_PATH", "CUDA_HOME", "CUDA_VISIBLE_DEVICES",
)  # fmt: skip
"""What a program sees of our environment. Building a package runs its author's code, and the rest may be secret."""


def harmless(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: environment[name] for name in INHERITED if name in environment}


class StoppedError(Exception):
    """We were told to stop, so how the program ended says nothing."""


@dataclass(frozen=True, slots=True)
class Ended:
    status: int | None
    """Exit status; negative for the signal that ended it; None where its time was up."""
    output: str
    errors: str


class Processes:
    """Children of ours that `stop` ends, from whatever thread they were started."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def run(
        self,
        command: Sequence[str | Path],
        *,
        timeout: float,
        env: Mapping[str, str],
        cwd: Path,
        keep_open: Sequence[int] = (),
    ) -> Ended:
        """Run `command` for `timeout` seconds at most.

        Raises OSError where it cannot be started, and StoppedError where `stop` was called before it had ended.
        What it starts itself ends with it. The descriptors in `keep_open` stay open in it, so that a lock of ours
        is held until it has ended, even when we are killed.
        """
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            with self._lock:
                if self._stopped:
                    raise StoppedError
                process = subprocess.Popen(  # noqa: S603 -- every caller names a program and separate arguments
                    [os.fspath(part) for part in command],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=errors,
                    env=dict(env),
                    cwd=cwd,
                    pass_fds=tuple(keep_open),
                    start_new_session=True,
                )
                self._running.add(process)
            status: int | None
            try:
                status = process.wait(timeout)
            except subprocess.TimeoutExpired:
                status = None
            finally:
                kill_group(process)
                process.wait()
                with self._lock:
                    self._running.discard(process)
                    stopped = self._stopped
            if stopped:
                raise StoppedError
            return Ended(status, end_of(output.fileno()), end_of(errors.fileno()))

    def stop(self) -> None:
        """End all that run, and let no more start."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                kill_group(process)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the session that `process` leads, itself included; its descendants may outlive it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def end_of(descriptor: int) -> str:
    start = max(0, os.fstat(descriptor).st_size - OUTPUT_LIMIT)
    return os.pread(descriptor, OUTPUT_LIMIT, start).decode("utf-8", "replace")
