"""How much of this machine may be used: what the kernel, and the container around us, allow."""

from __future__ import annotations

import os
from pathlib import Path

SHARE_OF_MEMORY = 0.8
"""Of what is free: the rest is left to the page cache and to everybody else."""
CGROUP = Path("/sys/fs/cgroup")


def available_cores(cgroup: Path = CGROUP) -> int:
    cores = len(os.sched_getaffinity(0))
    try:
        quota, period = (cgroup / "cpu.max").read_text().split()
    except (OSError, ValueError):
        return cores
    return cores if quota == "max" else max(1, min(cores, int(quota) // int(period)))


def usual_workers(cgroup: Path = CGROUP) -> int:
    """Loads at once, where nobody says how many: one more than cores, which have work then while one load is made ready
    or taken away."""
    return available_cores(cgroup) + 1


def available_memory(cgroup: Path = CGROUP, meminfo: Path = Path("/proc/meminfo")) -> int:
    """Bytes that loads may be expected to need all together."""
    free = next(
        int(line.split()[1]) * 1024 for line in meminfo.read_text().splitlines() if line.startswith("MemAvailable:")
    )
    try:
        limit = int((cgroup / "memory.max").read_text()) - int((cgroup / "memory.current").read_text())
    except (OSError, ValueError):
        limit = free
    return int(min(free, limit) * SHARE_OF_MEMORY)
