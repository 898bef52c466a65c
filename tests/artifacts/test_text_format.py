from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgate.artifacts import text_format
from loadgate.artifacts.interface import Unreadable
from loadgate.artifacts.protos import GRAPH_DEF, SAVED_MODEL
from loadgate.domain import StandInKind
from tests.endless import comes_to_an_end

from .encoding import FLOAT, field, graph, node, shape


def test_text_becomes_the_bytes_it_stands_for() -> None:
    source = b"""
        node { name: "x" op: "Placeholder" attr { key: "dtype" value { type: DT_FLOAT } } }  # a comment
        node: < name: "y" op: 'Neg', input: ["x"]; device: "/cpu" ":0" >
        versions { producer: 1286 min_consumer: 0xc }
    """
    expected = graph(node("x", "Placeholder", dtype=FLOAT), node("y", "Neg", "x", device="/cpu:0"))
    assert text_format.to_wire(source, GRAPH_DEF) == expected


def test_negative_sizes_and_escapes_are_understood() -> None:
    source = rb'node { name: "\x41\102\n\"" attr { value { shape { dim { size: -1 } } } } }'
    attribute = field(5, field(2, field(7, shape(-1))))
    assert text_format.to_wire(source, GRAPH_DEF) == field(1, field(1, b'AB\n"') + attribute)


def test_what_a_partial_message_does_not_declare_is_passed_over() -> None:
    source = b'meta_graphs { meta_info_def { any_info { [type.googleapis.com/a.B] { c: 1.5e3 } } tags: "serve" } }'
    assert text_format.to_wire(source, SAVED_MODEL) == field(2, field(1, field(4, "serve")))


@pytest.mark.parametrize(
    "source",
    [
        b"node { op: { } }",
        b'node: "x"',
        b"node { name: x }",
        b"nodes { }",
        b"version: one",
        b"}",
        b"node { name: @ }",
        b"version: { }",
        b"node { ] }",
    ],
)
def test_what_is_no_graph_in_text_is_unreadable_and_not_truncated(source: bytes) -> None:
    with pytest.raises(Unreadable) as raised:
        text_format.to_wire(source, GRAPH_DEF)
    assert raised.value.kind is None


@pytest.mark.parametrize("source", [b"node {", b'node { name: "x"', b'node { name: "x', b"node { input: [", b"[a"])
def test_text_that_breaks_off_is_truncated(source: bytes) -> None:
    with pytest.raises(Unreadable) as raised:
        text_format.to_wire(source, GRAPH_DEF)
    assert raised.value.kind is StandInKind.TRUNCATED


def test_messages_nested_without_end_are_unreadable() -> None:
    with pytest.raises(Unreadable, match="deep"):
        text_format.to_wire(b"meta_graphs { meta_info_def { a " + b"{ a " * 100_000, SAVED_MODEL)


def test_a_megabyte_of_blanks_before_nonsense_is_read_once() -> None:
    with comes_to_an_end(), pytest.raises(Unreadable):
        text_format.to_wire(b"node {" + b" " * 1_000_000 + b"@", GRAPH_DEF)


def test_text_beyond_the_limit_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_format, "MAX_BYTES", 10)
    with pytest.raises(Unreadable, match="bytes of text"):
        text_format.to_wire(b"versions { producer: 1 }", GRAPH_DEF)


@given(st.text(alphabet='node{}<>[]:;,"\\#1.-x \n', max_size=60))
def test_any_text_is_a_message_or_unreadable(source: str) -> None:
    with suppress(Unreadable):
        assert isinstance(text_format.to_wire(source.encode(), GRAPH_DEF), bytes)
