"""How one value of the spec is read: from a YAML node to what it means, or a refusal that says what to write.

A reader takes the node, and the subject of the sentence that would refuse it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Generic, TypeVar

import yaml

from loadgate.domain import Origin
from loadgate.mistakes import Mistake, Mistakes, nearest, quoted
from loadgate.yaml_nodes import MOST_NODES, kind, position

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Name = TypeVar("Name", bound=str)
Word = TypeVar("Word", bound=StrEnum)

LONGEST_VALUE = 4096


class RefusedError(Exception):
    def __init__(self, node: yaml.Node, message: str) -> None:
        super().__init__(message)
        self.node = node


@dataclass(slots=True)
class Reading:
    """One spec while it is read. Mistakes are collected, so that a person sees all of them at once."""

    root: Path
    file: str
    mistakes: list[Mistake] = field(default_factory=list)
    visits: int = 0

    def origin(self, node: yaml.Node) -> Origin:
        return Origin(file=self.file, line=position(node)[0])

    def refuse(self, error: RefusedError) -> None:
        self.mistakes.append(Mistake(self.file, *position(error.node), str(error)))

    def visit(self, node: yaml.Node) -> None:
        """Aliases let few bytes mean many values; a hundred aliases of a hundred aliases end here."""
        self.visits += 1
        if self.visits > MOST_NODES:
            message = f"more than {MOST_NODES:,} values, aliases written out; that is no file a person wrote"
            raise Mistakes([Mistake(self.file, *position(node), message)])


Reader = Callable[[Reading, str, yaml.Node], T]


@dataclass(frozen=True, slots=True)
class Key(Generic[T_co]):
    """One key of the spec: how its value is read, and what the reference says of it."""

    name: str
    read: Reader[T_co]
    shape: str
    """What its value is, in a few words."""
    example: str
    """A value as it is written in YAML."""
    meaning: str
    default: str = "nothing"
    keys: tuple[Key[Any], ...] = ()
    """The keys inside it, where it is a mapping with keys of its own."""


class Values:
    """What was read of a mapping; asked for with the key itself, so that each value keeps its type."""

    def __init__(self, node: yaml.Node) -> None:
        self.node = node
        self._values: dict[str, object] = {}
        self._nodes: dict[str, yaml.Node] = {}

    def put(self, key: Key[T], value: T) -> None:
        self._values[key.name] = value

    def there_is(self, key: Key[Any], node: yaml.Node) -> None:
        """Said of each key, also where its value is refused."""
        self._nodes[key.name] = node

    def get(self, key: Key[T], default: T) -> T:
        return self._values.get(key.name, default)  # type: ignore[return-value]  # put() pairs key and value

    def find(self, key: Key[T]) -> T | None:
        return self._values.get(key.name)  # type: ignore[return-value]  # put() pairs key and value

    def where(self, key: Key[T]) -> yaml.Node | None:
        """The node of the key itself; None where it is not there."""
        return self._nodes.get(key.name)

    @property
    def nodes(self) -> Mapping[str, yaml.Node]:
        """The node of each key that is there, by the key's name."""
        return self._nodes


# --- mappings and lists ---------------------------------------------------------------------------------------


def pairs(reading: Reading, subject: str, node: yaml.Node, wanted: str) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
    """Name, key node and value node of each entry, the second of two with the same name left out."""
    if kind(node) != "mapping" or not isinstance(node, yaml.MappingNode):
        raise RefusedError(node, f"{subject} is {found(node)}; write {wanted}")
    lines: dict[str, int] = {}
    for key, value in node.value:
        reading.visit(key)
        try:
            name = _key_name(key)
        except RefusedError as error:
            reading.refuse(error)
            continue
        if name in lines:
            message = f"{quoted(name)} is already on line {lines[name]}; keep one of them"
            reading.refuse(RefusedError(key, message))
            continue
        lines[name] = position(key)[0]
        yield name, key, value


def _key_name(key: yaml.Node) -> str:
    if not isinstance(key, yaml.ScalarNode) or kind(key) == "tagged":
        raise RefusedError(key, f"{found(key)} stands where a key should be; write a word")
    if key.tag.endswith(":merge"):
        raise RefusedError(key, "merge keys are not read; write the keys out, or use an alias for the whole value")
    return _readable(key)


