"""Finds artifacts behind walls. What a file is, its content says: to find one is to parse what strangers wrote."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from loadgate import untrusted
from loadgate.artifacts.discover import Search, import_readers, is_sound
from loadgate.artifacts.folder_view import Files
from loadgate.artifacts.identify import identify, is_meant, roots_of
from loadgate.artifacts.interface import Sighting
from loadgate.errors import LoadgateError, UsageError
from loadgate.sandbox.apart import Apart, NoAnswer

FILES_IN_A_BATCH = 64
NOTHING = b"[null, []]"
LONGEST_REFUSAL = 10_000
"""Characters; it names a path of the user's own."""
UNTRUE = "was told something else than what is there"


def discover_apart(
    root: Path,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    named: Sequence[str] = (),
    note: Callable[[str], object] = str,
) -> tuple[Sighting, ...]:
    """As `discover`. Raises `LoadgateError` where a folder cannot be looked into: what is in it is not known then.

    `note` is told, in a sentence each, of what the repository declares and does not hold here, and of what git ignores
    beside what was asked for.
    """
    import_readers()
    search = Search(root, include, exclude, named)
    for sentence in search.notes:
        note(sentence)
    return search.chosen(_look(root, search, _batches(search)))


def _batches(search: Search) -> Sequence[Sequence[str]]:
    """The folders in their order, several together: one answer for each of thousands would take as long as they do."""
    batches: list[list[str]] = []
    room = 0
    for folder in search.folders:
        room -= search.files_in([folder])
        if room < 0:
            batches.append([])
            room = FILES_IN_A_BATCH
        batches[-1].append(folder)
    return batches


def _look(root: Path, search: Search, batches: Sequence[Sequence[str]]) -> Iterator[Sighting]:
    def look(folders: Sequence[str]) -> bytes:
        return answer(lambda: [sighting for folder in folders for sighting in search.look_into(folder)])

    with Apart([root], batches, look, search.files_in) as apart:
        for number, batch in enumerate(batches):
            try:
                found = told(apart.next())
                if not all(map(search.knows, found)):
                    raise NoAnswer(UNTRUE)
            except NoAnswer as reason:
                if len(batch) == 1:
                    raise LoadgateError(_cannot_be_searched(root / batch[0], reason)) from reason
                yield from _look(root, search, [[folder] for folder in batch] + list(batches[number + 1 :]))
                return
            search.claim(found)
            yield from found


def _cannot_be_searched(folder: Path, reason: NoAnswer) -> str:
    where = untrusted.name(str(folder))
    return f"{where}: looking for models there {reason}; leave the folder out under `artifacts: exclude:`"


def identify_apart(path: Path) -> tuple[Path, Sighting]:
    """As `identify`. Raises `UsageError` as well where the file cannot be looked at."""
    import_readers()
    roots = roots_of(path)
    with Apart(roots, [path], lambda path: answer(lambda: [identify(path)[1]])) as apart:
        try:
            (sighting,) = told(apart.next())
        except NoAnswer as reason:
            raise UsageError(f"{path}: looking at it {reason}") from reason
    root = next((root for root in roots if is_meant(path, root, sighting)), None)
    if root is None or not is_sound(Files(root, ()), sighting):
        raise UsageError(f"{path}: looking at it {UNTRUE}")
    return root, sighting


def answer(find: Callable[[], Sequence[Sighting]]) -> bytes:
    """What was found, or why nobody can tell."""
    try:
        found = find()
    except UsageError as refusal:
        return json.dumps([str(refusal), []]).encode()
    # not by msgspec: the name of a file need not be UTF-8
    return json.dumps([None, msgspec.to_builtins(found)]).encode() if found else NOTHING


def told(line: bytes) -> tuple[Sighting, ...]:
    """Raises `UsageError` where that is what was told, and `NoAnswer` where it makes no sense."""
    if line == NOTHING:
        return ()
    try:
        refusal, found = msgspec.convert(json.loads(line), tuple[str | None, tuple[Sighting, ...]])
    except (ValueError, RecursionError) as error:
        raise NoAnswer(UNTRUE) from error
    if refusal is not None:
        raise UsageError(untrusted.line(refusal, limit=LONGEST_REFUSAL))
    return found
