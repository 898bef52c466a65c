"""A graph by itself, as `freeze_graph` and `tf.io.write_graph` write it: `GraphDef`, binary or as text, of any name.

Protobuf files do not say what they are, so a graph is told from other messages by its structure alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from loadgate.artifacts import sightings, tensor_types, text_format
from loadgate.artifacts.graph import VARIABLES, Graph, read_graph, read_shape
from loadgate.artifacts.interface import HEAD, Folder, Sighting, TooLarge, Unreadable
from loadgate.artifacts.mapped import mapped
from loadgate.artifacts.protos import GRAPH_DEF, LIBRARY, NODE_DEF, VERSIONS
from loadgate.artifacts.wire import FIELDS_TO_KNOW, Budget, Message
from loadgate.domain import Facts, Format, Signature, TensorSpec

_FIRST_KEYS = GRAPH_DEF.keys
_NODE_NAME, _NODE_OP, _NODE_INPUT = (NODE_DEF.key(name) for name in ("name", "op", "input"))
_NODE, _LIBRARY, _VERSIONS = (GRAPH_DEF.key(name) for name in ("node", "library", "versions"))
_EXAMINED_WHOLE = {_VERSIONS: VERSIONS, _LIBRARY: LIBRARY}
"""What a graph has few of."""
_TEXT_START = re.compile(rb"(?:\s*+#[^\n]*+\n)*+\s*+(?:node|library|versions)\s*+[:{<]")
_TEXT_NODE = re.compile(rb"\s*+node\s*+:?\s*+\{\s*+name:\s*+\"[^\"\n]+\"\s*+op:\s*+\"")
"""The beginning of a graph as TensorFlow prints it."""
_TEXT_FUNCTION = re.compile(rb"\s*+library\s*+:?\s*+\{\s*+function\s*+:?\s*+\{\s*+signature\s*+:?\s*+\{\s*+name:\s*+\"")
"""The same of a graph whose nodes are all in functions."""
_NAME = re.compile(r"[A-Za-z0-9._][A-Za-z0-9_.\\/>-]*")
_OP = re.compile(r"[A-Za-z_][A-Za-z0-9_.>-]*")
_EXAMINED = 64
"""Nodes at the beginning that must be sound for the whole to be called a graph."""
_MAX_VERSIONS = 64
"""Bytes of a graph's own version, the oldest that may read it, and those that may not."""
_UNMISTAKABLE = 2
"""Sound nodes after which a message that breaks off can only be a graph."""
_PLACEHOLDERS = frozenset({"Placeholder", "PlaceholderV2", "PlaceholderWithDefault"})
_NO_OUTPUT = frozenset({"NoOp", "Assert", "Const", "Print"}) | _PLACEHOLDERS
_TYPE_OF_OUTPUT = ("DstT", "dtype", "output_type", "out_type", "T")
"""Attributes that give the type of an op's output, the more telling first."""
_BOOLEAN = frozenset(
    {"Equal", "NotEqual", "Less", "LessEqual", "Greater", "GreaterEqual", "LogicalAnd", "LogicalOr", "LogicalNot"}
)
_SCALARS_UNKNOWN_UNTIL = 21
"""Producer; a placeholder of a graph this old has a scalar's shape where its shape is unknown."""
_MAX_CONNECTED = 100_000
"""Nodes of a graph whose outputs are looked for: every name is held in memory for it."""
_MAX_NAMES = 64 * 1024**2
"""Bytes that all these names may take."""
_COST_OF_NAME = 64
"""Bytes that a name takes in memory beside its characters."""
_MAX_OUTPUTS = 100


def find(folder: Folder) -> Iterable[Sighting]:
    for name in folder.names:
        head = folder.head(name)
        found = None
        if head[:1] and head[0] in _FIRST_KEYS:
            found = _find_binary(folder, name)
        if found is None and _TEXT_START.match(head):
            found = _find_text(folder, name)
        if found:
            yield found


def read_facts(root: Path, sighting: Sighting) -> Facts:
    path = root / sighting.path
    with mapped(path) as buffer:
        is_text = bool(_TEXT_START.match(buffer[:HEAD]))
        graph = Message.whole(GRAPH_DEF, text_format.to_wire(buffer, GRAPH_DEF) if is_text else buffer)
        contents = read_graph(graph)
        signature = _signature(graph, contents) if contents.nodes <= _MAX_CONNECTED else None
    extra = {"nodes": str(contents.nodes), "encoding": "text" if is_text else "binary"}
    if contents.variables:
        extra["unfrozen_variables"] = str(contents.variables)
    if contents.empty_constants:
        extra["empty_constants"] = str(contents.empty_constants)
    return Facts(
        producer=contents.producer,
        min_consumer=contents.min_consumer,
        ops=contents.ops,
        python_calls=contents.python_calls,
        op_attributes=contents.attributes,
        devices=contents.devices,
        signatures=(signature,) if signature else (),
        extra=extra,
    )


def _find_binary(folder: Folder, name: str) -> Sighting | None:
    """None for a message of another kind. Damage is told only of what begins as nothing else does."""
    beginning = _Beginning()
    try:
        with mapped(folder.root / folder.path / name) as buffer:
            if not beginning.admits_what_is_read_of(Message(GRAPH_DEF, buffer, 0, len(buffer), Budget(FIELDS_TO_KNOW))):
                return None
    except Unreadable as error:
        if beginning.sound_nodes < _UNMISTAKABLE or not beginning.is_connected:
            return None
        return sightings.of_file(folder, name, Format.GRAPH_DEF, sightings.cut_off(folder, name, error))
    return (
        sightings.of_file(folder, name, Format.GRAPH_DEF) if beginning.sound_nodes and beginning.is_connected else None
    )


