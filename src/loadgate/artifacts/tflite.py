"""TensorFlow Lite: one FlatBuffer, told by the identifier `TFL3`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from loadgate.artifacts import sightings
from loadgate.artifacts.flatbuffer import IDENTIFIER, Table
from loadgate.artifacts.interface import Folder, Sighting, Unreadable
from loadgate.artifacts.mapped import Buffer, mapped
from loadgate.artifacts.tflite_names import BROUGHT_CUSTOM_OPERATORS, BUILTIN_OPERATORS, CUSTOM, TENSOR_TYPES
from loadgate.domain import Facts, Format, SavedWith, Signature, StandInKind, TensorSpec

_TFL3 = b"TFL3"
_SUFFIX = ".tflite"
_MAX_ROOT = 64 * 1024
"""Bytes; a FlatBuffer is written from its end, so its root is always near the beginning."""
_FLEX = "Flex"
"""How the names of operators begin that are TensorFlow's own."""
_BIASES = frozenset({"int32", "int64"})
"""They are quantised only because the weights are."""
_MAX_RANK = 254
_MAX_CONNECTIONS = 10_000
"""Inputs, or outputs, of one subgraph."""
_MAX_METADATA = 64 * 1024
_CONVERSION = "CONVERSION_METADATA"
_RUNTIME_VERSION = "min_runtime_version"
_OUTSIDE = 2
"""A buffer whose offset is at least this lies behind the FlatBuffer; 0 and 1 mean that it does not."""


class _Model:
    """Slots of the table `Model`; likewise the classes below."""

    VERSION, OPERATOR_CODES, SUBGRAPHS, DESCRIPTION, BUFFERS, METADATA, SIGNATURES = 0, 1, 2, 3, 4, 6, 7


class _OperatorCode:
    DEPRECATED_CODE, CUSTOM_CODE, VERSION, CODE = range(4)


class _SubGraph:
    TENSORS, INPUTS, OUTPUTS, OPERATORS, NAME = range(5)


class _Tensor:
    SHAPE, TYPE, NAME, QUANTIZATION, SHAPE_SIGNATURE, HAS_RANK = 0, 1, 3, 4, 7, 8


class _Operator:
    CODE, OPTIONS_OFFSET, OPTIONS_SIZE = 0, 9, 10


class _Buffer:
    DATA, OFFSET, SIZE = range(3)


class _Metadata:
    NAME, BUFFER = range(2)


class _Signature:
    INPUTS, OUTPUTS, KEY, SUBGRAPH = 0, 1, 2, 4


class _TensorMap:
    NAME, TENSOR = range(2)


_QUANTIZATION_SCALE = 2
_CONVERSION_ENVIRONMENT, _ENVIRONMENT_TENSORFLOW = 0, 0


@dataclass(frozen=True, slots=True)
class _OperatorUse:
    """An operator, its version, and how it is called."""

    name: str
    version: int
    is_custom: bool


def find(folder: Folder) -> Iterable[Sighting]:
    for name in folder.names:
        head = folder.head(name)
        if begins_as_a_model(head):
            yield sightings.of_file(folder, name, Format.TFLITE)
        elif name.endswith(_SUFFIX) and 0 < len(head) < IDENTIFIER.stop and _TFL3.startswith(head[IDENTIFIER]):
            yield sightings.of_file(folder, name, Format.TFLITE, sightings.cut_off(folder, name, _too_short(len(head))))


def begins_as_a_model(head: bytes) -> bool:
    return head[IDENTIFIER] == _TFL3 and int.from_bytes(head[:4], "little") < _MAX_ROOT


def read_facts(root: Path, sighting: Sighting) -> Facts:
    with mapped(root / sighting.path) as buffer:
        if len(buffer) < IDENTIFIER.stop:
            raise _too_short(len(buffer))
        if buffer[IDENTIFIER] != _TFL3:
            raise Unreadable("the identifier of TFLite, TFL3, is missing")
        return _facts(Table.root(buffer), buffer)


