"""What is imported may register what its source defines, takes from elsewhere or names; nothing else is known of it."""

from __future__ import annotations

from pathlib import Path

from loadgate.infer.brought import MAX_SOURCE, names_brought_by


def written(repository: Path, path: str, source: str) -> None:
    file = repository / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(source)


def test_classes_functions_imports_and_names_of_registration_are_found(tmp_path: Path) -> None:
    written(tmp_path, "acme/layers.py", "from other import Taken as Renamed\n@register(name='Named')\nclass Own: ...\n")
    written(tmp_path, "src/acme/__init__.py", "def swish_of_ours(x): return x\n")
    assert names_brought_by(["acme.layers"], tmp_path) >= {"Renamed", "Named", "Own"}
    assert names_brought_by(["acme"], tmp_path) == {"swish_of_ours"}


def test_a_comment_brings_nothing(tmp_path: Path) -> None:
    written(tmp_path, "layers.py", "# class Gone is elsewhere now\n")
    assert names_brought_by(["layers"], tmp_path) == frozenset()


def test_of_a_module_that_is_not_there_or_is_none_nothing_is_known(tmp_path: Path) -> None:
    written(tmp_path, "broken.py", "class (:")
    written(tmp_path, "deep.py", "-" * 100_000 + "1")
    written(tmp_path, "large.py", "class Large: ...\n" + "#" * MAX_SOURCE)
    assert names_brought_by(["missing", "broken", "deep", "large", "..", ""], tmp_path) == frozenset()
