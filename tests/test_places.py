"""What may not be read: one line that says so, before anything runs, and never a model that nobody looked at."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unprivileged import REPOSITORY, give_to_the_user, loadgate_as_a_user, mine

__all__ = ["mine"]

MODEL = REPOSITORY / "examples/models/churn/churn_2019.h5"


@pytest.fixture
def closed(mine: Path) -> Iterator[Path]:
    """A folder with a repository in it, into which its own user may not look."""
    folder = mine / "closed"
    (folder / "repository").mkdir(parents=True)
    give_to_the_user(folder)
    folder.chmod(0)
    yield folder
    folder.chmod(0o700)


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan", "closed/repository"),
        ("init", "closed/repository"),
        ("check", "closed/repository"),
        ("inspect", "closed/repository/model.h5"),
        ("fix", "closed/repository/model.h5"),
        ("plan", "--spec", "closed/loadgate.yml", "."),
        ("report", "--base-report", "closed/report.json", "--plan", "closed/plan.json"),
        ("check", "--spec", "closed/loadgate.yml"),
        ("provision", "--plan", "closed/plan.json"),
        ("report", "--plan", "closed/plan.json"),
    ],
    ids=" ".join,
)
def test_a_path_that_may_not_be_looked_at_is_named_in_one_line(
    arguments: tuple[str, ...], closed: Path, mine: Path
) -> None:
    assert closed.is_relative_to(mine)
    ended = loadgate_as_a_user(*arguments, cwd=mine)
    assert ended.status == 2, ended.err
    assert len(ended.err.splitlines()) == 1
    assert "Permission denied" in ended.err


def repository_with(name: str, folder: Path) -> Path:
    repository = folder / "repository"
    (repository / "models").mkdir(parents=True)
    shutil.copy(MODEL, repository / "models/churn.h5")
    give_to_the_user(repository, *repository.rglob("*"))
    (repository / name).chmod(0)
    return repository


@pytest.mark.parametrize("name", ["models", "models/churn.h5"])
def test_a_model_that_may_not_be_read_is_not_passed_over(name: str, mine: Path) -> None:
    repository = repository_with(name, mine)
    ended = loadgate_as_a_user("plan", ".", cwd=repository)
    assert ended.status == 2
    assert f"{name} may not be read" in ended.err.replace("models/ may", "models may")
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("name", ["models", "models/churn.h5"])
def test_what_may_not_be_read_can_be_left_out_by_the_spec(name: str, mine: Path) -> None:
    repository = repository_with(name, mine)
    (repository / "loadgate.yml").write_text(
        f"version: 1\nartifacts: {{exclude: [{name}]}}\nruntimes: {{serving: {{tensorflow: 2.15.1}}}}\n"
    )
    ended = loadgate_as_a_user("plan", ".", cwd=repository)
    assert (ended.status, ended.err) == (0, "")


def test_a_closed_folder_is_not_passed_over_where_the_spec_names_it_and_git_ignores_it(mine: Path) -> None:
    repository = repository_with("models", mine)
    (repository / ".gitignore").write_text("/models/\n")
    (repository / "loadgate.yml").write_text('version: 1\nartifacts: {include: ["models/**"]}\n')
    ended = loadgate_as_a_user("plan", ".", cwd=repository)
    assert ended.status == 2
    assert "models/ may not be read" in ended.err
