"""What is seen of a process that is not ours: each of these is a real one."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loadgate.probe import kernel
from loadgate.probe.removal import remove
from tests.as_user import USER

MEBIBYTE = 1024**2
SIZE = 32 * MEBIBYTE
Start = Callable[..., int]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Start]:
    """Run a program in a folder of its own until it says that it has done what it is for; the process."""
    running = []

    def start(program: str) -> int:
        process = subprocess.Popen(
            [sys.executable, "-c", program + "\nprint(flush=True)\nsys.stdin.read()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=tmp_path,
        )
        running.append(process)
        assert process.stdout is not None
        assert process.stdout.read(1) == b"\n"
        return process.pid

    yield start
    for process in running:
        kernel.kill(kernel.descendants(process.pid))
        process.kill()
        process.communicate()


FILLS_SHARED_MEMORY = f"""
import mmap, os, sys
memory = mmap.mmap(-1, {SIZE})
memory[:] = bytes({SIZE})
"""
SHARES_IT_WITH_THREE = """
for _ in range(3):
    seen, sees = os.pipe()
    if os.fork() == 0:
        memory[:]
        os.write(sees, b"x")
        sys.stdin.read()
        os._exit(0)
    os.read(seen, 1)
"""


def test_shared_memory_that_one_process_fills_is_all_its_own(started: Start) -> None:
    whole, part = kernel.shared(started(FILLS_SHARED_MEMORY))
    assert SIZE <= whole < SIZE + 8 * MEBIBYTE
    assert abs(part - whole) < MEBIBYTE


def test_shared_memory_of_a_family_counts_once(started: Start) -> None:
    process = started(FILLS_SHARED_MEMORY + SHARES_IT_WITH_THREE)
    family = [process, *kernel.descendants(process)]
    assert len(family) == 4
    assert SIZE <= sum(kernel.shared(each)[1] for each in family) + MEBIBYTE < SIZE + 8 * MEBIBYTE


def test_a_process_without_shared_memory_has_none(started: Start) -> None:
    assert kernel.shared(started("import sys; held = bytes(64 << 20)")) == (0, 0)


def test_a_process_that_has_ended_has_no_shared_memory() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert kernel.shared(process.pid) == (0, 0)


def test_what_a_process_has_written_is_counted_at_every_depth(started: Start, tmp_path: Path) -> None:
    started("import os, sys; os.makedirs('a/b'); open('a/b/c', 'wb').write(bytes(1 << 20))")
    size, entries = kernel.written(str(tmp_path), 10)
    assert entries == 3
    assert size >= MEBIBYTE


FLICKERS = """
import os, sys
for number in range(20):
    open("kept-%d" % number, "wb").write(bytes(1 << 16))
if os.fork() == 0:
    while True:
        for number in range(200):
            open("flicker-%d" % number, "wb").close()
        for number in range(200):
            os.unlink("flicker-%d" % number)
"""


def test_files_that_come_and_go_hide_none_of_those_beside_them(started: Start, tmp_path: Path) -> None:
    started(FLICKERS)
    assert min(kernel.written(str(tmp_path), 1000)[0] for _ in range(200)) >= 20 << 16


HIDES_BELOW_A_LONG_PATH = """
import os, sys
for _ in range(30):
    os.mkdir("d" * 200)
    os.chdir("d" * 200)
open("file", "wb").write(bytes(1 << 20))
"""


def test_what_lies_below_a_path_that_is_too_long_counts_as_too_much(started: Start, tmp_path: Path) -> None:
    started(HIDES_BELOW_A_LONG_PATH)
    assert kernel.written(str(tmp_path), 1000)[1] > 1000
    remove(str(tmp_path))


@pytest.fixture
def as_the_user() -> Iterator[None]:
    """As one whom a folder can be closed to, which root is not."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(USER)
    yield
    os.seteuid(before)


