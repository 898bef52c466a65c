"""Everything that an attack may hit: planted by the test, watched by the test, and removed by it."""

from __future__ import annotations

import ctypes
import json
import os
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

VICTIMS = (
    *("environ", "cmdline", "memory", "descriptor", "forged"),
    *("killed", "stopped", "killed_by_descriptor", "signalled", "traced", "limited", "idle", "last"),
)
FILES = {
    "writes_into_the_home": "home/.bashrc",
    "makes_a_file_in_the_home": "home/makes_a_file_in_the_home",
    "writes_into_the_workspace": "repository/code.py",
    "writes_over_another_model": "repository/models/.other.h5",
    "forges_the_result_of_another": "repository/results.jsonl",
    "poisons_the_runtime": "runtime/lib/python3.11/site-packages/sitecustomize.py",
    "poisons_bytecode": "runtime/lib/python3.11/site-packages/__pycache__/poisons_bytecode.pyc",
    "commands_the_runner_by_a_file": "home/runner/github_env",
    "makes_a_file_unreadable": "repository/unreadable",
    "gives_a_file_away": "repository/aged",
    "cuts_a_file": "repository/cut",
    "removes_a_file": "repository/removed",
    "moves_a_file_over_another": "repository/replaced",
    "unpacks_an_archive_that_climbs": "repository/climbed",
    "an_op_writes_a_file": "repository/written_by_an_op",
}
"""Attack → the file that tells whether it got through."""
NOT_THERE = {
    *("makes_a_file_in_the_home", "poisons_the_runtime", "poisons_bytecode"),
    *("unpacks_an_archive_that_climbs", "an_op_writes_a_file"),
}
BELOW_A_MODEL = "repository/models/an_op_reads_a_file_below_its_folder/private/notes.txt"
"""In the folder of a model, and no part of it."""
ORIGINAL = "as it was"
OUTLIVING = ("lg-outlives", "lg-comet")
"""What the processes call themselves that try to outlive their case."""

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass
class Canaries:
    """What is planted below `root`; `secret` is in every place that is to be read, and nowhere else."""

    root: Path
    inside: Mapping[str, str] = field(default_factory=dict)
    """Where the models find what is here, by the beginning of its path, where that is not here for them."""
    secret: str = field(default_factory=lambda: f"canary-{secrets.token_hex(8)}")
    done: str = field(default_factory=lambda: f"done-{secrets.token_hex(8)}")
    targets: dict[str, Any] = field(default_factory=dict)
    victims: dict[str, subprocess.Popen[str]] = field(default_factory=dict)
    received: bytearray = field(default_factory=bytearray)
    """All that any listener got."""
    forged: int = -1
    _before: dict[str, Any] = field(default_factory=dict)

    def fixed(self) -> dict[str, Any]:
        """Targets that are known when a model is made."""
        return {name: self.seen(path) for name, path in self._here().items()}

    def seen(self, path: str) -> str:
        beginning = next((each for each in self.inside if f"{path}/".startswith(f"{each}/")), None)
        return path if beginning is None else self.inside[beginning] + path.removeprefix(beginning)

    def _here(self) -> dict[str, str]:
        return {
            "home": str(self.root / "home"),
            "repository": str(self.root / "repository"),
            "results": str(self.root / "repository/results.jsonl"),
            "runtime": str(self.root / "runtime/lib/python3.11/site-packages"),
            "listed": str(self.root / "listed"),
            "raw": str(self.root / "raw"),
            "private": str(self.root / "private.h5"),
            "below": str(self.root / BELOW_A_MODEL),
        }

    def reached(self, name: str) -> bool:
        return name.encode() in self.received

    def changed(self, name: str) -> bool:
        return bool(state_of(self.root / FILES[name]) != self._before[name])

    def hit(self, victim: str) -> bool:
        process = self.victims[victim]
        looks: dict[str, Callable[[], bool]] = {
            "killed": lambda: process.poll() is not None,
            "killed_by_descriptor": lambda: process.poll() is not None,
            "signalled": lambda: process.poll() is not None,
            "stopped": lambda: stat_of(process.pid)[0] == "T",
            "limited": lambda: " 0 " in limit_of(process.pid, "Max open files"),
            "idle": lambda: os.sched_getscheduler(process.pid) == os.SCHED_IDLE,
            "last": lambda: os.getpriority(os.PRIO_PROCESS, process.pid) == 19,
            "forged": lambda: bool(select.select([self.forged], [], [], 0)[0]),
        }
        return looks[victim]()


