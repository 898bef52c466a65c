"""Provisioning from end to end, with the real uv, on an index of tiny packages that stand where TensorFlow would."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest

from loadgate.domain import FindingKind, Lock, Locks, Origin, Plan, Requirement, Runtime, RuntimeState
from loadgate.errors import LoadgateError, UsageError
from loadgate.interchange import read_document, write_document
from loadgate.phases.check import Request, check
from loadgate.phases.provision import provision
from loadgate.progress import Silent
from loadgate.report.truth import Report, Standing
from loadgate.runtimes import description
from loadgate.sandbox.walls import examine
from tests.command import PATIENCE
from tests.runtimes.tiny_index import TinyIndex

behind_every_wall = pytest.mark.skipif(
    bool(examine().missing), reason="this kernel does not give every wall; what it lacks is named at run time"
)
HERE = ".".join(str(part) for part in sys.version_info[:2])


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def count(tmp_path: Path) -> Path:
    """A file that gets a letter whenever the tiny TensorFlow of `counting` is imported."""
    return tmp_path / "imports"


def counting(count: Path) -> str:
    return f"open({str(count)!r}, 'a').write('i')\n"


def asked(name: str = "serving", *lines: str, env: Mapping[str, str] | None = None) -> Runtime:
    requirements = tuple(Requirement(text=line) for line in lines)
    return Runtime(name=name, python=HERE, tensorflow="9.1", requirements=requirements, env=env or {})


def made(cache: Path, *runtimes: Runtime, refresh: bool = False, repository: Path = Path("/")) -> list[RuntimeState]:
    plan = Plan(spec_file="loadgate.yml", repository=str(repository), runtimes=runtimes)
    return list(provision(plan, cache, refresh=refresh, progress=Silent()).runtimes)


def lock_of(state: RuntimeState) -> Lock:
    assert state.lock is not None, state.finding
    return state.lock


def cause_of(state: RuntimeState) -> str:
    assert state.finding is not None
    return state.finding.cause


def test_a_runtime_is_made_and_its_lock_says_what_was_really_installed(index: TinyIndex, cache: Path) -> None:
    index.add_tensorflow("9.1")
    index.add("Some_Package", "1.0")
    (state,) = made(cache, asked("serving", "some-package"))
    lock = lock_of(state)
    assert lock.python == ".".join(str(part) for part in sys.version_info[:3])
    assert lock.packages == {"keras": "3.0", "numpy": "1.0", "some-package": "1.0", "tensorflow": "9.1"}
    assert (lock.tensorflow, lock.tensorflow_git) == ("9.1", "v9.1-0-g0123456789a")
    assert (lock.keras, lock.keras_module) == ("3.0", "keras")
    assert lock.build == {"is_cuda_build": "False", "cuda_compute_capabilities": "sm_60,compute_90"}
    assert not state.cached


def test_the_interpreter_of_a_lock_runs_where_it_lies(index: TinyIndex, cache: Path) -> None:
    index.add_tensorflow("9.1")
    lock = lock_of(*made(cache, asked()))
    command = [lock.interpreter, "-c", "import tensorflow; print(tensorflow.__file__)"]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout.startswith(str(Path(lock.interpreter).parent.parent))


def test_locks_survive_being_written_and_read(index: TinyIndex, cache: Path, tmp_path: Path) -> None:
    index.add_tensorflow("9.1")
    locks = Locks(runtimes=tuple(made(cache, asked())))
    write_document(tmp_path / "locks.json", locks)
    assert read_document(tmp_path / "locks.json", Locks) == locks


def test_the_second_run_needs_no_index_and_imports_nothing(index: TinyIndex, cache: Path, count: Path) -> None:
    index.add_tensorflow("9.1", body=counting(count))
    (first,) = made(cache, asked())
    shutil.rmtree(index.folder)
    (second,) = made(cache, asked())
    assert second.lock == first.lock
    assert second.cached
    assert count.read_text() == "i"


def test_another_project_with_the_same_packages_shares_the_environment(index: TinyIndex, cache: Path) -> None:
    index.add_tensorflow("9.1")
    one, other = made(cache, asked("one"), asked("other", "keras", "numpy<2"))
    assert lock_of(one).interpreter == lock_of(other).interpreter


def test_the_variables_of_a_runtime_are_set_and_are_part_of_its_lock(index: TinyIndex, cache: Path) -> None:
    index.add_tensorflow("9.1", body="import os\nversion.GIT_VERSION = os.environ.get('ACME', 'unset')\n")
    plain, with_variable = made(cache, asked("plain"), asked("with", env={"ACME": "1"}))
    assert (lock_of(plain).tensorflow_git, lock_of(with_variable).tensorflow_git) == ("unset", "1")
    assert lock_of(plain).digest != lock_of(with_variable).digest
    assert lock_of(plain).interpreter == lock_of(with_variable).interpreter


@behind_every_wall
def test_what_the_variables_of_a_runtime_start_stays_inside(index: TinyIndex, cache: Path, tmp_path: Path) -> None:
    index.add_tensorflow("9.1")
    canary = tmp_path / "started"
    env = {"PYTHONWARNINGS": "all:0:antigravity.x:0:0", "BROWSER": f"/bin/sh -c 'echo > {canary}' #%s"}
    subprocess.run([sys.executable, "-c", ""], env=os.environ | env, check=True, capture_output=True)
    assert canary.exists()
    canary.unlink()
    assert lock_of(*made(cache, asked(env=env))).tensorflow == "9.1"
    assert not canary.exists()


@behind_every_wall
def test_the_variables_of_a_runtime_change_nothing_in_what_other_runtimes_share(index: TinyIndex, cache: Path) -> None:
    write_here = "import os\nif 'ACME' in os.environ:\n    open(os.path.dirname(__file__) + '/planted.py', 'w')\n"
    index.add_tensorflow("9.1", body=write_here)
    (state,) = made(cache, asked(env={"ACME": "1"}))
    assert state.finding is not None
    assert "PermissionError" in state.finding.detail
    assert not list(cache.rglob("planted.py"))


def test_a_runtime_with_variables_keeps_the_bytecode_of_what_it_imports(index: TinyIndex, cache: Path) -> None:
    index.add_tensorflow("9.1")
    made(cache, asked(env={"ACME": "1"}))
    assert list(cache.rglob("tensorflow/__pycache__/*.pyc"))


def test_a_runtime_sees_no_secret_and_no_home_of_ours(
    index: TinyIndex, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "ghs_secret")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    body = "import os\nversion.GIT_VERSION = ' '.join(sorted(os.environ)) + ' ' + os.environ['HOME']\n"
    index.add_tensorflow("9.1", body=body)
    seen = lock_of(*made(cache, asked())).tensorflow_git or ""
    assert "GITHUB_TOKEN" not in seen
    assert "PYTHONPATH" not in seen
    assert not seen.endswith(str(Path.home()))


def test_one_runtime_that_cannot_be_made_keeps_no_other_from_being_made(index: TinyIndex, cache: Path) -> None:
    index.add_tensorflow("9.1")
    bad, good = made(cache, asked("bad", "nosuch"), asked("good"))
    assert bad.finding is not None
    assert (bad.finding.kind, bad.finding.cause) == (FindingKind.RESOLVE, "no_such_package")
    assert bad.finding.headline == "There is no package nosuch."
    assert lock_of(good)


def test_a_wrong_hash_is_a_finding_and_leaves_nothing(index: TinyIndex, cache: Path) -> None:
    index.add_tensorflow("9.1")
    index.add("six", "1.0")
    (state,) = made(cache, asked("serving", f"six==1.0 --hash=sha256:{'0' * 64}"))
    assert state.finding is not None
    assert (state.finding.kind, state.finding.cause) == (FindingKind.INSTALL, "wrong_hash")
    assert not [path for path in (cache / "runtimes").iterdir() if path.suffix != ".lock"]


IMPORT_FAILS = "raise TypeError('Descriptors cannot be created directly.')\n"


def test_a_runtime_that_cannot_import_tensorflow_is_found_out_once(index: TinyIndex, cache: Path, count: Path) -> None:
    index.add_tensorflow("9.1", body=counting(count) + IMPORT_FAILS)
    index.add("protobuf", "4.25")
    runtime = asked("serving", "protobuf")
    (first,) = made(cache, runtime)
    (second,) = made(cache, runtime)
    assert first.finding == second.finding
    assert first.finding is not None
    assert (first.finding.kind, first.finding.cause) == (FindingKind.IMPORT, "protobuf_too_new")
    assert first.finding.headline == "protobuf 4.25 is too new for TensorFlow 9.1."
    assert count.read_text() == "i"
    made(cache, runtime, refresh=True)
    assert count.read_text() == "ii"


def test_a_crash_is_seen_from_outside(index: TinyIndex, cache: Path) -> None:
    index.add_tensorflow("9.1", body="import os, signal\nos.kill(os.getpid(), signal.SIGILL)\n")
    (state,) = made(cache, asked())
    assert state.finding is not None
    assert state.finding.cause == "crashed"
    assert "SIGILL" in state.finding.headline


def test_a_package_that_ends_the_process_while_it_is_imported_is_a_finding(index: TinyIndex, cache: Path) -> None:
    index.add_tensorflow("9.1", body="import os\nos._exit(0)\n")
    assert cause_of(*made(cache, asked())) == "crashed"


def test_what_is_printed_while_importing_disturbs_nothing(index: TinyIndex, cache: Path) -> None:
    index.add_tensorflow("9.1", body='print(\'{"tensorflow": "0.0"}\')\n')
    assert lock_of(*made(cache, asked())).tensorflow == "9.1"


def test_an_import_that_never_ends_is_ended_and_not_remembered(
    index: TinyIndex, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(description, "TIMEOUT", 1.0)
    index.add_tensorflow("9.1", body="import signal\nsignal.pause()\n")
    assert cause_of(*made(cache, asked())) == "timed_out"
    assert not list(cache.glob("runtimes/*/checks/*"))


def test_a_newer_release_is_taken_when_asked_to_refresh_and_not_before(index: TinyIndex, cache: Path) -> None:
    index.add_tensorflow("9.1")
    index.add("six", "1.0")
    runtime = asked("serving", "six")
    made(cache, runtime)
    index.add("six", "2.0")
    (remembered,) = made(cache, runtime)
    (refreshed,) = made(cache, runtime, refresh=True)
    assert lock_of(remembered).packages["six"] == "1.0"
    assert lock_of(refreshed).packages["six"] == "2.0"


@pytest.fixture
def server(index: TinyIndex, monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    """The same index behind HTTP."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(index.folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://127.0.0.1:{server.server_port}/")
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def make_old(cache: Path) -> None:
    """As if what is remembered had been resolved in 2001."""
    for path in (cache / "resolutions").iterdir():
        document = msgspec.json.decode(path.read_bytes())
        path.write_bytes(msgspec.json.encode(document | {"made": 1_000_000_000.0}))


