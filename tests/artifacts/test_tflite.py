from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loadgate.artifacts import tflite
from loadgate.artifacts.interface import Unreadable
from loadgate.artifacts.tflite_names import BUILTIN_OPERATORS, TENSOR_TYPES
from loadgate.domain import Facts, Format, Signature, StandInKind, TensorSpec

from .encoding import Scalar, Table, byte, flatbuffer, word
from .on_disk import DATA, find, find_one, read, read_all, write

CUSTOM, CONV_2D, BROADCAST_TO = 32, 3, 130
FLOAT32, UINT8, INT8, VARIANT = 0, 3, 9, 14


def operator_code(code: int, name: str = "", version: int = 1) -> Table:
    """As converters write it: what does not fit into a byte is PLACEHOLDER_FOR_GREATER_OP_CODES there."""
    numbers: Table = {0: byte(min(code, 127)), 2: word(version), 3: word(code)}
    return {**numbers, 1: name} if name else numbers


def tensor(name: str, dtype: int, *shape: int, signature: list[int] | None = None, scale: bool = False) -> Table:
    fields: Table = {0: list(shape), 1: byte(dtype), 2: word(0), 3: name}
    quantized: Table = {4: {2: [0]}} if scale else {}
    return {**fields, **quantized, 7: signature} if signature else {**fields, **quantized}


def model(graph: Table | None = None, model: Table | None = None) -> Table:
    """One convolution from x to y, with other fields of the graph and of the model."""
    x, y = tensor("x", FLOAT32, 1, 4, signature=[-1, 4]), tensor("y", FLOAT32, 1, 2)
    convolution: Table = {0: word(0), 1: [0], 2: [1]}
    whole: Table = {0: [x, y], 1: [0], 2: [1], 3: [convolution], 4: "main"}
    fields: Table = {0: word(3), 1: [operator_code(CONV_2D, version=5)], 2: [{**whole, **(graph or {})}], 4: [{}]}
    return {**fields, **(model or {})}


def facts_of(root: Path, table: Table) -> Facts:
    return read(tflite, write(root, {"m.tflite": flatbuffer(table)}))


def test_a_model_is_found_by_its_identifier_under_any_name(tmp_path: Path) -> None:
    write(tmp_path, {"a.tflite": flatbuffer(model()), "b": flatbuffer(model()), "c.tflite": b"not a model, but long"})
    assert [(found.path, found.format) for found in find(tflite, tmp_path)] == [
        ("a.tflite", Format.TFLITE),
        ("b", Format.TFLITE),
    ]


def test_a_model_written_by_tensorflow_is_read() -> None:
    facts = read(tflite, DATA)
    assert facts.saved_with.tensorflow == "2.15.1"
    assert facts.ops == {"MUL": 1}
    x = TensorSpec(name="x", dtype="float32", shape=(None, 2))
    y = TensorSpec(name="Identity", dtype="float32", shape=(None, 2))
    assert facts.signatures == (Signature(name="main", inputs=(x,), outputs=(y,)),)
    assert (facts.extra["schema"], facts.extra["runtime_version"]) == ("3", "1.5.0")


def test_operators_are_counted_by_use_and_their_versions_told(tmp_path: Path) -> None:
    nodes: list[Table] = [{0: word(0)}, {0: word(1)}, {0: word(0)}]
    codes = [operator_code(CONV_2D, version=5), operator_code(BROADCAST_TO, version=2)]
    facts = facts_of(tmp_path, model(graph={3: nodes}, model={1: codes}))
    assert facts.ops == {"BROADCAST_TO": 1, "CONV_2D": 2}
    assert facts.extra["operator_versions"] == "BROADCAST_TO 2, CONV_2D 5"


def test_an_old_file_has_its_operator_in_a_byte_alone(tmp_path: Path) -> None:
    assert facts_of(tmp_path, model(model={1: [{0: byte(CONV_2D)}]})).ops == {"CONV_2D": 1}


