"""DVC: small YAML files say which files and folders of a repository lie in a storage of its own. Git ignores those.

A `.dvc` file stands for what a person added, and `dvc.lock` for what the stages of `dvc.yaml` made.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from loadgate.artifacts.interface import Folder, Sighting
from loadgate.artifacts.links import promise_of
from loadgate.artifacts.stand_in import one_line, promised_format, read_facts
from loadgate.domain import Format, StandIn, StandInKind
from loadgate.errors import UsageError
from loadgate.repository import UnusableFileError, read_text

if TYPE_CHECKING:
    from yaml import Node

__all__ = ["MAX_LOCK", "Output", "files_of", "find", "is_pointer", "is_there", "outputs", "pointers", "read_facts"]

Told = Callable[[str], object]

_POINTER, _LOCK, _STAGES = ".dvc", "dvc.lock", "dvc.yaml"
MAX_LOCK = 1024**2
_MAX_POINTER = 64 * 1024
"""Bytes."""
_MOST_NODES = 100_000
"""DVC writes about as many into a lock of that size."""
_MAX_BRACKETS = 100
"""DVC writes none. The YAML parser's time grows with the square of how deep they are nested."""
_INTERPOLATION = re.compile(r"\$\{[^][{}]*\}")
"""It closes what it opens, so that any number of them are no deeper than one."""
_READ = ("path", "md5", "size", "nfiles")
_ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|[A-Za-z]:[\\/]")


@dataclass(frozen=True, slots=True)
class Output:
    path: str
    """Relative to the repository."""
    is_folder: bool
    detail: str
    """One line for a person."""

    @property
    def promised(self) -> tuple[str, Format] | None:
        """Path and format of the artifact that its name promises.

        A folder called `model` may as well be of PyTorch or of scikit-learn.
        """
        if self.is_folder:
            letters = re.sub(r"[^a-z]+", "", posixpath.basename(self.path).lower())
            return (self.path, Format.SAVED_MODEL) if "savedmodel" in letters else None
        of_several = promise_of(*posixpath.split(self.path))
        promised = promised_format(self.path)
        return of_several or ((self.path, promised) if promised else None)


def pointers(paths: Iterable[str]) -> list[str]:
    """Those of a repository's files that say what DVC has."""
    return [path for path in paths if path.endswith((_POINTER, _LOCK)) and is_pointer(path)]


def is_pointer(path: str) -> bool:
    return path.endswith(_POINTER) or posixpath.basename(path) == _LOCK


def files_of(pointer: str) -> tuple[str, ...]:
    """Those that are read for a pointer."""
    here, name = posixpath.split(pointer)
    return (pointer, posixpath.join(here, _STAGES)) if name == _LOCK else (pointer,)


def find(folder: Folder) -> Iterable[Sighting]:
    """The models that are in DVC's storage and not on the disk."""
    found: dict[str, Sighting] = {}
    pointers_to: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for name in filter(is_pointer, folder.names):
        pointer = posixpath.join(folder.path, name)
        for output in outputs(folder.root, pointer):
            if output.promised is not None and not os.path.lexists(folder.root / output.path):
                path, promised = output.promised
                stand_in = StandIn(kind=StandInKind.DVC_POINTER, file=pointer, detail=output.detail)
                found.setdefault(path, Sighting(path=path, format=promised, files=(pointer,), stand_in=stand_in))
                pointers_to[path][pointer] = None
    missing = (sighting for sighting in found.values() if not is_there(folder.root, sighting))
    return [replace(sighting, files=tuple(pointers_to[sighting.path])) for sighting in missing]


def is_there(root: Path, sighting: Sighting) -> bool:
    """The artifact itself, or of one of several files that by which it is found."""
    parts = {Format.SAVED_MODEL: ("/saved_model.pb", "/saved_model.pbtxt"), Format.CHECKPOINT: (".index",)}
    return any(os.path.lexists(root / f"{sighting.path}{part}") for part in parts.get(sighting.format, ("",)))


def outputs(root: Path, pointer: str, unread: Told = str) -> Iterator[Output]:
    """What a pointer stands for within the repository, there or not. Nothing where the pointer makes no sense.

    `unread` is told of a file of stages that is there and cannot be read, or computes where a model is.
    """
    real_root = os.path.realpath(root)
    for listed, folder in _listings(root, pointer, unread):
        for output in _items(listed):
            path = _local(folder or "", output.get("path", ""))
            if path is not None and _is_inside(real_root, posixpath.dirname(path)):
                found = Output(path, _is_folder(output), _detail(output))
                if folder is not None:
                    yield found
                elif found.promised is not None:
                    unread(files_of(pointer)[-1])


