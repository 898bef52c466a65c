"""Lists repositories that are made so that git itself starts a program of theirs."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from loadgate.artifacts.listing import list_files
from loadgate.repository import find_files

from .artifacts.making import git

LISTINGS: dict[str, Callable[[Path], Iterable[str]]] = {
    "models": list_files,
    "declarations": lambda root: find_files(root, ("*.txt",)),
}


def canary_of(root: Path) -> Path:
    return root.with_name("started")


def fetches_by_a_program(root: Path, metadata: Path) -> None:
    """A partial clone that lacks its .gitignore, and gets it by running a program.

    git asks for it as soon as it meets a file that it does not track.
    """
    program = root.with_name("program")
    program.write_text(f"#!/bin/sh\necho \"$GITHUB_TOKEN\" > '{canary_of(root)}'\n")
    program.chmod(0o755)
    with (metadata / "config").open("a") as config:
        config.write("[core]\nrepositoryformatversion = 1\n[extensions]\npartialClone = origin\n")
        config.write(f'[remote "origin"]\npromisor = true\nurl = ext::{program}\n')
        config.write('[protocol "ext"]\nallow = always\n')
    git(root, "update-index", "--add", "--cacheinfo", f"100644,{'12' * 20},.gitignore")
    git(root, "update-index", "--skip-worktree", ".gitignore")
    (root / "untracked.txt").write_text("x\n")


def a_partial_clone(folder: Path) -> Path:
    root = folder / "repository"
    root.mkdir()
    git(root, "init", "--quiet")
    fetches_by_a_program(root, root / ".git")
    return root


def a_bare_repository_among_the_files(folder: Path) -> Path:
    root = folder / "repository"
    root.mkdir()
    git(root, "init", "--quiet", "--bare", ".")
    git(root, "config", "core.bare", "false")
    git(root, "config", "core.worktree", str(root))
    fetches_by_a_program(root, root)
    return root


@pytest.mark.parametrize("make", [a_partial_clone, a_bare_repository_among_the_files])
@pytest.mark.parametrize("files", LISTINGS.values(), ids=LISTINGS)
def test_what_a_repository_lacks_is_not_fetched_by_a_program_of_its_own(
    files: Callable[[Path], Iterable[str]], make: Callable[[Path], Path], tmp_path: Path
) -> None:
    root = make(tmp_path)
    subprocess.run(["git", "-C", root, "ls-files", "--others", "--exclude-standard"], check=False, capture_output=True)
    assert canary_of(root).exists()
    canary_of(root).unlink()
    assert "untracked.txt" in files(root)
    assert not canary_of(root).exists()


@pytest.mark.parametrize("files", LISTINGS.values(), ids=LISTINGS)
def test_git_is_told_no_secret_of_the_environment(
    files: Callable[[Path], Iterable[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen"
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n/usr/bin/env > '{seen}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setenv("GITHUB_TOKEN", "canary")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    list(files(tmp_path))
    assert "canary" not in seen.read_text()
    assert "LC_ALL=C.UTF-8" in seen.read_text()
