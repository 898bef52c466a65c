"""Plan: what is there, where is it to be loaded, and with which call. No network, no token; parses artifacts."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, count
from pathlib import Path

from loadgate import __version__
from loadgate.domain import (
    LOADERS_OF_FORMAT,
    Artifact,
    Case,
    Definition,
    Device,
    Loader,
    Origin,
    Plan,
    Runtime,
    Spec,
    StandInKind,
)
from loadgate.errors import UsageError
from loadgate.places import SPEC_NAMES, is_file, is_folder

UNREAD_TOLD = 5
"""Artifacts that could not be looked into and get a sentence of their own."""
NOWHERE_TOLD = 5
"""Artifacts that are named where no runtime loads them."""


def repository_around(folder: Path) -> Path | None:
    """The nearest of `folder` and the folders above it that has a spec or is a checkout."""
    for each in (folder, *folder.parents):
        if os.path.lexists(each / ".git") or any(is_file(each / name) for name in SPEC_NAMES):
            return each
    return None


def is_bare(root: Path) -> bool:
    return is_file(root / "HEAD") and is_folder(root / "objects") and is_folder(root / "refs")


def repository_here() -> Path:
    """The repository that we are in, as one would type it: what is declared for a folder of it stands in its root."""
    try:
        here = Path.cwd()
    except FileNotFoundError as error:
        raise UsageError("the current folder is there no more; change to another") from error
    around = repository_around(here)
    return Path(os.path.relpath(around, here)) if around else Path()


def plan(
    root: Path, *, spec_file: Path | None = None, artifacts: Sequence[str] = (), runtimes: Sequence[str] = ()
) -> Plan:
    """Plan every case of the repository at `root`; `artifacts` and `runtimes` narrow it to paths and names."""
    from loadgate.artifacts.bounds import is_utf_8, spelled
    from loadgate.diagnosis.carried import notes_on_code
    from loadgate.infer import refuse_undecided
    from loadgate.phases.scope import notes_on_patterns, scoped
    from loadgate.sandbox.finding import discover_apart
    from loadgate.sandbox.reading import read_apart

    if is_file(root):
        raise UsageError(f"{root}: is a file; give its repository, and the file with --artifact")
    if not is_folder(root):
        raise UsageError(f"{root}: no such directory; give the path of a repository")
    if is_bare(root):
        raise UsageError(f"{root}: is a bare repository, which has no files of its own; give a checkout of it")
    if not is_utf_8(str(root.resolve())):
        raise UsageError(f"{spelled(str(root))}: its path is not UTF-8, so no plan can name it; give another")
    spec = wanted(root, spec_file)
    chosen_runtimes(spec.runtimes, runtimes)
    notes = list(spec.notes)
    sightings = discover_apart(root, spec.include, spec.exclude, named=artifacts, note=notes.append)
    paths = [each.path for each in sightings]
    wanted_paths = chosen_paths(paths, artifacts, root)
    known = scoped(spec, paths)
    chosen = chosen_runtimes(known, runtimes)
    read = distinct(read_apart(root, [each for each in sightings if each.path in wanted_paths]))
    cases = tuple(cases_of(read, chosen, spec.loaders))
    loaded = {case.artifact for case in cases}
    elsewhere = [case for case in cases_of(read, known, spec.loaders) if case.artifact not in loaded]
    if artifacts and elsewhere and not cases:
        one = elsewhere[0]
        raise UsageError(f"{one.artifact} is not loaded in {', '.join(runtimes)}; it is in {one.runtime}")
    anywhere = loaded | {case.artifact for case in elsewhere}
    found = tuple(artifact for artifact in read if artifact.path in loaded)
    if found:
        refuse_undecided(spec)
    return Plan(
        loadgate=__version__,
        repository=str(root.resolve()),
        spec_file=spec.file,
        artifacts=found,
        runtimes=chosen,
        cases=cases,
        checks=spec.checks,
        policy=spec.policy,
        remedies=spec.remedies,
        notes=(
            *notes,
            *notes_on_patterns(spec, paths, [file for each in sightings for file in each.files]),
            *notes_on_what_is_loaded_nowhere([each.path for each in read if each.path not in anywhere]),
            *notes_on(cases),
            *notes_on_what_was_not_read(found),
            *notes_on_assets(found),
            *notes_on_code(found),
        ),
        checkouts=steps_to_mend(root, found),
        definitions=definitions_for(root, found),
    )


def distinct(artifacts: Iterable[Artifact]) -> tuple[Artifact, ...]:
    """With a number after a path that is spelled like another: a name that is not UTF-8 can be."""
    found: dict[str, Artifact] = {}
    for artifact in artifacts:
        paths = chain([artifact.path], (f"{artifact.path} ({number})" for number in count(2)))
        path = next(path for path in paths if path not in found)
        found[path] = artifact if path == artifact.path else replace(artifact, path=path)
    return tuple(found.values())


def wanted(root: Path, spec_file: Path | None) -> Spec:
    """The spec as it is written, or what the repository's own files say in its place."""
    from loadgate.infer import infer_spec
    from loadgate.spec import read_spec

    if spec_file is not None and not is_file(spec_file):
        raise UsageError(f"{spec_file}: no such file; write one with `loadgate init`")
    written = [spec_file] if spec_file else [root / name for name in SPEC_NAMES if is_file(root / name)]
    if len(written) > 1:
        raise UsageError(f"{written[1]}: {written[0]} is a spec as well; keep one of them, or name one with --spec")
    if written:
        return read_spec(root, written[0])
    for name in SPEC_NAMES:
        if is_folder(root / name):
            raise UsageError(f"{root / name}: is a directory; a spec is a file: rename it, or name one with --spec")
    return infer_spec(root, (sys.version_info.major, sys.version_info.minor))


