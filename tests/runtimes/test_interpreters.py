from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from loadgate.errors import UsageError
from loadgate.runtimes.failure import NotMadeError
from loadgate.runtimes.interpreters import Interpreters
from loadgate.runtimes.processes import Processes
from loadgate.runtimes.uv import Uv, find_uv

HERE = ".".join(str(part) for part in sys.version_info[:3])
MINOR = ".".join(str(part) for part in sys.version_info[:2])


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine that has no Python but the one that runs us, and no way to the network."""
    return {
        "PATH": str(tmp_path / "bin"),
        "PYENV_ROOT": str(tmp_path / "pyenv"),
        "HOME": str(tmp_path),
        "UV_PYTHON_INSTALL_DIR": str(tmp_path / "uv-pythons"),
        "UV_PYTHON_INSTALL_MIRROR": (tmp_path / "no-mirror").as_uri(),
        "UV_HTTP_RETRIES": "0",
    }


def interpreters(environment: dict[str, str], processes: Processes) -> Interpreters:
    return Interpreters(Uv(find_uv(), processes, environment), processes, environment)


def fake_python(path: Path, version: str) -> Path:
    """The Python that runs us under another version."""
    path.parent.mkdir(parents=True)
    path.write_text(
        f"#!{sys.executable}\n"
        f"import platform, sys\n"
        f"platform.python_version = lambda: {version!r}\n"
        f"sys.executable = sys._base_executable = {str(path)!r}\n"
        f"exec(sys.argv[sys.argv.index('-c') + 1])\n"
    )
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("request_", [MINOR, HERE])
def test_the_python_that_runs_us_is_taken_where_it_fits(
    bare: dict[str, str], processes: Processes, request_: str
) -> None:
    found = interpreters(bare, processes).find(request_)
    assert found.version == HERE
    assert found.path.samefile(Path(sys.executable).resolve())


def test_a_python_on_path_is_found(bare: dict[str, str], processes: Processes, tmp_path: Path) -> None:
    program = fake_python(tmp_path / "bin/python3.5", "3.5.2")
    assert interpreters(bare, processes).find("3.5").path == program


def test_a_shim_on_path_that_fails_is_passed_over(bare: dict[str, str], processes: Processes, tmp_path: Path) -> None:
    shim = tmp_path / "bin/python3.5"
    shim.parent.mkdir()
    shim.write_text("#!/bin/sh\necho 'pyenv: python3.5: command not found' >&2\nexit 127\n")
    shim.chmod(0o755)
    program = fake_python(tmp_path / "pyenv/versions/3.5.2/bin/python", "3.5.2")
    assert interpreters(bare, processes).find("3.5").path == program


def test_of_the_versions_that_pyenv_has_the_newest_is_taken(
    bare: dict[str, str], processes: Processes, tmp_path: Path
) -> None:
    for version in ("3.5.9", "3.5.10", "3.5.2"):
        fake_python(tmp_path / f"pyenv/versions/{version}/bin/python", version)
    assert interpreters(bare, processes).find("3.5").version == "3.5.10"


def test_a_program_that_is_another_version_than_its_name_says_is_passed_over(
    bare: dict[str, str], processes: Processes, tmp_path: Path
) -> None:
    fake_python(tmp_path / "bin/python3.5", "3.4.1")
    with pytest.raises(UsageError):
        interpreters(bare, processes).find("3.5")


def test_a_python_that_does_not_exist_is_a_mistake_in_the_spec(bare: dict[str, str], processes: Processes) -> None:
    with pytest.raises(UsageError, match=r"^Python 3\.99 is not on this machine.*`python:`$"):
        interpreters(bare, processes).require("3.99")


@pytest.mark.parametrize("request_", ["", "3", "python3.11", "3.11.x", "2.7", "3.11 --help", "../../bin/sh"])
def test_what_is_no_version_is_a_mistake_in_the_spec(bare: dict[str, str], processes: Processes, request_: str) -> None:
    with pytest.raises(UsageError, match="is no version"):
        interpreters(bare, processes).require(request_)


def test_a_python_that_could_be_downloaded_is_no_mistake(bare: dict[str, str], processes: Processes) -> None:
    interpreters(bare, processes).require("3.8")


def test_a_download_that_fails_is_a_finding_about_the_runtime(bare: dict[str, str], processes: Processes) -> None:
    with pytest.raises(NotMadeError) as caught:
        interpreters(bare, processes).find("3.8")
    assert caught.value.finding.headline == "Python 3.8 is not on this machine, and downloading it failed."
    assert caught.value.finding.detail


def test_the_first_of_several_pythons_that_is_here_is_taken(
    bare: dict[str, str], processes: Processes, tmp_path: Path
) -> None:
    for version in ("3.6.15", "3.8.2", "3.9.1"):
        fake_python(tmp_path / f"pyenv/versions/{version}/bin/python", version)
    assert interpreters(bare, processes).find("3.8", "3.7", "3.6").version == "3.8.2"


def test_every_python_that_is_found_really_runs(processes: Processes) -> None:
    found = interpreters(dict(os.environ), processes).here(MINOR)
    assert found is not None
    ended = processes.run([found.path, "-V"], timeout=30, env={}, cwd=Path("/"))
    assert ended.output == f"Python {found.version}\n"
