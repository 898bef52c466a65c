"""Tells which artifact a person means who names one path of it."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from loadgate.artifacts.discover import ask_formats, nameable
from loadgate.artifacts.folder_view import Files, FolderView
from loadgate.artifacts.interface import Sighting
from loadgate.artifacts.listing import walk
from loadgate.artifacts.ordinary import is_ordinary
from loadgate.errors import UsageError
from loadgate.places import is_folder

_FOLDERS_IN_A_SAVED_MODEL = frozenset({"assets", "assets.extra", "variables"})
_FILES_OF_A_SAVED_MODEL = frozenset({"saved_model.pb", "saved_model.pbtxt", "keras_metadata.pb", "fingerprint.pb"})
_END_OF_ONE_OF_SEVERAL = re.compile(r"(?:\.index|\.meta|\.weights\.json|(?:\.data)?-\d{5}-of-\d{5})$")
_MAX_NAMES_IN_A_HINT = 1_000


def identify(path: Path) -> tuple[Path, Sighting]:
    """The artifact that a person means by `path`: a file, the directory of a SavedModel, a checkpoint's prefix or any
    file of one. With it comes the folder that its paths are relative to: the current one where it holds `path`.

    Raises `UsageError` where there is nothing, or no artifact.
    """
    where = _followed(path)
    if is_folder(where):
        return _identify_folder(path, where)
    for folder in _folders_of(where):
        names = [name for name in _names_in(folder) if _may_belong(name, where.name)]
        root = _root_of(folder)
        for sighting in ask_formats(_view(root, folder, names)):
            if is_meant(path, root, sighting):
                return root, nameable(sighting)
    _refuse_dangling(path)
    if not os.path.lexists(where):
        raise UsageError(f"{path}: there is no such file, folder or checkpoint prefix")
    raise UsageError(f"{path}: by its content, this is no TensorFlow or Keras model that loadgate knows")


def is_meant(path: Path, root: Path, sighting: Sighting) -> bool:
    return _followed(path) in (root / sighting.path, *(root / file for file in sighting.files))


def roots_of(path: Path) -> tuple[Path, ...]:
    """The folders of which `identify` may answer one. No file is opened for it."""
    where = _followed(path)
    return tuple(_root_of(folder) for folder in ((where,) if is_folder(where) else _folders_of(where)))


def _followed(path: Path) -> Path:
    where = Path(os.path.abspath(path))
    # Path.resolve raises for links that lead in a circle
    return Path(os.path.realpath(where)) if os.path.islink(where) else where


def _folders_of(where: Path) -> tuple[Path, ...]:
    """The folders in which a file is looked for as a part of something."""
    inner = where.parent.name in _FOLDERS_IN_A_SAVED_MODEL
    return (where.parent, where.parent.parent) if inner else (where.parent,)


def _identify_folder(path: Path, folder: Path) -> tuple[Path, Sighting]:
    root = _root_of(folder)
    names = [name for name in _names_in(folder) if not is_ordinary(name)][:_MAX_NAMES_IN_A_HINT]
    beside = []
    for sighting in ask_formats(_view(root, folder, names)):
        if root / sighting.path == folder:
            return root, nameable(sighting)
        beside.append(os.path.join(path, os.path.relpath(root / sighting.path, folder)))
    for name in sorted(_FILES_OF_A_SAVED_MODEL):
        _refuse_dangling(path / name)
    hint = f"; name a model in it, such as {beside[0]}" if beside else ""
    raise UsageError(f"{path}: this folder is no SavedModel{hint}")


def _refuse_dangling(path: Path) -> None:
    if os.path.islink(path) and not os.path.exists(path):
        raise UsageError(f"{path}: is a link to {os.readlink(path)}, which is not there")


def _may_belong(name: str, wanted: str) -> bool:
    """Whether a file beside the wanted one may be needed to tell what that is."""
    return name in _FILES_OF_A_SAVED_MODEL or name.startswith(_END_OF_ONE_OF_SEVERAL.sub("", wanted))


def _root_of(folder: Path) -> Path:
    here = Path.cwd()
    if folder.is_relative_to(here) and Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(here)):
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
