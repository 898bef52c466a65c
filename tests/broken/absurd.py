"""Small causes of large effects: files that ask a reader for more time or memory than any file is worth.

Each maker writes into a folder and returns what a person would name to have it read; `python -m tests.broken.absurd
NAME FOLDER` runs one in a process of its own, and prints that. All were found by reading the
readers with an enemy's eye, and each took more than 5 s or 512 MB before there was a bound for it.
"""

from __future__ import annotations

import json
import re
import struct
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

from tests.artifacts.encoding import (
    MAGIC,
    Table,
    block,
    byte,
    entry,
    field,
    flatbuffer,
    graph,
    meta_graph,
    node,
    saved_model,
    snappy_literal,
    table,
    varint,
    word,
)

Maker = Callable[[Path], Path]
ABSURD: dict[str, Maker] = {}


def absurd(maker: Maker) -> Maker:
    ABSURD[maker.__name__] = maker
    return maker


def write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def numbered(template: bytes, count: int) -> bytes:
    """So many copies, each with another number where the template has its longest run of zeros."""
    zeros = max(re.findall(rb"0+", template), key=len)
    before, after = (part.replace(b"%", b"%%") for part in template.split(zeros, 1))
    return b"".join(map((before + b"%%0%dd" % len(zeros) + after).__mod__, range(count)))


def write_keras(folder: Path, configuration: str) -> Path:
    with zipfile.ZipFile(folder / "model.keras", "w") as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", configuration)
    return folder / "model.keras"


# --- HDF5 -----------------------------------------------------------------------------------------------------


@absurd
def thirty_thousand_links_that_share_a_name_of_30_mb(folder: Path) -> Path:
    heap_size, links = 30 * 1024**2, 30_000
    attribute = struct.pack("<BBHHH", 1, 0, 13, 8, 8) + b"model_config\0".ljust(16, b"\0")
    attribute += bytes([0x13, 0, 0, 0]) + struct.pack("<I", 2) + bytes([1, 0, 0, 0, 0, 0, 0, 0]) + b"{}".ljust(8, b"\0")
    root = 96
    tree = root + 16 + (8 + 16) + (8 + len(attribute))
    heap = tree + 8 + 40 * links
    messages = [(0x11, struct.pack("<QQ", tree, heap)), (0x0C, attribute)]
    body = b"".join(struct.pack("<HHB3x", kind, len(content), 0) + content for kind, content in messages)
    header = struct.pack("<BBHII4x", 1, 0, len(messages), 1, len(body)) + body
    symbols = b"SNOD" + struct.pack("<BBH", 1, 0, links) + struct.pack("<QQI20x", 0, root, 0) * links
    names = b"HEAP" + struct.pack("<4xQQQ", heap_size, 0, heap + 32) + b"a" * (heap_size - 1) + b"\0"
    rest = header + symbols + names
    undefined = 2**64 - 1
    superblock = b"\x89HDF\r\n\x1a\n" + bytes([0, 0, 0, 0, 0, 8, 8, 0]) + struct.pack("<HHI", 4, 16, 0)
    superblock += struct.pack("<6Q", 0, undefined, root + len(rest), undefined, 0, root)
    return write(folder / "model.h5", superblock.ljust(root, b"\0") + rest)


@absurd
def four_thousand_names_that_are_one_text_of_15_mb(folder: Path) -> Path:
    names, size = 4_000, 15 * 1024**2
    path = folder / "model.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = "{}"
        file.create_group("model_weights").attrs["layer_names"] = np.array(["x" * 10] * names, dtype=object)
    content = path.read_bytes()
    start = next(
        at for at in range(len(content)) if content[at : at + 64 : 16] == b"\n\n\n\n" and _is_list(content, at)
    )
    references = struct.pack("<IQI", size, len(content), 1) * names
    content = content[:start] + references + content[start + len(references) :]
    content += b"GCOL" + struct.pack("<B3xQ", 1, 32 + size) + struct.pack("<HHIQ", 1, 1, 0, size) + b"y" * size
    return write(path, content[:40] + struct.pack("<Q", len(content)) + content[48:])


def _is_list(content: bytes, at: int) -> bool:
    """Whether references to texts of 10 bytes begin here, 16 bytes each."""
    return all(content[at + 16 * index : at + 16 * index + 4] == struct.pack("<I", 10) for index in range(100))


