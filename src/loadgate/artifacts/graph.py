"""What a graph is made of: the part of reading that SavedModel, frozen graphs and `.meta` files have in common."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count, islice
from operator import attrgetter, itemgetter

from loadgate.artifacts import tensor_types
from loadgate.artifacts.interface import TooLarge
from loadgate.artifacts.protos import FUNCTION_DEF, GRAPH_DEF, LIBRARY, NODE_DEF, VERSIONS
from loadgate.artifacts.wire import Message, signed, walk
from loadgate.domain import Signature, TensorSpec

VARIABLES = frozenset({"Variable", "VariableV2", "VarHandleOp", "AutoReloadVariable"})
"""Ops that hold a value that a checkpoint brings."""
PYTHON_CALLS = frozenset({"PyFunc", "PyFuncStateless", "EagerPyFunc"})
"""Ops that call a Python function."""
_CONSTANT, _VALUE = b"Const", b"value"
_NAMES_OF_PYTHON_CALLS = frozenset(op.encode() for op in PYTHON_CALLS)
_MAX_PYTHON_CALLS = 100
_NODE, _LIBRARY, _VERSIONS, _VERSION = map(GRAPH_DEF.key, ("node", "library", "versions", "version"))
_NODE_OF_FUNCTION = FUNCTION_DEF.key("node_def")
_NAME, _OP, _DEVICE = NODE_DEF.key("name"), NODE_DEF.key("op"), NODE_DEF.key("device")
_ATTRIBUTE = NODE_DEF.key("attr")
_KEY, _LONG = 0x0A, 0x80
"""The first byte of an entry of a mapping whose key is a text, and the least of a length that takes another byte."""
REFERENCES = frozenset({"Variable", "VariableV2", "Assign", "AssignAdd", "AssignSub"})
"""Ops whose result is a variable itself."""
_MAX_ATTRIBUTES = 100
"""Of one op."""
_MAX_KINDS = 20_000
"""Different ops, or devices, or functions, of one graph."""
_MAX_SIGNATURES = 1_000
_MAX_SPECS = 100_000
"""Inputs and outputs of all signatures together."""
_MAX_NAME = 1024
_MAX_RANK = 254
"""Dimensions of a TensorFlow tensor at the most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    nodes: int
    """Without those of the function library."""
    ops: Mapping[str, int]
    """Op → how many, the function library included; calls of its functions are not ops."""
    attributes: Mapping[str, tuple[str, ...]]
    """Op → the attributes that its nodes have, without those that TensorFlow keeps for itself."""
    devices: tuple[str, ...]
    python_calls: tuple[str, ...]
    """As in `Facts.python_calls`, of the first hundred."""
    producer: int | None
    min_consumer: int | None
    empty_constants: int
    """How many lack the value that no TensorFlow takes a constant without."""

    @property
    def variables(self) -> int:
        return sum(count for op, count in self.ops.items() if op in VARIABLES)


