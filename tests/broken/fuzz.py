"""Lets a coverage-guided fuzzer break the files of one format. See script/fuzz, which has what this needs.

Run as `python -m tests.broken.fuzz FORMAT FOLDER OPTION…`: FOLDER is the corpus, into which the real files go first,
and the options are those of libFuzzer. Its own mutations know nothing of lengths and checksums; every other is ours.
"""

from __future__ import annotations

import hashlib
import importlib
import pkgutil
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import atheris

from loadgate.domain import Format

from .mutations import mutated
from .seeds import Seed, seeds_of

with atheris.instrument_imports(include=["loadgate.artifacts"]):
    import loadgate.artifacts as readers

    for module in pkgutil.iter_modules(readers.__path__, f"{readers.__name__}."):
        importlib.import_module(module.name)  # discovery imports a reader only once it is asked

    from .reading import Bench

OURS = 0.5
"""Share of the mutations that are not the fuzzer's own."""


class Target:
    """The first byte of an input says which seed's file the rest replaces."""

    def __init__(self, kind: Format, folder: Path) -> None:
        self._seeds: Sequence[Seed] = seeds_of(kind)
        self._benches = [Bench(folder / str(index), seed) for index, seed in enumerate(self._seeds)]
        self._contents = [seed.content for seed in self._seeds]

    def write_seeds(self, corpus: Path) -> None:
        for index, seed in enumerate(self._seeds):
            content = bytes([index]) + seed.content
            (corpus / f"seed-{hashlib.sha256(content).hexdigest()[:16]}").write_bytes(content)

    def read(self, data: bytes) -> None:
        if data:
            self._benches[data[0] % len(self._benches)].answer(data[1:])

    def mutate(self, data: bytes, longest: int, number: int) -> bytes:
        if data and random.Random(number).random() < OURS:  # noqa: S311 - the fuzzer hands over the number
            return (data[:1] + mutated(data[1:], number, self._contents))[:longest]
        return bytes(atheris.Mutate(data, longest))


def main(arguments: Sequence[str]) -> None:
    kind, corpus, *options = arguments
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir="/dev/shm") as folder:
        target = Target(Format(kind), Path(folder))
        target.write_seeds(Path(corpus))
        atheris.Setup([sys.argv[0], *options, corpus], target.read, custom_mutator=target.mutate)
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