def chosen_runtimes(runtimes: Sequence[Runtime], names: Sequence[str]) -> tuple[Runtime, ...]:
    known = {runtime.name: runtime for runtime in runtimes}
    for name in names:
        if name not in known:
            raise UsageError(f"--runtime {name}: no such runtime; there are {', '.join(known)}")
    return tuple(known[name] for name in dict.fromkeys(names)) if names else tuple(runtimes)


def chosen_paths(paths: Sequence[str], patterns: Sequence[str], root: Path) -> Collection[str]:
    """The artifacts that `--artifact` asks for. A path that is there means that one, whatever it is as a pattern."""
    if not patterns:
        return paths
    chosen: set[str] = set()
    for pattern in patterns:
        path = pattern.removeprefix("./")
        found = {path} & set(paths) or {each for each in paths if matches(each, [path])}
        if not found:
            there = f"there are {len(paths):,}, such as {paths[0]!r}" if paths else "there are none"
            of = "" if root == Path() else f"of {root} "
            raise UsageError(f"--artifact {pattern!r}: no artifact {of}has such a path; {there}")
        chosen |= found
    return chosen


def matches(path: str, patterns: Sequence[str]) -> bool:
    from loadgate.artifacts.patterns import compiled

    try:
        return compiled(patterns).match_file(path)
    except ValueError as error:
        raise UsageError(f"{', '.join(patterns)}: {error}") from error


def steps_to_mend(root: Path, artifacts: Sequence[Artifact]) -> tuple[Origin, ...]:
    """Noted here, for the report phase reads nothing of the repository."""
    from loadgate.checkouts import checkouts_without_lfs

    pointers = (each.stand_in for each in artifacts if each.stand_in is not None)
    if any(pointer.kind is StandInKind.GIT_LFS_POINTER for pointer in pointers) or any(notes_on_assets(artifacts)):
        return checkouts_without_lfs(root)
    return ()


def definitions_for(root: Path, artifacts: Sequence[Artifact]) -> tuple[Definition, ...]:
    """Noted here as well: the repository's text tells them without any trial."""
    from loadgate.diagnosis.definitions import find_definitions

    needed = chain.from_iterable(artifact.facts.custom_objects for artifact in artifacts if artifact.facts)
    return tuple(chain.from_iterable(find_definitions(root, {found.name for found in needed}).values()))


def notes_on(cases: Sequence[Case]) -> Iterator[str]:
    """What `passed` does not mean for some of the cases."""
    weights = {case.artifact for case in cases if case.loader is Loader.WEIGHTS}
    if weights:
        holds = "1 file holds" if len(weights) == 1 else f"{len(weights)} files hold"
        yield f"{holds} weights only: every weight is read, and no model is built."


def notes_on_what_is_loaded_nowhere(paths: Sequence[str]) -> Iterator[str]:
    if paths:
        more = f" and {len(paths) - NOWHERE_TOLD:,} more" if len(paths) > NOWHERE_TOLD else ""
        are = "is" if len(paths) == 1 else "are"
        yield f"{', '.join(paths[:NOWHERE_TOLD])}{more} {are} loaded in none of the runtimes, by their `artifacts`."


def notes_on_assets(artifacts: Sequence[Artifact]) -> Iterator[str]:
    """A model passes with those as well, and answers wrongly."""
    from loadgate.artifacts.saved_model import POINTERS

    for each in artifacts:
        if each.facts is not None and (pointers := each.facts.extra.get(POINTERS)):
            yield (
                f"{each.path}: Git LFS pointers lie where its assets should be ({pointers}), and it may load with "
                "their lines as its vocabulary; run `git lfs pull`, or give actions/checkout `lfs: true`."
            )


def notes_on_what_was_not_read(artifacts: Sequence[Artifact]) -> Iterator[str]:
    unread = [each for each in artifacts if each.unread is not None]
    yield from (f"{each.path} was not looked into: {each.unread}." for each in unread[:UNREAD_TOLD])
    if len(unread) > UNREAD_TOLD:
        yield f"{len(unread) - UNREAD_TOLD:,} more artifacts were not looked into; `loadgate inspect` says why."


def cases_of(
    artifacts: Sequence[Artifact], runtimes: Sequence[Runtime], loaders: Mapping[str, Loader]
) -> Iterator[Case]:
    from loadgate.phases.scope import loaded_in

    paths = [artifact.path for artifact in artifacts]
    for runtime in runtimes:
        loaded = loaded_in(runtime, paths)
        for device in runtime.devices:
            yield from (case_of(each, runtime, device, loaders) for each in artifacts if each.path in loaded)


def case_of(artifact: Artifact, runtime: Runtime, device: Device, loaders: Mapping[str, Loader]) -> Case:
    known = LOADERS_OF_FORMAT[artifact.format]
    by_path = (loader for pattern, loader in loaders.items() if loader in known and matches(artifact.path, [pattern]))
    named = next(by_path, runtime.loaders.get(artifact.format))
    loader = named or known[0]
    identity = "\0".join((artifact.path, runtime.name, device, loader)).encode("utf-8", "surrogateescape")
    return Case(
        id=hashlib.sha256(identity).hexdigest()[:16],
        artifact=artifact.path,
        runtime=runtime.name,
        device=device,
        loader=loader,
        loader_chosen=named is not None,
    )
