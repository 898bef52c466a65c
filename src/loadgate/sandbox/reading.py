"""Reads facts behind walls: a reader that goes wrong costs the facts of one artifact.

One that crashes has met damage. One that runs out of time or memory may as well have met too much of what is sound.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import msgspec

from loadgate.artifacts.discover import artifact_of, digest_of, import_readers, read_artifact
from loadgate.artifacts.interface import Sighting
from loadgate.domain import Artifact
from loadgate.sandbox.apart import Apart, NoAnswer, OutOfBounds

Reader = Callable[[Path, Sighting], Artifact]


def facts_of(root: Path, sighting: Sighting) -> Artifact:
    return read_artifact(root, sighting, digest=False)


def read_apart(root: Path, sightings: Sequence[Sighting], read: Reader = facts_of) -> Iterator[Artifact]:
    """What is known of each, in their order. `read` runs in another process and sees nothing but `root`."""
    for sighting, artifact in zip(sightings, facts_apart(root, sightings, read), strict=True):
        yield digested(root, sighting, artifact)


def facts_apart(root: Path, sightings: Sequence[Sighting], read: Reader = facts_of) -> Iterator[Artifact]:
    """As `read_apart`, without the digests."""
    import_readers()
    waiting = list(sightings)
    while waiting:
        with Apart([root], waiting, lambda sighting: msgspec.json.encode(read(root, sighting))) as apart:
            while waiting:
                sighting = waiting.pop(0)
                try:
                    yield told_of(sighting, apart.next())
                except NoAnswer as reason:
                    yield without_facts(root, sighting, reason)
                    break


def told_of(sighting: Sighting, answer: bytes) -> Artifact:
    """Whichever file it says that it is about: what will be digested, and loaded, is not for the reader to choose."""
    try:
        artifact = msgspec.json.decode(answer, type=Artifact)
    except (ValueError, RecursionError) as error:
        raise NoAnswer("told nothing that makes sense") from error
    return replace(
        artifact_of(sighting),
        bytes=artifact.bytes,
        facts=artifact.facts,
        stand_in=artifact.stand_in,
        damage=artifact.damage,
        unread=artifact.unread,
    )


def without_facts(root: Path, sighting: Sighting, reason: NoAnswer) -> Artifact:
    size = 0
    for file in sighting.files:
        with suppress(OSError):
            size += (root / file).stat().st_size
    bare = replace(artifact_of(sighting), bytes=size, stand_in=sighting.stand_in)
    if sighting.stand_in is not None:
        return bare
    why = f"reading it {reason}"
    return replace(bare, unread=why) if isinstance(reason, OutOfBounds) else replace(bare, damage=why)


def digested(root: Path, sighting: Sighting, artifact: Artifact) -> Artifact:
    """With the digest over its bytes, which parses nothing and may take as long as the disk takes."""
    if artifact.unfollowed:
        return artifact
    try:
        return replace(artifact, digest=digest_of(root, sighting.files))
    except OSError as error:
        if artifact.stand_in is not None:
            return artifact
        unreadable = f"{os.path.relpath(error.filename, root)} cannot be read: {error.strerror}"
        return replace(artifact, bytes=0, damage=artifact.damage or unreadable)
