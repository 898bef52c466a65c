"""Finds the artifacts of a repository, and reads what is known of each without loading it.

What a file is, its content says. But most files of a repository are text, source or pictures by their extension, and
opening each of those would cost more than git's whole listing. So `ordinary.py` names the extensions that are not
opened; every other file is, once, for its first bytes.
"""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, cached_property
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, cast

from loadgate.artifacts import dvc, links, spoiled
from loadgate.artifacts.absent import Absent, in_words
from loadgate.artifacts.bounds import bounded, is_utf_8, spelled
from loadgate.artifacts.folder_view import Files, FolderView
from loadgate.artifacts.installed import installed
from loadgate.artifacts.interface import REPOSITORY, FormatReader, Sighting, TooLarge, Unreadable
from loadgate.artifacts.links import promise_of
from loadgate.artifacts.listing import list_files
from loadgate.artifacts.ordinary import is_ordinary
from loadgate.artifacts.unlisted import fetched, place_of, reached
from loadgate.domain import Artifact, Format, StandIn, StandInKind
from loadgate.errors import UsageError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_READERS = (
    *("saved_model", "checkpoint", "sharded_weights", "keras_h5", "keras_v3", "tflite", "graph_def"),
    *("stand_in", "dvc", "spoiled"),
)
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


def discover(
    root: Path, include: Sequence[str] = (), exclude: Sequence[str] = (), named: Sequence[str] = ()
) -> tuple[Sighting, ...]:
    """Every artifact under `root`, sorted by path. It parses what strangers wrote: see `sandbox.finding` for walls."""
    search = Search(root, include, exclude, named)
    return search.chosen(chain.from_iterable(map(search.look_into, search.folders)))


class Search:
    """The folders of a repository that may hold artifacts. Bytes of files are looked at by `look_into` alone.

    `include` and `exclude` are patterns as in .gitignore. One that matches any file of an artifact includes it; to
    exclude it, its path or all of its files have to match, so that no model is torn apart. What lies where a pattern of
    `include` or `named` begins is looked at even where git ignores it, and so is what DVC fetched.

    Raises `UsageError` where something may not be read: what is not looked at must not seem to be fine.
    """

    def __init__(
        self, root: Path, include: Sequence[str] = (), exclude: Sequence[str] = (), named: Sequence[str] = ()
    ) -> None:
        self._choice = _Choice(include, exclude)
        closed: list[str] = []
        absent: list[Absent] = []

        def close(folder: str) -> None:
            closed.append(f"{folder}/")

        self._paths = list_files(root, close, absent.append)
        pointers = dvc.pointers(self._paths)
        wanted = (*include, *named)
        ignored = {*fetched(root, pointers, close, absent.append)}
        beside = {*reached(root, wanted, close)}.difference(ignored)
        beside = beside.difference(self._paths) if beside else beside
        notes = [] if named else list(self._choice.notes_on_ignored(beside, self._paths))
        ignored |= beside
        self._paths += ignored.difference(self._paths) if ignored else ()
        self._refuse_closed(closed)
        missed = [each for each in absent if self._choice.misses(each)]
        if not named:
            self._refuse_absent(missed)
        told = in_words([each for each in missed if each.may_hold_models])
        self.notes = (*notes, *(f"{sentence}." for sentence in told))
        """On what git ignores and was looked at, and on what was not, for it is not there."""
        self._files = Files(root, self._paths)
        self._candidates = _candidates(self._paths)
        for folder in installed(root, self._candidates, wanted):
            del self._candidates[folder]
        self._claimed: set[str] = set()
        self.folders = sorted(self._candidates)
        """In the order in which they must be looked into: what one claims is not shown to those after it."""

    def look_into(self, folder: str) -> tuple[Sighting, ...]:
        prefix = f"{folder}/" if folder else ""
        names = [name for name in self._candidates[folder] if prefix + name not in self._claimed]
        if not any(self._choice.takes_file(prefix + name) or dvc.is_pointer(name) for name in names):
            return ()
        view = FolderView(self._files, folder, names, self._files.below)
        self._refuse_closed(view.closed)
        found = tuple(ask_formats(view))
        self.claim(found)
        return found

    def claim(self, found: Iterable[Sighting]) -> None:
        self._claimed.update(file for sighting in found for file in sighting.files)

    def files_in(self, folders: Sequence[str]) -> int:
        """How many files of these folders may have to be opened."""
        return sum(len(self._candidates[folder]) for folder in folders)

    def chosen(self, sightings: Iterable[Sighting]) -> tuple[Sighting, ...]:
        inside = (each for each in sightings if _lies_inside(self._files, each))
        chosen = filter(self._choice.takes, chain(inside, self._linked()))
        return tuple(sorted(map(nameable, chosen), key=lambda sighting: sighting.path))

    def _linked(self) -> Iterator[Sighting]:
        for folder, names in self._candidates.items():
            yield from links.find(self._files, folder, names, self._claimed)

    def knows(self, sighting: Sighting) -> bool:
        """Whether it can be true, where another process tells it: it is sound, and made of files that were listed."""
        return self._listed.issuperset(sighting.files) and is_sound(self._files, sighting)

    def _refuse_closed(self, paths: Iterable[str]) -> None:
        path = next(iter(sorted(filter(self._choice.takes_file, paths))), None)
        if path is not None:
            raise UsageError(
                f"{spelled(path)} may not be read, so nobody knows whether it holds a model; "
                "open it to this user, or leave it out with artifacts: {exclude: [...]} in the spec"
            )

    def _refuse_absent(self, absent: Iterable[Absent]) -> None:
        for sentence in in_words(list(filter(self._choice.names, absent))):
            raise UsageError(
                f"{sentence}, or leave it out with artifacts: {{exclude: [...]}} in the spec, which includes it"
            )

    @cached_property
    def _listed(self) -> frozenset[str]:
        return frozenset(self._paths)


