"""Readers that go wrong, in a process of their own: the facts of one artifact are lost, and nothing else."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest

from loadgate.artifacts.discover import digest_of, read_artifact
from loadgate.artifacts.interface import Sighting
from loadgate.domain import Artifact, Format
from loadgate.sandbox import apart, reading
from loadgate.sandbox.reading import read_apart


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in "abc":
        (tmp_path / name).write_text(name)
    return tmp_path


SIGHTINGS = [Sighting(path=name, format=Format.GRAPH_DEF, files=(name,)) for name in "abc"]


def fine(root: Path, sighting: Sighting) -> Artifact:
    size = (root / sighting.path).stat().st_size
    return Artifact(path=sighting.path, format=sighting.format, files=sighting.files, bytes=size)


def crashes(root: Path, sighting: Sighting) -> Artifact:
    if sighting.path == "b":
        os.kill(os.getpid(), signal.SIGSEGV)
    return fine(root, sighting)


def loops(root: Path, sighting: Sighting) -> Artifact:
    while sighting.path == "b":
        pass
    return fine(root, sighting)


def hoards(root: Path, sighting: Sighting) -> Artifact:
    hoard = [b"x" * (16 << 20) for _ in range(64 if sighting.path == "b" else 0)]
    return fine(root, sighting) if len(hoard) < 64 else fine(root, SIGHTINGS[0])


def raises(root: Path, sighting: Sighting) -> Artifact:
    if sighting.path == "b":
        raise ValueError("a bug of ours")
    return fine(root, sighting)


def waits(root: Path, sighting: Sighting) -> Artifact:
    if sighting.path == "b":
        signal.pause()
    return fine(root, sighting)


@pytest.mark.parametrize(
    ("read", "damage"),
    [
        (crashes, "ended the process"),
        (raises, "ended the process"),
    ],
)
def test_a_reader_that_fails_costs_the_facts_of_one_artifact(root: Path, read: reading.Reader, damage: str) -> None:
    first, second, third = read_apart(root, SIGHTINGS, read)
    assert (first.damage, third.damage) == (None, None)
    assert damage in (second.damage or "")
    assert second.digest is not None


@pytest.mark.parametrize(("read", "why"), [(loops, "more than 1 s"), (hoards, "512 MiB")])
def test_a_file_that_takes_too_much_to_be_read_is_not_called_damaged(
    root: Path, read: reading.Reader, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "CPU_SECONDS", 1)
    first, second, third = read_apart(root, SIGHTINGS, read)
    assert (first.unread, third.unread) == (None, None)
    assert why in (second.unread or "")
    assert second.damage is None
    assert second.digest is not None


def test_a_reader_that_waits_for_ever_is_given_up(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    artifacts = read_apart(root, SIGHTINGS, waits)
    assert next(artifacts).damage is None
    with monkeypatch.context() as patch:
        patch.setattr(apart, "PATIENCE", 0.1)
        assert next(artifacts).unread == "reading it was not done after 0 s"
    assert next(artifacts).damage is None


def test_a_reader_reaches_neither_the_network_nor_other_files_and_writes_nothing(root: Path) -> None:
    outside = root.parent / "outside"
    outside.write_text("secret")

    def tries(root: Path, sighting: Sighting) -> Artifact:
        done = []
        for name, action in (
            ("read", outside.read_text),
            ("wrote", lambda: (root / "d").write_text("x")),
            ("connected", socket.socket),
        ):
            try:
                action()
                done.append(name)
            except OSError:
                continue
        return Artifact(path=sighting.path, format=sighting.format, files=sighting.files, bytes=0, damage=f"{done}")

    assert {artifact.damage for artifact in read_apart(root, SIGHTINGS, tries)} == {"[]"}
    assert not (root / "d").exists()


def test_what_is_read_apart_is_what_is_read_at_once(root: Path) -> None:
    expected = [read_artifact(root, sighting) for sighting in SIGHTINGS]
    assert list(read_apart(root, SIGHTINGS)) == expected


def test_a_file_that_goes_away_is_told_and_ends_nothing(root: Path) -> None:
    (root / "b").unlink()
    expected = [read_artifact(root, sighting) for sighting in SIGHTINGS]
    assert list(read_apart(root, SIGHTINGS)) == expected
    assert expected[1].damage


def test_a_reader_does_not_choose_which_files_are_digested_and_loaded(root: Path) -> None:
    def lies(_root: Path, sighting: Sighting) -> Artifact:
        return Artifact(path="../outside", format=Format.TFLITE, files=("../outside",), bytes=0, damage=sighting.path)

    told = list(read_apart(root, SIGHTINGS, lies))
    assert [(each.path, each.files, each.format) for each in told] == [
        (each.path, each.files, each.format) for each in SIGHTINGS
    ]
    assert [each.digest for each in told] == [digest_of(root, each.files) for each in SIGHTINGS]