def _find_text(folder: Folder, name: str) -> Sighting | None:
    head = folder.head(name)
    is_certain = bool(_TEXT_NODE.match(head) or _TEXT_FUNCTION.match(head))
    try:
        with mapped(folder.root / folder.path / name) as buffer:
            graph = Message.whole(GRAPH_DEF, text_format.to_wire(buffer, GRAPH_DEF))
        beginning = _Beginning()
        is_graph = beginning.admits(graph) and beginning.sound_nodes
    except Unreadable as error:
        if not is_certain:
            return None
        return sightings.of_file(folder, name, Format.GRAPH_DEF, sightings.cut_off(folder, name, error))
    return sightings.of_file(folder, name, Format.GRAPH_DEF) if is_graph else None


class _Beginning:
    """What was seen so far of a message that may be a graph."""

    def __init__(self) -> None:
        self.sound_nodes = 0
        self.is_connected = False
        """Something was seen that maps from names to names do not have: an attribute, an input, a version."""

    def admits_what_is_read_of(self, graph: Message) -> bool:
        """As `admits`. One that is too large to be walked is told by its end, where TensorFlow writes the versions."""
        try:
            return self.admits(graph)
        except TooLarge:
            self.is_connected |= _ends_with_versions(graph)
            return True

    def admits(self, graph: Message) -> bool:
        """Whether all its fields can be those of a graph."""
        for key, start, end in graph.raw():
            if key == _NODE:
                if self.sound_nodes < _EXAMINED and not self._admits_node(
                    Message(NODE_DEF, graph.buffer, start, end, graph.budget)
                ):
                    return False
            elif key not in _FIRST_KEYS:
                return False
            elif key in _EXAMINED_WHOLE:
                self.is_connected |= key == _VERSIONS
                if not Message(_EXAMINED_WHOLE[key], graph.buffer, start, end, graph.budget).is_admissible():
                    return False
        return True

    def _admits_node(self, node: Message) -> bool:
        try:
            is_sound = (
                node.is_admissible()
                and bool(_NAME.fullmatch(node.text("name")) and _OP.fullmatch(node.text("op")))
                and all(key and attribute.is_admissible() for key, attribute in node.entries("attr"))
            )
        except Unreadable:
            return False
        self.sound_nodes += is_sound
        self.is_connected |= is_sound and (node.has("attr") or node.has("input"))
        return is_sound


def _ends_with_versions(graph: Message) -> bool:
    beginnings = (graph.end - length for length in range(2, _MAX_VERSIONS))
    return any(
        graph.buffer[start - 2] == _VERSIONS
        and graph.buffer[start - 1] == graph.end - start
        and _is_sound(Message(VERSIONS, graph.buffer, start, graph.end, Budget(_MAX_VERSIONS)))
        for start in beginnings
    )


def _is_sound(message: Message) -> bool:
    try:
        return message.is_admissible()
    except Unreadable:
        return False


def _signature(graph: Message, contents: Graph) -> Signature | None:
    """Placeholders are inputs; what no other node uses is an output. None where the names are too many to be held."""
    inputs: list[TensorSpec] = []
    used: set[str] = set()
    ends: dict[str, Message] = {}
    scalar_is_unknown = (contents.producer or 0) <= _SCALARS_UNKNOWN_UNTIL
    room = _MAX_NAMES
    for node in graph.messages("node"):
        name, op, sources = _connections(node)
        room -= len(name) + sum(map(len, sources)) + _COST_OF_NAME * (1 + len(sources))
        if room < 0:
            return None
        used.update(_node_of(source) for source in sources)
        if op in _PLACEHOLDERS:
            inputs.append(_placeholder(node, scalar_is_unknown))
        elif op not in _NO_OUTPUT and op not in VARIABLES:
            ends[name] = node
    outputs = (_output(name, node) for name, node in ends.items() if name not in used)
    return Signature(name="graph", inputs=tuple(inputs), outputs=tuple(islice(outputs, _MAX_OUTPUTS)))


def _connections(node: Message) -> tuple[str, str, list[str]]:
    """Name, op and inputs, in one pass over the node."""
    name = op = ""
    sources = []
    for key, start, end in node.raw():
        if key == _NODE_INPUT:
            sources.append(node.text_between(start, end))
        elif key == _NODE_NAME:
            name = node.text_between(start, end)
        elif key == _NODE_OP:
            op = node.text_between(start, end)
    return name, op, sources


def _node_of(source: str) -> str:
    """The node that an input such as `name`, `name:1` or `^name` (only to run after it) refers to."""
    return source.removeprefix("^").partition(":")[0]


def _placeholder(node: Message, scalar_is_unknown: bool) -> TensorSpec:
    attributes = dict(node.entries("attr"))
    shape = read_shape(attributes["shape"].message("shape")) if "shape" in attributes else None
    return TensorSpec(
        name=node.text("name"),
        dtype=tensor_types.name(attributes["dtype"].integer("type")) if "dtype" in attributes else "unknown",
        shape=None if scalar_is_unknown and shape == () else shape,
    )


def _output(name: str, node: Message) -> TensorSpec:
    """The type is told where an attribute gives it; the shape only where TensorFlow noted what it inferred."""
    attributes = dict(node.entries("attr"))
    telling = next((attribute for attribute in _TYPE_OF_OUTPUT if attribute in attributes), None)
    if node.text("op") in _BOOLEAN:
        dtype = "bool"
    else:
        dtype = tensor_types.name(attributes[telling].integer("type")) if telling else "unknown"
    shapes = attributes["_output_shapes"].message("list").messages("shape") if "_output_shapes" in attributes else ()
    return TensorSpec(name=name, dtype=dtype, shape=next((read_shape(shape) for shape in shapes), None))
