"""A requirement with another version, as the file spells it that asks for it."""

from __future__ import annotations

import shlex
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgate.diagnosis.change import Change, changed, name_of
from loadgate.diagnosis.draft import read_sources
from loadgate.diagnosis.edits import edits_of
from loadgate.diagnosis.respelling import respelled
from loadgate.domain import RemedyKind
from loadgate.infer import infer_spec
from loadgate.spec import read_spec

OLDER = Change(kind=RemedyKind.TENSORFLOW, tensorflow="2.15.1")
POETRY = '[tool.poetry]\nname = "acme"\nversion = "1"\n[tool.poetry.dependencies]\npython = "^3.11"\n'
PROJECT = '[project]\nname = "acme"\nversion = "1"\n'


def told(root: Path, file: str, text: str, change: Change = OLDER) -> list[tuple[str | None, str]]:
    """Each line that is to be changed, and what it is to become."""
    (root / file).write_text(text)
    spec = infer_spec(root, (3, 12))
    (runtime,) = spec.runtimes
    after = changed(runtime, None, change, name=runtime.name)
    edits = edits_of(change, runtime, after, read_sources(root, spec.runtimes, spec.file))
    return [(edit.old, edit.new) for edit in edits]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('tensorflow = "^2.18"', 'tensorflow = "==2.15.1"'),
        ("Tensorflow='2.18.1'  # served", "Tensorflow='==2.15.1'  # served"),
        (
            'tensorflow = { version = "^2.18", extras = ["and-cuda"] }',
            'tensorflow = { version = "==2.15.1", extras = ["and-cuda"] }',
        ),
    ],
)
def test_poetry_is_told_the_version_where_its_table_has_it(line: str, expected: str, tmp_path: Path) -> None:
    assert told(tmp_path, "pyproject.toml", f"{POETRY}{line}\n") == [(line, expected)]


def test_a_pin_of_poetrys_that_has_to_give_way_leaves_its_package_in_the_table(tmp_path: Path) -> None:
    text = f'{POETRY}tensorflow = "^2.18"\nnumpy = "^2.0"\n'
    assert ('numpy = "^2.0"', 'numpy = "*"') in told(tmp_path, "pyproject.toml", text)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            'dependencies = ["tensorflow-hub", "tensorflow"]',
            'dependencies = ["tensorflow-hub", "tensorflow==2.15.1"]',
        ),
        (
            "dependencies = ['tensorflow>=2.18,<2.19', 'pandas']",
            "dependencies = ['tensorflow==2.15.1', 'pandas']",
        ),
        (
            "dependencies = [\"tensorflow[and-cuda]>=2.18; sys_platform == 'linux'\"]",
            "dependencies = [\"tensorflow[and-cuda]==2.15.1; sys_platform == 'linux'\"]",
        ),
        (
            'dependencies = ["tensorflow==2.18.1", "numpy==2.0.2"]',
            'dependencies = ["tensorflow==2.15.1", "numpy"]',
        ),
    ],
)
def test_of_a_list_in_one_line_only_the_requirement_itself_changes(line: str, expected: str, tmp_path: Path) -> None:
    assert told(tmp_path, "pyproject.toml", f"{PROJECT}{line}\n") == [(line, expected)]


def test_a_keras_is_pinned_where_it_is_asked_for_and_not_in_the_name_of_tf_keras(tmp_path: Path) -> None:
    line = 'dependencies = ["tensorflow==2.18.1", "tf-keras", "keras"]'
    keras = Change(kind=RemedyKind.KERAS, keras="3.3.3")
    changes = told(tmp_path, "pyproject.toml", f"{PROJECT}{line}\n", keras)
    assert changes[0] == (line, 'dependencies = ["tensorflow==2.18.1", "tf-keras", "keras==3.3.3"]')


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("RUN pip install tensorflow-hub tensorflow", "RUN pip install tensorflow-hub tensorflow==2.15.1"),
        ("RUN pip install 'tensorflow>=2.18,<2.19' flask", "RUN pip install 'tensorflow==2.15.1' flask"),
        ("RUN pip install tensorflow==2.18.1 numpy==2.0.2", "RUN pip install tensorflow==2.15.1 numpy"),
    ],
)
def test_a_word_of_a_command_changes_and_the_others_stay(line: str, expected: str, tmp_path: Path) -> None:
    assert told(tmp_path, "Dockerfile", f"FROM python:3.12\n{line}\n") == [(line, expected)]


