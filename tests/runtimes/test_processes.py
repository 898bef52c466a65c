from __future__ import annotations

import os
import select
import signal
import sys
import threading
from pathlib import Path

import pytest

from loadgate.runtimes.processes import OUTPUT_LIMIT, Processes, StoppedError, harmless


def test_what_a_program_writes_and_its_exit_status_come_back(processes: Processes) -> None:
    ended = processes.run(["sh", "-c", "echo out; echo err >&2; exit 3"], timeout=10, env={}, cwd=Path("/"))
    assert (ended.status, ended.output, ended.errors) == (3, "out\n", "err\n")


def test_a_program_that_is_not_done_in_time_is_ended_with_all_it_started(processes: Processes, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "alive")
    # The grandchild holds the pipe open for writing as long as it lives.
    script = f"exec 9<>{tmp_path / 'alive'}; sleep 1000 & wait"
    ended = processes.run(["sh", "-c", script], timeout=0.2, env=dict(os.environ), cwd=Path("/"))
    assert ended.status is None
    reader = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    assert is_let_go(reader), "somebody still holds the pipe"
    os.close(reader)


def is_let_go(reader: int) -> bool:
    """Whether nobody holds the other end; who was just killed is given a minute to end."""
    try:
        return os.read(reader, 1) == b""
    except BlockingIOError:
        waiting = select.poll()
        waiting.register(reader, 0)
        return bool(waiting.poll(60_000))


def test_endless_output_is_kept_to_its_end(processes: Processes) -> None:
    script = f"print('a' * {OUTPUT_LIMIT} + 'the end', end='')"
    ended = processes.run([sys.executable, "-c", script], timeout=30, env={}, cwd=Path("/"))
    assert len(ended.output) == OUTPUT_LIMIT
    assert ended.output.endswith("the end")


def test_stopping_ends_what_runs_in_another_thread(processes: Processes, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "started")
    outcome: list[BaseException] = []

    def run() -> None:
        try:
            processes.run(["sh", "-c", f"echo > {tmp_path / 'started'}; sleep 1000"], timeout=60, env={}, cwd=Path("/"))
        except StoppedError as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    (tmp_path / "started").read_bytes()
    processes.stop()
    thread.join(10)
    assert not thread.is_alive()
    assert len(outcome) == 1


def test_nothing_starts_once_we_were_told_to_stop(processes: Processes, tmp_path: Path) -> None:
    processes.stop()
    with pytest.raises(StoppedError):
        processes.run(["touch", tmp_path / "started"], timeout=10, env={}, cwd=Path("/"))
    assert not (tmp_path / "started").exists()


def test_a_signal_that_ends_a_program_is_told_from_an_exit_status(processes: Processes) -> None:
    ended = processes.run(["sh", "-c", "kill -ILL $$"], timeout=10, env={}, cwd=Path("/"))
    assert ended.status == -signal.SIGILL


def test_a_program_sees_no_secret_of_our_environment() -> None:
    ours = {"PATH": "/bin", "GITHUB_TOKEN": "ghs_x", "AWS_SECRET_ACCESS_KEY": "y", "PYTHONPATH": "/elsewhere"}
    assert harmless(ours) == {"PATH": "/bin"}