def _local(folder: str, said: str) -> str | None:
    """Relative to the repository; None for what lies elsewhere, as DVC calls it: external."""
    path = posixpath.normpath(posixpath.join(folder, said or "/"))
    if _ELSEWHERE.match(said) or not path.isprintable() or path.startswith(("../", "/")) or path in ("..", "."):
        return None
    return path


def _is_inside(real_root: str, folder: str) -> bool:
    """Once every link is followed: a folder of data may be one to another disk."""
    return f"{os.path.realpath(os.path.join(real_root, folder))}/".startswith(f"{real_root.rstrip('/')}/")


def _is_folder(output: Mapping[str, str]) -> bool:
    return "nfiles" in output or output.get("md5", "").endswith(".dir")


def _detail(output: Mapping[str, str]) -> str:
    size, digest = output.get("size", ""), output.get("md5", "")
    what = "a folder" if _is_folder(output) else "a file"
    length = f"{int(size):,} bytes" if re.fullmatch(r"\d{1,18}", size) else f"{what} of unknown size"
    return f"points at {length}, md5 {one_line(digest, 12)}" if digest else f"points at {length}"


# --- the YAML -----------------------------------------------------------------------------------------------------


def _listings(root: Path, pointer: str, unread: Told) -> Iterator[tuple[Node, str | None]]:
    """Each list of outputs, and the folder that their paths are relative to: None where it takes more than reading."""
    seen = set()
    for content, said, here in _parts(root, pointer, unread):
        listed, folder = content.get("outs"), _folder_of(said)
        # by aliases, few bytes can name one list thousands of times
        if listed is not None and listed not in seen:
            seen.add(listed)
            yield listed, None if folder is None else posixpath.join(here, folder)


def _parts(root: Path, pointer: str, unread: Told) -> Iterator[tuple[Mapping[str, Node], Mapping[str, Node], str]]:
    """What holds outputs, what says where they are, and the folder of both. No stage counts that DVC would not pull."""
    from loadgate.yaml_nodes import fields

    here, name = posixpath.split(pointer)
    if name != _LOCK:
        content = _document(root, pointer, _MAX_POINTER) or {}
        yield content, content, here
        return
    stages, declared = (_stages(root, file, unread) for file in files_of(pointer))
    once = cache(fields)  # by aliases, few bytes can name one mapping thousands of times
    for stage, locked in stages.items():
        # one of a `foreach` is locked as `stage@item`, and says what it does one level further down
        said = once(declared.get(stage.partition("@")[0]))
        if said:
            yield once(locked), once(said.get("do")) or said, here


def _stages(root: Path, name: str, unread: Told) -> Mapping[str, Node]:
    from loadgate.yaml_nodes import fields

    document = _document(root, name, MAX_LOCK)
    if document is None:
        unread(name)
        return {}
    is_of_dvc_1 = name.endswith(_LOCK) and "stages" not in document  # which had the stages at the top
    return document if is_of_dvc_1 else fields(document.get("stages"))


def _folder_of(said: Mapping[str, Node]) -> str | None:
    """None where that takes more than reading."""
    from loadgate.yaml_nodes import text_of

    folder = text_of(said["wdir"]) if "wdir" in said else "."
    return folder if folder and "$" not in folder else None


def _document(root: Path, name: str, limit: int) -> Mapping[str, Node] | None:
    """Empty where there is none, and None where it cannot be read."""
    from loadgate.yaml_nodes import compose, fields

    if not os.path.lexists(root / name):
        return {}
    try:
        text = read_text(root, name, limit)
        return fields(compose(text, name, _MOST_NODES)) if _brackets(text) <= _MAX_BRACKETS else None
    except (UnusableFileError, RecursionError, UsageError):
        return None


def _brackets(text: str) -> int:
    text = _INTERPOLATION.sub("", text)
    return text.count("[") + text.count("{")


def _items(listed: Node) -> Iterator[Mapping[str, str]]:
    from loadgate.yaml_nodes import elements, fields, text_of

    for element in dict.fromkeys(elements(listed)):
        output = fields(element)
        told = {key: text for key in _READ if (text := text_of(output.get(key))) is not None}
        # a storage that keeps versions of its own is told of each file of a folder
        yield told | {"nfiles": str(len(elements(output["files"])))} if "files" in output else told