@pytest.mark.usefixtures("as_the_user")
def test_what_lies_in_a_folder_that_cannot_be_looked_into_counts_as_too_much() -> None:
    with tempfile.TemporaryDirectory() as folder:
        closed = Path(folder, "closed")
        closed.mkdir(0o300)
        (closed / "file").write_bytes(bytes(MEBIBYTE))
        assert kernel.written(folder, 1000)[1] > 1000


MAPS_AND_CLOSES = """
import ctypes, os, sys
libc = ctypes.CDLL(None)
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
for _ in range({files}):
    file = {opens}
    os.write(file, bytes(1 << 20))
    libc.mmap(None, {mapped}, 1, 1, file, 0)
    os.close(file)
if os.path.exists("f"):
    os.unlink("f")
"""
"""Unlike `mmap`, which keeps a descriptor of what it maps."""


def nameless(processes: list[int]) -> int:
    return kernel.nameless(processes, kernel.descriptors(processes))


def test_a_deleted_file_that_is_open_counts(started: Start) -> None:
    process = started("import os, sys; f = open('f', 'wb', 0); f.write(bytes(1 << 20)); os.unlink('f')")
    assert MEBIBYTE <= nameless([process]) < 2 * MEBIBYTE


def test_a_file_that_a_family_holds_counts_once(started: Start) -> None:
    process = started(
        "import os, sys, time; f = os.memfd_create('f'); os.write(f, bytes(1 << 20)); os.dup(f)\n"
        "if os.fork() == 0: time.sleep(600)"
    )
    assert nameless([process, *kernel.descendants(process)]) == MEBIBYTE


def test_a_deleted_file_that_is_mapped_and_closed_counts_as_far_as_it_is_mapped(started: Start) -> None:
    process = started(MAPS_AND_CLOSES.format(opens="os.open('f', os.O_RDWR | os.O_CREAT)", files=1, mapped=SIZE))
    assert nameless([process]) == SIZE


def test_many_files_cannot_be_hidden_behind_a_mapped_page_of_each(started: Start) -> None:
    process = started(MAPS_AND_CLOSES.format(opens="os.memfd_create('f')", files=64, mapped=4096))
    assert nameless([process]) >= 64 * MEBIBYTE


def test_a_file_that_a_folder_shows_does_not_count(started: Start) -> None:
    process = started(
        "import mmap, sys; f = open('f', 'w+b', 0); f.write(bytes(1 << 20)); m = mmap.mmap(f.fileno(), 0)"
    )
    assert nameless([process]) == 0


def test_shared_memory_is_no_file(started: Start) -> None:
    assert nameless([started(FILLS_SHARED_MEMORY)]) == 0


SENDS_TO_ITSELF = """
import array, os, socket, sys
one, other = socket.socketpair()
for _ in range(3):
    file = os.memfd_create("f")
    os.write(file, bytes(1 << 20))
    one.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file]))])
    os.close(file)
"""


def test_descriptors_that_wait_in_a_socket_are_counted(started: Start) -> None:
    process = started(SENDS_TO_ITSELF)
    assert nameless([process]) == 0
    assert kernel.on_their_way(kernel.descriptors([process])) == 3


def test_sockets_in_which_bytes_alone_wait_hold_no_descriptors(started: Start) -> None:
    process = started("import socket, sys; one, other = socket.socketpair(); one.send(b'x')")
    assert kernel.on_their_way(kernel.descriptors([process])) == 0


def test_a_socket_that_a_family_shares_counts_once_for_what_may_wait_in_it(started: Start) -> None:
    alone = [started("import socket, sys; pair = socket.socketpair()")]
    first = started("import os, socket, sys, time; pair = socket.socketpair(); os.fork() or time.sleep(600)")
    family = [first, *kernel.descendants(first)]
    assert kernel.buffered(kernel.descriptors(alone)) > 0
    assert kernel.buffered(kernel.descriptors(family)) == kernel.buffered(kernel.descriptors(alone))
