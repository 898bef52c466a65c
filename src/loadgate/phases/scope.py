"""Which artifacts are loaded in which runtime: what a spec says, or where both lie."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

from loadgate.artifacts.patterns import compiled
from loadgate.domain import Runtime, Spec

_MEANS_MORE = re.compile(r"([\\*?\[\]!#])")
"""Characters that a pattern takes for more than themselves."""


def scoped(spec: Spec, paths: Collection[str]) -> tuple[Runtime, ...]:
    """The runtimes of `spec`, those that were inferred narrowed to what they are there for. `paths` of artifacts.

    Models in a folder that describes a runtime of its own are loaded there. They are loaded elsewhere as well where
    nothing lies that would show what a runtime is for: a service has a folder of its own and takes models from others.
    """
    folders = set(chain.from_iterable(_folders(each) for each in spec.runtimes if _was_inferred(each, spec)))
    owners = {_home(path, folders) for path in paths}
    return tuple(
        _narrowed(runtime, owners) if _was_inferred(runtime, spec) and _folders(runtime) & owners else runtime
        for runtime in spec.runtimes
    )


def notes_on_patterns(spec: Spec, paths: Sequence[str], files: Sequence[str]) -> Iterator[str]:
    """What a spec names and no artifact answers to: where it is misspelt, models are left out and nobody sees it."""
    among_files = _unmatched(spec.include, [*paths, *files])
    yield from (f"{spec.file}: `{pattern}` under `artifacts: include` matches no artifact." for pattern in among_files)
    for pattern in _unmatched(spec.loaders, paths):
        yield f"{spec.file}: `{pattern}` under `artifacts: loader` matches no artifact."
    for runtime in spec.runtimes:
        for pattern in _unmatched(runtime.artifacts, paths):
            yield f"{spec.file}: `{pattern}` under `artifacts` of runtime {runtime.name} matches no artifact."


def _unmatched(patterns: Iterable[str], paths: Sequence[str]) -> Iterator[str]:
    """What excludes may well have nothing to exclude."""
    for pattern in patterns:
        if not pattern.startswith("!") and not any(compiled([pattern]).match_files(paths)):
            yield pattern


def loaded_in(runtime: Runtime, paths: Sequence[str]) -> Collection[str]:
    """Those of the artifacts that are loaded in `runtime`."""
    if not runtime.artifacts:
        return set(paths)
    return set(compiled(runtime.artifacts).match_files(paths))


def _was_inferred(runtime: Runtime, spec: Spec) -> bool:
    return runtime.origin is not None and runtime.origin.file != spec.file


def _folders(runtime: Runtime) -> set[str]:
    """Those that describe it."""
    origins = [runtime.origin, *runtime.said_again]
    return {posixpath.dirname(origin.file) for origin in origins if origin is not None}


def _home(path: str, folders: Collection[str]) -> str:
    """The nearest folder around an artifact that describes a runtime; the repository itself where there is none."""
    return next((folder for folder in _folders_around(path) if folder in folders), "")


def _folders_around(path: str) -> Iterator[str]:
    while path := posixpath.dirname(path):
        yield path


def _narrowed(runtime: Runtime, owners: Collection[str]) -> Runtime:
    own = _folders(runtime)
    others = sorted(set(owners) - own - {""})
    if not others:
        return runtime
    # the last pattern that matches decides, so what lies within another comes after it
    within = [folder for folder in own if any(folder.startswith(f"{other}/") for other in others)]
    named = sorted([*others, *within])
    patterns = [f"{'' if folder in own else '!'}/{_literal(folder)}/**" for folder in named]
    left_out = ", ".join(f"{folder}/" for folder in others)
    has = "has a runtime of its own" if len(others) == 1 else "each has one of its own"
    note = f"What lies in {left_out} is not loaded here, as it {has}; `artifacts` of a runtime says otherwise."
    return replace(runtime, artifacts=("**", *patterns), notes=(*runtime.notes, note))


def _literal(folder: str) -> str:
    return _MEANS_MORE.sub(r"\\\1", folder)