def record(keys: Sequence[Key[Any]], of: str, wanted: str, name_node: yaml.Node | None = None) -> Reader[Values]:
    """A mapping in which every key has a reader of its own. `name_node` is where its own name stands."""
    by_name = {key.name: key for key in keys}

    def read(reading: Reading, subject: str, node: yaml.Node) -> Values:
        values = Values(name_node or node)
        for name, key_node, value_node in pairs(reading, subject, node, wanted):
            key = by_name.get(name)
            if key is None:
                message = f"{quoted(name)} is no key of {of or subject}; {nearest(name, by_name)}"
                reading.refuse(RefusedError(key_node, message))
                continue
            values.there_is(key, key_node)
            try:
                values.put(key, key.read(reading, f"`{name}`", value_node))
            except RefusedError as error:
                reading.refuse(error)
        return values

    return read


def mapping_of(
    read_key: Reader[Name], reader_for: Callable[[Name, yaml.Node], Reader[T]], wanted: str
) -> Reader[dict[Name, T]]:
    """A mapping whose keys the user chooses. How a value is read may depend on its key."""

    def read(reading: Reading, subject: str, node: yaml.Node) -> dict[Name, T]:
        values: dict[Name, T] = {}
        for name, key_node, value_node in pairs(reading, subject, node, wanted):
            try:
                key = read_key(reading, f"a key of {subject}", key_node)
                values[key] = reader_for(key, key_node)(reading, quoted(name), value_node)
            except RefusedError as error:
                reading.refuse(error)
        return values

    return read


def list_of(read_item: Reader[T], wanted: str) -> Reader[tuple[T, ...]]:
    def read(reading: Reading, subject: str, node: yaml.Node) -> tuple[T, ...]:
        if kind(node) != "list" or not isinstance(node, yaml.SequenceNode):
            raise RefusedError(node, f"{subject} is {found(node)}; write a list, such as {wanted}")
        items = []
        for item in node.value:
            reading.visit(item)
            try:
                items.append(read_item(reading, f"an item of {subject}", item))
            except RefusedError as error:
                reading.refuse(error)
        return tuple(items)

    return read


# --- single values --------------------------------------------------------------------------------------------


def text(wanted: str, allowed: str = "") -> Reader[str]:
    """A text without control characters other than those in `allowed`."""

    def read(_reading: Reading, subject: str, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode) or kind(node) in ("nothing", "tagged"):
            raise RefusedError(node, f"{subject} is {found(node)}; write {wanted}")
        if kind(node) != "text":
            raise RefusedError(node, f'{subject} is {found(node)}; write "{node.value[:40]}" in quotes')
        return _readable(node, allowed)

    return read


def pattern(expression: str, wanted: str) -> Reader[str]:
    """A text that matches `expression` as a whole."""
    allowed = re.compile(expression)

    def read(reading: Reading, subject: str, node: yaml.Node) -> str:
        value = text(wanted)(reading, subject, node)
        if not allowed.fullmatch(value):
            raise RefusedError(node, f"{subject} is {quoted(value)}; write {wanted}")
        return value

    return read


def choice(words: type[Word]) -> Reader[Word]:
    def read(_reading: Reading, subject: str, node: yaml.Node) -> Word:
        if not isinstance(node, yaml.ScalarNode) or kind(node) != "text":
            raise RefusedError(node, f"{subject} is {found(node)}; write one of {', '.join(words)}")
        value = _readable(node)
        if value not in list(words):
            raise RefusedError(node, f"{subject} is {quoted(value)}; {nearest(value, words)}")
        return words(value)

    return read


def boolean(_reading: Reading, subject: str, node: yaml.Node) -> bool:
    if not isinstance(node, yaml.ScalarNode) or kind(node) != "boolean":
        raise RefusedError(node, f"{subject} is {found(node)}; write true or false, without quotes")
    return node.value.lower() in ("true", "yes", "on")


def found(node: yaml.Node) -> str:
    """What is there, as a person would say it."""
    what = kind(node)
    if what == "tagged":
        return f"tagged {quoted(node.tag)}"
    if what == "nothing":
        return "empty"
    if not isinstance(node, yaml.ScalarNode):
        return f"a {what}"
    if what == "number" and node.tag.endswith(":float") and re.fullmatch(r"[0-9]+\.[0-9]*0", node.value[:40]):
        return f"the number {node.value}, which YAML reads as {float(node.value):g}"
    return f"the {what} {quoted(node.value)}"


def _readable(node: yaml.ScalarNode, allowed: str = "") -> str:
    value: str = node.value
    if len(value) > LONGEST_VALUE:
        raise RefusedError(node, f"a text of {len(value):,} characters; at most {LONGEST_VALUE:,} are read")
    control = next((c for c in value if unicodedata.category(c) in ("Cc", "Cs") and c not in allowed), None)
    if control is not None:
        raise RefusedError(node, f"{quoted(value)} holds the character U+{ord(control):04X}; remove it")
    return value
