"""Writes protobuf messages, string tables and FlatBuffers by hand, independently of what reads them."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

# --- protobuf -------------------------------------------------------------------------------------------------


def varint(value: int) -> bytes:
    value %= 1 << 64
    written = b""
    while value > 127:
        written += bytes([value % 128 + 128])
        value //= 128
    return written + bytes([value])


def field(number: int, value: int | str | bytes) -> bytes:
    """An integer as a varint, all else with its length before it."""
    if isinstance(value, int):
        return varint(number * 8) + varint(value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number * 8 + 2) + varint(len(content)) + content


def entry(number: int, key: str, value: bytes) -> bytes:
    """One entry of a map."""
    return field(number, field(1, key) + field(2, value))


def shape(*dimensions: int) -> bytes:
    return b"".join(field(2, field(1, size)) for size in dimensions)


def node(name: str, op: str, *inputs: str, device: str = "", **attributes: bytes) -> bytes:
    """A NodeDef; an attribute is an encoded AttrValue."""
    return b"".join(
        [
            field(1, name),
            field(2, op),
            *(field(3, source) for source in inputs),
            field(4, device) if device else b"",
            *(entry(5, key, value) for key, value in attributes.items()),
        ]
    )


def graph(*nodes: bytes, library: bytes = b"", producer: int = 1286, min_consumer: int = 12) -> bytes:
    """A GraphDef."""
    versions = field(1, producer) + field(2, min_consumer)
    return b"".join(field(1, each) for each in nodes) + (field(2, library) if library else b"") + field(4, versions)


def function(name: str, *nodes: bytes) -> bytes:
    """A FunctionDef in a library."""
    return field(1, field(1, field(1, name)) + b"".join(field(3, each) for each in nodes))


FLOAT = field(6, 1)
"""The AttrValue of a type, DT_FLOAT."""


def placeholder(name: str, *dimensions: int) -> bytes:
    return node(name, "Placeholder", dtype=FLOAT, shape=field(7, shape(*dimensions)))


def meta_graph(
    graph_def: bytes,
    *,
    tags: Sequence[str] = ("serve",),
    tensorflow: str = "2.15.1",
    signatures: Mapping[str, bytes] | None = None,
    objects: Sequence[bytes] = (),
) -> bytes:
    """A MetaGraphDef; objects are SavedObjects."""
    information = b"".join(field(4, tag) for tag in tags) + field(5, tensorflow) + field(6, "v1-2-g3")
    signature_defs = b"".join(entry(5, name, signature) for name, signature in (signatures or {}).items())
    object_graph = field(7, b"".join(field(1, each) for each in objects)) if objects else b""
    return field(1, information) + field(2, graph_def) + signature_defs + object_graph


def saved_model(*meta_graphs: bytes) -> bytes:
    return field(1, 1) + b"".join(field(2, each) for each in meta_graphs)


def signature(inputs: Mapping[str, bytes], outputs: Mapping[str, bytes]) -> bytes:
    """A SignatureDef of TensorInfos."""
    return b"".join(
        [*(entry(1, name, info) for name, info in inputs.items()), *(entry(2, name, o) for name, o in outputs.items())]
    )


def tensor_info(dtype: int, *dimensions: int, unknown_rank: bool = False) -> bytes:
    return field(2, dtype) + field(3, field(3, 1) if unknown_rank else shape(*dimensions))


# --- string tables --------------------------------------------------------------------------------------------

MAGIC = bytes.fromhex("57fb808b247547db")


def block(entries: Iterable[tuple[bytes, bytes]]) -> bytes:
    """With shared prefixes, as a table of LevelDB has them, and a single restart."""
    written, last = bytearray(), b""
    for key, value in entries:
        shared = next(
            (at for at, (a, b) in enumerate(zip(last, key, strict=False)) if a != b), min(len(last), len(key))
        )
        rest = key[shared:]
        written += varint(shared) + varint(len(rest)) + varint(len(value)) + rest + value
        last = key
    return bytes(written) + struct.pack("<II", 0, 1)


def table(entries: Sequence[tuple[bytes, bytes]], blocks: int = 1, pack: bool = False) -> bytes:
    """A table; `pack` writes its blocks in Snappy's format, as one literal each."""
    size = -(-len(entries) // blocks)
    written, handles = b"", []
    for start in range(0, len(entries), size):
        part = entries[start : start + size]
        content = snappy_literal(block(part)) if pack else block(part)
        handles.append((part[-1][0], varint(len(written)) + varint(len(content))))
        written += content + bytes([pack]) + b"crc!"
    index = block(handles)
    handle = varint(len(written)) + varint(len(index))
    written += index + b"\0crc!"
    return written + (varint(0) + varint(0) + handle).ljust(40, b"\0") + MAGIC


def snappy_literal(content: bytes) -> bytes:
    return varint(len(content)) + b"\xfc" + struct.pack("<I", len(content) - 1) + content


def bundle_index(
    tensors: Mapping[str, tuple[int, int, int]], shards: int = 1, blocks: int = 1, pack: bool = False
) -> bytes:
    """`prefix.index`: name → type, shard and size of each tensor, one behind the other in its shard."""
    ends: dict[int, int] = {}
    entries = [(b"", field(1, shards) + field(3, field(1, 1)))]
    for name, (dtype, shard, size) in sorted(tensors.items()):
        offset = ends.get(shard, 0)
        ends[shard] = offset + size
        entry_proto = field(1, dtype) + field(2, shape(size)) + field(3, shard) + field(4, offset) + field(5, size)
        entries.append((name.encode(), entry_proto + b"\x35crc!"))
    return table(entries, blocks, pack)


def old_checkpoint(tensors: Mapping[str, int]) -> bytes:
    """A checkpoint of version 1: name → type of scalars."""
    slices = b"".join(field(1, field(1, name) + field(2, b"") + field(3, dtype)) for name, dtype in tensors.items())
    listed = field(1, slices + field(2, field(1, 1)))
    return table([(b"", listed), *((b"\0" + name.encode(), field(2, field(1, name))) for name in sorted(tensors))])


# --- FlatBuffers ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scalar:
    value: int
    width: int


Vector: TypeAlias = "str | bytes | Sequence[int] | Sequence[Table]"
Table: TypeAlias = "Mapping[int, Scalar | Vector | Table]"
"""Slot → value."""


def byte(value: int) -> Scalar:
    return Scalar(value, 1)


def word(value: int) -> Scalar:
    return Scalar(value, 4)


def flatbuffer(root: Table, identifier: bytes = b"TFL3") -> bytes:
    """Without alignment, which readers of little-endian machines do not need."""
    written = bytearray(4) + identifier
    struct.pack_into("<I", written, 0, _write_table(written, root))
    return bytes(written)


def _write_table(out: bytearray, fields: Table) -> int:
    slots = max(fields, default=-1) + 1
    offsets, size = {}, 4
    for slot, value in fields.items():
        offsets[slot] = size
        size += value.width if isinstance(value, Scalar) else 4
    out += struct.pack(f"<HH{slots}H", 4 + 2 * slots, size, *(offsets.get(slot, 0) for slot in range(slots)))
    position = len(out)
    out += struct.pack("<i", 4 + 2 * slots) + bytes(size - 4)
    for slot, value in fields.items():
        at = position + offsets[slot]
        if isinstance(value, Scalar):
            out[at : at + value.width] = value.value.to_bytes(value.width, "little", signed=value.value < 0)
        else:
            struct.pack_into("<I", out, at, _write(out, value) - at)
    return position


def _write(out: bytearray, value: Vector | Table) -> int:
    if isinstance(value, Mapping):
        return _write_table(out, value)
    position = len(out)
    if isinstance(value, str | bytes):
        content = value.encode() if isinstance(value, str) else value
        out += struct.pack("<I", len(content)) + content + b"\0"
        return position
    elements: Sequence[int | Table] = value
    out += struct.pack("<I", len(elements)) + bytes(4 * len(elements))
    for number, element in enumerate(elements):
        at = position + 4 + 4 * number
        if isinstance(element, int):
            struct.pack_into("<i", out, at, element)
        else:
            written = _write_table(out, element)
            struct.pack_into("<I", out, at, written - at)
    return position
