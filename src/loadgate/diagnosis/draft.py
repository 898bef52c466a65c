"""The user's own files, changed on paper: what each line would become. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from loadgate.domain import Edit, Origin, Runtime
from loadgate.repository import UnusableFileError, read_text


@dataclass(frozen=True, slots=True)
class Sources:
    """The text of the files that declare runtimes, by path, and the runtimes that were taken from them."""

    files: Mapping[str, Sequence[str]] = field(default_factory=dict)
    runtimes: tuple[Runtime, ...] = ()
    spec_file: str | None = None
    """The spec, where there is one; it need not name runtimes."""

    def line(self, origin: Origin | None) -> str | None:
        lines = self.files.get(origin.file, ()) if origin else ()
        return lines[origin.line - 1] if origin and 0 < origin.line <= len(lines) else None


def read_sources(root: Path, runtimes: Sequence[Runtime], spec_file: str | None) -> Sources:
    """The spec and the files from which the runtimes were taken; one that cannot be read is left out."""
    files = {}
    named = {origin.file for runtime in runtimes for origin in _origins(runtime)} | (
        {spec_file} if spec_file else set()
    )
    for name in sorted(named):
        try:
            files[name] = read_text(root, name).split("\n")
        except UnusableFileError:
            continue
    return Sources(files, tuple(runtimes), spec_file)


def _origins(runtime: Runtime) -> Iterator[Origin]:
    lines = (*runtime.requirements, *runtime.constraints)
    yield from (origin for origin in (runtime.origin, *(line.origin for line in lines)) if origin is not None)


class Draft:
    """Several changes may meet in one line; each sees what the one before it made of it."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self._lines: dict[tuple[str, int], str] = {}
        self._added: list[Edit] = []

    def text(self, file: str, line: int) -> str:
        """Of a line, counted from 1, as it stands now."""
        return self._lines.get((file, line), self.sources.files[file][line - 1])

    def lines(self, file: str) -> list[str]:
        return [self._lines.get((file, at), line) for at, line in enumerate(self.sources.files[file], start=1)]

    def change(self, file: str, line: int, text: str) -> None:
        """`text` may be several lines; empty for a line that goes."""
        self._lines[file, line] = text

    def add(self, file: str, text: str) -> None:
        """A line at whatever place, or several at the end."""
        self._added.append(Edit(file=file, new=text))

    def edits(self) -> tuple[Edit, ...]:
        changed = (
            Edit(file=file, line=line, old=self.sources.files[file][line - 1], new=text)
            for (file, line), text in sorted(self._lines.items())
        )
        return (*(edit for edit in changed if edit.old != edit.new), *self._added)