def state_of(path: Path) -> Any:
    try:
        status = path.stat()
        return path.read_bytes(), status.st_mode, status.st_mtime_ns
    except OSError as error:
        return error.errno


def stat_of(process: int) -> list[str]:
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()


def limit_of(process: int, name: str) -> str:
    lines = Path(f"/proc/{process}/limits").read_text().splitlines()
    return next(" ".join(line.split()) + " " for line in lines if line.startswith(name))


def processes_named(name: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "comm").read_text().strip() == name and stat_of(int(entry.name))[0] != "Z":
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


LOOKS = 20


def is_there(name: str) -> bool:
    """A single look through /proc may miss what changes its number in the meantime."""
    return any(processes_named(name) for _ in range(LOOKS))


@contextmanager
def planted(canaries: Canaries) -> Iterator[Canaries]:
    with ExitStack() as stack:
        plant_files(canaries, stack)
        plant_sockets(canaries, stack)
        plant_victims(canaries, stack)
        plant_segment(canaries, stack)
        yield canaries


def plant_files(canaries: Canaries, stack: ExitStack) -> None:
    root, secret = canaries.root, canaries.secret
    for folder in ("home/runner", "repository/.git", "repository/models", "listed", Path(BELOW_A_MODEL).parent):
        (root / folder).mkdir(parents=True, exist_ok=True)
    hidden = ("home/.netrc", "home/runner/.credentials", "repository/.git/config", "repository/models/.env")
    for name in (*hidden, BELOW_A_MODEL):
        (root / name).write_text(f"password {secret}\n")
    for old in (root / "listed").iterdir():
        old.unlink()
    (root / "listed" / secret).touch()
    # 64 bytes of text are sixteen numbers like any others
    (root / "raw").write_text(secret.ljust(64, "."))
    for name, file in FILES.items():
        path = root / file
        path.unlink(missing_ok=True)
        if name not in NOT_THERE:
            path.write_text(ORIGINAL)
        canaries._before[name] = state_of(path)
    shared = Path("/dev/shm") / canaries.secret.replace("canary", "loadgate-test")  # noqa: S108 - the attack is on it
    shared.write_text(secret)
    stack.callback(shared.unlink)
    stack.callback(Path(f"{shared}.written").unlink, missing_ok=True)
    canaries.targets |= canaries.fixed() | {"shared_memory": str(shared), "done": canaries.done}


def plant_sockets(canaries: Canaries, stack: ExitStack) -> None:
    folder = Path("/tmp") / f"lg-{secrets.token_hex(4)}"  # noqa: S108 - the path of a socket has to be short
    folder.mkdir()
    stack.callback(shutil.rmtree, folder)
    abstract = f"loadgate-{secrets.token_hex(4)}"
    docker, journal = str(folder / "docker.sock"), str(folder / "journal.sock")
    streams = [
        listener(socket.AF_INET, ("127.0.0.1", 0)),
        listener(socket.AF_INET6, ("::1", 0)),
        listener(socket.AF_UNIX, docker),
        listener(socket.AF_UNIX, f"\0{abstract}"),
    ]
    datagrams = [
        listener(socket.AF_INET, ("127.0.0.1", 0), socket.SOCK_DGRAM),
        listener(socket.AF_UNIX, journal, socket.SOCK_DGRAM),
    ]
    door = listener(socket.AF_INET, ("127.0.0.1", 0))
    canaries.targets |= {
        "tcp": streams[0].getsockname()[1],
        "tcp6": streams[1].getsockname()[1],
        "udp": datagrams[0].getsockname()[1],
        "door": door.getsockname()[1],
        "docker": docker,
        "journal": journal,
        "abstract": abstract,
    }
    door.close()
    over = threading.Event()
    threads = [
        threading.Thread(target=listen, args=(canaries, streams, datagrams, over)),
        threading.Thread(target=knock, args=(canaries, over)),
    ]
    for each in (*streams, *datagrams):
        stack.callback(each.close)
    for thread in threads:
        thread.start()
        stack.callback(thread.join)
    stack.callback(over.set)


