"""Symbolic links by the name of a model that no format can look into. Nothing is opened for it.

One that leads to nothing within the repository stands in for a model, as git-annex leaves it where nothing was fetched.
What lies outside of the repository is nobody's to look at, and in a container it is never there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from loadgate.artifacts.folder_view import Files
from loadgate.artifacts.interface import REPOSITORY, Sighting
from loadgate.artifacts.stand_in import promised_format, promises_a_model
from loadgate.domain import Format, StandIn, StandInKind

OUTSIDE = "it is a link out of the repository, which is not followed; put the model itself in its place"
_SAVED_MODEL = ("saved_model.pb", "saved_model.pbtxt")
_DATA = re.compile(r"(.*)\.data-\d{5}-of-\d{5}", re.DOTALL)


def find(files: Files, folder: str, names: Iterable[str], claimed: Collection[str]) -> Iterator[Sighting]:
    """What none of the formats has claimed. `names` are those of files in `folder`."""
    told: set[str] = set()
    for name in names:
        link = _join(folder, name)
        promise = None if link in claimed else promise_of(folder, name)
        if promise is None or promise[0] in told or f"{promise[0]}.index" in claimed or not files.is_link(link):
            continue
        path, promised = promise
        if not files.is_inside(link):
            told.add(path)
            yield Sighting(path=path, format=promised, files=(link,), unfollowed=OUTSIDE)
        elif not files.exists(link):
            told.add(path)
            detail = f"leads to {files.target(link)}, which is not there"
            stand_in = StandIn(kind=StandInKind.DANGLING_LINK, file=link, detail=detail)
            yield Sighting(path=path, format=promised, files=(link,), stand_in=stand_in)


def promise_of(folder: str, name: str) -> tuple[str, Format] | None:
    """Path and format of the artifact that a file of that name belongs to."""
    if name in _SAVED_MODEL:
        return folder or REPOSITORY, Format.SAVED_MODEL
    if ".data-" in name and (data := _DATA.fullmatch(name)):
        is_of_saved_model = f"/{_join(folder, data[1])}".endswith("/variables/variables")
        return None if is_of_saved_model else (_join(folder, data[1]), Format.CHECKPOINT)
    promised = promised_format(name)
    path = _join(folder, name)
    return (path, promised) if promised and promises_a_model(path, promised) else None


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
