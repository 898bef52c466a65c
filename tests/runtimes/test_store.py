"""What the cache promises when runs are killed, meet each other, or find what they made damaged."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

from loadgate.domain import Finding, FindingKind, Lock
from loadgate.errors import LoadgateError
from loadgate.runtimes.manifest import LARGE, expected_sizes, top_level
from loadgate.runtimes.processes import Processes
from loadgate.runtimes.resolution import Resolution
from loadgate.runtimes.store import Check, Record, Store, default_cache
from tests.command import PATIENCE

DIGEST = "a" * 64
PYTHON = ".".join(str(part) for part in sys.version_info[:3])


@pytest.fixture
def store(tmp_path: Path, processes: Processes) -> Store:
    return Store(tmp_path / "cache", processes)


def build(place: Path, _lock: int) -> Record:
    """An environment with one package that has a library of some size."""
    venv.create(place, symlinks=True)
    packages = next(place.glob("lib/python3*/site-packages"))
    (packages / "acme").mkdir()
    (packages / "acme/library.so").write_bytes(b"x" * LARGE)
    (packages / "acme-1.0.dist-info").mkdir()
    (packages / "acme-1.0.dist-info/RECORD").write_text(f"acme/library.so,sha256=aa,{LARGE}\n")
    return Record(python=PYTHON, pins=("acme==1.0",), sizes=expected_sizes(place), entries=top_level(place))


def unexpected(_place: Path, _lock: int) -> Record:
    raise AssertionError("it was made again")


def test_what_was_made_is_found(store: Store) -> None:
    place, found = store.make(DIGEST, build)
    assert not found
    assert store.environment(DIGEST) == place
    assert store.make(DIGEST, unexpected) == (place, True)


def test_nothing_is_found_where_nothing_was_made(store: Store) -> None:
    assert store.environment(DIGEST) is None


def test_a_build_that_fails_leaves_nothing(store: Store, tmp_path: Path) -> None:
    def fail(place: Path, lock: int) -> Record:
        build(place, lock)
        raise RuntimeError("no space left")

    with pytest.raises(RuntimeError, match="no space left"):
        store.make(DIGEST, fail)
    assert [path.name for path in (tmp_path / "cache/runtimes").iterdir()] == [f"{DIGEST}.lock"]


def cut_library(place: Path) -> None:
    os.truncate(next(place.rglob("library.so")), LARGE // 2)


def remove_library(place: Path) -> None:
    next(place.rglob("library.so")).unlink()


def remove_package(place: Path) -> None:
    next(place.rglob("acme")).rename(place / "elsewhere")


def remove_record(place: Path) -> None:
    (place / "loadgate.json").unlink()


def spoil_record(place: Path) -> None:
    (place / "loadgate.json").write_text('{"version": 1, "python"')


def remove_interpreter(place: Path) -> None:
    (place / "bin/python").unlink()


def replace_interpreter(place: Path) -> None:
    (place / "bin/python").unlink()
    (place / "bin/python").write_text("#!/bin/sh\necho 3.4.1\n")
    (place / "bin/python").chmod(0o755)


@pytest.mark.parametrize(
    "damage",
    [
        cut_library,
        remove_library,
        remove_package,
        remove_record,
        spoil_record,
        remove_interpreter,
        replace_interpreter,
    ],
    ids=lambda damage: damage.__name__,
)
def test_what_was_damaged_behind_our_back_is_made_anew(store: Store, damage: Callable[[Path], None]) -> None:
    place, _ = store.make(DIGEST, build)
    damage(place)
    assert store.environment(DIGEST) is None
    assert store.make(DIGEST, build) == (place, False)
    assert store.environment(DIGEST) == place


def test_the_damaged_one_does_not_stay_beside_the_new_one(store: Store, tmp_path: Path) -> None:
    place, _ = store.make(DIGEST, build)
    cut_library(place)
    store.make(DIGEST, build)
    assert sorted(path.name for path in (tmp_path / "cache/runtimes").iterdir()) == [DIGEST, f"{DIGEST}.lock"]


BUILDER = """
import os, sys
from pathlib import Path
from loadgate.runtimes.processes import Processes
from loadgate.runtimes.store import Store

def half(place, lock):
    (place / "half").mkdir()
    {body}