@dataclass(slots=True)
class _Tally:
    ops: Counter[bytes] = field(default_factory=Counter)
    attributes: defaultdict[bytes, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    devices: dict[bytes, None] = field(default_factory=dict)
    python_calls: list[str] = field(default_factory=list)
    empty_constants: int = 0


def read_graph(graph: Message) -> Graph:
    """Everything but the values of a `GraphDef`."""
    tally = _Tally()
    functions: set[str] = set()
    nodes = version = 0
    versions = Message(VERSIONS, graph.buffer, 0, 0, graph.budget)
    for key, start, end in graph.raw():
        if key == _NODE:
            nodes += 1
            _count(graph, start, end, tally)
        elif key == _LIBRARY:
            _count_functions(replace(graph, layout=LIBRARY, start=start, end=end), tally, functions)
        elif key == _VERSIONS:
            versions = replace(graph, layout=VERSIONS, start=start, end=end)
        elif key == _VERSION:
            version = signed(start)
    ops = {op.decode("utf-8", "replace"): count for op, count in tally.ops.items()}
    attributes = {op.decode("utf-8", "replace"): _told(names) for op, names in tally.attributes.items()}
    producer = versions.integer("producer") or version or None
    return Graph(
        nodes=nodes,
        ops={op: count for op, count in sorted(ops.items()) if op not in functions},
        python_calls=tuple(tally.python_calls),
        attributes={op: names for op, names in sorted(attributes.items()) if op not in functions},
        devices=tuple(sorted(device.decode("utf-8", "replace") for device in tally.devices)),
        producer=producer,
        min_consumer=versions.integer("min_consumer") if producer else None,
        empty_constants=tally.empty_constants,
    )


def _count_functions(library: Message, tally: _Tally, functions: set[str]) -> None:
    """Counts the nodes of all functions, and adds their names."""
    for start, end in library.spans("function"):
        name = ""
        if len(functions) < _MAX_KINDS:
            function = replace(library, layout=FUNCTION_DEF, start=start, end=end)
            name = function.message("signature").text("name")[:_MAX_NAME]
            functions.add(name)
        for key, begin, stop in walk(library.buffer, start, end, library.budget):
            if key == _NODE_OF_FUNCTION:
                _count(library, begin, stop, tally, f"{name}/")


def _count(holder: Message, start: int, end: int, tally: _Tally, within: str = "") -> None:
    """Counts the node between `start` and `end`. Written out, for here the time of a large graph goes."""
    buffer = holder.buffer
    op = device = b""
    attributes: list[bytes] = []
    for key, begin, stop in walk(buffer, start, end, holder.budget):
        if key == _ATTRIBUTE:
            # the name is the first field of an entry, and short; whoever writes it otherwise is asked for no name
            after = begin + 2
            if stop > after and buffer[begin] == _KEY and buffer[begin + 1] < min(_LONG, stop - after + 1):
                attributes.append(buffer[after : after + buffer[begin + 1]])
        elif key == _OP:
            op = buffer[begin : min(stop, begin + _MAX_NAME)]
        elif key == _DEVICE:
            device = buffer[begin : min(stop, begin + _MAX_NAME)]
    if len(tally.ops) < _MAX_KINDS:
        tally.ops[op] += 1
        known = tally.attributes[op]
        if len(known) < _MAX_ATTRIBUTES:
            known.update(attributes)
    tally.empty_constants += op == _CONSTANT and _VALUE not in attributes
    if device and len(tally.devices) < _MAX_KINDS:
        tally.devices[device] = None
    if op in _NAMES_OF_PYTHON_CALLS and len(tally.python_calls) < _MAX_PYTHON_CALLS:
        tally.python_calls.append(within + _name(holder, start, end))


def _name(holder: Message, start: int, end: int) -> str:
    fields = walk(holder.buffer, start, end, holder.budget)
    name = next(
        (holder.buffer[begin : min(stop, begin + _MAX_NAME)] for key, begin, stop in fields if key == _NAME), b""
    )
    return name.decode("utf-8", "replace")


def _told(attributes: Iterable[bytes]) -> tuple[str, ...]:
    """Without those that TensorFlow keeps for itself."""
    return tuple(sorted(name.decode("utf-8", "replace") for name in attributes if not name.startswith(b"_")))


def hands_out_references(meta_graph: Message) -> bool:
    """Whether an output of a signature is a variable itself, as TensorFlow 1 had it, and no value of it."""
    names = {
        tensor.text("name").partition(":")[0]
        for _, signature in islice(meta_graph.entries("signature_def"), _MAX_SIGNATURES)
        for _, tensor in islice(signature.entries("outputs"), _MAX_SPECS)
    }
    nodes = meta_graph.message("graph_def").messages("node")
    return any(node.text("op") in REFERENCES and node.text("name") in names for node in nodes)


def read_signatures(meta_graph: Message) -> tuple[Signature, ...]:
    """Sorted by name, without the pseudo-signatures that hold the ops of initialisation. Raises `Unreadable`."""
    definitions = list(islice(meta_graph.entries("signature_def"), _MAX_SIGNATURES + 1))
    if len(definitions) > _MAX_SIGNATURES:
        raise TooLarge(f"more than {_MAX_SIGNATURES:,} signatures")
    counter = count()
    return tuple(
        Signature(
            name=name, inputs=_specs(definition, "inputs", counter), outputs=_specs(definition, "outputs", counter)
        )
        for name, definition in sorted(definitions, key=itemgetter(0))
        if not name.startswith("__saved_model_")
    )


def _specs(signature: Message, side: str, counter: Iterator[int]) -> tuple[TensorSpec, ...]:
    specs = []
    for name, tensor in signature.entries(side):
        if next(counter) >= _MAX_SPECS:
            raise TooLarge(f"signatures of more than {_MAX_SPECS:,} inputs and outputs")
        shape = read_shape(tensor.message("tensor_shape")) if tensor.has("tensor_shape") else None
        specs.append(TensorSpec(name=name, dtype=tensor_types.name(tensor.integer("dtype")), shape=shape))
    return tuple(sorted(specs, key=attrgetter("name")))


def read_shape(shape: Message) -> tuple[int | None, ...] | None:
    """None for an unknown rank."""
    if shape.integer("unknown_rank"):
        return None
    return tuple(_dimensions(shape))


def _dimensions(shape: Message) -> Iterator[int | None]:
    for number, dimension in enumerate(shape.messages("dim")):
        if number >= _MAX_RANK:
            return
        size = dimension.integer("size")
        yield None if size < 0 else size
