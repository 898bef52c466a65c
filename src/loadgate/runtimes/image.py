"""A runtime that is a container image: made real, and opened for loads, by `image.sh`, which the action runs as well.

It is known by a folder, in which the script and we leave each other files; the script says which.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from loadgate.domain import Finding, FindingKind, Lock, Runtime
from loadgate.errors import LoadgateError
from loadgate.probe import kernel
from loadgate.runtimes.description import concluded, read_report
from loadgate.runtimes.failure import NotMadeError
from loadgate.runtimes.processes import Ended, Processes, harmless
from loadgate.runtimes.resolution import digest_of

SCRIPT = Path(__file__).with_name("image.sh")
PROBE = Path(kernel.__file__).parent
REPOSITORY = Path("/repository")
"""Where the repository is in the container of an image."""
DESCRIBE_TIMEOUT = 3600.0
"""Seconds; an image with CUDA in it has ten gigabytes to be pulled."""
OPEN_TIMEOUT = 120.0
KEY_DIGITS = 16
FILE_LIMIT = 64 * 1024
OF_A_SIGNAL = 128


def folder_of(images: Path, runtime: Runtime) -> Path:
    return images / digest_of(runtime.image, runtime.env)[:KEY_DIGITS]


def door_of(folder: Path) -> Path:
    """Where `loading/connected_probe.py` finds whoever starts probes in the container."""
    return folder / "door" / "probe"


def ask(images: Path, runtime: Runtime) -> Path:
    """Make the folder of an image, with what the script has to know. Raises NotMadeError where it could not be told."""
    for name, value in runtime.env.items():
        if "\n" in value:
            headline = f"The variable {name} has more than one line, which Docker cannot hand on to an image."
            raise NotMadeError(Finding(kind=FindingKind.UNSUPPORTED, cause="image_variable", headline=headline))
    folder = folder_of(images, runtime)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "image").write_text(runtime.image or "")
    (folder / "env").write_text("".join(f"{name}={value}\n" for name, value in runtime.env.items()))
    return folder


def describe_image(folder: Path, processes: Processes) -> None:
    """Raises NotMadeError where this machine has no Docker."""
    if shutil.which("docker") is None:
        raise NotMadeError(
            Finding(
                kind=FindingKind.UNSUPPORTED,
                cause="no_docker",
                headline=f"The image {said(folder / 'image')} needs Docker, and there is none on this machine.",
                suggestion="Install Docker, run the action, or describe the runtime with `python:` and `tensorflow:`.",
            )
        )
    run(processes, "describe", folder, PROBE, timeout=DESCRIBE_TIMEOUT)


def lock_of_image(folder: Path, runtime: Runtime) -> Lock:
    """From what `describe` left. Raises NotMadeError where there is no Python with a TensorFlow in it."""
    errors, identity, python = (said(folder / name) for name in ("errors", "id", "python"))
    if not identity:
        raise NotMadeError(image_finding("image_not_there", f"The image {runtime.image} could not be had.", errors))
    if not python:
        headline = f"Neither python3 nor python runs in the image {runtime.image}."
        raise NotMadeError(image_finding("image_has_no_python", headline, errors))
    answer = folder / "answer" / "report.json"
    report = read_report(answer if is_file(answer) else Path(os.devnull))
    lock = concluded(report, Ended(status_of(said(folder / "status")), "", errors), python, runtime.env)
    return replace(lock, image=identity, digest=f"sha256:{digest_of(lock.digest, identity)}")


def status_of(text: str) -> int | None:
    """Docker says of a signal what a shell says."""
    if not text.isdigit():
        return None
    return int(text) if int(text) <= OF_A_SIGNAL else OF_A_SIGNAL - int(text)


def image_finding(cause: str, headline: str, detail: str) -> Finding:
    return Finding(kind=FindingKind.UNSUPPORTED, cause=cause, headline=headline, detail=detail)


@contextlib.contextmanager
def opened(lock: Lock, repository: Path, *, gpu: bool) -> Iterator[Path]:
    """The door to a container of the image that `lock` is of, with `repository` in it; it ends with the context."""
    processes = Processes()
    with tempfile.TemporaryDirectory(prefix="loadgate-", ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch)  # closed to others, since the door in it is open to whichever user serves there
        (folder / "id").write_text(lock.image or "")
        (folder / "python").write_text(lock.interpreter)
        more = ("--gpus", "all") if gpu else ()
        try:
            ended = run(processes, "open", folder, PROBE, repository, *more, timeout=OPEN_TIMEOUT)
            if ended.status != 0:
                raise LoadgateError(f"the image {lock.image} cannot be started: {ended.errors.strip()}")
            yield door_of(folder)
        finally:
            run(processes, "close", folder, timeout=OPEN_TIMEOUT)


def run(processes: Processes, verb: str, *arguments: str | Path, timeout: float) -> Ended:
    env = {name: value for name, value in os.environ.items() if name.startswith("DOCKER_")}
    if os.getuid() != 0:  # what we may read, it may; of root nothing is left without its capabilities
        env["LOADGATE_USER"] = f"{os.getuid()}:{os.getgid()}"
    return processes.run(
        [SCRIPT, verb, *arguments], timeout=timeout, env={**harmless(os.environ), **env}, cwd=Path("/")
    )


def refuse_what_nobody_may_read(repository: Path, files: Iterable[str]) -> None:
    """As root we load as nobody in there. Raises LoadgateError where that would fail for want of the right to read."""
    if os.getuid() != 0:
        return
    for path in {repository, *(repository / file for file in files)}:
        for each in (path, *(parent for parent in path.parents if parent.is_relative_to(repository))):
            mode = each.stat().st_mode if each.exists() else 0o777
            if not mode & stat.S_IROTH or (stat.S_ISDIR(mode) and not mode & stat.S_IXOTH):
                raise LoadgateError(
                    f"{each} is closed to other users, and root loads in an image as nobody; open it with chmod -R o+rX"
                )


def said(file: Path) -> str:
    """What the script wrote; empty where it wrote nothing."""
    try:
        with file.open("rb") as stream:
            return stream.read(FILE_LIMIT).decode("utf-8", "replace").strip()
    except OSError:
        return ""


def is_file(path: Path) -> bool:
    """Not a link out of the folder, and not a pipe that nobody writes to: what ran in there may have left anything."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False