def test_an_operator_newer_than_the_schema_is_called_by_its_number(tmp_path: Path) -> None:
    assert facts_of(tmp_path, model(model={1: [operator_code(9999)]})).ops == {"BUILTIN_9999": 1}


def test_custom_and_flex_operators_are_told_apart_and_what_the_interpreter_brings_is_neither(tmp_path: Path) -> None:
    names = ["FlexMatrixInverse", "PosenetDecoderOp", "TFLite_Detection_PostProcess"]
    nodes: list[Table] = [{0: word(number)} for number in range(3)]
    facts = facts_of(tmp_path, model(graph={3: nodes}, model={1: [operator_code(CUSTOM, name) for name in names]}))
    assert facts.custom_ops == ("PosenetDecoderOp",)
    assert facts.flex_ops == ("MatrixInverse",)
    assert sorted(facts.ops) == names


def test_types_of_quantised_tensors_are_told_without_biases_and_floats(tmp_path: Path) -> None:
    tensors = [tensor("x", INT8, 1, scale=True), tensor("b", 2, 1, scale=True), tensor("y", FLOAT32, 1, scale=True)]
    tensors.append(tensor("z", UINT8, 1))
    assert facts_of(tmp_path, model(graph={0: tensors})).quantization == ("int8",)


def test_the_types_of_all_tensors_are_told(tmp_path: Path) -> None:
    tensors = [tensor("x", FLOAT32, 1), tensor("b", 2, 1), tensor("y", VARIANT, 1)]
    assert facts_of(tmp_path, model(graph={0: tensors})).extra["tensor_types"] == "float32, int32, variant"


def test_signatures_are_preferred_to_the_tensors_of_the_graph(tmp_path: Path) -> None:
    signature: Table = {0: [{0: "image", 1: word(0)}], 1: [{0: "label", 1: word(1)}], 2: "serving_default", 4: word(0)}
    (read_signature,) = facts_of(tmp_path, model(model={7: [signature]})).signatures
    assert read_signature == Signature(
        name="serving_default",
        inputs=(TensorSpec(name="image", dtype="float32", shape=(None, 4)),),
        outputs=(TensorSpec(name="label", dtype="float32", shape=(1, 2)),),
    )


def test_a_shape_that_is_not_there_is_unknown_unless_the_rank_is_known(tmp_path: Path) -> None:
    scalar = {**tensor("y", FLOAT32), 8: byte(1)}
    (signature,) = facts_of(tmp_path, model(graph={0: [tensor("x", FLOAT32), scalar]})).signatures
    assert (signature.inputs[0].shape, signature.outputs[0].shape) == (None, ())


def test_metadata_is_listed_and_the_version_of_the_runtime_read(tmp_path: Path) -> None:
    entries: list[Table] = [{0: "min_runtime_version", 1: word(1)}, {0: "TFLITE_METADATA", 1: word(9)}]
    facts = facts_of(tmp_path, model(model={4: [{}, {0: b"2.3.0\0\0\0"}], 6: entries}))
    assert facts.extra["runtime_version"] == "2.3.0"
    assert facts.extra["metadata"] == "min_runtime_version, TFLITE_METADATA"
    assert facts.tensors == 1


def test_weights_behind_the_end_of_the_file_are_truncated(tmp_path: Path) -> None:
    buffers: list[Table] = [{}, {1: Scalar(4096, 8), 2: Scalar(100, 8)}]
    write(tmp_path, {"m.tflite": flatbuffer(model(model={4: buffers}))})
    with pytest.raises(Unreadable) as raised:
        read(tflite, tmp_path)
    assert raised.value.kind is StandInKind.TRUNCATED


def test_weights_behind_the_flatbuffer_but_inside_the_file_are_there(tmp_path: Path) -> None:
    buffers: list[Table] = [{}, {1: Scalar(4096, 8), 2: Scalar(100, 8)}]
    write(tmp_path, {"m.tflite": flatbuffer(model(model={4: buffers})).ljust(4196, b"\0")})
    assert read(tflite, tmp_path).tensors == 1