def _too_short(size: int) -> Unreadable:
    return Unreadable(f"ends at byte {size}, before it says what it is", StandInKind.TRUNCATED)


def _facts(model: Table, buffer: Buffer) -> Facts:
    operators = [_operator(code) for code in model.tables(_Model.OPERATOR_CODES)]
    subgraphs = list(model.tables(_Model.SUBGRAPHS))
    if not subgraphs:
        raise Unreadable("there is no graph in it")
    stored = sum(_is_filled(content, buffer) for content in model.tables(_Model.BUFFERS))
    uses = Counter(operators[index].name for index in _used(subgraphs, len(operators), buffer))
    metadata = dict(_metadata(model))
    custom = {operator.name for operator in operators if operator.is_custom}
    extra = {
        "schema": str(model.integer(_Model.VERSION, 4)),
        "runtime_version": metadata.get(_RUNTIME_VERSION, b"").rstrip(b"\0").decode("utf-8", "replace"),
        "description": model.text(_Model.DESCRIPTION),
        "metadata": ", ".join(metadata),
        "negative_sizes": "yes" if any(map(_has_negative_size, subgraphs)) else "",
        "tensor_types": ", ".join(sorted(_types(subgraphs))),
        "operator_versions": ", ".join(sorted({f"{operator.name} {operator.version}" for operator in operators})),
    }
    return Facts(
        saved_with=SavedWith(tensorflow=_converter(metadata.get(_CONVERSION, b""))),
        ops=dict(sorted(uses.items())),
        custom_ops=tuple(sorted(op for op in custom - BROUGHT_CUSTOM_OPERATORS if not op.startswith(_FLEX))),
        flex_ops=tuple(sorted(op.removeprefix(_FLEX) for op in custom if op.startswith(_FLEX))),
        quantization=tuple(sorted(set(_quantized_types(subgraphs)))),
        signatures=tuple(_signatures(model)) or (_signature_of_graph(subgraphs[0]),),
        tensors=stored,
        extra={key: value for key, value in extra.items() if value},
    )


def _operator(code: Table) -> _OperatorUse:
    """The number is in one of two fields: a byte, and since there are more than 127 operators an integer."""
    number = max(
        code.integer(_OperatorCode.DEPRECATED_CODE, 1, signed=True), code.integer(_OperatorCode.CODE, 4, signed=True)
    )
    version = code.integer(_OperatorCode.VERSION, 4, 1, signed=True)
    if number == CUSTOM:
        return _OperatorUse(code.text(_OperatorCode.CUSTOM_CODE) or "CUSTOM", version, is_custom=True)
    known = 0 <= number < len(BUILTIN_OPERATORS)
    return _OperatorUse(BUILTIN_OPERATORS[number] if known else f"BUILTIN_{number}", version, is_custom=False)


def _used(subgraphs: Sequence[Table], operators: int, buffer: Buffer) -> Iterator[int]:
    """The number of the operator of each node."""
    for subgraph in subgraphs:
        for node in subgraph.tables(_SubGraph.OPERATORS):
            _check_outside(node.integer(_Operator.OPTIONS_OFFSET, 8), node.integer(_Operator.OPTIONS_SIZE, 8), buffer)
            index = node.integer(_Operator.CODE, 4)
            if index >= operators:
                raise Unreadable(f"a node uses operator {index:,} of {operators:,}")
            yield index


def _is_filled(content: Table, buffer: Buffer) -> bool:
    """Whether a buffer holds anything. Raises `Unreadable` where what it holds does not lie in the file."""
    offset, size = content.integer(_Buffer.OFFSET, 8), content.integer(_Buffer.SIZE, 8)
    _check_outside(offset, size, buffer)
    return content.length(_Buffer.DATA, 1) > 0 or (offset >= _OUTSIDE and size > 0)


def _check_outside(offset: int, size: int, buffer: Buffer) -> None:
    if offset >= _OUTSIDE and offset + size > len(buffer):
        detail = f"ends at byte {len(buffer):,}, and the weights go up to byte {offset + size:,}"
        raise Unreadable(detail, StandInKind.TRUNCATED)


