"""Where a repository defines what its models need: read as text, and never run."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadgate.diagnosis import definitions
from loadgate.diagnosis.definitions import find_definitions, module_of

REGISTERED = "@tf.keras.utils.register_keras_serializable(package='acme')\nclass Gate:\n    pass\n"


def written(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_py", ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_a_class_that_registers_itself_stands_for_its_module(tmp_path: Path) -> None:
    found = find_definitions(written(tmp_path, acme__layers_py=REGISTERED), {"Gate"})
    assert [definition.entry("acme>Gate") for definition in found["Gate"]] == ["acme.layers"]


@pytest.mark.parametrize("registered_name", [None, "other>Gate", "acme>Door"])
def test_where_the_file_calls_it_otherwise_its_module_is_not_enough(
    registered_name: str | None, tmp_path: Path
) -> None:
    found = find_definitions(written(tmp_path, acme__layers_py=REGISTERED), {"Gate"})
    assert [definition.entry(registered_name) for definition in found["Gate"]] == ["acme.layers:Gate"]


@pytest.mark.parametrize(
    ("decorator", "registered_as"),
    [
        ("keras.saving.register_keras_serializable()", "Custom>Gate"),
        ("register_keras_serializable('acme')", "acme>Gate"),
        ("register_keras_serializable('acme', 'Door')", "acme>Door"),
        ("register_keras_serializable(name='Door', package='acme')", "acme>Door"),
        ("register_keras_serializable(package='acme', name=None)", "acme>Gate"),
        ("register_keras_serializable(package=PACKAGE)", None),
        ("register_keras_serializable('acme', name=NAME)", None),
        ("register_keras_serializable", None),
        ("another('acme')", None),
    ],
)
def test_a_decorator_says_under_which_name(decorator: str, registered_as: str | None, tmp_path: Path) -> None:
    found = find_definitions(written(tmp_path, a_py=f"@{decorator}\nclass Gate: pass\n"), {"Gate"})
    assert [definition.registered_as for definition in found["Gate"]] == [registered_as]


def test_one_that_does_not_is_named_with_its_module_and_line(tmp_path: Path) -> None:
    found = find_definitions(written(tmp_path, src__acme__layers_py="import os\n\nclass Gate:\n    pass\n"), {"Gate"})
    (definition,) = found["Gate"]
    assert (definition.entry(None), definition.line) == ("acme.layers:Gate", 3)


def test_of_two_the_one_that_registers_itself_comes_first(tmp_path: Path) -> None:
    found = find_definitions(written(tmp_path, a_py="class Gate: pass\n", b_py=REGISTERED), {"Gate"})
    assert [definition.module for definition in found["Gate"]] == ["b", "a"]


def test_a_file_is_never_run(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    root = written(tmp_path, evil_py=f"open({str(marker)!r}, 'w')\nclass Gate: pass\n")
    assert find_definitions(root, {"Gate"})
    assert not marker.exists()


@pytest.mark.parametrize("text", ["class Gate(:\n", "class Gate: x = " + "(" * 100_000, "class Gate:\0 pass", ""])
def test_a_file_that_is_no_python_defines_nothing(text: str, tmp_path: Path) -> None:
    assert find_definitions(written(tmp_path, broken_py=text), {"Gate"}) == {}


@pytest.mark.parametrize(
    ("file", "module"),
    [
        ("acme/layers.py", "acme.layers"),
        ("src/acme/__init__.py", "acme"),
        ("my-service/layers.py", None),
        ("setup.py", "setup"),
    ],
)
def test_a_module_has_the_name_by_which_it_can_be_imported(file: str, module: str | None) -> None:
    assert module_of(file) == module


def test_a_decorator_of_any_length_is_read(tmp_path: Path) -> None:
    decorator = f"@{'a.' * 900}register_keras_serializable('acme')\n"
    found = find_definitions(written(tmp_path, layers_py=f"{decorator}class Gate:\n    pass\n"), {"Gate"})
    assert [definition.registered_as for definition in found["Gate"]] == ["acme>Gate"]


def test_no_more_is_parsed_than_anybody_waits_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(definitions, "MOST_CHARACTERS", 2 * len(REGISTERED))
    written(tmp_path, **{f"module{number}_py": REGISTERED for number in range(5)})
    found = find_definitions(tmp_path, {"Gate"})
    assert [definition.file for definition in found["Gate"]] == ["module0.py", "module1.py"]


def test_of_very_many_definitions_of_one_name_the_first_are_told(tmp_path: Path) -> None:
    found = find_definitions(written(tmp_path, layers_py="class Gate: pass\n" * 100), {"Gate"})
    assert [definition.line for definition in found["Gate"]] == list(range(1, 21))