def is_sound(files: Files, sighting: Sighting) -> bool:
    """Whether it lies among them and is named after its own: the file, their folder, or what they begin with.

    A DVC pointer may name any path that is not there.
    """
    path = sighting.path
    if sighting.unfollowed is not None or not _lies_inside(files, sighting):
        return False
    if sighting.stand_in is not None and sighting.stand_in.kind is StandInKind.DVC_POINTER:
        return (path == REPOSITORY or files.is_inside(path)) and not dvc.is_there(files.root, sighting)
    begins = (f"{path}/", f"{path}.", f"{path}-")
    return path == REPOSITORY or all(file == path or file.startswith(begins) for file in sighting.files)


def read_artifact(root: Path, sighting: Sighting, digest: bool = True) -> Artifact:
    """What is known of a sighting. Only the digest reads whole files."""
    if sighting.unfollowed is not None:
        return artifact_of(sighting)
    artifact = _with_facts(root, sighting)
    damage = artifact.damage
    try:
        size = sum(os.stat(root / file).st_size for file in sighting.files)
        digest_of_files = digest_of(root, sighting.files) if digest else None
    except OSError as error:
        size, digest_of_files = 0, None
        if artifact.stand_in is None:
            damage = damage or f"{os.path.relpath(error.filename, root)} cannot be read: {error.strerror}"
    return replace(artifact, bytes=size, digest=digest_of_files, damage=damage and spelled(damage))