Store(Path({root!r}), Processes()).make({digest!r}, half)
"""
WAIT = "os.write(1, b'here'); sys.stdin.read()"
MAKE_WHOLE = (
    "import venv; from loadgate.runtimes.store import Record; os.write(1, b'made'); venv.create(place); "
    f"return Record(python={PYTHON!r}, pins=())"
)
WAIT_IN_A_CHILD = (
    "Processes().run(['sh', '-c', 'echo > {started}; read line < {finish}; touch \"$0/late\"', place], "
    "timeout=600, env=os.environ, cwd=Path('/'), keep_open=[lock])"
)


def start_builder(root: Path, body: str, digest: str = DIGEST) -> subprocess.Popen[bytes]:
    script = BUILDER.format(root=str(root), digest=digest, body=body)
    return subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def kill(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def wait_until_it_builds(process: subprocess.Popen[bytes]) -> None:
    assert process.stdout is not None
    assert process.stdout.read(4) == b"here"


def test_a_run_that_is_killed_in_the_middle_leaves_nothing_that_counts(store: Store, tmp_path: Path) -> None:
    builder = start_builder(tmp_path / "cache", WAIT)
    wait_until_it_builds(builder)
    kill(builder)
    assert store.environment(DIGEST) is None
    _, found = store.make(DIGEST, build)
    assert not found
    assert not list((tmp_path / "cache").rglob("half"))


def test_what_a_killed_run_left_of_another_runtime_is_swept_too(store: Store, tmp_path: Path) -> None:
    builder = start_builder(tmp_path / "cache", WAIT, digest="b" * 64)
    wait_until_it_builds(builder)
    kill(builder)
    store.make(DIGEST, build)
    assert not list((tmp_path / "cache").rglob("half"))


def test_what_another_run_is_making_is_not_swept(store: Store, tmp_path: Path) -> None:
    builder = start_builder(tmp_path / "cache", WAIT, digest="b" * 64)
    wait_until_it_builds(builder)
    store.make(DIGEST, build)
    assert len(list((tmp_path / "cache").rglob("half"))) == 1
    kill(builder)


def test_runs_that_want_the_same_at_the_same_time_make_it_once(tmp_path: Path) -> None:
    builders = [start_builder(tmp_path / "cache", MAKE_WHOLE) for _ in range(4)]
    outputs = [builder.communicate(timeout=PATIENCE)[0] for builder in builders]
    assert [builder.returncode for builder in builders] == [0, 0, 0, 0]
    assert sorted(outputs) == [b"", b"", b"", b"made"]


def test_an_installer_that_outlives_its_killed_run_keeps_the_lock_until_it_is_done(
    store: Store, tmp_path: Path
) -> None:
    started, finish = tmp_path / "started", tmp_path / "finish"
    os.mkfifo(started)
    os.mkfifo(finish)
    builder = start_builder(tmp_path / "cache", WAIT_IN_A_CHILD.format(started=started, finish=finish))
    started.read_bytes()
    kill(builder)
    with (tmp_path / f"cache/runtimes/{DIGEST}.lock").open("r+") as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finish.write_text("go on\n")
    place, _ = store.make(DIGEST, build)
    assert not list((tmp_path / "cache").rglob("late"))
    assert store.environment(DIGEST) == place


def test_a_check_is_remembered_for_its_environment_and_machine_alone(store: Store) -> None:
    store.make(DIGEST, build)
    check = Check(finding=Finding(kind=FindingKind.IMPORT, cause="numpy_2", headline="It was built for NumPy 1."))
    store.remember_check(DIGEST, "one", check)
    assert store.check(DIGEST, "one") == check
    assert store.check(DIGEST, "other") is None


def test_a_cache_that_was_moved_names_the_interpreters_where_they_are_now(
    store: Store, tmp_path: Path, processes: Processes
) -> None:
    place, _ = store.make(DIGEST, build)
    lock = Lock(
        digest="", python=PYTHON, implementation="", packages={}, tensorflow="", interpreter=f"{place}/bin/python"
    )
    store.remember_check(DIGEST, "one", Check(lock=lock))
    (tmp_path / "cache").rename(tmp_path / "moved")
    moved = Store(tmp_path / "moved", processes)
    check = moved.check(DIGEST, "one")
    assert moved.environment(DIGEST) == tmp_path / "moved/runtimes" / DIGEST
    assert check is not None
    assert check.lock is not None
    assert check.lock.interpreter == str(tmp_path / "moved/runtimes" / DIGEST / "bin/python")


def test_a_resolution_is_remembered_with_the_time_it_was_made(store: Store) -> None:
    resolution = Resolution(python="3.11.7", pins=("six==1.0",), notes=("It rains.",))
    store.remember("request", resolution)
    remembered = store.remembered("request")
    assert remembered is not None
    assert remembered.resolution == resolution
    assert remembered.made > 1_700_000_000


def test_a_cache_that_cannot_be_written_is_one_clear_line(tmp_path: Path, processes: Processes) -> None:
    (tmp_path / "cache").write_text("a file is in the way")
    with pytest.raises(LoadgateError, match=r"cache: the cache cannot be written: .*; name another with --cache$"):
        Store(tmp_path / "cache", processes).make(DIGEST, build)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"LOADGATE_CACHE": "/a", "XDG_CACHE_HOME": "/b"}, Path("/a")),
        ({"XDG_CACHE_HOME": "/b"}, Path("/b/loadgate")),
        ({"XDG_CACHE_HOME": "relative"}, Path.home() / ".cache/loadgate"),
        ({}, Path.home() / ".cache/loadgate"),
    ],
)
def test_the_cache_is_where_the_user_keeps_caches(environment: dict[str, str], expected: Path) -> None:
    assert default_cache(environment) == expected


def test_pruning_removes_what_no_run_wants_and_leaves_the_rest_whole(store: Store) -> None:
    wanted, _ = store.make(DIGEST, build)
    unwanted, _ = store.make("b" * 64, build)
    assert store.prune([wanted / "bin/python"]) == 1
    assert store.environment(DIGEST) == wanted
    assert not unwanted.exists()


def test_a_cache_that_was_never_made_has_nothing_to_prune(store: Store) -> None:
    assert store.prune([]) == 0
