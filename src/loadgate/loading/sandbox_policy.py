"""What the loads of a batch may reach: the system, their runtime and their artifacts, and not a file more."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from loadgate.domain import Loader
from loadgate.loading.job import Batch, Job
from loadgate.probe import landlock
from loadgate.sandbox.reach import NOWHERE, Reach
from loadgate.sandbox.reach import reach as reach_of

FOLDER_LIMIT = 1000
"""Folders of an artifact that are looked into before its files are granted one by one."""

OF_KERAS = ("config.json", "metadata.json", "model.weights.h5")
"""By the first, Keras 3 takes a folder for a model of its own, whatever else lies in it, and reads the others then."""

Grant = tuple[str, int]
"""A path, and rights over what is there."""


def reach(batch: Batch, environment: Mapping[str, str]) -> Reach:
    """`environment` are the variables that we were started with."""
    return reach_of(
        Path(batch.lock.interpreter),
        environment,
        env=batch.env,
        repository=batch.repository or NOWHERE,
        made_by_us=batch.made_by_us,
        import_paths=batch.import_paths,
    )


def grants(batch: Batch, job: Job) -> list[Grant]:
    """What a load may read of the repository: its artifact, and the names beside it, by which TensorFlow looks for it.

    A link is followed only within the repository, and not into what is hidden there: that may be a secret. What a load
    has saved brings itself alone: who saved it may have meant its links for secrets, too.
    """
    if job.product is not None and job.saves is None:
        return [(os.path.realpath(job.product), landlock.READ)]
    repository = batch.repository or job.path.parent
    root, folder = Path(os.path.realpath(repository)), Path(os.path.realpath(job.path))
    looked_for = OF_KERAS if job.case.loader in (Loader.KERAS, Loader.TF_KERAS) else ()
    files = _readable([*(job.files or (job.path,)), *(job.path / name for name in looked_for)], repository, root)
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
