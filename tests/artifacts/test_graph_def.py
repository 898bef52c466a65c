from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loadgate.artifacts import graph_def
from loadgate.artifacts.interface import Unreadable
from loadgate.domain import Format, Signature, StandInKind, TensorSpec

from . import encoding as e
from .on_disk import DATA, find, find_one, read, write

X, Y = e.placeholder("x", -1, 2), e.node("y", "Neg", "x", T=e.FLOAT)
GRAPH = e.graph(X, Y)
NODE_IN_TEXT = b'node { name: "x" op: "Placeholder" }\n'


def test_a_graph_is_found_under_any_name(tmp_path: Path) -> None:
    write(tmp_path, {"weights": GRAPH, "notes": NODE_IN_TEXT})
    assert [(found.path, found.format) for found in find(graph_def, tmp_path)] == [
        ("notes", Format.GRAPH_DEF),
        ("weights", Format.GRAPH_DEF),
    ]


def test_a_graph_of_a_single_node_is_found(tmp_path: Path) -> None:
    write(tmp_path, {"g.pb": e.field(1, X)})
    assert find_one(graph_def, tmp_path).files == ("g.pb",)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(e.field(1, 3) + e.field(2, 1) + e.field(8, "x") + e.field(9, bytes(12)), id="ONNX TensorProto"),
        pytest.param(e.field(1, 7) + e.field(2, "pytorch") + e.field(7, GRAPH), id="ONNX ModelProto"),
        pytest.param(
            e.field(1, e.field(1, "x") + e.field(2, "y") + e.field(4, "Relu")) + e.field(2, "g") + e.field(11, b""),
            id="ONNX GraphProto",
        ),
        pytest.param(e.meta_graph(GRAPH), id="MetaGraphDef"),
        pytest.param(e.saved_model(e.meta_graph(GRAPH)), id="SavedModel"),
        pytest.param(e.field(1, 2**63) + e.field(2, 2**62), id="fingerprint"),
        pytest.param(e.graph(), id="versions alone"),
        pytest.param(e.field(1, e.field(1, "key") + e.field(2, "Value")) * 3, id="a map from names to names"),
        pytest.param(e.field(1, e.node("x y", "Neg", "x")), id="a name that no node has"),
        pytest.param(e.field(1, e.node("", "Neg", "x")), id="no name"),
        pytest.param(e.field(1, e.node("x", "", "y")), id="no op"),
        pytest.param(GRAPH + e.field(6, b""), id="a field that no graph has"),
        pytest.param(e.field(1, X + e.field(9, 1)), id="a field that no node has"),
        pytest.param(b"\n\n\nhello\n", id="text"),
        pytest.param(e.field(1, "label") * 20, id="a list of words"),
        pytest.param(b'node { calculator: "Pass" input_stream: "a" }', id="another graph in text"),
        pytest.param(b'node { name: "x" }', id="a node without an op in text"),
        pytest.param(b"node {", id="hardly anything in text"),
        pytest.param(e.field(1, b"\n\x05") + b"\n\x7f", id="a message cut off"),
        pytest.param(e.field(1, X) + b"\n\x7f", id="one node and then nothing like it"),
    ],
)
def test_other_messages_are_no_graphs(tmp_path: Path, content: bytes) -> None:
    write(tmp_path, {"model.pb": content, "graph.pbtxt": content})
    assert find(graph_def, tmp_path) == []


@given(st.binary(max_size=300).map(lambda rest: b"\n" + rest) | st.binary(max_size=300))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_arbitrary_bytes_are_no_graph(tmp_path: Path, content: bytes) -> None:
    write(tmp_path, {"model.pb": content})
    assert find(graph_def, tmp_path) == []


def test_a_graph_that_breaks_off_after_sound_nodes_is_truncated(tmp_path: Path) -> None:
    write(tmp_path, {"g.pb": e.graph(X, Y, e.node("z", "Neg", "y", T=e.FLOAT))[:-20]})
    sighting = find_one(graph_def, tmp_path)
    assert sighting.stand_in is not None
    with pytest.raises(Unreadable) as raised:
        graph_def.read_facts(tmp_path, sighting)
    assert sighting.stand_in.kind is raised.value.kind is StandInKind.TRUNCATED


