"""What the loads of a batch may reach: the system, their runtime and their artifacts, and not a file more."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from loadgate.loading.job import Batch, Job
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
FOLDER_LIMIT = 1000
"""Folders of an artifact that are looked into before its files are granted one by one."""

Grant = tuple[str, int]
"""A path, and rights over what is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What may be reached by all loads of a batch."""

    run: tuple[str, ...]
    """Folders and files that may be read and run."""
    read: tuple[str, ...]
    names: tuple[str, ...]
    """Folders whose names may be read, and those below them. What they name may not."""


def reach(batch: Batch, environment: Mapping[str, str]) -> Reach:
    """`environment` are the variables that we were started with.

    A runtime that we made consists of what the repository asked for, and one that lies in the repository of what that
    holds: neither may say that files elsewhere are part of it.
    """
    interpreter, repository = Path(batch.lock.interpreter), batch.repository or NOWHERE
    runtime = folders_of(interpreter)
    elsewhere = list(other_places(interpreter.parent.parent))
    inside = is_below(interpreter, repository)
    trusted = not batch.made_by_us and not inside
    code = [path for path in elsewhere if trusted or is_below(path, repository)]
    libraries = [
        *(place for place in _places(environment) if _is_no_home(place)),
        *(place for place in _places(batch.env) if place.startswith("/opt/")),
    ]
    workspace = list(batch.import_paths)
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


def grants(batch: Batch, job: Job) -> list[Grant]:
    """What a load may read of the repository: its artifact, and the names beside it, by which TensorFlow looks for it.

    A link is followed only within the repository, and not into what is hidden there: that may be a secret. What a load
    has saved brings itself alone: who saved it may have meant its links for secrets, too.
    """
    if job.product is not None and job.saves is None:
        return [(os.path.realpath(job.product), landlock.READ)]
    repository = batch.repository or job.path.parent
    root, folder = Path(os.path.realpath(repository)), Path(os.path.realpath(job.path))
    files = _readable(job.files or (job.path,), repository, root)
    if not (folder.is_dir() and all(file.is_relative_to(job.path) for file in job.files)):
        found = [(str(folder.parent), landlock.READ_DIR)]
    elif _may_be_read(job.path, folder, repository, root) and _has_nothing_but(files, folder):
        found = [(str(folder), landlock.READ)]
        files = {file for file in files if not file.is_relative_to(folder)}
    else:
        found = [(str(folder), landlock.READ_DIR)]
    found += [(str(file), landlock.READ_FILE) for file in sorted(files)]
    return found


def grants_elsewhere(batch: Batch, job: Job) -> list[Grant]:
    """The same for a load that sees the repository at another path than we, who can see where its links lead."""
    there, here = batch.repository or NOWHERE, Path(os.path.realpath(batch.seen_at or batch.repository or NOWHERE))

    def seen(path: Path) -> Path:
        return here / path.relative_to(there)

    found = grants(
        replace(batch, repository=here), replace(job, path=seen(job.path), files=tuple(map(seen, job.files)))
    )
    return [
        (str(there / Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path, rights)
        for path, rights in found
    ]


STORES = ((".git", "annex", "objects"), (".dvc", "cache"))
"""Where git-annex and DVC keep large files, with a link to each in the working tree."""


def _readable(files: Sequence[Path], repository: Path, root: Path) -> set[Path]:
    """Where those lie that may be read. A link to a folder is none of them: it would bring all that is below that."""
    places = ((file, Path(os.path.realpath(file))) for file in files)
    return {real for file, real in places if _may_be_read(file, real, repository, root) and os.path.isfile(real)}


def _may_be_read(file: Path, real: Path, repository: Path, root: Path) -> bool:
    """What belongs to an artifact, which may be a link, or lie below one. `real` and `root` are where they lie."""
    if not real.is_relative_to(root):
        return False
    inner = real.relative_to(root).parts
    if any(inner[: len(store)] == store for store in STORES):
        return True
    no_link = file == repository.joinpath(*inner)
    return ".git" not in inner and (no_link or not any(part.startswith(".") for part in inner))


def _has_nothing_but(files: Collection[Path], folder: Path) -> bool:
    """Links do not count: they lead to what has to be granted by itself."""
    expected = set(map(str, files))
    limit, pending, folders = len(expected) + FOLDER_LIMIT, [str(folder)], 0
    while pending and folders < FOLDER_LIMIT:
        folders += 1
        try:
            with os.scandir(pending.pop()) as scan:
                entries = [entry for entry in islice(scan, limit) if not entry.is_symlink()]
                is_all = next(scan, None) is None
        except OSError:
            return False
        inner = [entry.path for entry in entries if entry.is_dir()]
        if not (is_all and expected.issuperset({entry.path for entry in entries}.difference(inner))):
            return False
        pending += inner
    return not pending
