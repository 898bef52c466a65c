"""With what a probe is started."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadgate.domain import Case, Device, Format, Loader, Lock
from loadgate.loading import requests
from loadgate.loading.job import Batch, Job
from loadgate.loading.probe_process import ProbeProcess, environment
from loadgate.probe import kernel
from loadgate.sandbox.walls import NO_SANDBOX


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


def test_the_language_of_our_terminal_is_not_that_of_a_load(batch: Batch, tmp_path: Path) -> None:
    ours = {"LANG": "en_US.ISO-8859-1", "LC_ALL": "POSIX", "LC_CTYPE": "de_DE"}
    assert environment(ours, batch, tmp_path) == environment({}, batch, tmp_path)


@pytest.fixture
def saving(tmp_path: Path) -> Job:
    case = Case(id="c", artifact="a.h5", runtime="r", device=Device.CPU, loader=Loader.KERAS)
    product = tmp_path / "product"
    return Job(case=case, path=tmp_path / "a.h5", bytes=0, artifact_digest=None, saves=Format.KERAS_H5, product=product)


@pytest.fixture
def probe(batch: Batch, tmp_path: Path) -> Iterator[ProbeProcess]:
    lock = dataclasses.replace(batch.lock, interpreter=sys.executable)
    probe = ProbeProcess(dataclasses.replace(batch, lock=lock), tmp_path, NO_SANDBOX)
    yield probe
    probe.close()


def kept(job: Job, scratch: Path) -> Path:
    """Where the probe has put what the case saved."""
    (folder,) = scratch.glob("probe-*")
    place = folder / requests.kept(job)
    place.mkdir()
    (place / "model.h5").touch()
    return place


def test_what_a_case_has_saved_is_taken_out_of_the_probe(probe: ProbeProcess, saving: Job, tmp_path: Path) -> None:
    kept(saving, tmp_path)
    probe.collect(saving)
    assert (tmp_path / "product/model.h5").is_file()


def test_what_holds_a_link_is_not_taken_out_of_the_probe(probe: ProbeProcess, saving: Job, tmp_path: Path) -> None:
    (kept(saving, tmp_path) / "recorded.npz").symlink_to("/etc/hostname")
    probe.collect(saving)
    assert not (tmp_path / "product").exists()
