"""Says where something was seen: what the formats of TensorFlow have in common when they report what they found."""

from __future__ import annotations

from collections.abc import Collection

from loadgate.artifacts import stand_in
from loadgate.artifacts.interface import Folder, Sighting, Unreadable
from loadgate.domain import Format, StandIn, StandInKind


def path_of(folder: Folder, name: str) -> str:
    """A file of the folder, relative to the repository."""
    return f"{folder.path}/{name}" if folder.path else name


def of_file(folder: Folder, name: str, kind: Format, reason: StandIn | None = None) -> Sighting:
    """An artifact that is one file."""
    path = path_of(folder, name)
    return Sighting(path=path, format=kind, files=(path,), stand_in=reason)


def in_place_of(folder: Folder, name: str) -> StandIn | None:
    """What stands where this file should be: a pointer, an error page, nothing at all."""
    reason = stand_in.of_file(folder.head(name), folder.size(name))
    return StandIn(kind=reason[0], file=path_of(folder, name), detail=reason[1]) if reason else None


def cut_off(folder: Folder, name: str, error: Unreadable) -> StandIn | None:
    """What the error says of a file, where it says more than that it is damaged."""
    if error.kind is None:
        return None
    return StandIn(kind=error.kind, file=path_of(folder, name), detail=str(error))


def find_missing(folder: Folder, shards: Collection[str]) -> StandIn | None:
    """The first of a checkpoint's shards that is not in its folder."""
    there = frozenset(folder.names)
    missing = [shard for shard in shards if shard not in there]
    if not missing:
        return None
    detail = f"{len(missing):,} of {len(shards):,} shards are missing"
    return StandIn(kind=StandInKind.MISSING_SHARDS, file=path_of(folder, missing[0]), detail=detail)
