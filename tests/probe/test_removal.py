"""What a load has left is removed, whatever it made of it."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadgate.probe.removal import remove
from tests.as_user import USER

NEST = """
import os, sys
name, levels = sys.argv[1], int(sys.argv[2])
for _ in range(levels):
    os.mkdir(name)
    os.chdir(name)
open("file", "w").close()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where every user may go, unlike below pytest's own."""
    above = Path(tempfile.mkdtemp())
    above.chmod(0o755)
    made = above / "case"
    made.mkdir()
    yield made
    remove(str(above))
    assert not above.exists()


def removed_as_a_user(folder: Path) -> None:
    process = os.fork()
    if process == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(USER)
                os.setuid(USER)
            remove(str(folder))
        finally:
            os._exit(0)
    os.waitpid(process, 0)


def nested(folder: Path, name: str, levels: int) -> None:
    subprocess.run([sys.executable, "-c", NEST, name, str(levels)], cwd=folder, check=True)


def test_a_tree_deeper_than_python_recurses_is_removed_with_few_descriptors(folder: Path) -> None:
    nested(folder, "d", levels=5000)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 16, hard))
    try:
        remove(str(folder))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert not folder.exists()


def test_what_lies_below_a_path_longer_than_the_kernel_takes_is_removed(folder: Path) -> None:
    nested(folder, "d" * 200, levels=50)
    remove(str(folder))
    assert not folder.exists()


def test_between_any_two_files_there_is_time_for_something_else(folder: Path) -> None:
    for number in range(20):
        (folder / str(number)).touch()
    left: list[int] = []
    remove(str(folder), meanwhile=lambda: left.append(len(os.listdir(folder))))
    assert left == list(range(20, 0, -1))


def test_a_link_is_removed_and_what_it_leads_to_is_not(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (folder / "inner").mkdir()
    (folder / "inner/to-folder").symlink_to(tmp_path)
    (folder / "inner/to-file").symlink_to(tmp_path / "file")
    (folder / "to-nothing").symlink_to(tmp_path / "missing")
    remove(str(folder))
    assert not folder.exists()
    assert (tmp_path / "file").exists()


def test_a_link_in_place_of_the_folder_is_not_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (folder / "link").symlink_to(tmp_path)
    remove(str(folder / "link"))
    assert (tmp_path / "file").exists()


def test_pipes_and_sockets_are_removed(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    remove(str(folder))
    assert not folder.exists()


@pytest.mark.parametrize("mode", [0o000, 0o100, 0o300, 0o400, 0o500])
def test_folders_that_their_owner_may_not_use_are_removed(folder: Path, mode: int) -> None:
    (folder / "inner/deeper").mkdir(parents=True)
    (folder / "inner/deeper/file").touch()
    made = [folder / "inner/deeper", folder / "inner", folder]
    for each in made:
        if os.geteuid() == 0:
            os.chown(each, USER, USER)
        each.chmod(mode)
    if os.geteuid() == 0:
        os.chown(folder.parent, USER, USER)
    removed_as_a_user(folder)
    assert not folder.exists()


def test_what_another_owns_is_left_and_all_else_is_removed(folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make a file of another user's")
    (folder / "theirs").mkdir()
    (folder / "theirs/file").touch()
    (folder / "ours").mkdir()
    for each in (folder, folder / "ours"):
        os.chown(each, USER, USER)
    removed_as_a_user(folder)
    assert os.listdir(folder) == ["theirs"]
    assert os.listdir(folder / "theirs") == ["file"]


def test_what_is_gone_already_is_no_matter(folder: Path) -> None:
    shutil.rmtree(folder)
    remove(str(folder))
    remove(str(folder / "below"))
