"""What a load may reach of a repository and of a runtime, from files on disk."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from loadgate.domain import Case, Device, Loader, Lock
from loadgate.loading.job import Batch, Job
from loadgate.loading.sandbox_policy import grants, reach
from loadgate.probe import landlock
from loadgate.sandbox.reach import folders_of, visible


def batch(repository: Path, interpreter: Path, **more: object) -> Batch:
    lock = Lock(digest="", interpreter=str(interpreter), python="", implementation="", packages={}, tensorflow="")
    settings = {"env": {}, "imports": (), "import_paths": (), "jobs": (), "repository": repository} | more
    return Batch(runtime="r", device=Device.CPU, lock=lock, **settings)  # type: ignore[arg-type]  # spelled as they are


def job(path: Path, *files: Path) -> Job:
    case = Case(id="c", artifact=path.name, runtime="r", device=Device.CPU, loader=Loader.KERAS)
    return Job(case=case, path=path, bytes=0, artifact_digest=None, files=files)


def saved_model_in(folder: Path) -> list[Path]:
    files = [folder / "saved_model.pb", folder / "variables/variables.index"]
    files[1].parent.mkdir()
    for file in files:
        file.touch()
    return files


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    (root / ".git/annex/objects/aa").mkdir(parents=True)
    (root / ".git/config").write_text("token")
    (root / "models").mkdir()
    return root


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A virtual environment, as any tool makes one; the interpreter in it."""
    (tmp_path / "base/bin").mkdir(parents=True)
    (tmp_path / "base/bin/python3.11").touch()
    packages = tmp_path / "env/lib/python3.11/site-packages"
    packages.mkdir(parents=True)
    (tmp_path / "env/bin").mkdir()
    (tmp_path / "env/pyvenv.cfg").write_text(f"home = {tmp_path / 'base/bin'}\n")
    interpreter = tmp_path / "env/bin/python"
    interpreter.symlink_to(tmp_path / "base/bin/python3.11")
    return interpreter


def test_a_file_brings_itself_and_the_names_beside_it(repository: Path) -> None:
    model = repository / "models/a.h5"
    model.touch()
    granted = dict(grants(batch(repository, Path("/usr/bin/python3")), job(model, model)))
    assert granted == {str(model.parent): landlock.READ_DIR, str(model): landlock.READ_FILE}


