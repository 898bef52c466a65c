"""With what a probe is started."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from loadgate.domain import Device, Lock
from loadgate.loading.job import Batch
from loadgate.loading.probe_process import environment
from loadgate.probe import kernel


@pytest.fixture
def batch() -> Batch:
    lock = Lock(digest="", interpreter="python", python="", implementation="", packages={}, tensorflow="")
    return Batch(runtime="serving", device=Device.CPU, lock=lock, env={}, imports=(), import_paths=(), jobs=())


def test_a_probe_has_its_heap_in_large_pages(batch: Batch, tmp_path: Path) -> None:
    assert environment({}, batch, tmp_path).items() >= kernel.HUGE_PAGES.items()


def test_what_the_runtime_declares_is_what_a_probe_gets(batch: Batch, tmp_path: Path) -> None:
    declared = dict.fromkeys(kernel.HUGE_PAGES, "glibc.malloc.check=3")
    assert environment({}, dataclasses.replace(batch, env=declared), tmp_path).items() >= declared.items()


def test_nothing_else_of_our_own_environment_reaches_a_probe(batch: Batch, tmp_path: Path) -> None:
    assert "GITHUB_TOKEN" not in environment({"GITHUB_TOKEN": "a secret", "PATH": "/bin"}, batch, tmp_path)
