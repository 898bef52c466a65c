"""What a repository brings beside its models to get through without one: links, variables, addresses, git's settings.

Each does what it is for where a program takes no care, and nothing when the real command is run on it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from loadgate.domain import Locks, Plan
from loadgate.interchange import read_document, write_document, write_whole
from loadgate.runtimes.uv import find_uv
from loadgate.sandbox.walls import examine
from tests.artifacts.making import save_hdf5
from tests.command import loadgate
from tests.runtimes.fixtures import index, uv_cache
from tests.runtimes.tiny_index import TinyIndex
from tests.test_git import a_partial_clone, canary_of

__all__ = ["index", "uv_cache"]

HERE = ".".join(str(part) for part in sys.version_info[:2])
RC = "alias ls='ls --color'\n"


# --- links where loadgate writes ----------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / ".bashrc").write_text(RC)
    return folder


@pytest.fixture
def repository(tmp_path: Path, home: Path) -> Path:  # noqa: ARG001 - what its links lead to
    """Beside the home of whoever has checked it out."""
    folder = tmp_path / "repository"
    folder.mkdir()
    return folder


def in_the_home(home: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in home.iterdir()}


LOAD = ("load", "--plan=plan.json", "--locks=locks.json")
LINKS = [
    (".loadgate/results.jsonl", "../../home/.bashrc", LOAD),
    (".loadgate/.gitignore", "../../home/.hushlogin", ("check", "--predict")),
    (".loadgate", "../home", ("plan",)),
    (".loadgate", "../home", ("check", "--predict")),
    ("loadgate.yml", "../home/.hushlogin", ("init",)),
    ("loadgate.yml", "../home/.bashrc", ("init", "--force")),
]
"""What is a link, where it leads, and who writes there."""


@pytest.mark.parametrize(("place", "target", "command"), LINKS)
def test_a_link_where_loadgate_writes_does_not_lead_it_out_of_the_repository(
    repository: Path, home: Path, place: str, target: str, command: tuple[str, ...]
) -> None:
    write_document(repository / "plan.json", Plan(repository=str(repository)))
    write_document(repository / "locks.json", Locks())
    link = repository / place
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(target)
    written = link / "plan.json" if link.is_dir() else link
    written.write_text("hostile")
    assert "hostile" in in_the_home(home).values()
    written.resolve().unlink()
    (home / ".bashrc").write_text(RC)
    ended = loadgate(*command, cwd=repository)
    assert in_the_home(home) == {".bashrc": RC}
    assert "Traceback" not in ended.err


def test_a_link_in_place_of_what_is_not_yet_written_to_its_end_is_not_followed(repository: Path, home: Path) -> None:
    # a process in a container of its own has a number that anybody can tell
    (repository / f".plan.json.{os.getpid()}").symlink_to("../home/.bashrc")
    write_whole(repository / "plan.json", b"hostile")
    assert in_the_home(home) == {".bashrc": RC}
    assert (repository / "plan.json").read_bytes() == b"hostile"


# --- variables ----------------------------------------------------------------------------------------------------


LIBRARY = '#include <fcntl.h>\n__attribute__((constructor)) void begin(void) {creat("%s", 0600);}\n'


def variables(repository: Path, home: Path) -> dict[str, dict[str, str]]:
    """What a runtime may declare under `env:` that starts a program, or writes a file, with any Python."""
    (repository / "sitecustomize.py").write_text(f"open({str(home / 'python')!r}, 'w').close()\n")
    made = {
        "browser": {"PYTHONWARNINGS": "all:0:antigravity.x:0:0", "BROWSER": f"/bin/sh -c 'echo > {home}/browser' #%s"},
        "python": {"PYTHONPATH": str(repository)},
        "linker": {"LD_DEBUG": "files", "LD_DEBUG_OUTPUT": str(home / "linker")},
    }
    if shutil.which("cc") is not None:
        library = repository / "library.c"
        library.write_text(LIBRARY % str(home / "library"))
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library.with_suffix(".so"), library], check=True)
        made["library"] = {"LD_PRELOAD": str(library.with_suffix(".so"))}
    return made


@pytest.mark.skipif(
    bool(examine().missing), reason="this kernel does not give every wall; what it lacks is named at run time"
)
def test_what_a_runtime_declares_for_its_programs_starts_none_where_it_is_asked_what_it_is(
    repository: Path, home: Path
) -> None:
    declared = variables(repository, home)
    runtimes = {name: {"interpreter": sys.executable, "env": env} for name, env in declared.items()}
    (repository / "loadgate.yml").write_text(json.dumps({"version": 1, "runtimes": runtimes}))
    for env in declared.values():
        subprocess.run([sys.executable, "-c", ""], env=os.environ | env, check=True, capture_output=True)
    assert {name.partition(".")[0] for name in in_the_home(home)} == {"", *declared}
    for file in home.iterdir():
        file.unlink()
    assert loadgate("plan", cwd=repository).status == 0
    loadgate("provision", cwd=repository)
    asked = read_document(repository / ".loadgate/locks.json", Locks).runtimes
    assert [state.name for state in asked] == list(declared)
    assert in_the_home(home) == {}


# --- addresses ----------------------------------------------------------------------------------------------------


@contextmanager
def listening() -> Iterator[tuple[str, list[str]]]:
    """An index of the repository's own, by its address, and all that it is asked for."""
    heard: list[str] = []

    class Index(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Index) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", heard
        finally:
            server.shutdown()
            thread.join()


def test_an_index_that_a_repository_names_is_not_told_the_password_of_another(
    repository: Path, index: TinyIndex, tmp_path: Path
) -> None:
    index.add_tensorflow("9.1")
    secret = {"UV_INDEX_PRIVATE_PASSWORD": "canary-of-an-index"}
    with listening() as (address, heard):
        lines = repository / "requirements.txt"
        lines.write_text(f"--extra-index-url {address}/${{UV_INDEX_PRIVATE_PASSWORD}}/simple\ntensorflow==9.1\n")
        compile_: list[str | Path] = [find_uv(), "pip", "compile", "--python", sys.executable, lines]
        subprocess.run(compile_, env=os.environ | secret, check=False, capture_output=True, cwd=repository)
        assert any("canary-of-an-index" in path for path in heard)
        heard.clear()
        spec = {"version": 1, "runtimes": {"serving": {"python": HERE, "requirements": ["requirements.txt"]}}}
        (repository / "loadgate.yml").write_text(json.dumps(spec))
        assert loadgate("plan", cwd=repository, env=secret).status == 0
        ended = loadgate("provision", "--cache", tmp_path / "cache", cwd=repository, env=secret)
        assert "1 runtime made" in ended.out, ended.err
        assert heard == []


# --- what git is told to start ------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [("plan",), ("check", "--predict", "--quiet"), ("init", "--force")])
def test_what_a_partial_clone_lacks_is_fetched_by_no_program_of_its_own(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    root = a_partial_clone(tmp_path)
    save_hdf5(root / "model.h5")
    (root / "requirements.txt").write_text("tensorflow==2.15.1\n")
    secret = {"GITHUB_TOKEN": "canary-of-the-token"}
    listing: list[str | Path] = ["git", "-C", root, "ls-files", "--others", "--exclude-standard"]
    subprocess.run(listing, env=os.environ | secret, check=False, capture_output=True)
    assert "canary-of-the-token" in canary_of(root).read_text()
    canary_of(root).unlink()
    ended = loadgate(*command, cwd=root, env=secret)
    assert "Traceback" not in ended.err
    assert not canary_of(root).exists()
