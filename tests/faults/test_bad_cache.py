"""A cache that is half written, locked, shared or emptied behind our back."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from loadgate.domain import Locks
from loadgate.interchange import read_document
from tests.command import LOADGATE

from .test_full_disk import NAMESPACE, can_mount
from .world import LITE, VERDICTS, World, last_line

pytestmark = pytest.mark.slow

READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'


def documents(world: World) -> list[Path]:
    return sorted(world.cache.rglob("*.json"))


def environment_of(world: World) -> Path:
    (state,) = read_document(world.output / "locks.json", Locks).runtimes
    assert state.lock is not None
    return Path(state.lock.interpreter).parent.parent


@pytest.fixture
def used(world: World) -> World:
    """With a runtime in its cache."""
    assert world.check("--no-remedies").status == 1
    return world


def require_truth(world: World) -> None:
    ended = world.check("--no-remedies")
    assert ended.status == 1, ended
    assert world.verdicts() == VERDICTS


def cut_each_document(world: World) -> None:
    choice = random.Random(6)  # noqa: S311 - nothing secret: the same cuts every time
    for document in documents(world):
        content = document.read_bytes()
        document.write_bytes(content[: choice.randrange(len(content))])


def fill_each_document_with_zeros(world: World) -> None:
    """As some file systems leave what was written last before the power went."""
    for document in documents(world):
        document.write_bytes(bytes(document.stat().st_size))


def remove_the_runtime(world: World) -> None:
    shutil.rmtree(environment_of(world))


def remove_its_python(world: World) -> None:
    (environment_of(world) / "bin/python").unlink()


def replace_its_python(world: World) -> None:
    """By something that starts and says nothing."""
    python = environment_of(world) / "bin/python"
    python.unlink()
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)


def remove_a_package(world: World) -> None:
    shutil.rmtree(next(environment_of(world).glob("lib/python3*/site-packages/tensorflow")))


def empty_the_cache(world: World) -> None:
    shutil.rmtree(world.cache)


def replace_a_document_by_a_folder(world: World) -> None:
    for document in documents(world):
        document.unlink()
        document.mkdir()


HARM = (
    cut_each_document,
    fill_each_document_with_zeros,
    remove_the_runtime,
    remove_its_python,
    replace_its_python,
    remove_a_package,
    empty_the_cache,
    replace_a_document_by_a_folder,
)


@pytest.mark.parametrize("harm", HARM, ids=lambda harm: harm.__name__)
def test_whatever_was_done_to_the_cache_the_next_run_says_the_truth(used: World, harm: Callable[[World], None]) -> None:
    harm(used)
    require_truth(used)


@pytest.mark.parametrize("harm", [remove_the_runtime, replace_its_python, remove_a_package])
def test_a_runtime_that_is_gone_before_the_load_is_an_error_and_provisioning_again_heals(
    used: World, harm: Callable[[World], None]
) -> None:
    harm(used)
    ended = used.run("load", "--quiet")
    assert "Traceback" not in ended.err
    assert used.run("report", "--json", used.output / "report.json").status == 3
    assert set(used.verdicts().values()) == {"error"}
    assert used.run("provision", "--quiet").status == 0
    assert used.run("load", "--quiet").status == 0
    assert used.run("report", "--json", used.output / "report.json").status == 1
    assert used.verdicts() == VERDICTS


@pytest.mark.skipif(not can_mount(), reason="this kernel lets us make no file system read-only")
def test_a_cache_that_is_read_only_serves_what_is_in_it_and_is_named_where_it_lacks_something(used: World) -> None:
    command = [*NAMESPACE, "sh", "-c", READ_ONLY, str(used.cache), *LOADGATE]
    served = used.run("check", used.repository, "--no-remedies", before=command)
    assert served.status == 1, served
    assert used.verdicts() == VERDICTS
    shutil.rmtree(environment_of(used))
    refused = used.run("check", used.repository, "--no-remedies", before=command)
    assert refused.status == 3, refused
    assert "the cache cannot be written: Read-only file system; name another with --cache" in last_line(refused)


def test_runs_that_share_a_cold_cache_all_say_the_truth(world: World) -> None:
    folders = [world.root / f"output-{number}" for number in range(3)]
    runs = [world.start("check", world.repository, "--no-remedies", "--output", folder) for folder in folders]
    for run, folder in zip(runs, folders, strict=True):
        _, errors = run.communicate(timeout=600)
        assert run.returncode == 1, errors
        assert world.verdicts(folder) == VERDICTS


def test_of_two_runs_in_one_folder_the_second_is_refused_and_the_first_keeps_its_verdicts(world: World) -> None:
    gate = world.root / "gate"
    os.mkfifo(gate)
    wait = f"import os\nif os.path.exists({str(gate)!r}):\n    open({str(gate)!r}).read()\n"
    world.index.add_tensorflow("9.1", body=LITE + wait)
    first = world.start("check", world.repository, "--no-remedies", UV_CACHE_DIR=str(world.root / "uv"))
    with gate.open("w"):  # which waits until the first imports the tiny TensorFlow, and holds it there
        gate.unlink()
        second = world.check("--no-remedies")
        assert second.status == 2, second
        assert "another run writes there" in last_line(second)
    _, errors = first.communicate(timeout=600)
    assert first.returncode == 1, errors
    assert world.verdicts() == VERDICTS