def _metadata(model: Table) -> Iterator[tuple[str, bytes]]:
    for entry in model.tables(_Model.METADATA):
        content = model.element(_Model.BUFFERS, entry.integer(_Metadata.BUFFER, 4))
        yield entry.text(_Metadata.NAME), content.copy(_Buffer.DATA, _MAX_METADATA) if content else b""


def _converter(conversion: bytes) -> str | None:
    """The TensorFlow that converted the model, which notes itself in a FlatBuffer inside the FlatBuffer."""
    try:
        environment = Table.root(conversion).table(_CONVERSION_ENVIRONMENT) if conversion else None
        return (environment.text(_ENVIRONMENT_TENSORFLOW) or None) if environment else None
    except Unreadable:
        return None


def _types(subgraphs: Sequence[Table]) -> set[str]:
    return {_dtype(tensor) for subgraph in subgraphs for tensor in subgraph.tables(_SubGraph.TENSORS)}


def _quantized_types(subgraphs: Sequence[Table]) -> Iterator[str]:
    for subgraph in subgraphs:
        for tensor in subgraph.tables(_SubGraph.TENSORS):
            quantization = tensor.table(_Tensor.QUANTIZATION)
            dtype = _dtype(tensor)
            if quantization and quantization.length(_QUANTIZATION_SCALE, 4) and "int" in dtype and dtype not in _BIASES:
                yield dtype


def _has_negative_size(subgraph: Table) -> bool:
    """Whether any tensor has, as some converters wrote; what is open is said in another field."""
    return any(
        size < -1 for tensor in subgraph.tables(_SubGraph.TENSORS) for size in tensor.integers(_Tensor.SHAPE, _MAX_RANK)
    )


def _signatures(model: Table) -> Iterator[Signature]:
    for signature in model.tables(_Model.SIGNATURES):
        subgraph = model.element(_Model.SUBGRAPHS, signature.integer(_Signature.SUBGRAPH, 4))
        if subgraph is None:
            raise Unreadable("a signature belongs to a graph that is not there")
        yield Signature(
            name=signature.text(_Signature.KEY),
            inputs=tuple(_named(signature, _Signature.INPUTS, subgraph)),
            outputs=tuple(_named(signature, _Signature.OUTPUTS, subgraph)),
        )


def _named(signature: Table, slot: int, subgraph: Table) -> Iterator[TensorSpec]:
    for entry in signature.tables(slot):
        yield _spec(subgraph, entry.integer(_TensorMap.TENSOR, 4), entry.text(_TensorMap.NAME))


def _signature_of_graph(subgraph: Table) -> Signature:
    def specs(slot: int) -> tuple[TensorSpec, ...]:
        return tuple(_spec(subgraph, index) for index in subgraph.integers(slot, _MAX_CONNECTIONS))

    return Signature(
        name=subgraph.text(_SubGraph.NAME) or "main", inputs=specs(_SubGraph.INPUTS), outputs=specs(_SubGraph.OUTPUTS)
    )


def _spec(subgraph: Table, index: int, name: str | None = None) -> TensorSpec:
    tensor = subgraph.element(_SubGraph.TENSORS, index)
    if tensor is None:
        raise Unreadable(f"a signature refers to tensor {index:,}, which is not there")
    shape = tensor.integers(_Tensor.SHAPE_SIGNATURE, _MAX_RANK) or tensor.integers(_Tensor.SHAPE, _MAX_RANK)
    is_known = bool(shape) or bool(tensor.integer(_Tensor.HAS_RANK, 1))
    return TensorSpec(
        name=tensor.text(_Tensor.NAME) if name is None else name,
        dtype=_dtype(tensor),
        shape=tuple(None if size < 0 else size for size in shape) if is_known else None,
    )


def _dtype(tensor: Table) -> str:
    number = tensor.integer(_Tensor.TYPE, 1)
    return TENSOR_TYPES[number] if number < len(TENSOR_TYPES) else f"type {number}"
