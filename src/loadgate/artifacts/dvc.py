"""DVC: small YAML files say which files and folders of a repository lie in a storage of its own. Git ignores those.

A `.dvc` file stands for what a person added, and `dvc.lock` for what the stages of `dvc.yaml` made.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from loadgate.artifacts.interface import Folder, Sighting
from loadgate.artifacts.stand_in import one_line, promised_format, read_facts
from loadgate.domain import Format, StandIn, StandInKind
from loadgate.errors import UsageError
from loadgate.repository import UnusableFileError, read_text

if TYPE_CHECKING:
    from yaml import Node

__all__ = ["MAX_LOCK", "Output", "find", "is_pointer", "outputs", "pointers", "read_facts"]

_POINTER, _LOCK, _STAGES = ".dvc", "dvc.lock", "dvc.yaml"
MAX_LOCK = 1024**2
_MAX_POINTER = 64 * 1024
"""Bytes."""
_MAX_BRACKETS = 100
"""DVC writes none. The YAML parser's time grows with the square of how deep they are nested."""
_WORDS_OF_A_SAVED_MODEL = frozenset({"model", "savedmodel"})


@dataclass(frozen=True, slots=True)
class Output:
    path: str
    """Relative to the repository."""
    is_folder: bool
    detail: str
    """One line for a person."""

    @property
    def promised(self) -> Format | None:
        """What its name promises. A folder of data is what DVC is used for most."""
        if not self.is_folder:
            return promised_format(self.path)
        words = re.split(r"[^a-z]+", posixpath.basename(self.path).lower())
        return None if _WORDS_OF_A_SAVED_MODEL.isdisjoint(words) else Format.SAVED_MODEL


def pointers(paths: Iterable[str]) -> list[str]:
    """Those of a repository's files that say what DVC has."""
    return [path for path in paths if path.endswith((_POINTER, _LOCK)) and is_pointer(path)]


def is_pointer(path: str) -> bool:
    return path.endswith(_POINTER) or posixpath.basename(path) == _LOCK


def find(folder: Folder) -> Iterable[Sighting]:
    """The models that are in DVC's storage and not on the disk."""
    for name in filter(is_pointer, folder.names):
        pointer = posixpath.join(folder.path, name)
        for output in outputs(folder.root, pointer):
            if output.promised is not None and not os.path.lexists(folder.root / output.path):
                stand_in = StandIn(kind=StandInKind.DVC_POINTER, file=pointer, detail=output.detail)
                yield Sighting(path=output.path, format=output.promised, files=(pointer,), stand_in=stand_in)


def outputs(root: Path, pointer: str) -> Iterator[Output]:
    """What a pointer stands for within the repository, there or not. Nothing where the pointer makes no sense."""
    for content, folder in _listings(root, pointer):
        for output in _items(content.get("outs")):
            path = posixpath.normpath(posixpath.join(folder, output.get("path") or "/"))
            if path.isprintable() and not path.startswith(("../", "/")) and path not in ("..", "."):
                yield Output(path, _is_folder(output), _detail(output))


def _is_folder(output: Mapping[str, str]) -> bool:
    return "nfiles" in output or output.get("md5", "").endswith(".dir")


def _detail(output: Mapping[str, str]) -> str:
    size, digest = output.get("size", ""), output.get("md5", "")
    what = "a folder" if _is_folder(output) else "a file"
    length = f"{int(size):,} bytes" if re.fullmatch(r"\d{1,18}", size) else f"{what} of unknown size"
    return f"points at {length}, md5 {one_line(digest, 12)}" if digest else f"points at {length}"


# --- the YAML -----------------------------------------------------------------------------------------------------


def _listings(root: Path, pointer: str) -> Iterator[tuple[Mapping[str, Node], str]]:
    """Each mapping that lists outputs, and the folder that their paths are relative to."""
    here, name = posixpath.split(pointer)
    content = _document(root, pointer, MAX_LOCK if name == _LOCK else _MAX_POINTER)
    if name != _LOCK:
        yield from _from_its_folder(content, content, here)
        return
    stages = _fields(content.get("stages"))
    declared = _fields(_document(root, posixpath.join(here, _STAGES), MAX_LOCK).get("stages")) if stages else {}
    for stage, locked in stages.items():
        # one of a `foreach` is locked as `stage@item`, and says what it does one level further down
        said = _fields(declared.get(stage.partition("@")[0]))
        yield from _from_its_folder(_fields(locked), _fields(said.get("do")) or said, here)


def _from_its_folder(
    content: Mapping[str, Node], said: Mapping[str, Node], here: str
) -> Iterator[tuple[Mapping[str, Node], str]]:
    from loadgate.yaml_nodes import text_of

    folder = text_of(said["wdir"]) if "wdir" in said else "."
    if folder and "$" not in folder:
        yield content, posixpath.join(here, folder)


def _document(root: Path, name: str, limit: int) -> Mapping[str, Node]:
    from loadgate.yaml_nodes import compose

    try:
        text = read_text(root, name, limit)
        return _fields(compose(text, name) if text.count("[") + text.count("{") <= _MAX_BRACKETS else None)
    except (UnusableFileError, RecursionError, UsageError):
        return {}


def _fields(node: Node | None) -> Mapping[str, Node]:
    from loadgate.yaml_nodes import fields

    return fields(node)


def _items(node: Node | None) -> Iterator[Mapping[str, str]]:
    from loadgate.yaml_nodes import elements, fields, text_of

    for element in elements(node):
        yield {key: text for key, value in fields(element).items() if (text := text_of(value)) is not None}
