"""The walls around one case, inside those that stand around its probe: of other cases it can reach nothing."""

import glob
import os
import platform
import resource
from typing import Any, Dict, List, Tuple

from . import landlock, seccomp

SHARED_MEMORY = "/dev/shm"  # noqa: S108 - the name is the kernel's and glibc's
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
GPU_DEVICES = ("/dev/nvidia*", "/dev/nvidia-caps/*")
"""Patterns. What is denied otherwise includes terminals, disks, and the memory of the machine."""
OF_THE_MACHINE = (
    "cpuinfo",
    "devices",
    "driver",
    "filesystems",
    "loadavg",
    "meminfo",
    "modules",
    "stat",
    "sys",
    "uptime",
    "version",
)
"""What a case sees of /proc beside itself. The rest are processes, whose command lines may hold secrets."""
YIELDING = 5
"""Added to a case's niceness: who holds it to its limits comes first, however many processes it makes."""
OPEN_FILES = 4096


def device_rules(gpu: bool) -> List[Tuple[str, int]]:
    use = landlock.READ_FILE | landlock.WRITE_FILE | landlock.TRUNCATE
    rules = [(path, use) for path in DEVICES]
    for pattern in GPU_DEVICES if gpu else ():
        rules += [(path, use | landlock.IOCTL_DEV) for path in glob.glob(pattern)]
    return rules


class Walls:
    """What every case of a probe may read, looked up once. `request` is what `loadgate` says of it."""

    def __init__(self, request: Dict[str, Any]) -> None:
        self.version = request["landlock"]
        self.own_signals_only = request["seccomp"] and self.version < landlock.KNOWS_SCOPES
        self.rules: List[Tuple[int, int]] = []
        if not self.version:
            return
        paths = [(path, landlock.RUN) for path in request["run"]]
        paths += [(path, landlock.READ) for path in request["read"]]
        paths += [(path, landlock.READ_DIR) for path in request["names"]]
        paths += [("/proc/" + name, landlock.READ) for name in OF_THE_MACHINE]
        paths += device_rules(request["gpu"])
        if request["shared_memory"]:
            paths.append((SHARED_MEMORY, landlock.use(self.version)))
        for path, rights in paths:
            for descriptor in landlock.opened([path]):
                self.rules.append((descriptor, landlock.fitting(descriptor, rights)))

    def close(self, artifact: List[List[Any]], scratch: str) -> List[int]:
        """Put them up around this process: it may read `artifact` (paths and rights) and use `scratch`.

        Returns the descriptors that must stay open for as long as it runs.
        """
        kept: List[int] = []
        if self.version:
            rules = landlock.Ruleset(self.version)
            for descriptor, rights in self.rules:
                rules.allow_descriptor(descriptor, rights)
            for path, rights in artifact:
                rules.allow(path, rights)
            rules.allow(scratch, landlock.use(self.version))
            # the kernel forgets entries of /proc that nobody holds, and a rule goes with its entry
            kept = landlock.opened(["/proc/self/"])
            rules.allow_descriptor(kept[0], landlock.READ)
            rules.enforce()
        if self.own_signals_only:
            seccomp.enforce(seccomp.own_signals_only(platform.machine(), os.getpid()))
        return kept


def limit(disk: int) -> None:
    """What the kernel itself holds a case to, at the moment in which it goes beyond."""
    os.nice(YIELDING)
    try:
        # a session has a share of its own, inside of which alone the niceness of its processes counts
        with open("/proc/self/autogroup", "w") as stream:
            stream.write(str(YIELDING))
    except OSError:
        pass  # there is none, or too many were asked for at once
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for kind, most in ((resource.RLIMIT_FSIZE, disk), (resource.RLIMIT_NOFILE, OPEN_FILES)):
        soft, hard = resource.getrlimit(kind)
        ceiling = most if hard == resource.RLIM_INFINITY else min(hard, most)
        resource.setrlimit(kind, (ceiling if soft == resource.RLIM_INFINITY else min(soft, ceiling), ceiling))