def listener(family: int, address: Any, kind: int = socket.SOCK_STREAM) -> socket.socket:
    made = socket.socket(family, kind)
    made.bind(address)
    if kind == socket.SOCK_STREAM:
        made.listen(16)
    return made


def listen(
    canaries: Canaries, streams: list[socket.socket], datagrams: list[socket.socket], over: threading.Event
) -> None:
    while not over.is_set():
        for ready in select.select([*streams, *datagrams], [], [], 0.1)[0]:
            if ready in datagrams:
                canaries.received += ready.recv(4096)
                continue
            connection, _ = ready.accept()
            with connection:
                connection.settimeout(2)
                try:
                    canaries.received += connection.recv(4096)
                except OSError:
                    continue


def knock(canaries: Canaries, over: threading.Event) -> None:
    """Somebody outside, who has heard that a door would be opened."""
    while not over.wait(0.2):
        try:
            with socket.create_connection(("127.0.0.1", canaries.targets["door"]), 1) as connection:
                connection.sendall(canaries.secret.encode())
        except OSError:
            continue


def plant_victims(canaries: Canaries, stack: ExitStack) -> None:
    held = canaries.root / "held"
    held.write_text(canaries.secret)
    read_end, write_end = os.pipe()
    os.set_inheritable(write_end, True)
    canaries.forged = read_end
    stack.callback(os.close, read_end)
    canaries.targets |= {"victims": {}, "addresses": {}, "pipe": write_end}
    for name in VICTIMS:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("victim.py")), canaries.secret, str(held)],
            env={"VICTIM_SECRET": canaries.secret},
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=[write_end],
        )
        stack.callback(end, process)
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        canaries.victims[name] = process
        canaries.targets["victims"][name] = process.pid
        canaries.targets["addresses"][name] = said["address"]
        canaries.targets["descriptor"] = said["descriptor"]
    os.close(write_end)


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def plant_segment(canaries: Canaries, stack: ExitStack) -> None:
    """Memory as System V shares it."""
    segment = _libc.shmget(0, 4096, 0o600 | 0o1000)
    _libc.shmat.restype = ctypes.c_void_p
    address = _libc.shmat(segment, None, 0)
    ctypes.memmove(address, canaries.secret.encode(), len(canaries.secret))
    canaries.targets["segment"] = segment
    stack.callback(_libc.shmctl, segment, 0, None)
    stack.callback(_libc.shmdt, ctypes.c_void_p(address))


def end_named(name: str) -> None:
    """Those that got through are ended here: a group, since some change their number faster than it can be read."""
    while is_there(name):
        for process in processes_named(name):
            with suppress(ProcessLookupError):
                group = os.getpgid(process)
                if group == os.getpgrp():
                    os.kill(process, signal.SIGKILL)
                else:
                    os.killpg(group, signal.SIGKILL)


def wait_until_gone(names: tuple[str, ...], seconds: float) -> set[str]:
    """Names of processes that are still there after that time."""
    until = time.monotonic() + seconds
    left = set(names)
    while left and time.monotonic() < until:
        left = {name for name in left if is_there(name)}
        time.sleep(0.1)
    return left
