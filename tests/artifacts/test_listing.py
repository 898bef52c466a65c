"""Lists the files of a repository as git sees them, and where there is no git."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from loadgate.artifacts import listing
from loadgate.artifacts.listing import list_files

from .making import git


def write(root: Path, *paths: str, content: str = "x\n") -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content)


def repository(root: Path, *tracked: str) -> Path:
    root.mkdir(exist_ok=True, parents=True)
    git(root, "init", "--quiet")
    write(root, *tracked)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "-m", "first")
    return root


def listed(root: Path) -> list[str]:
    return sorted(path for path in list_files(root) if (root / path).is_file())


@pytest.fixture(params=["git", "walk"])
def ignoring(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder in which .gitignore files have a say, with git and without."""
    if request.param == "git":
        git(tmp_path, "init", "--quiet")
    return tmp_path


def test_ignored_files_are_left_out_and_untracked_ones_are_not(ignoring: Path) -> None:
    write(ignoring, "model.h5", "cache/model.h5", "deep/cache/model.h5", "deep/scratch.tmp")
    write(ignoring, ".gitignore", content="cache/\n*.tmp\n")
    assert listed(ignoring) == [".gitignore", "model.h5"]


def test_a_gitignore_further_down_overrules_the_one_above(ignoring: Path) -> None:
    write(ignoring, "a.tmp", "kept/b.tmp", "kept/c.tmp", "kept/deep/b.tmp", "anchored/x/only.h5", "only.h5")
    write(ignoring, ".gitignore", content="*.tmp\n/only.h5\n")
    write(ignoring, "kept/.gitignore", content="!b.tmp\n")
    assert listed(ignoring) == [".gitignore", "anchored/x/only.h5", "kept/.gitignore", "kept/b.tmp", "kept/deep/b.tmp"]


def test_what_lies_in_an_ignored_folder_cannot_be_taken_back(ignoring: Path) -> None:
    write(ignoring, "out/model.h5")
    write(ignoring, ".gitignore", content="out/\n!out/model.h5\n")
    assert listed(ignoring) == [".gitignore"]


def test_a_line_of_a_gitignore_that_is_no_pattern_ignores_nothing(ignoring: Path) -> None:
    write(ignoring, "model.h5", "other.tmp")
    write(ignoring, ".gitignore", content="model[z-a].h5\n*.tmp\n")
    assert listed(ignoring) == [".gitignore", "model.h5"]


def test_symbolic_links_to_folders_are_not_followed(ignoring: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    write(outside, "model.h5")
    (ignoring / "link").symlink_to(outside)
    (ignoring / "circle").symlink_to(ignoring)
    assert listed(ignoring) == []


def test_a_tracked_file_is_listed_even_where_it_is_ignored(tmp_path: Path) -> None:
    repository(tmp_path, "model.h5")
    write(tmp_path, ".gitignore", content="*.h5\n")
    assert listed(tmp_path) == [".gitignore", "model.h5"]


def test_a_folder_of_a_repository_lists_its_own_files_alone(tmp_path: Path) -> None:
    repository(tmp_path, "a.h5", "sub/b.h5", "sub/deep/c.h5")
    assert listed(tmp_path / "sub") == ["b.h5", "deep/c.h5"]


def test_a_folder_that_the_repository_around_it_ignores_is_walked(tmp_path: Path) -> None:
    repository(tmp_path)
    write(tmp_path, ".gitignore", content="out/\n")
    write(tmp_path, "out/model.h5")
    assert listed(tmp_path / "out") == ["model.h5"]


def test_submodules_that_are_checked_out_are_listed_whatever_their_name(tmp_path: Path) -> None:
    inner = repository(tmp_path / "inner", "model.h5")
    outer = repository(tmp_path / "outer", "own.h5")
    git(outer, "submodule", "add", "--quiet", str(inner), "vendor/three.js")
    assert listed(outer) == [".gitmodules", "own.h5", "vendor/three.js/model.h5"]


def test_a_clone_inside_the_repository_is_listed(tmp_path: Path) -> None:
    repository(tmp_path, "own.h5")
    repository(tmp_path / "models", "model.h5")
    assert listed(tmp_path) == ["models/model.h5", "own.h5"]


def test_another_repository_named_by_the_environment_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = repository(tmp_path / "other", "other.h5")
    own = repository(tmp_path / "own", "own.h5")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    assert listed(own) == ["own.h5"]


def test_a_program_that_the_repository_names_is_not_started(tmp_path: Path) -> None:
    repository(tmp_path, "own.h5")
    monitor = tmp_path / ".git" / "monitor"
    monitor.write_text(f"#!/bin/sh\ntouch '{tmp_path}/.git/started'\n")
    monitor.chmod(0o755)
    git(tmp_path, "config", "core.fsmonitor", str(monitor))
    assert listed(tmp_path) == ["own.h5"]
    assert not (tmp_path / ".git" / "started").exists()


def test_names_with_line_breaks_and_bytes_that_are_no_text_are_kept(tmp_path: Path) -> None:
    repository(tmp_path, "two\nlines.h5", os.fsdecode(b"\xff.h5"))
    assert listed(tmp_path) == ["two\nlines.h5", os.fsdecode(b"\xff.h5")]


def test_without_git_a_repository_is_walked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository(tmp_path, "model.h5", "cache/model.h5")
    write(tmp_path, ".gitignore", content="cache/\n")
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert listed(tmp_path) == [".gitignore", "model.h5"]


def test_a_folder_that_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path, "model.h5")
    assert list(listing.walk(tmp_path, "missing")) == []


def test_a_named_pipe_in_place_of_what_git_keeps_is_not_waited_for(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    write(tmp_path, "inner/a.txt")
    os.mkfifo(tmp_path / "inner" / ".git")
    assert listed(tmp_path / "inner") == ["a.txt"]
