from __future__ import annotations

import mmap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgate.artifacts.interface import Unreadable
from loadgate.artifacts.mapped import mapped
from loadgate.artifacts.wire import FIXED64, Budget, Field, Layout, Message, integer, mapping, message, text, walk
from loadgate.domain import StandInKind

from .encoding import entry, field, varint

INNER = Layout(size=integer(1))
OUTER = Layout(
    count=integer(1), name=text(2), inner=message(3, INNER), by_name=mapping(4, INNER), half=Field(5, FIXED64)
)


def read(content: bytes) -> Message:
    return Message.whole(OUTER, content)


def test_fields_are_read_by_name_in_any_order() -> None:
    content = field(2, "weights") + field(1, 7)
    assert (read(content).integer("count"), read(content).text("name")) == (7, "weights")


def test_the_last_of_several_occurrences_counts() -> None:
    assert read(field(1, 7) + field(1, 8)).integer("count") == 8


def test_a_field_that_is_not_there_has_its_default() -> None:
    assert (read(b"").integer("count"), read(b"").text("name"), read(b"").message("inner").integer("size")) == (
        0,
        "",
        0,
    )


def test_negative_numbers_are_read_from_ten_bytes() -> None:
    assert read(field(1, -1)).integer("count") == -1


def test_maps_are_read_as_keys_and_messages() -> None:
    content = entry(4, "a", field(1, 1)) + entry(4, "b", field(1, 2))
    assert {key: value.integer("size") for key, value in read(content).entries("by_name")} == {"a": 1, "b": 2}


def test_fields_that_nobody_declared_are_passed_over() -> None:
    assert read(field(9, b"\xff" * 300) + field(1, 7)).integer("count") == 7


def test_a_message_with_an_undeclared_field_is_not_admissible() -> None:
    assert read(field(1, 7)).is_admissible()
    assert not read(field(1, 7) + field(9, 1)).is_admissible()


def test_a_field_of_another_wire_type_is_not_admissible() -> None:
    assert not read(field(1, "seven")).is_admissible()


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_message_that_ends_inside_a_field_is_truncated(cut: int) -> None:
    content = field(2, "a name that is long")
    with pytest.raises(Unreadable) as raised:
        read(content[:-cut]).text("name")
    assert raised.value.kind is StandInKind.TRUNCATED


def test_a_field_that_does_not_fit_into_its_message_is_damaged_and_not_truncated() -> None:
    inner = varint(1 * 8 + 2) + varint(100)
    with pytest.raises(Unreadable) as raised:
        read(field(3, inner) + field(2, "x" * 200)).message("inner").text("size")
    assert raised.value.kind is None


@pytest.mark.parametrize("content", [b"\x00\x01", b"\x0b", b"\x0f", b"\x08" + b"\xff" * 10, b"\xff" * 9 + b"\x7f\x01"])
def test_bytes_that_no_protobuf_has_are_unreadable(content: bytes) -> None:
    with pytest.raises(Unreadable):
        list(walk(content, 0, len(content), Budget()))


def test_a_name_of_unbelievable_length_is_not_copied() -> None:
    with pytest.raises(Unreadable, match="where a name is expected"):
        read(field(2, b"x" * 100_000)).text("name")


def test_a_file_with_too_many_fields_is_given_up() -> None:
    content = field(1, 1) * 1000
    with pytest.raises(Unreadable, match="more fields"):
        list(walk(content, 0, len(content), Budget(fields=999)))


def test_fields_of_inner_messages_are_charged_to_the_same_budget() -> None:
    outer = Message(OUTER, field(3, field(1, 1) * 10) * 100, 0, 2200, Budget(fields=500))
    with pytest.raises(Unreadable, match="more fields"):
        [inner.integer("size") for inner in outer.messages("inner")]


def test_a_mapped_file_is_not_copied_and_not_kept_open(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(field(2, "weights"))
    with mapped(tmp_path / "file") as buffer:
        assert isinstance(buffer, mmap.mmap)
        assert read(buffer[:]).text("name") == Message.whole(OUTER, buffer).text("name") == "weights"
    assert buffer.closed


def test_an_empty_file_is_an_empty_message(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with mapped(tmp_path / "file") as buffer:
        assert not Message.whole(OUTER, buffer).has("name")


def test_a_file_that_is_not_there_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="No such file"), mapped(tmp_path / "file"):
        pass


@given(st.binary(max_size=200))
def test_any_bytes_are_walked_to_their_end_or_unreadable(content: bytes) -> None:
    try:
        for _, start, end in walk(content, 0, len(content), Budget()):
            assert start >= 0
            assert end <= len(content)
    except Unreadable:
        pass


@given(st.integers(min_value=-(2**63), max_value=2**63 - 1))
def test_every_signed_number_is_read_as_it_was_written(number: int) -> None:
    assert read(field(1, number)).integer("count") == number