@pytest.mark.parametrize("size", range(1, 8))
def test_a_file_that_ends_before_its_identifier_is_truncated_under_that_name_alone(tmp_path: Path, size: int) -> None:
    content = flatbuffer(model())[:size]
    write(tmp_path, {"m.tflite": content, "m.bin": content})
    sighting = find_one(tflite, tmp_path)
    assert sighting.stand_in is not None
    assert (sighting.path, sighting.stand_in.kind) == ("m.tflite", StandInKind.TRUNCATED)


def test_text_that_happens_to_hold_the_identifier_is_no_model(tmp_path: Path) -> None:
    write(tmp_path, {"notes": b"the TFL3 identifier"})
    assert find(tflite, tmp_path) == []


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(model(model={2: list[Table]()}), id="no graph"),
        pytest.param(model(model={1: list[Table]()}), id="an operator that is not declared"),
        pytest.param(model(graph={1: [7]}), id="an input that is not there"),
        pytest.param(model(graph={1: [-1]}), id="a negative input"),
        pytest.param(model(model={7: [{4: word(5)}]}), id="a signature of no graph"),
        pytest.param(model(graph={4: "n" * 100_000}), id="a name of unbelievable length"),
        pytest.param(model(graph={0: [tensor("x", 0, *range(300))] * 2}), id="a shape of unbelievable rank"),
    ],
)
def test_what_contradicts_itself_is_unreadable_and_not_truncated(tmp_path: Path, table: Table) -> None:
    write(tmp_path, {"m.tflite": flatbuffer(table)})
    (answer,) = read_all(tflite, tmp_path)
    assert isinstance(answer, Unreadable)
    assert answer.kind is None


def test_a_small_file_in_which_everything_refers_to_everything_is_given_up_as_soon_as_its_size_allows(
    tmp_path: Path,
) -> None:
    """As the fuzzer found: in 64 KB of references the limit for large files, which is a second of work, was reached."""
    graphs: list[Table] = [{0: [tensor("x", INT8, 1)] * 1_000}, *[{}] * 999]
    content = bytearray(flatbuffer({2: graphs}))
    start = content.index((1_000).to_bytes(4, "little")) + 4
    first = start + int.from_bytes(content[start : start + 4], "little")
    for at in range(start, start + 4 * 1_000, 4):
        content[at : at + 4] = (first - at).to_bytes(4, "little")
    write(tmp_path, {"m.tflite": bytes(content)})
    (answer,) = read_all(tflite, tmp_path)
    assert isinstance(answer, Unreadable)
    assert str(answer) == f"more than {64 + len(content) // 2:,} tables"


def test_every_operator_and_type_of_the_schema_has_its_name() -> None:
    assert (BUILTIN_OPERATORS[0], BUILTIN_OPERATORS[127], BUILTIN_OPERATORS[209]) == (
        "ADD",
        "PLACEHOLDER_FOR_GREATER_OP_CODES",
        "STABLEHLO_CASE",
    )
    assert (TENSOR_TYPES[0], TENSOR_TYPES[9], TENSOR_TYPES[20]) == ("float32", "int8", "uint4")


@given(st.binary(max_size=300))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_behind_the_identifier_are_read_or_unreadable(tmp_path: Path, content: bytes) -> None:
    write(tmp_path, {"m.tflite": b"\x08\0\0\0TFL3" + content})
    (answer,) = read_all(tflite, tmp_path)
    assert isinstance(answer, Facts | Unreadable)


def test_a_tensor_of_negative_size_is_told_and_one_whose_size_is_open_is_not(tmp_path: Path) -> None:
    broken = {0: [tensor("x", FLOAT32, -2, 4), tensor("y", FLOAT32, 1, 2)]}
    assert facts_of(tmp_path, model(broken)).extra["negative_sizes"] == "yes"
    assert "negative_sizes" not in facts_of(tmp_path, model()).extra
