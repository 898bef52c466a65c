"""What of a machine a runtime consists of, so what may be reached by whatever runs in it: not a file more."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from loadgate.probe import landlock

PROGRAMS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store")
SETTINGS = tuple(
    f"/etc/{name}"
    for name in (
        *("OpenCL", "alternatives", "debian_version", "default/locale", "fonts", "gai.conf", "group", "host.conf"),
        *("hosts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "ld.so.preload", "locale.alias", "locale.conf"),
        *("localtime", "lsb-release", "mime.types", "nsswitch.conf", "os-release", "passwd", "protocols"),
        *("resolv.conf", "services", "ssl/certs", "ssl/openssl.cnf", "timezone", "vulkan"),
    )
)
"""Of /etc, what a C library and a Python read. The rest of it may hold secrets, which root can read."""
HARDWARE = ("/sys",)
OF_A_PREFIX = ("bin", "include", "lib", "lib32", "lib64")
"""What a Python needs below the folder that it is installed in, which may be somebody's home."""
PROBE = str(Path(landlock.__file__).parent)
NOWHERE = Path("/nowhere")
LIBRARY_VARIABLES = ("LD_LIBRARY_PATH", "CUDA_HOME", "CUDA_PATH")
EDITABLE_LIMIT = 5000
"""Entries of site-packages that are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What may be reached by whatever runs in a runtime."""

    run: tuple[str, ...]
    """Folders and files that may be read and run."""
    read: tuple[str, ...]
    names: tuple[str, ...]
    """Folders whose names may be read, and those below them. What they name may not."""


def reach(  # noqa: PLR0913 -- all of it is what a runtime is
    interpreter: Path,
    environment: Mapping[str, str],
    *,
    env: Mapping[str, str],
    repository: Path,
    made_by_us: bool,
    import_paths: Sequence[Path] = (),
) -> Reach:
    """`environment` are the variables that we were started with, and `env` those that the runtime declares.

    A runtime that we made consists of what the repository asked for, and one that lies in the repository of what that
    holds: neither may say that files elsewhere are part of it.
    """
    runtime = folders_of(interpreter)
    elsewhere = list(other_places(interpreter.parent.parent))
    inside = is_below(interpreter, repository)
    trusted = not made_by_us and not inside
    code = [path for path in elsewhere if trusted or is_below(path, repository)]
    libraries = [
        *(place for place in _places(environment) if _is_no_home(place)),
        *(place for place in _places(env) if place.startswith("/opt/")),
    ]
    workspace = list(import_paths)
    if any(is_below(path, repository) for path in code):
        workspace.append(repository)
    workspace_files = [path for folder in workspace for path in visible(folder)]
    outside = [path for path in code if not is_below(path, repository)]
    return Reach(
        run=(*PROGRAMS, *map(str, runtime), *libraries),
        read=(*SETTINGS, *HARDWARE, PROBE, *map(str, workspace_files), *map(str, outside)),
        names=tuple(map(str, workspace)),
    )


def _places(variables: Mapping[str, str]) -> Iterator[str]:
    for name in LIBRARY_VARIABLES:
        yield from (os.path.realpath(part) for part in variables.get(name, "").split(":") if part.startswith("/"))


def _is_no_home(path: str) -> bool:
    """Not the whole machine either, nor all that lies in `/home`."""
    return path.count("/") > 1 and path != os.path.realpath(Path.home())


def folders_of(interpreter: Path) -> list[Path]:
    """Where a Python and its packages lie: its environment first, then the installation behind that."""
    prefix = interpreter.parent.parent
    real = Path(os.path.realpath(interpreter))
    installations = {real.parent.parent}
    configuration = prefix / "pyvenv.cfg"
    if configuration.is_file():
        installations |= {home.parent for home in _homes(configuration)}
    whole = (configuration.is_file() or (prefix / "conda-meta").is_dir()) and not (prefix / ".git").exists()
    if not whole:
        installations.add(prefix)
    parts = [folder / name for folder in sorted(installations) for name in OF_A_PREFIX]
    return [prefix, *parts] if whole else parts


def _homes(configuration: Path) -> Iterator[Path]:
    content = configuration.read_text("utf-8", "replace")
    for home in re.findall(r"^home\s*=\s*(/.*?)\s*$", content, re.MULTILINE):
        yield Path(home)
        yield Path(os.path.realpath(home))


def other_places(environment: Path) -> Iterator[Path]:
    """Where packages of an environment lie that are installed only by reference: `.pth` lines, and editable ones."""
    for packages in environment.glob("lib/python*/site-packages"):
        for entry in sorted(os.listdir(packages))[:EDITABLE_LIMIT]:
            if entry.endswith((".pth", ".egg-link")):
                yield from _lines_that_are_places(packages / entry)
            elif entry.endswith(".dist-info"):
                yield from _source_of(packages / entry / "direct_url.json")


def _lines_that_are_places(file: Path) -> Iterator[Path]:
    try:
        lines = file.read_text("utf-8", "replace").splitlines()
    except OSError:
        return
    yield from (Path(line.strip()) for line in lines if line.startswith("/"))


def _source_of(file: Path) -> Iterator[Path]:
    try:
        content = json.loads(file.read_bytes())
        url = content["url"] if content.get("dir_info", {}).get("editable") else ""
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return
    if isinstance(url, str) and url.startswith("file:///"):
        yield Path(url.removeprefix("file://"))


def visible(repository: Path) -> list[Path]:
    """What lies in a repository, without what is hidden: `.git` may hold the token of the checkout, `.env` secrets."""
    try:
        return [Path(entry.path) for entry in os.scandir(repository) if not entry.name.startswith(".")]
    except OSError:
        return []


def is_below(path: Path, folder: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
