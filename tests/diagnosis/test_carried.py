"""Code that a model brings is told before and whether or not it is loaded, with the place where it sits."""

from __future__ import annotations

from pathlib import Path

from loadgate.artifacts.discover import discover, read_artifact
from loadgate.diagnosis.carried import RUNS, notes_on_code
from loadgate.domain import Artifact, Facts, Format, LambdaLayer
from loadgate.phases.plan import plan
from tests.artifacts import encoding as e

EXAMPLES = Path(__file__).parents[2] / "examples"


def artifact(path: str, facts: Facts | None, kind: Format = Format.GRAPH_DEF) -> Artifact:
    return Artifact(path=path, format=kind, files=(path,), bytes=1, facts=facts)


def test_the_lambda_layers_of_the_examples_are_told_by_name_and_nothing_else_is() -> None:
    planned = plan(EXAMPLES)
    assert [note for note in planned.notes if "runs code" in note] == [
        f"models/pricing/elasticity.h5 {RUNS}: Python bytecode in the Lambda layer logarithm.",
        f"models/pricing/seasonality.h5 {RUNS}: Python bytecode in the Lambda layer angle.",
    ]


def test_nodes_that_call_python_are_told_with_the_function_that_they_are_in(tmp_path: Path) -> None:
    calling = e.function("serve", e.node("inner", "EagerPyFunc"))
    graph = e.graph(e.node("x", "Placeholder"), e.node("called", "PyFunc", "x"), library=calling)
    (tmp_path / "graph.pb").write_bytes(graph)
    found = [read_artifact(tmp_path, sighting) for sighting in discover(tmp_path)]
    assert found[0].facts is not None
    assert found[0].facts.python_calls == ("called", "serve/inner")
    assert list(notes_on_code(found)) == [
        f"graph.pb {RUNS}: a Python function that is called in the nodes called, serve/inner."
    ]


def test_ops_of_a_library_are_told_and_those_of_any_tensorflow_are_not() -> None:
    facts = Facts(ops={"MatMul": 1, "OfNobody": 2, "Addons>EuclideanDistanceTransform": 1})
    (note,) = notes_on_code([artifact("model.pb", facts)])
    assert note.endswith("the ops OfNobody, Addons>EuclideanDistanceTransform, which a library must bring.")
    lite = Facts(ops={"ADD": 1, "Mine": 1}, custom_ops=("Mine",))
    (note,) = notes_on_code([artifact("model.tflite", lite, Format.TFLITE)])
    assert note.endswith("the op Mine, which a library must bring.")


def test_of_very_many_a_few_are_named_and_the_rest_are_counted() -> None:
    lambdas = tuple(LambdaLayer(name=f"layer_{number}") for number in range(5))
    many = [artifact(f"model_{number}.h5", Facts(lambdas=lambdas), Format.KERAS_H5) for number in range(8)]
    notes = list(notes_on_code(many))
    assert len(notes) == 6
    assert "the Lambda layers layer_0, layer_1, layer_2 and 2 more." in notes[0]
    assert notes[-1].startswith("3 more artifacts run code")


def test_what_has_no_facts_is_said_nothing_of() -> None:
    assert list(notes_on_code([artifact("model.pb", None), artifact("model.pb", Facts(ops={"MatMul": 1}))])) == []