def test_a_link_that_leads_out_of_the_repository_is_not_followed(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    model = repository / "models/a.h5"
    model.symlink_to(tmp_path / "secret")
    granted = dict(grants(batch(repository, Path("/usr/bin/python3")), job(model, model)))
    assert not any(rights & landlock.READ_FILE for rights in granted.values())


@pytest.mark.parametrize(
    ("target", "is_read"),
    [
        (".git/config", False),
        (".git/annex/objects/aa/model", True),
        (".dvc/cache/files/md5/aa/model", True),
        (".dvc/config.local", False),
        (".env", False),
        (".home/.netrc", False),
        ("models/.secret", False),
        ("stored/model", True),
    ],
)
def test_a_link_is_followed_into_what_is_hidden_only_where_large_files_are_kept(
    repository: Path, target: str, is_read: bool
) -> None:
    (repository / target).parent.mkdir(parents=True, exist_ok=True)
    (repository / target).write_text("x")
    model = repository / "models/a.h5"
    model.symlink_to(repository / target)
    granted = dict(grants(batch(repository, Path("/usr/bin/python3")), job(model, model)))
    assert (str(repository / target) in granted) is is_read


def test_a_model_that_is_hidden_itself_is_read(repository: Path) -> None:
    model = repository / ".models/a.h5"
    model.parent.mkdir()
    model.touch()
    assert str(model) in dict(grants(batch(repository, Path("/usr/bin/python3")), job(model, model)))


def test_what_is_hidden_in_the_folder_of_an_artifact_is_not_part_of_it(repository: Path) -> None:
    folder = repository / "models/1"
    folder.mkdir()
    for name in ("saved_model.pb", ".env"):
        (folder / name).touch()
    granted = dict(grants(batch(repository, Path("/usr/bin/python3")), job(folder, folder / "saved_model.pb")))
    assert granted[str(folder / "saved_model.pb")] == landlock.READ_FILE
    assert granted.get(str(folder), 0) & landlock.READ_FILE == 0


def test_a_folder_that_is_the_repository_itself_does_not_bring_its_git(repository: Path) -> None:
    file = repository / "saved_model.pb"
    file.touch()
    granted = dict(grants(batch(repository, Path("/usr/bin/python3")), job(repository, file)))
    assert granted.get(str(repository), 0) & landlock.READ_FILE == 0
    assert granted[str(file)] == landlock.READ_FILE


@pytest.mark.parametrize(
    "beside", ["private/.env", "other/model.h5", "1/saved_model.pb", "variables/notes.txt", "assets/.git/config"]
)
def test_what_lies_below_the_folder_of_an_artifact_and_is_no_file_of_it_is_not_read(
    repository: Path, beside: str
) -> None:
    folder = repository / "models"
    files = saved_model_in(folder)
    (folder / beside).parent.mkdir(parents=True, exist_ok=True)
    (folder / beside).touch()
    granted = dict(grants(batch(repository, Path("/usr/bin/python3")), job(folder, *files)))
    assert granted == {str(folder): landlock.READ_DIR} | {str(file): landlock.READ_FILE for file in files}


@pytest.mark.parametrize(("loader", "is_read"), [(Loader.KERAS, True), (Loader.SAVED_MODEL, False)])
def test_what_keras_looks_for_in_any_folder_is_there_for_it_as_it_is_in_production(
    repository: Path, loader: Loader, is_read: bool
) -> None:
    folder = repository / "models"
    files = saved_model_in(folder)
    for name in ("config.json", "log.csv"):
        (folder / name).touch()
    asked = job(folder, *files)
    asked = dataclasses.replace(asked, case=dataclasses.replace(asked.case, loader=loader))
    granted = dict(grants(batch(repository, Path("/usr/bin/python3")), asked))
    assert (str(folder / "config.json") in granted) is is_read
    assert str(folder / "log.csv") not in granted


def test_a_folder_that_holds_an_artifact_alone_is_read_as_a_whole(repository: Path) -> None:
    files = saved_model_in(repository / "models")
    (repository / "models/assets").mkdir()
    (repository / "models/latest").symlink_to(repository)
    granted = dict(grants(batch(repository, Path("/usr/bin/python3")), job(repository / "models", *files)))
    assert granted == {str(repository / "models"): landlock.READ}


def test_a_link_to_a_folder_does_not_bring_what_lies_there(repository: Path) -> None:
    files = saved_model_in(repository / "models")
    link = repository / "models/assets"
    link.symlink_to(repository)
    granted = dict(grants(batch(repository, Path("/usr/bin/python3")), job(repository / "models", *files, link)))
    assert granted == {str(repository / "models"): landlock.READ}


def test_a_checkpoint_does_not_bring_a_folder_of_its_name(repository: Path) -> None:
    index = repository / "models.index"
    index.touch()
    granted = dict(grants(batch(repository, Path("/usr/bin/python3")), job(repository / "models", index)))
    assert granted == {str(repository): landlock.READ_DIR, str(index): landlock.READ_FILE}


def test_hidden_files_of_a_repository_are_not_for_imports(repository: Path) -> None:
    (repository / ".env").touch()
    assert visible(repository) == [repository / "models"]


def test_an_environment_brings_itself_and_the_python_behind_it(environment: Path, tmp_path: Path) -> None:
    folders = folders_of(environment)
    assert folders[0] == tmp_path / "env"
    assert tmp_path / "base/lib" in folders
    assert tmp_path / "base" not in folders


@pytest.mark.parametrize("made_by_us", [True, False])
def test_packages_installed_by_reference_are_reached_where_the_environment_is_the_users_own(
    environment: Path, repository: Path, tmp_path: Path, made_by_us: bool
) -> None:
    packages = environment.parent.parent / "lib/python3.11/site-packages"
    (tmp_path / "elsewhere").mkdir()
    (packages / "a.pth").write_text(f"{tmp_path / 'elsewhere'}\nimport os\n")
    (packages / "b.dist-info").mkdir()
    editable = {"url": f"file://{tmp_path / 'editable'}", "dir_info": {"editable": True}}
    (packages / "b.dist-info/direct_url.json").write_text(json.dumps(editable))
    read = set(reach(batch(repository, environment, made_by_us=made_by_us), {}).read)
    assert ({str(tmp_path / "elsewhere"), str(tmp_path / "editable")} <= read) is not made_by_us


def test_an_environment_inside_the_repository_cannot_name_files_outside(repository: Path, tmp_path: Path) -> None:
    packages = repository / ".venv/lib/python3.11/site-packages"
    packages.mkdir(parents=True)
    (repository / ".venv/pyvenv.cfg").write_text("home = /usr/bin\n")
    (packages / "evil.pth").write_text(f"{tmp_path}\n")
    found = reach(batch(repository, repository / ".venv/bin/python", made_by_us=False), {})
    assert str(tmp_path) not in found.read


@pytest.mark.parametrize(("place", "is_reached"), [("/opt/cuda/lib64", True), ("/home/somebody/.ssh", False)])
def test_a_repository_names_libraries_below_opt_alone(repository: Path, place: str, is_reached: bool) -> None:
    found = reach(batch(repository, Path("/usr/bin/python3"), env={"LD_LIBRARY_PATH": place}), {})
    assert (place in found.run) is is_reached


def test_what_was_saved_again_brings_itself_and_nothing_that_its_links_lead_to(
    repository: Path, tmp_path: Path
) -> None:
    (repository / "credentials.json").write_text("x")
    product = tmp_path / "products/c"
    product.mkdir(parents=True)
    for name in ("model.h5", "recorded.npz"):
        (product / name).symlink_to(repository / "credentials.json")
    model = product / "model.h5"
    reading = dataclasses.replace(job(model, model, product / "recorded.npz"), product=product)
    granted = grants(batch(repository, Path("/usr/bin/python3")), reading)
    assert granted == [(str(product), landlock.READ)]