def artifact_of(sighting: Sighting) -> Artifact:
    """What is known of a sighting before its bytes are read."""
    return Artifact(
        path=spelled(sighting.path),
        format=sighting.format,
        files=tuple(map(spelled, sighting.files)),
        bytes=0,
        hindrance=sighting.unfollowed or (None if is_utf_8(sighting.path) else _NOT_UTF_8),
        unfollowed=sighting.unfollowed is not None,
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


def import_readers() -> None:
    """Now rather than at the first use, for those who fork."""
    for name in _READERS:
        _reader(name)


@cache
def _reader(name: str) -> FormatReader:
    return cast(FormatReader, import_module(f"{__package__}.{name}"))


def ask_formats(folder: FolderView) -> Iterator[Sighting]:
    for name in _READERS:
        if not folder.names:
            return
        found = tuple(_reader(name).find(folder))
        if found:
            folder.claim({file for sighting in found for file in sighting.files})
            yield from found


def _with_facts(root: Path, sighting: Sighting) -> Artifact:
    artifact, stand_in = artifact_of(sighting), sighting.stand_in
    if stand_in is not None:
        artifact = replace(artifact, stand_in=_spelled(stand_in))
        if stand_in.kind not in _PARTLY_THERE:
            return artifact
    try:
        return replace(artifact, facts=bounded(_reader(_READER_OF_FORMAT[sighting.format]).read_facts(root, sighting)))
    except Unreadable as reason:
        if stand_in is not None:
            return artifact
        if reason.kind is not None:
            found = StandIn(kind=reason.kind, file=sighting.files[0], detail=str(reason))
            return replace(artifact, stand_in=_spelled(found))
        if isinstance(reason, TooLarge):
            return replace(artifact, unread=f"too large to be read without TensorFlow: {spelled(str(reason))}")
        return replace(artifact, damage=_what_happened(root, sighting) or str(reason))


def _what_happened(root: Path, sighting: Sighting) -> str | None:
    try:
        return spoiled.what_happened(root / sighting.path) if len(sighting.files) == 1 else None
    except OSError:
        return None


def _spelled(stand_in: StandIn) -> StandIn:
    return replace(stand_in, file=spelled(stand_in.file), detail=spelled(stand_in.detail))


# --- which files --------------------------------------------------------------------------------------------------


def _candidates(paths: Iterable[str]) -> dict[str, list[str]]:
    """Names by folder, of the files that are worth a look."""
    by_folder: defaultdict[str, list[str]] = defaultdict(list)
    for path in paths:
        if not is_ordinary(path):
            folder, _, name = path.rpartition("/")
            by_folder[folder].append(name)
    return by_folder


class _Choice:
    """What `include` and `exclude` leave."""

    def __init__(self, include: Sequence[str], exclude: Sequence[str]) -> None:
        self._places = [place for place in map(place_of, include) if place]
        self._include = _patterns(include)
        self._exclude = _patterns(exclude)

    def takes_file(self, path: str) -> bool:
        """Whether it may be part of an artifact that is taken; of a folder, whose path ends in `/`, what is in it."""
        return (self._include is None or path.endswith("/") or self._include.match_file(path)) and not (
            self._exclude is not None and self._exclude.match_file(path)
        )

    def misses(self, absent: Absent) -> bool:
        """Whether what is not there could have been, or have held, an artifact that is taken."""
        if absent.is_folder:
            return self.takes_file(f"{absent.path}/")
        folder, _, name = absent.path.rpartition("/")
        return promise_of(folder, name) is not None and self.takes_file(absent.path)

    def names(self, absent: Absent) -> bool:
        """Whether a pattern asks for it, rather than leaves open where models lie, or in which folder of a place."""
        if absent.is_folder:
            return any(absent.holds(place) for place in self._places)
        return self._include is not None

    def notes_on_ignored(self, ignored: Collection[str], listed: Collection[str]) -> Iterator[str]:
        """A sentence for each place where git ignores some of the files alone: perhaps those were not meant."""
        for place in dict.fromkeys(self._places):
            count = sum(self._is_wanted_in(place, path) for path in ignored)
            if count and any(self._is_wanted_in(place, path) for path in listed):
                files = "1 file that git ignores was" if count == 1 else f"{count:,} files that git ignores were"
                yield (
                    f"In {spelled(place)}, which artifacts: include: names, {files} looked at as well; "
                    "leave out what was not meant with artifacts: {exclude: [...]} in the spec."
                )

    def _is_wanted_in(self, place: str, path: str) -> bool:
        return path.startswith(f"{place}/") and not is_ordinary(path) and self.takes_file(path)

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


def nameable(sighting: Sighting) -> Sighting:
    """Without files whose names are not UTF-8, unless it is the artifact's own name that is not.

    A SavedModel names its assets in a protobuf, which holds UTF-8 alone: such a file beside them is none of them.
    """
    if not is_utf_8(sighting.path):
        return sighting
    return replace(sighting, files=tuple(filter(is_utf_8, sighting.files)))
