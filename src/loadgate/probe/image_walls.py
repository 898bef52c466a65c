"""Walls in a container of somebody's image, which only who is in it can describe.

There, all cases are one user, and what starts their probes is that user as well: without walls, one could change what
is said of another.
"""

import os
import platform
from typing import Any, Dict, List

from . import landlock, seccomp

OURS = ("dev", "loadgate", "proc", "repository", "tmp")
"""What the container has besides its image, or what the image cannot be trusted with. The rest is what it brought."""
PROBE = os.path.dirname(os.path.abspath(__file__))


def completed(request: Dict[str, Any]) -> Dict[str, Any]:
    """What `confinement.Walls` has to know, from what is here. This process is refused what its cases are to be."""
    refused = request["refused"]
    filtered = bool(refused["filter"]) and refused["machine"] == platform.machine()
    if filtered:
        seccomp.enforce(bytes.fromhex(refused["filter"]))
    system = [os.path.join("/", name) for name in os.listdir("/") if name not in OURS]
    return {
        "landlock": min(request["landlock"], landlock.abi()),
        "seccomp": filtered,
        "run": system,
        "read": [PROBE] + visible(request["workspace"]),
        "names": request["workspace"],
        "gpu": request["gpu"],
        "shared_memory": False,
    }


def visible(folders: List[str]) -> List[str]:
    """What may be imported: not what is hidden, which may be secret."""
    found: List[str] = []
    for folder in folders:
        try:
            found += [os.path.join(folder, name) for name in os.listdir(folder) if not name.startswith(".")]
        except OSError:
            continue
    return found