def test_the_tag_of_an_image_is_its_version() -> None:
    line = "FROM tensorflow/tensorflow:2.18.1-gpu"
    now = respelled("Dockerfile", [line], 1, "tensorflow 2.18.1", "tensorflow==2.15.1")
    assert now == "FROM tensorflow/tensorflow:2.15.1-gpu"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pyproject.toml", f'{PROJECT}keywords = ["tensorflow"]\ndependencies = [\n  "tensorflow",\n]\n'),
        ("pyproject.toml", f'{POETRY}tensorflow = [{{ version = "2.18.1", python = ">=3.10" }}]\n'),
        ("Dockerfile", "FROM python:3.12\nRUN pip install tensorflow && python -c 'import tensorflow'\n"),
        ("Dockerfile", "FROM python:3.12\nENV WANTED=2.18.1\nRUN pip install tensorflow==$WANTED\n"),
        ("Dockerfile", "FROM python:3.12\nRUN pip install tensorflow > 2.log\n"),
    ],
)
def test_nothing_is_told_of_a_line_that_cannot_be_changed_for_sure(file: str, text: str, tmp_path: Path) -> None:
    assert told(tmp_path, file, text) == []


def test_a_runtime_of_a_spec_that_names_no_package_is_told_its_tensorflow(tmp_path: Path) -> None:
    (tmp_path / "loadgate.yml").write_text('version: 1\nruntimes:\n  serving:\n    python: "3.11"\n')
    spec = read_spec(tmp_path, tmp_path / "loadgate.yml")
    (runtime,) = spec.runtimes
    after = changed(runtime, None, OLDER, name="serving")
    (edit,) = edits_of(OLDER, runtime, after, read_sources(tmp_path, spec.runtimes, spec.file))
    assert 'tensorflow: "2.15.1"' in edit.new


NAMES = ("tensorflow", "tensorflow-hub", "tensorflow_text", "my-tensorflow", "keras", "tf-keras", "keras.nightly")
EXTRAS = ("", "[extra]", "[other,extra]")
BOUNDS = ("", "==2.18.1", ">=2.10,<2.19", "~=2.18", " == 2.*")


@st.composite
def listed(draw: st.DrawFn) -> list[tuple[str, str]]:
    """Packages, and what is asked of the version of each."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1))
    return [(name + draw(st.sampled_from(EXTRAS)), draw(st.sampled_from(BOUNDS))) for name in names]


@given(listed(), st.integers(0, len(NAMES) - 1), st.sampled_from(["==2.15.1", "<2", ""]), st.sampled_from("\"'"))
def test_in_whatever_company_a_requirement_alone_changes(
    requirements: list[tuple[str, str]], place: int, version: str, quote: str
) -> None:
    at = place % len(requirements)
    texts = ["".join(each) for each in requirements]
    meant = [*texts[:at], requirements[at][0] + version, *texts[at + 1 :]]
    now = name_of(texts[at]) + version
    quoted = [f"{quote}{text}{quote}" for text in texts]
    project = [*PROJECT.split("\n"), f"dependencies = [{', '.join(quoted)}]"]
    line = respelled("pyproject.toml", project, len(project), texts[at], now)
    assert line is not None
    assert tomllib.loads(line)["dependencies"] == meant
    line = respelled("Dockerfile", [f"RUN pip install {' '.join(quoted)}"], 1, texts[at], now)
    assert line is not None
    assert shlex.split(line)[3:] == meant