@absurd
def groups_that_contain_each_other(folder: Path) -> Path:
    with h5py.File(folder / "model.weights.h5", "w") as file:
        file.create_group("vars")
        layers = file.create_group("layers")
        inner = layers.create_group("inner")
        inner.create_group("vars")
        for index in range(60):
            inner[f"out{index}"] = layers
            layers[f"in{index}"] = inner
    return folder / "model.weights.h5"


# --- configurations -------------------------------------------------------------------------------------------


@absurd
def a_configuration_of_five_million_lists(folder: Path) -> Path:
    return write_keras(folder, '{"class_name": "A", "config": [' + "[]," * 5_500_000 + "[]]}")


@absurd
def a_layer_of_a_name_of_8_mb_with_two_thousand_custom_objects(folder: Path) -> Path:
    inner = [{"class_name": f"C{index}", "config": {}} for index in range(2_000)]
    inner += [{"class_name": "Lambda", "config": {}}] * 5_000
    layer = {"class_name": "L", "config": {"name": "n" * 8 * 1024**2, "inner": inner}}
    return write_keras(folder, json.dumps({"class_name": "Sequential", "config": {"layers": [layer]}}))


@absurd
def a_zip_of_two_million_members(folder: Path) -> Path:
    record = struct.Struct("<4s6H3I5H2I")

    def listed(name: bytes) -> bytes:
        return record.pack(b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, len(name), 0, 0, 0, 0, 0, 0) + name

    local = b"PK\x03\x04" + struct.pack("<5H3I2H", 20, 0, 0, 0, 0, 0, 2, 2, 11, 0) + b"config.json{}"
    directory = b"".join(listed(b"%07d" % number) for number in range(2_000_000)) + listed(b"config.json")
    end = len(local) + len(directory)
    count = 2_000_001
    content = local + directory
    content += b"PK\x06\x06" + struct.pack("<Q2H2I4Q", 44, 45, 45, 0, 0, count, count, len(directory), len(local))
    content += b"PK\x06\x07" + struct.pack("<IQI", 0, end, 1)
    return write(
        folder / "m.keras", content + b"PK\x05\x06" + struct.pack("<4H2IH", 0, 0, 0xFFFF, 0xFFFF, 153, 2**32 - 1, 0)
    )


# --- FlatBuffers ----------------------------------------------------------------------------------------------


@absurd
def two_hundred_thousand_operators_that_are_one_of_a_long_name(folder: Path) -> Path:
    count = 200_000
    content = bytearray(flatbuffer({1: [{0: byte(32)}], 2: [{}]}))
    root = struct.unpack_from("<I", content, 0)[0]
    directory = root - struct.unpack_from("<i", content, root)[0]
    slot = root + struct.unpack_from("<H", content, directory + 6)[0]
    struct.pack_into("<I", content, slot, len(content) - slot)
    start = len(content) + 4
    content += struct.pack("<I", count) + bytes(4 * count)
    operator = flatbuffer({0: byte(32), 1: b"n" * 65_000, 3: word(32)})
    target = len(content) + struct.unpack_from("<I", operator, 0)[0]
    content += operator
    for at in range(start, start + 4 * count, 4):
        struct.pack_into("<I", content, at, target - at)
    return write(folder / "model.tflite", bytes(content))


@absurd
def twenty_thousand_inputs_that_are_one_of_a_long_name(folder: Path) -> Path:
    tensor: Table = {0: [2] * 254, 3: "t" * 60_000}
    tensors: list[Table] = [tensor]
    subgraphs: list[Table] = [{0: tensors, 1: [0] * 9_999, 2: [0] * 9_999, 4: "g"}]
    return write(folder / "m.tflite", flatbuffer({1: list[Table](), 2: subgraphs}))


# --- protobuf -------------------------------------------------------------------------------------------------

_BEGINNING = field(1, node("x", "Placeholder")) * 2 + field(1, node("y", "Add", "x"))


@absurd
def a_graph_of_thirty_million_fields(folder: Path) -> Path:
    return write(folder / "graph.pb", _BEGINNING + field(3, 1) * 30_000_000)


@absurd
def a_graph_of_four_million_nodes(folder: Path) -> Path:
    return write(folder / "graph.pb", _BEGINNING + field(1, node("x", "Add", "x")) * 4_000_000)


@absurd
def a_node_of_five_million_inputs(folder: Path) -> Path:
    inputs = numbered(field(3, b"0000000"), 5_000_000)
    return write(folder / "graph.pb", _BEGINNING + field(1, field(1, "a") + field(2, "Add") + inputs))