def test_a_graph_with_nonsense_after_sound_nodes_is_damaged_and_not_truncated(tmp_path: Path) -> None:
    write(tmp_path, {"g.pb": GRAPH + b"\x0f\x00\x00"})
    sighting = find_one(graph_def, tmp_path)
    assert sighting.stand_in is None
    with pytest.raises(Unreadable):
        graph_def.read_facts(tmp_path, sighting)


def test_a_graph_in_text_that_breaks_off_is_truncated(tmp_path: Path) -> None:
    write(tmp_path, {"g.pbtxt": NODE_IN_TEXT + b"node {"})
    stand_in = find_one(graph_def, tmp_path).stand_in
    assert stand_in is not None
    assert stand_in.kind is StandInKind.TRUNCATED


def test_a_graph_in_text_with_the_marks_of_a_merge_conflict_is_damaged(tmp_path: Path) -> None:
    write(tmp_path, {"g.pbtxt": NODE_IN_TEXT + b"<<<<<<< HEAD\n" + NODE_IN_TEXT})
    sighting = find_one(graph_def, tmp_path)
    with pytest.raises(Unreadable, match="where the name of a field is expected"):
        graph_def.read_facts(tmp_path, sighting)


def test_text_and_binary_of_one_graph_have_the_same_facts() -> None:
    by_path = {sighting.path: graph_def.read_facts(DATA, sighting) for sighting in find(graph_def, DATA)}
    assert sorted(by_path) == ["graph.pb", "graph.pbtxt"]
    binary, text = by_path["graph.pb"], by_path["graph.pbtxt"]
    assert replace(text, extra=binary.extra) == binary
    assert binary.producer == 1645
    assert binary.ops == {"Const": 1, "Identity": 1, "Mul": 1, "Placeholder": 1}


def test_placeholders_are_inputs_and_what_nobody_uses_is_an_output(tmp_path: Path) -> None:
    nodes = [X, Y, e.node("same", "Equal", "y:0", T=e.FLOAT), e.node("wide", "Cast", "x", DstT=e.field(6, 2))]
    nodes += [e.node("init", "NoOp", "^y"), e.node("unused", "Const", dtype=e.FLOAT), e.node("odd", "MyOp", "y")]
    write(tmp_path, {"g.pb": e.graph(*nodes)})
    (signature,) = read(graph_def, tmp_path).signatures
    assert signature == Signature(
        name="graph",
        inputs=(TensorSpec(name="x", dtype="float32", shape=(None, 2)),),
        outputs=(
            TensorSpec(name="same", dtype="bool", shape=None),
            TensorSpec(name="wide", dtype="float64", shape=None),
            TensorSpec(name="odd", dtype="unknown", shape=None),
        ),
    )


@pytest.mark.parametrize(("producer", "shape"), [(21, None), (22, ())])
def test_old_graphs_write_a_scalar_where_a_shape_is_unknown(
    tmp_path: Path, producer: int, shape: tuple[int, ...] | None
) -> None:
    write(tmp_path, {"g.pb": e.graph(e.placeholder("x"), producer=producer)})
    assert read(graph_def, tmp_path).signatures[0].inputs[0].shape == shape


def test_variables_that_were_not_frozen_are_counted(tmp_path: Path) -> None:
    write(tmp_path, {"g.pb": e.graph(e.node("v", "VariableV2", dtype=e.FLOAT), e.node("w", "VarHandleOp"))})
    assert read(graph_def, tmp_path).extra["unfrozen_variables"] == "2"


def test_an_attribute_is_told_that_only_one_of_many_nodes_of_an_op_has(tmp_path: Path) -> None:
    alike = [e.node(f"norm{number}", "FusedBatchNormV3", "x", T=e.FLOAT) for number in range(20)]
    other = e.node("trained", "FusedBatchNormV3", "x", T=e.FLOAT, exponential_avg_factor=e.FLOAT, _class=e.FLOAT)
    write(tmp_path, {"g.pb": e.graph(X, *alike, other)})
    assert read(graph_def, tmp_path).op_attributes["FusedBatchNormV3"] == ("T", "exponential_avg_factor")


def test_only_the_beginning_of_a_large_graph_is_examined_when_it_is_looked_for(tmp_path: Path) -> None:
    nodes = [e.node(f"n{number}", "Neg", "x") for number in range(70)]
    write(tmp_path, {"g.pb": e.graph(*nodes, e.node("not a name", "Neg"))})
    assert read(graph_def, tmp_path).ops == {"Neg": 71}
