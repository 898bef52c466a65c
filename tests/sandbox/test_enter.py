"""The walls of this kernel, one by one: each is tried from inside, with a program that stands in for a model."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadgate.domain import Wall
from loadgate.sandbox.privileges import SHARED_MEMORY
from loadgate.sandbox.walls import PROGRAM, examine
from tests.sandbox.inside import run_inside

pytestmark = pytest.mark.skipif(
    bool(examine().missing), reason="this kernel does not give every wall; what it lacks is named at run time"
)


def test_the_scratch_directory_can_be_used_and_nothing_beside_it(tmp_path: Path) -> None:
    inside, outside = tmp_path / "scratch", tmp_path / "outside"
    inside.mkdir()
    outside.write_text("secret")
    code = (
        "tell(lambda: open('mine', 'w').write('x'))\n"
        f"tell(lambda: open({str(outside)!r}))\n"
        f"tell(lambda: open({str(outside)!r}, 'a'))\n"
        f"tell(lambda: os.rename('mine', {str(outside)!r}))\n"
        f"tell(lambda: os.truncate({str(outside)!r}, 0))\n"
        f"tell(lambda: os.listdir({str(tmp_path)!r}))\n"
    )
    assert run_inside(inside, code).split() == ["done", "EACCES", "EACCES", "EACCES", "EACCES", "EACCES"]
    assert outside.read_text() == "secret"


def test_what_changes_a_file_without_opening_it_is_answered_and_not_done(tmp_path: Path) -> None:
    inside, outside = tmp_path / "scratch", tmp_path / "outside"
    inside.mkdir()
    outside.write_text("x")
    before = outside.stat()
    code = (
        f"tell(lambda: os.chmod({str(outside)!r}, 0))\ntell(lambda: os.utime({str(outside)!r}, (1, 1)))\n"
        f"tell(lambda: os.chown({str(outside)!r}, 1, 1))\n"
        f"tell(lambda: os.setxattr({str(outside)!r}, 'user.a', b'b'))\n"
    )
    assert run_inside(inside, code).split() == ["done", "done", "done", "ENOTSUP"]
    after = outside.stat()
    assert (after.st_mode, after.st_mtime_ns, after.st_uid) == (before.st_mode, before.st_mtime_ns, before.st_uid)


@pytest.mark.parametrize(
    ("action", "answer"),
    [
        ("socket.socket()", "EACCES"),
        ("socket.socket(socket.AF_INET6)", "EACCES"),
        ("socket.socket(socket.AF_INET, socket.SOCK_DGRAM)", "EACCES"),
        ("socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)", "EACCES"),
        ("socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)", "EACCES"),
        ("socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)", "EACCES"),
        ("socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)", "EACCES"),
        ("socket.socket(socket.AF_UNIX).connect('/run/docker.sock')", "EACCES"),
        # what multiprocessing and asyncio do within one process goes on
        ("[end.send(b'x') for end in socket.socketpair()]", "done"),
        ("socket.socket(socket.AF_UNIX).bind('own')", "done"),
    ],
)
def test_no_socket_leads_anywhere(tmp_path: Path, action: str, answer: str) -> None:
    assert run_inside(tmp_path, f"tell(lambda: {action})") == answer


@pytest.mark.skipif(platform.machine() != "x86_64", reason="this kernel numbers its system calls in another way")
@pytest.mark.parametrize(
    ("name", "number", "answer"),
    [
        ("io_uring_setup", "425, 1, 0", "ENOSYS"),
        ("clone3", "435, 0, 0", "ENOSYS"),
        ("not known yet", "471", "ENOSYS"),
        ("of the x32 kind", "0x40000000 + 41, 2, 1, 0", "ENOSYS"),
        ("unshare", "272, 0x10000000", "EPERM"),
        ("a clone with new namespaces", "56, 0x10000000, 0, 0, 0, 0", "EPERM"),
        ("mount", "165, 0, 0, 0, 0, 0", "EPERM"),
        ("bpf", "321, 0, 0, 0", "EPERM"),
        ("keyctl", "250, 0, 0", "EPERM"),
        ("perf_event_open", "298, 0, 0, 0, 0, 0", "EPERM"),
        ("userfaultfd", "323, 0", "EPERM"),
        ("ptrace", "101, 0, 0, 0, 0", "EPERM"),
        ("hiding from /proc", "157, 4, 0, 0, 0, 0", "EPERM"),
        ("limits of another process", "302, 1, 7, 0, 0", "EPERM"),
        ("its own limits", "302, 0, 7, 0, 0", "done"),
    ],
)
def test_a_system_call_is_answered_as_the_filter_says(tmp_path: Path, name: str, number: str, answer: str) -> None:
    assert run_inside(tmp_path, f"tell(lambda: call({number}))") == answer, name


def test_a_socket_holds_no_more_than_by_default(tmp_path: Path) -> None:
    code = (
        "one, other = socket.socketpair()\nbefore = one.getsockopt(1, 7)\n"
        "tell(lambda: one.setsockopt(1, 7, 1 << 22))\nprint(one.getsockopt(1, 7) == before)\n"
        "tell(lambda: one.setsockopt(1, 8, 1 << 16))\n"
    )
    assert run_inside(tmp_path, code).split() == ["done", "True", "done"]


def test_signals_reach_nobody_outside_and_everybody_inside(tmp_path: Path) -> None:
    outside = subprocess.Popen(["sleep", "60"])
    try:
        code = (
            f"tell(lambda: os.kill({outside.pid}, 0))\n"
            "child = os.fork() or os._exit(os.read(os.open('/dev/zero', 0), 1) != b'\\0')\n"
            "tell(lambda: os.kill(child, 0))\n"
            "tell(lambda: os.waitpid(child, 0))\n"
        )
        assert run_inside(tmp_path, code).split() == ["EPERM", "done", "done"]
        assert outside.poll() is None
    finally:
        outside.kill()
        outside.wait()


OWN_A_DESCRIPTOR = {
    "F_SETOWN": "fcntl.fcntl(one, 8, victim)",
    "F_SETOWN_EX": "fcntl.fcntl(one, 15, struct.pack('ii', 1, victim))",
    "FIOSETOWN": "fcntl.ioctl(one, 0x8901, struct.pack('i', victim))",
    "SIOCSPGRP": "fcntl.ioctl(one, 0x8902, struct.pack('i', victim))",
}
SIGNAL_THE_OWNER = (
    "import fcntl, struct\n"
    "one, other = socket.socketpair()\n"
    "tell(lambda: {own})\n"
    "fcntl.fcntl(one, fcntl.F_SETFL, os.O_ASYNC)\n"
    "other.send(b'x')\n"
)
"""The kernel sends SIGIO, at which most programs end."""
WITHOUT_A_FILTER = tuple(name for name in examine().mechanisms.working if name != "seccomp")


@pytest.fixture
def victim() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("way", OWN_A_DESCRIPTOR)
def test_before_landlock_knew_signals_nobody_outside_is_made_the_owner_of_a_descriptor(
    tmp_path: Path, victim: subprocess.Popen[bytes], way: str
) -> None:
    code = f"victim = {victim.pid}\n" + SIGNAL_THE_OWNER.format(own=OWN_A_DESCRIPTOR[way])
    assert run_inside(tmp_path, code, landlock_version=4) == "EPERM"
    assert victim.poll() is None
    # and this is what it would have come to
    assert run_inside(tmp_path, code, WITHOUT_A_FILTER, landlock_version=4) == "done"
    assert victim.wait(10) == -signal.SIGIO


@pytest.mark.parametrize("way", OWN_A_DESCRIPTOR)
def test_the_owner_of_a_descriptor_is_not_signalled_where_landlock_knows_signals(
    tmp_path: Path, victim: subprocess.Popen[bytes], way: str
) -> None:
    code = f"victim = {victim.pid}\n" + SIGNAL_THE_OWNER.format(own=OWN_A_DESCRIPTOR[way])
    run_inside(tmp_path, code)
    assert victim.poll() is None


@pytest.mark.parametrize(
    ("action", "answer"),
    [
        ("fcntl.fcntl(file, 10, 9)", "EPERM"),
        ("fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, 0)", "done"),
        ("fcntl.fcntl(file, fcntl.F_SETFD, fcntl.FD_CLOEXEC)", "done"),
        ("fcntl.fcntl(file, fcntl.F_SETFL, fcntl.fcntl(file, fcntl.F_GETFL) | os.O_NONBLOCK)", "done"),
        ("fcntl.lockf(file, fcntl.LOCK_EX)", "done"),
        ("fcntl.fcntl(file, fcntl.F_GETOWN)", "done"),
        ("fcntl.ioctl(socket.socketpair()[0], 0x541B, bytes(4))", "done"),
    ],
)
def test_whatever_else_is_asked_of_a_descriptor_is_done(tmp_path: Path, action: str, answer: str) -> None:
    code = f"import fcntl\nfile = open('mine', 'w')\ntell(lambda: {action})"
    assert run_inside(tmp_path, code, landlock_version=4) == answer


def test_root_keeps_nothing_but_access_to_files(tmp_path: Path) -> None:
    code = (
        "for line in open('/proc/self/status'):\n"
        "    if line.startswith(('CapEff', 'CapBnd', 'NoNew')):\n"
        "        print(line.split()[1])\n"
    )
    effective, bounding, no_new_privileges = run_inside(tmp_path, code).split()
    assert int(effective, 16) & ~0b1110 == 0
    assert no_new_privileges == "1"
    if os.geteuid() == 0:
        assert int(bounding, 16) & ~0b1110 == 0


def test_shared_memory_is_empty_and_of_its_own(tmp_path: Path) -> None:
    assert run_inside(tmp_path, f"print(os.listdir({SHARED_MEMORY!r}))", use=[str(tmp_path), SHARED_MEMORY]) == "[]"


def test_where_a_wall_cannot_be_put_up_nothing_is_run(tmp_path: Path) -> None:
    file = tmp_path / "walls.json"
    # a second time the namespaces are refused, for the filter stands already
    file.write_text('{"mechanisms": ["no_new_privileges", "seccomp", "namespaces"], "landlock_version": 7, "env": {}}')
    ended = subprocess.run(
        [sys.executable, "-I", "-S", str(PROGRAM), str(file), sys.executable, "-c", "print('ran')"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout) == (71, "")
    assert "namespaces" in ended.stderr


def test_every_wall_holds_on_this_machine() -> None:
    assert examine().held == tuple(Wall)
    assert examine().gaps == ()
