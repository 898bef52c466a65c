"""That nothing outlives the probe that started it, however often it changes its number."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from tests.attacks.canaries import end_named, is_there

CHASES = 20
CHANGES = """
import ctypes, os, platform, sys, time
from loadgate.probe import seccomp

ctypes.CDLL(None).prctl(15, sys.argv[1].encode(), 0, 0, 0)
seccomp.give_up_privileges()
seccomp.enforce(seccomp.program(platform.machine(), []))
until = time.monotonic() + 60
while time.monotonic() < until:
    if os.fork():
        os._exit(0)
"""
CHASE = """
import subprocess, sys
from loadgate.loading.probe_process import kill_what_outlived
from loadgate.probe import kernel

kernel.adopt_orphans()
subprocess.run([sys.executable, "-c", sys.argv[2], sys.argv[1]], check=True)
kill_what_outlived([])
"""


@pytest.mark.slow
@pytest.mark.skipif(platform.machine() not in ("x86_64", "aarch64"), reason="its filter is known for these two alone")
def test_what_changes_its_number_without_end_is_caught_every_time() -> None:
    caught = 0
    for chase in range(CHASES):
        name = f"lg-chase-{chase}"
        subprocess.run([sys.executable, "-c", CHASE, name, CHANGES], check=True)
        caught += not is_there(name)
        end_named(name)
    assert caught == CHASES