def test_without_an_index_an_old_resolution_is_used_and_that_is_said(
    index: TinyIndex, server: ThreadingHTTPServer, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.add_tensorflow("9.1")
    (first,) = made(cache, asked())
    server.shutdown()
    server.server_close()
    make_old(cache)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty"))
    (second,) = made(cache, asked())
    assert second.lock == first.lock
    assert second.notes == ("The package index could not be reached, so what it gave on 2001-09-09 01:46 UTC is used.",)


def test_without_an_index_and_a_resolution_the_index_is_the_finding(server: ThreadingHTTPServer, cache: Path) -> None:
    server.shutdown()
    server.server_close()
    assert cause_of(*made(cache, asked())) == "unreachable"


def test_after_a_day_it_is_resolved_anew(index: TinyIndex, cache: Path) -> None:
    index.add_tensorflow("9.1")
    index.add("six", "1.0")
    made(cache, asked("serving", "six"))
    index.add("six", "2.0")
    make_old(cache)
    assert lock_of(*made(cache, asked("serving", "six"))).packages["six"] == "2.0"


def test_a_library_that_was_cut_off_is_replaced_though_uv_has_it_cached_by_a_hard_link(
    index: TinyIndex, cache: Path
) -> None:
    index.add_tensorflow("9.1")
    index.add("acme", "1.0", files={"acme/__init__.py": "", "acme/library.so": "x" * 100_000})
    place = Path(lock_of(*made(cache, asked("serving", "acme"))).interpreter).parent.parent
    library = next(place.rglob("library.so"))
    os.truncate(library, 10)
    (state,) = made(cache, asked("serving", "acme"))
    assert not state.cached
    assert library.stat().st_size == 100_000


def test_an_image_on_a_machine_without_docker_is_said_to_need_it(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadgate.runtimes.image.shutil.which", lambda _name: None)
    (state,) = made(cache, Runtime(name="image", image="ghcr.io/acme/serving:2.15"))
    assert state.finding is not None
    assert (state.finding.kind, state.finding.cause) == (FindingKind.UNSUPPORTED, "no_docker")
    assert "ghcr.io/acme/serving:2.15" in state.finding.headline


def test_a_python_that_cannot_be_found_stops_before_anything_is_made(index: TinyIndex, cache: Path) -> None:
    index.add_tensorflow("9.1")
    with pytest.raises(UsageError, match=r"Python 3\.99"):
        made(cache, asked(), Runtime(name="later", python="3.99", tensorflow="9.1"))
    assert not cache.exists()


def test_a_python_that_was_inferred_and_cannot_be_found_keeps_no_other_runtime_from_being_made(
    index: TinyIndex, cache: Path
) -> None:
    index.add_tensorflow("9.1")
    origin = Origin(file="old/requirements.txt", line=1)
    states = made(cache, asked(), Runtime(name="old", python="3.99", tensorflow="9.1", origin=origin))
    assert [state.finding.cause if state.finding else None for state in states] == [None, "no_such_python"]


def test_an_interpreter_that_is_not_there_stops_before_anything_is_made(
    index: TinyIndex, cache: Path, tmp_path: Path
) -> None:
    index.add_tensorflow("9.1")
    origin = Origin(file="loadgate.yml", line=7)
    laptop = Runtime(name="laptop", interpreter=".venv/bin/python", origin=origin)
    with pytest.raises(UsageError, match=rf"^loadgate\.yml:7: .*laptop.* {tmp_path}/\.venv/bin/python"):
        made(cache, asked(), laptop, repository=tmp_path)
    assert not cache.exists()


@pytest.fixture
def repository(index: TinyIndex, tmp_path: Path) -> Path:
    """One with a virtual environment of its own in it."""
    index.add_tensorflow("9.1")
    repository = tmp_path / "repository"
    uv = [sys.executable, "-m", "uv", "--quiet"]
    subprocess.run([*uv, "venv", "--python", sys.executable, repository / ".venv"], check=True)
    subprocess.run([*uv, "pip", "install", "--python", repository / ".venv/bin/python", "tensorflow==9.1"], check=True)
    return repository


def test_an_interpreter_of_the_repository_is_taken_as_it_is(repository: Path, cache: Path) -> None:
    runtime = Runtime(name="laptop", interpreter=".venv/bin/python", env={"ACME": "1"})
    lock = lock_of(*made(cache, runtime, repository=repository))
    assert lock.interpreter == str(repository / ".venv/bin/python")
    assert lock.packages == {"keras": "3.0", "numpy": "1.0", "tensorflow": "9.1"}
    assert not list(repository.rglob("__pycache__")), "something was written into what is the user's own"


def test_an_interpreter_without_tensorflow_is_a_finding(tmp_path: Path, cache: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "uv", "--quiet", "venv", "--python", sys.executable, tmp_path / "v"], check=True
    )
    assert cause_of(*made(cache, Runtime(name="laptop", interpreter=str(tmp_path / "v/bin/python")))) == "no_tensorflow"


def test_a_program_that_is_no_python_is_a_finding(tmp_path: Path, cache: Path) -> None:
    program = tmp_path / "python"
    program.write_text("#!/nonexistent\n")
    program.chmod(0o755)
    assert cause_of(*made(cache, Runtime(name="laptop", interpreter=str(program)))) == "not_runnable"


@behind_every_wall
def test_a_program_that_cannot_be_run_behind_the_walls_is_a_finding_of_one_line(tmp_path: Path, cache: Path) -> None:
    program = tmp_path / "python"
    program.write_text("#!/nonexistent\n")
    program.chmod(0o755)
    (state,) = made(cache, Runtime(name="laptop", interpreter=str(program), env={"ACME": "1"}))
    assert state.finding is not None
    assert state.finding.detail == f"{program} cannot be run behind the walls: Permission denied"


PROVISION = """
import sys
from pathlib import Path
from loadgate.domain import Locks, Plan
from loadgate.interchange import read_document, write_document
from loadgate.progress import Silent
from loadgate.phases.provision import provision

plan, cache, locks = map(Path, sys.argv[1:])
write_document(locks, provision(read_document(plan, Plan), cache, progress=Silent()))
"""


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.json"
    write_document(path, Plan(repository="/", runtimes=(asked(),)))
    return path


def read_state(path: Path) -> RuntimeState:
    return read_document(path, Locks).runtimes[0]


def test_runs_at_the_same_time_check_it_once_between_them(
    index: TinyIndex, cache: Path, plan: Path, tmp_path: Path, count: Path
) -> None:
    index.add_tensorflow("9.1", body=counting(count))
    locks = [tmp_path / f"locks-{number}.json" for number in range(3)]
    runs = [subprocess.Popen([sys.executable, "-c", PROVISION, plan, cache, lock]) for lock in locks]
    assert [run.wait(120) for run in runs] == [0, 0, 0]
    assert len({lock_of(read_state(lock)).digest for lock in locks}) == 1
    assert len({lock_of(read_state(lock)).interpreter for lock in locks}) == 1
    assert count.read_text() == "i"


def can_mount() -> bool:
    command = ["unshare", "--user", "--map-root-user", "--mount", "true"]
    return shutil.which("unshare") is not None and subprocess.run(command, check=False).returncode == 0


@pytest.mark.skipif(not can_mount(), reason="this kernel lets us make no file system read-only")
def test_a_cache_that_cannot_be_written_serves_what_is_in_it(
    index: TinyIndex, cache: Path, plan: Path, tmp_path: Path
) -> None:
    index.add_tensorflow("9.1")
    (first,) = made(cache, asked())
    shutil.rmtree(index.folder)
    locks = tmp_path / "locks.json"
    script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
    unshared = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, str(cache)]
    subprocess.run([*unshared, sys.executable, "-c", PROVISION, plan, cache, locks], check=True)
    assert read_state(locks).lock == first.lock
    assert read_state(locks).cached


