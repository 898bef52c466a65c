"""Finds the artifacts of a repository, and reads what is known of each without loading it.

What a file is, its content says. But most files of a repository are text, source or pictures by their extension, and
opening each of those would cost more than git's whole listing. So `ordinary.py` names the extensions that are not
opened; every other file is, once, for its first bytes.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

from loadgate.artifacts.bounds import bounded, is_utf_8, spelled
from loadgate.artifacts.folder_view import Files, FolderView
from loadgate.artifacts.interface import FormatReader, Sighting, Unreadable
from loadgate.artifacts.listing import list_files, walk
from loadgate.artifacts.ordinary import is_ordinary
from loadgate.domain import Artifact, Facts, Format, StandIn, StandInKind
from loadgate.errors import UsageError
from loadgate.places import is_folder

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_READERS = ("saved_model", "checkpoint", "keras_h5", "keras_v3", "tflite", "graph_def", "stand_in")
"""Modules of this package in the order in which they are asked: those that claim several files come first."""

_READER_OF_FORMAT: Mapping[Format, str] = {
    Format.KERAS_H5: "keras_h5",
    Format.KERAS_WEIGHTS_H5: "keras_h5",
    Format.KERAS_V3: "keras_v3",
    Format.SAVED_MODEL: "saved_model",
    Format.GRAPH_DEF: "graph_def",
    Format.CHECKPOINT: "checkpoint",
    Format.TFLITE: "tflite",
}

_PARTLY_THERE = frozenset({StandInKind.MISSING_VARIABLES, StandInKind.MISSING_SHARDS})
"""Stand-ins of which some facts can be read all the same."""

_NOT_UTF_8 = "its name is not UTF-8, so TensorFlow cannot be asked to load it; rename it"
_CHUNK = 1024**2
_MAX_DIGESTED = 64 * 1024**3


def discover(root: Path, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> tuple[Sighting, ...]:
    """Every artifact under `root`, sorted by path.

    `include` and `exclude` are patterns as in .gitignore. One that matches any file of an artifact includes it; to
    exclude it, its path or all of its files have to match, so that no model is torn apart.

    Raises `UsageError` where something may not be read: what is not looked at must not seem to be fine.
    """
    choice = _Choice(include, exclude)
    closed: list[str] = []
    paths = list_files(root, lambda folder: closed.append(f"{folder}/"))
    files = Files(root, paths)
    claimed: set[str] = set()
    sightings: list[Sighting] = []
    candidates = _candidates(paths)
    for folder in sorted(candidates):
        prefix = f"{folder}/" if folder else ""
        names = [name for name in candidates[folder] if prefix + name not in claimed]
        if any(choice.takes_file(prefix + name) for name in names):
            view = FolderView(files, folder, names, files.below)
            closed += view.closed
            for sighting in _ask_formats(view):
                claimed.update(sighting.files)
                sightings.append(sighting)
    _refuse_closed(filter(choice.takes_file, closed))
    chosen = (each for each in sightings if choice.takes(each) and _lies_inside(files, each))
    return tuple(sorted(map(_nameable, chosen), key=lambda sighting: sighting.path))


def identify(path: Path) -> tuple[Path, Sighting]:
    """The artifact that a person means by `path`: a file, the directory of a SavedModel, a checkpoint's prefix or any
    file of one. With it comes the folder that its paths are relative to: the current one where it holds `path`.

    Raises `UsageError` where there is nothing, or no artifact.
    """
    where = Path(os.path.abspath(path))
    if os.path.islink(where):
        where = Path(os.path.realpath(where))  # Path.resolve raises for links that lead in a circle
    if is_folder(where):
        return _identify_folder(path, where)
    inner = where.parent.name in _FOLDERS_IN_A_SAVED_MODEL
    for folder in (where.parent, where.parent.parent) if inner else (where.parent,):
        names = [name for name in _names_in(folder) if _may_belong(name, where.name)]
        root = _root_of(folder)
        for sighting in _ask_formats(_view(root, folder, names)):
            if where in (root / sighting.path, *(root / file for file in sighting.files)):
                return root, _nameable(sighting)
    if not os.path.lexists(where):
        raise UsageError(f"{path}: there is no such file, folder or checkpoint prefix")
    raise UsageError(f"{path}: by its content, this is no TensorFlow or Keras model that loadgate knows")


def read_artifact(root: Path, sighting: Sighting, digest: bool = True) -> Artifact:
    """What is known of a sighting. Only the digest reads whole files."""
    facts, stand_in, damage = _facts(root, sighting)
    try:
        size = sum(os.stat(root / file).st_size for file in sighting.files)
        digest_of_files = digest_of(root, sighting.files) if digest else None
    except OSError as error:
        size, digest_of_files = 0, None
        damage = damage or f"{os.path.relpath(error.filename, root)} cannot be read: {error.strerror}"
    return Artifact(
        path=spelled(sighting.path),
        format=sighting.format,
        files=tuple(map(spelled, sighting.files)),
        bytes=size,
        digest=digest_of_files,
        facts=facts,
        stand_in=stand_in and replace(stand_in, file=spelled(stand_in.file), detail=spelled(stand_in.detail)),
        damage=damage and spelled(damage),
        hindrance=None if is_utf_8(sighting.path) else _NOT_UTF_8,
    )


def digest_of(root: Path, files: Sequence[str]) -> str | None:
    """`sha256:` and the digest over names, relative to the folder that holds all of `files`, and over contents.

    None where they are so large that to read them would take minutes, which a file with holes can be that takes no
    room on the disk at all. Raises OSError where one cannot be read.
    """
    if sum(os.stat(root / file).st_size for file in files) > _MAX_DIGESTED:
        return None
    folder = os.path.commonpath([os.path.dirname(file) for file in files]) if files else ""
    digest = hashlib.sha256()
    for file in sorted(files):
        with open(root / file, "rb") as stream:
            name = os.fsencode(os.path.relpath(file, folder or "."))
            digest.update(b"%d %d " % (len(name), os.fstat(stream.fileno()).st_size) + name)
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    return f"sha256:{digest.hexdigest()}"


# --- who is asked -------------------------------------------------------------------------------------------------


@cache
def _reader(name: str) -> FormatReader:
    return cast(FormatReader, import_module(f"{__package__}.{name}"))


def _ask_formats(folder: FolderView) -> Iterator[Sighting]:
    for name in _READERS:
        if not folder.names:
            return
        found = tuple(_reader(name).find(folder))
        if found:
            folder.claim({file for sighting in found for file in sighting.files})
            yield from found


def _facts(root: Path, sighting: Sighting) -> tuple[Facts | None, StandIn | None, str | None]:
    stand_in = sighting.stand_in
    if stand_in is not None and stand_in.kind not in _PARTLY_THERE:
        return None, stand_in, None
    try:
        return bounded(_reader(_READER_OF_FORMAT[sighting.format]).read_facts(root, sighting)), stand_in, None
    except Unreadable as reason:
        if stand_in is not None:
            return None, stand_in, None
        if reason.kind is not None:
            return None, StandIn(kind=reason.kind, file=sighting.files[0], detail=str(reason)), None
        return None, None, str(reason)


# --- which files --------------------------------------------------------------------------------------------------


def _candidates(paths: Iterable[str]) -> dict[str, list[str]]:
    """Names by folder, of the files that are worth a look."""
    by_folder: defaultdict[str, list[str]] = defaultdict(list)
    for path in paths:
        folder, _, name = path.rpartition("/")
        if not is_ordinary(name):
            by_folder[folder].append(name)
    return by_folder


def _refuse_closed(paths: Iterable[str]) -> None:
    path = next(iter(sorted(paths)), None)
    if path is not None:
        raise UsageError(
            f"{spelled(path)} may not be read, so nobody knows whether it holds a model; "
            "open it to this user, or leave it out with artifacts: {exclude: [...]} in the spec"
        )


class _Choice:
    """What `include` and `exclude` leave."""

    def __init__(self, include: Sequence[str], exclude: Sequence[str]) -> None:
        self._include = _patterns(include)
        self._exclude = _patterns(exclude)

    def takes_file(self, path: str) -> bool:
        """Whether it may be part of an artifact that is taken; of a folder, whose path ends in `/`, what is in it."""
        return (self._include is None or path.endswith("/") or self._include.match_file(path)) and not (
            self._exclude is not None and self._exclude.match_file(path)
        )

    def takes(self, sighting: Sighting) -> bool:
        names = (sighting.path, *sighting.files)
        if self._include is not None and not any(self._include.match_file(name) for name in names):
            return False
        if self._exclude is None:
            return True
        is_excluded = self._exclude.match_file
        return not is_excluded(sighting.path) and not all(is_excluded(file) for file in sighting.files)


def _patterns(lines: Sequence[str]) -> GitIgnoreSpec | None:
    if not lines:
        return None
    from loadgate.artifacts.patterns import compiled

    return compiled(lines)


def _lies_inside(files: Files, sighting: Sighting) -> bool:
    """Not below a link that leads out of the repository, which an index can be made to hold."""
    return all(files.is_inside(file) for file in sighting.files)


def _nameable(sighting: Sighting) -> Sighting:
    """Without files whose names are not UTF-8, unless it is the artifact's own name that is not.

    A SavedModel names its assets in a protobuf, which holds UTF-8 alone: such a file beside them is none of them.
    """
    if not is_utf_8(sighting.path):
        return sighting
    return replace(sighting, files=tuple(filter(is_utf_8, sighting.files)))


# --- one path that a person named ---------------------------------------------------------------------------------

_FOLDERS_IN_A_SAVED_MODEL = frozenset({"assets", "assets.extra", "variables"})
_FILES_OF_A_SAVED_MODEL = frozenset({"saved_model.pb", "saved_model.pbtxt", "keras_metadata.pb", "fingerprint.pb"})
_END_OF_A_CHECKPOINT = re.compile(r"(?:\.index|\.meta|(?:\.data)?-\d{5}-of-\d{5})$")
_MAX_NAMES_IN_A_HINT = 1_000


def _identify_folder(path: Path, folder: Path) -> tuple[Path, Sighting]:
    root = _root_of(folder)
    names = [name for name in _names_in(folder) if not is_ordinary(name)][:_MAX_NAMES_IN_A_HINT]
    beside = []
    for sighting in _ask_formats(_view(root, folder, names)):
        if root / sighting.path == folder:
            return root, _nameable(sighting)
        beside.append(os.path.join(path, os.path.relpath(root / sighting.path, folder)))
    hint = f"; name a model in it, such as {beside[0]}" if beside else ""
    raise UsageError(f"{path}: this folder is no SavedModel{hint}")


def _may_belong(name: str, wanted: str) -> bool:
    """Whether a file beside the wanted one may be needed to tell what that is."""
    return name in _FILES_OF_A_SAVED_MODEL or name.startswith(_END_OF_A_CHECKPOINT.sub("", wanted))


def _root_of(folder: Path) -> Path:
    here = Path.cwd()
    if folder.is_relative_to(here):
        return here
    return folder.parent if any((folder / name).is_file() for name in _FILES_OF_A_SAVED_MODEL) else folder


def _names_in(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if not entry.is_dir())
    except OSError:
        return []


def _view(root: Path, folder: Path, names: Sequence[str]) -> FolderView:
    """A folder whatever git says of it."""
    inner = folder.relative_to(root).as_posix()
    files = Files(root, tuple(walk(root, "" if inner == "." else inner)) if _is_saved_model(names) else ())
    return FolderView(files, "" if inner == "." else inner, names, files.below)


def _is_saved_model(names: Sequence[str]) -> bool:
    return not _FILES_OF_A_SAVED_MODEL.isdisjoint(names)
