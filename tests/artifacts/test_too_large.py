"""What is too large to be read without TensorFlow is still an artifact, and says why nothing else is known of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from loadgate.artifacts.discover import discover, read_artifact
from loadgate.domain import Format
from loadgate.phases.plan import plan

from . import encoding as e
from .making import save_keras_v3, sequential
from .on_disk import write

pytestmark = pytest.mark.slow

NODE = e.field(1, e.node("a", "NoOp"))
VERSIONS = e.graph()
NODE_IN_TEXT = b'node { name: "a" op: "NoOp" }\n'


def of_a_graph() -> dict[str, bytes]:
    return {"m.pb": NODE * 900_000 + VERSIONS}


def of_a_graph_in_text() -> dict[str, bytes]:
    function = b'library { function { signature { name: "f" }\n' + NODE_IN_TEXT.replace(b"node", b"node_def") * 50_000
    return {"m.pbtxt": function + b"} }\n"}


def of_a_graph_without_variables() -> dict[str, bytes]:
    return {"saved_model.pb": e.saved_model(e.meta_graph(NODE * 600_000 + VERSIONS))}


def of_a_saved_model_in_text() -> dict[str, bytes]:
    meta_graph = b"meta_graphs { graph_def {\n" + NODE_IN_TEXT * 60_000 + b"} }\n"
    return {"saved_model.pbtxt": b"saved_model_schema_version: 1\n" + meta_graph}


def of_an_index() -> dict[str, bytes]:
    header, tensor = e.field(1, 1) + e.field(3, e.field(1, 1)), e.field(1, 1) + e.field(5, 4)
    return {"m.index": e.table([(b"", header), *((b"v%06d" % number, tensor) for number in range(180_000))])}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (of_a_graph, Format.GRAPH_DEF),
        pytest.param(of_a_graph_in_text, Format.GRAPH_DEF, marks=pytest.mark.slow),
        pytest.param(of_a_graph_without_variables, Format.SAVED_MODEL, marks=pytest.mark.slow),
        pytest.param(of_a_saved_model_in_text, Format.SAVED_MODEL, marks=pytest.mark.slow),
        pytest.param(of_an_index, Format.CHECKPOINT, marks=pytest.mark.slow),
    ],
)
def test_a_model_that_is_too_large_to_be_read_is_not_passed_over(
    tmp_path: Path, files: Callable[[], dict[str, bytes]], expected: Format
) -> None:
    write(tmp_path, {f"m/{name}": content for name, content in files().items()})
    (sighting,) = discover(tmp_path)
    artifact = read_artifact(tmp_path, sighting, digest=False)
    assert artifact.format is expected
    assert artifact.damage is None
    if artifact.stand_in is None:
        assert (artifact.unread or "").startswith("too large to be read without TensorFlow: ")


def test_a_configuration_that_is_too_large_is_not_called_damaged_and_the_plan_says_so(tmp_path: Path) -> None:
    save_keras_v3(tmp_path / "m.keras", sequential(*([{}] * 1_000_001)))
    planned = plan(tmp_path)
    (artifact,) = planned.artifacts
    assert (artifact.facts, artifact.stand_in, artifact.damage) == (None, None, None)
    why = "too large to be read without TensorFlow: the configuration holds more than 1,000,000 values"
    assert artifact.unread == why
    assert f"m.keras was not looked into: {why}." in planned.notes


def test_a_large_map_from_names_to_names_is_no_graph(tmp_path: Path) -> None:
    write(tmp_path, {"vocabulary.pb": NODE * 900_000})
    assert discover(tmp_path) == ()