def test_an_interrupted_run_ends_at_once_and_takes_with_it_what_it_started(
    index: TinyIndex, cache: Path, plan: Path, tmp_path: Path
) -> None:
    alive = tmp_path / "alive"
    os.mkfifo(alive)
    body = f"import signal\nfile = open({str(alive)!r}, 'w')\nfile.write('here')\nfile.flush()\nsignal.pause()\n"
    index.add_tensorflow("9.1", body=body)
    run = subprocess.Popen(
        [sys.executable, "-c", PROVISION, plan, cache, tmp_path / "locks.json"], stderr=subprocess.PIPE
    )
    with alive.open("rb") as reader:
        assert reader.read(4) == b"here"
        run.send_signal(signal.SIGINT)
        assert reader.read() == b"", "the import goes on"
    _, errors = run.communicate(timeout=PATIENCE)
    assert b"KeyboardInterrupt" in errors
    assert not list(cache.glob("runtimes/*/checks/*"))


# --- what a check makes of it ---------------------------------------------------------------------------------


@contextmanager
def silent(**_totals: int) -> Iterator[Silent]:
    yield Silent()


def checked(root: Path, cache: Path) -> Report:
    return check(Request(repository=root, folder=root / ".loadgate", cache=cache, remedies=False), silent)


def test_a_stale_file_from_which_a_runtime_was_inferred_is_no_mistake_in_a_spec(
    index: TinyIndex, cache: Path, tmp_path: Path
) -> None:
    index.add_tensorflow("9.1")
    root = tmp_path / "repository"
    (root / "old").mkdir(parents=True)
    (root / "old" / "requirements.txt").write_text("tensorflow==8.0\n")
    (root / "old" / "churn.keras").write_bytes(b"")
    (root / ".python-version").write_text(f"{HERE}\n")
    report = checked(root, cache)
    assert report.exit_status == LoadgateError.exit_status
    assert [case.standing for case in report.cases] == [Standing.ERROR]
    (root / "loadgate.yml").write_text(
        f'version: 1\nruntimes: {{old: {{python: "{HERE}", requirements: [old/requirements.txt]}}}}\n'
    )
    with pytest.raises(UsageError, match=r"^loadgate\.yml:2: runtime old: There is no such version"):
        checked(root, cache)
