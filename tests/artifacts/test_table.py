from __future__ import annotations

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgate.artifacts import table
from loadgate.artifacts.interface import Unreadable
from loadgate.artifacts.wire import Budget
from loadgate.domain import StandInKind

from . import encoding as e

ENTRIES = [(b"", b"header"), (b"layer/bias", b"1"), (b"layer/kernel", b"22"), (b"layer/kernel/Adam", b"")]


def read(content: bytes) -> list[tuple[bytes, bytes]]:
    return [(key, buffer[start:end]) for key, buffer, start, end in table.entries(content, Budget())]


@pytest.mark.parametrize("blocks", [1, 2, 4])
@pytest.mark.parametrize("pack", [False, True])
def test_keys_that_share_a_prefix_are_put_together_again(blocks: int, pack: bool) -> None:
    assert read(e.table(ENTRIES, blocks, pack)) == ENTRIES


@pytest.mark.parametrize("cut", [1, 8, 47, 60])
def test_a_table_without_its_end_is_truncated(cut: int) -> None:
    with pytest.raises(Unreadable) as raised:
        read(e.table(ENTRIES)[:-cut])
    assert raised.value.kind is StandInKind.TRUNCATED


def test_a_block_outside_the_table_is_unreadable() -> None:
    footer = (e.varint(0) * 2 + e.varint(10_000) + e.varint(9)).ljust(40, b"\0") + e.MAGIC
    with pytest.raises(Unreadable, match="does not fit"):
        read(bytes(100) + footer)


def test_an_index_that_names_one_block_again_and_again_is_unreadable() -> None:
    content = e.block([(b"a", b"1")])
    handle = e.varint(0) + e.varint(len(content))
    index = e.block([(b"%06d" % number, handle) for number in range(1000)])
    written = content + b"\0crc!" + index + b"\0crc!"
    footer = (e.varint(0) * 2 + e.varint(len(content) + 5) + e.varint(len(index))).ljust(40, b"\0") + e.MAGIC
    with pytest.raises(Unreadable, match="overlaps"):
        read(written + footer)


def test_keys_that_only_grow_are_given_up() -> None:
    entries = [(b"k" * length, b"") for length in range(0, 100_000, 1000)]
    with pytest.raises(Unreadable, match="does not fit into its block"):
        read(e.table(entries))


SNAPPY = [
    (e.varint(3) + b"\x08abc", b"abc"),
    (e.varint(7) + b"\x00a" + b"\x09\x01", b"a" * 7),
    (e.varint(12) + b"\x08abc" + b"\x22\x03\x00", b"abcabcabcabc"),
    (e.varint(6) + b"\x08abc" + b"\x0b\x03\x00\x00\x00", b"abcabc"),
    (e.varint(100) + b"\xf0\x63" + bytes(100), bytes(100)),
]


@pytest.mark.parametrize(("packed", "content"), SNAPPY)
def test_snappy_is_unpacked(packed: bytes, content: bytes) -> None:
    assert table.unpack_snappy(packed, 0, len(packed)) == content


@pytest.mark.parametrize(
    "packed",
    [
        e.varint(3) + b"\x08ab",
        e.varint(3) + b"\x09\x01",
        e.varint(4) + b"\x08abc",
        e.varint(2) + b"\x08abc",
        e.varint(4) + b"\x08abc\x0a\x01",
        e.varint(4) + b"\x08abc\x02\x00\x00",
        e.varint(2**40) + b"\x08abc",
    ],
)
def test_damaged_snappy_is_unreadable(packed: bytes) -> None:
    with pytest.raises(Unreadable):
        table.unpack_snappy(packed, 0, len(packed))


def test_a_bomb_of_repetitions_is_bounded_by_the_size_it_claims() -> None:
    packed = e.varint(10) + b"\x00a" + b"\xfe\x01\x00" * 1_000_000
    with pytest.raises(Unreadable, match="65 bytes long where it says 10"):
        table.unpack_snappy(packed, 0, len(packed))


@given(st.binary(max_size=100))
def test_any_bytes_before_the_mark_are_a_table_or_unreadable(content: bytes) -> None:
    for written in (content + e.MAGIC, content + struct.pack("<40x") + e.MAGIC):
        with suppress(Unreadable):
            assert isinstance(read(written), list)