@absurd
def a_library_of_three_million_functions(folder: Path) -> Path:
    library = numbered(field(1, field(1, field(1, b"f00000000"))), 3_000_000)
    return write(folder / "graph.pb", _BEGINNING + field(2, library))


def _write_saved_model(folder: Path, content: bytes) -> Path:
    """With variables, which make it one however odd it is."""
    write(folder / "model/variables/variables.index", table([(b"", field(1, 1))]))
    write(folder / "model/variables/variables.data-00000-of-00001", b"")
    write(folder / "model/saved_model.pb", content)
    return folder / "model"


@absurd
def a_saved_model_of_three_million_signatures(folder: Path) -> Path:
    signatures = numbered(entry(5, "s0000000", b""), 3_000_000)
    head = field(1, field(4, "serve")) + field(2, graph(node("x", "Add")))
    return _write_saved_model(folder, field(1, 1) + field(2, head + signatures))


@absurd
def a_saved_model_of_four_million_tags(folder: Path) -> Path:
    tags = numbered(field(4, b"t0000000"), 4_000_000)
    return _write_saved_model(folder, field(1, 1) + field(2, field(1, tags) + field(2, graph(node("x", "Add")))))


@absurd
def a_saved_model_of_three_million_graphs(folder: Path) -> Path:
    return _write_saved_model(folder, field(1, 1) + field(2, field(1, field(4, "s"))) * 3_000_000)


@absurd
def a_saved_model_of_eighty_thousand_configurations(folder: Path) -> Path:
    path = _write_saved_model(folder, saved_model(meta_graph(graph(node("x", "Add")))))
    configuration = json.dumps({"class_name": "A", "config": {"name": "x" * 10, "y": [[]] * 300}})
    write(path / "keras_metadata.pb", field(1, field(4, "_tf_keras_layer") + field(5, configuration)) * 80_000)
    return path


# --- text -----------------------------------------------------------------------------------------------------


@absurd
def thirty_megabytes_of_nodes_in_text(folder: Path) -> Path:
    return write(folder / "graph.pbtxt", b'node{name:"a" op:"Add"}\n' * 1_300_000)


@absurd
def thirty_megabytes_of_escapes_in_text(folder: Path) -> Path:
    return write(folder / "graph.pbtxt", b'node{name:"a" op:"Add"}\nnode{name:"' + rb"\1" * 15_000_000 + b'"}')


@absurd
def thirty_megabytes_of_text_nine_messages_deep(folder: Path) -> Path:
    deep = b'library{function{node_def{attr{value{list{shape{dim{name:"' + b"x" * 31_000_000 + b'"}}}}}}}}'
    return write(folder / "graph.pbtxt", b'node{name:"a" op:"Add"}\n' + deep)


# --- tables ---------------------------------------------------------------------------------------------------

_HEADER = (b"", field(1, 1) + field(3, field(1, 1)))


@absurd
def an_index_of_seven_hundred_thousand_tensors(folder: Path) -> Path:
    write(folder / "m.data-00000-of-00001", bytes(8))
    tensors = [(b"%08d" % number, b"") for number in range(700_000)]
    write(folder / "m.index", table([_HEADER, *tensors], blocks=500))
    return folder / "m"


@absurd
def an_index_of_a_million_types(folder: Path) -> Path:
    write(folder / "m.data-00000-of-00001", bytes(8))
    tensors = [(b"%08d" % number, field(1, 1000 + number)) for number in range(1_000_000)]
    write(folder / "m.index", table([_HEADER, *tensors], blocks=500))
    return folder / "m"


@absurd
def an_index_that_unpacks_to_64_mb(folder: Path) -> Path:
    write(folder / "m.data-00000-of-00001", bytes(8))
    copies = 16_000_000 - 1
    first, second = snappy_literal(block([_HEADER])), varint(1 + 4 * copies) + b"\0\0" + b"\x01\x01" * copies
    content = first + b"\1crc!" + second + b"\1crc!"
    handles = [varint(0) + varint(len(first)), varint(len(first) + 5) + varint(len(second))]
    index = block([(b"a", handles[0]), (b"b", handles[1])])
    handle = varint(len(content)) + varint(len(index))
    write(folder / "m.index", content + index + b"\0crc!" + (varint(0) + varint(0) + handle).ljust(40, b"\0") + MAGIC)
    return folder / "m"


if __name__ == "__main__":
    print(ABSURD[sys.argv[1]](Path(sys.argv[2])))  # noqa: T201 - it is what is asked of it
