"""A `loadgate.yml` for who has none: what is inferred without it, and what a remedy changes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from loadgate.declared import is_dockerfile
from loadgate.domain import Device, Loader, Requirement, Runtime
from loadgate.yaml_text import quoted, word

FILE = "loadgate.yml"
MOST_LINES = 80
"""A person copies them."""
MOST_ON_A_LINE = 6


def of_runtimes(runtimes: Iterable[Runtime]) -> str | None:
    """The key `runtimes`; None where it would be too long to be copied, or where there is no key for all of it."""
    runtimes = tuple(runtimes)
    if any(runtime.constraints and not runtime.requirement_files for runtime in runtimes):
        return None
    lines = ["runtimes:", *chain.from_iterable(map(_runtime, runtimes))]
    return "\n".join(lines) if len(lines) <= MOST_LINES else None


def of_loader(path: str, loader: Loader) -> str:
    """The key `artifacts`; runtimes are inferred beside it as they are without a spec."""
    return f"artifacts:\n  loader: {{{quoted(path)}: {loader.value}}}"


def packages_of(runtime: Runtime) -> Iterator[Requirement]:
    """What no requirements file brings."""
    for line in runtime.requirements:
        if not runtime.requirement_files or line.origin is None or is_dockerfile(line.origin.file):
            yield line


def _runtime(runtime: Runtime) -> Iterator[str]:
    yield f"  {word(runtime.name)}:"
    for key, value in (("python", runtime.python), ("tensorflow", runtime.tensorflow), ("keras", runtime.keras)):
        if value is not None:
            yield f"    {key}: {quoted(value)}"
    yield from _list("requirements", runtime.requirement_files)
    yield from _list("packages", [line.text for line in packages_of(runtime)])
    yield from _mapping("env", runtime.env)
    yield from _mapping("loader", runtime.loaders)
    yield from _list("imports", runtime.imports)
    if runtime.devices != (Device.CPU,):
        yield from _list("devices", runtime.devices)
    yield from _list("artifacts", runtime.artifacts)


def _list(key: str, items: Sequence[str]) -> Iterator[str]:
    words = list(map(word, items))
    if 0 < len(words) <= MOST_ON_A_LINE:
        yield f"    {key}: [{', '.join(words)}]"
    elif words:
        yield f"    {key}:"
        yield from (f"      - {each}" for each in words)


def _mapping(key: str, pairs: Mapping[Any, str]) -> Iterator[str]:
    if pairs:
        inner = ", ".join(f"{word(name)}: {quoted(value)}" for name, value in pairs.items())
        yield f"    {key}: {{{inner}}}"
