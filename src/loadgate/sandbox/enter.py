"""Put up walls around this process, then become another program: `enter.py DESCRIPTION PROGRAM ARGUMENT…`.

Run by loadgate's own Python with `-I -S`: whatever belongs to a runtime, its interpreter and what that runs at its
start included, is inside already. With `--examine` it says which walls can be put up here, as JSON, and ends.
"""

import contextlib
import errno
import json
import os
import platform
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from loadgate.probe import confinement, landlock, seccomp
from loadgate.sandbox import privileges, system_calls

NOT_CLOSED = 71
"""Exit status where a wall that was asked for could not be put up: then nothing is run."""
NOT_RUN = 126
"""The same status as a shell's, where the program cannot be run."""
OPEN_FILES = 65536

Description = dict[str, Any]


def resources(_description: Description) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, most), most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def no_new_privileges(_description: Description) -> None:
    seccomp.give_up_privileges()


def namespaces(_description: Description) -> None:
    privileges.own_namespaces()


def shared_memory(_description: Description) -> None:
    privileges.own_shared_memory()


def capabilities(_description: Description) -> None:
    privileges.give_up_capabilities()


def files(description: Description) -> None:
    version = description["landlock_version"]
    rules = landlock.Ruleset(version)
    for path in description["run"]:
        rules.allow(path, landlock.RUN)
    for path in (*description["read"], "/proc"):
        rules.allow(path, landlock.READ)
    for path in description["names"]:
        rules.allow(path, landlock.READ_DIR)
    for path, rights in (*description["artifacts"], *confinement.device_rules(description["gpu"])):
        rules.allow(path, rights)
    for path in description["use"]:
        rules.allow(path, landlock.use(version))
    rules.enforce()


def system_call_filter(description: Description) -> None:
    if not system_calls.known(platform.machine()):
        raise OSError(errno.ENOSYS, f"the system calls of {platform.machine()} are not known")
    seccomp.enforce(system_calls.filter_for(platform.machine(), description["landlock_version"]))


MECHANISMS: dict[str, Callable[[Description], None]] = {
    "resources": resources,
    "no_new_privileges": no_new_privileges,
    "namespaces": namespaces,
    "shared_memory": shared_memory,
    "capabilities": capabilities,
    "landlock": files,
    "seccomp": system_call_filter,
}
"""In the order in which they can be put up: each takes from this process what the ones before it need."""


def examine() -> dict[str, str | int | None]:
    """Mechanism → None where it works here, or why it does not; and the version of Landlock."""
    nothing: Description = {"run": [], "read": [], "names": [], "artifacts": [], "use": [], "gpu": False}
    nothing["landlock_version"] = landlock.abi()
    found: dict[str, str | int | None] = {}
    for name, put_up in MECHANISMS.items():
        if name == "shared_memory" and found["namespaces"]:
            found[name] = "it needs a mount namespace"
            continue
        try:
            put_up(nothing)
            found[name] = None
        except OSError as error:
            found[name] = error.strerror or str(error)
    found["landlock_version"] = nothing["landlock_version"]
    return found


def enter(description: Description, command: list[str]) -> None:
    for name in description["mechanisms"]:
        try:
            MECHANISMS[name](description)
        except OSError as error:
            sys.stderr.write(f"the sandbox could not be closed: {name}: {error}\n")
            sys.exit(NOT_CLOSED)
    try:
        os.execve(command[0], command, description["env"])  # noqa: S606 - no shell: the point of this program
    except OSError as error:
        sys.stderr.write(f"{command[0]} cannot be run behind the walls: {error.strerror}\n")
        sys.exit(NOT_RUN)


def main() -> None:
    if sys.argv[1] == "--examine":
        with contextlib.suppress(BrokenPipeError):
            sys.stdout.write(json.dumps(examine()))
            sys.stdout.flush()
        return
    description = json.loads(Path(sys.argv[1]).read_bytes())
    enter(description, sys.argv[2:])


if __name__ == "__main__":
    main()
