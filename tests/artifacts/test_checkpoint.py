from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loadgate.artifacts import checkpoint
from loadgate.artifacts.interface import Unreadable
from loadgate.domain import Format, StandInKind

from . import encoding as e
from .on_disk import DATA, find, find_one, read, read_all, write

EXAMPLES = Path(__file__).parents[2] / "examples" / "models" / "recommender"

INDEX = e.bundle_index({"bias": (1, 0, 12), "kernel": (1, 0, 24), "step": (9, 0, 8)})
WHOLE = {"m.ckpt.index": INDEX, "m.ckpt.data-00000-of-00001": bytes(44)}
META = e.meta_graph(e.graph(e.node("v", "VariableV2")), tensorflow="1.10.0")
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"4d7a" * 16 + b"\nsize 98231112\n"


def stand_in_of(root: Path) -> tuple[StandInKind, str]:
    stand_in = find_one(checkpoint, root).stand_in
    assert stand_in is not None
    return stand_in.kind, stand_in.file


# --- version 2 ------------------------------------------------------------------------------------------------


def test_the_files_of_one_prefix_are_one_artifact_and_the_state_file_is_none(tmp_path: Path) -> None:
    write(tmp_path, WHOLE | {"m.ckpt.meta": META, "checkpoint": b'model_checkpoint_path: "m.ckpt"\n'})
    sighting = find_one(checkpoint, tmp_path)
    assert (sighting.path, sighting.format, sighting.stand_in) == ("m.ckpt", Format.CHECKPOINT, None)
    assert sighting.files == ("m.ckpt.data-00000-of-00001", "m.ckpt.index", "m.ckpt.meta")


def test_several_checkpoints_in_one_folder_are_several_artifacts(tmp_path: Path) -> None:
    others = {name.replace("m.ckpt", "m.ckpt-20"): content for name, content in WHOLE.items()}
    write(tmp_path, WHOLE | others)
    assert [sighting.path for sighting in find(checkpoint, tmp_path)] == ["m.ckpt", "m.ckpt-20"]


def test_a_prefix_may_be_empty(tmp_path: Path) -> None:
    write(tmp_path, {f"weights/{name.removeprefix('m.ckpt')}": content for name, content in WHOLE.items()})
    assert find_one(checkpoint, tmp_path, "weights").path == "weights/"
    assert read(checkpoint, tmp_path, "weights").tensors == 3


def test_checkpoints_written_by_tensorflow_are_read() -> None:
    by_path = {sighting.path: checkpoint.read_facts(DATA, sighting) for sighting in find(checkpoint, DATA)}
    assert {path: facts.extra["dtypes"] for path, facts in by_path.items()} == {
        "objects": "float32 1",
        "version_1": "float32 1, float64 1, int64 1",
        "version_2": "float32 1, float64 1, int64 1",
    }
    assert {path: facts.extra["checkpoint_version"] for path, facts in by_path.items()} == {
        "objects": "V2",
        "version_1": "V1",
        "version_2": "V2",
    }
    assert [path for path, facts in by_path.items() if facts.extra.get("object_graph")] == ["objects"]


def test_the_saver_is_read_from_the_graph_beside_it(tmp_path: Path) -> None:
    write(tmp_path, WHOLE | {"m.ckpt.meta": META})
    facts = read(checkpoint, tmp_path)
    assert facts.saved_with.tensorflow == "1.10.0"
    assert (facts.tensors, facts.ops) == (3, {"VariableV2": 1})


@pytest.mark.parametrize(
    ("meta", "why"),
    [
        (POINTER, "unreadable: git lfs pointer: points at "),
        (b"", "unreadable: empty: the file is empty"),
        (META[:-1], "unreadable: ends 1 bytes early"),
        (e.field(1, e.field(5, b"1.10.0")), "unreadable: holds no graph"),
    ],
)
def test_a_graph_beside_it_that_cannot_be_read_takes_nothing_from_the_weights_and_is_told(
    tmp_path: Path, meta: bytes, why: str
) -> None:
    """TensorFlow loads the weights without it."""
    write(tmp_path, WHOLE | {"m.ckpt.meta": meta})
    facts = read(checkpoint, tmp_path)
    assert facts.tensors == 3
    assert facts.extra["meta_graph"].startswith(why)


@pytest.mark.parametrize("prefix", ["items.ckpt-500", "items_v2-1000"])
def test_wherever_the_graph_beside_a_checkpoint_ends_it_is_said_unless_the_whole_graph_is_there(
    tmp_path: Path, prefix: str
) -> None:
    """A message of protobuf that ends between two of its fields is one."""
    for file in EXAMPLES.glob(f"{prefix}*"):
        shutil.copy(file, tmp_path)
    (meta,) = tmp_path.glob("*.meta")
    content = meta.read_bytes()
    whole = read(checkpoint, tmp_path)
    for length in range(0, len(content), 61):
        meta.write_bytes(content[:length])
        facts = read(checkpoint, tmp_path)
        assert facts.tensors == whole.tensors
        assert facts.extra["meta_graph"].startswith("unreadable: ") or facts.ops == whole.ops


def test_data_without_an_index_misses_it(tmp_path: Path) -> None:
    write(tmp_path, {"m.ckpt.data-00000-of-00001": bytes(44)})
    assert stand_in_of(tmp_path) == (StandInKind.MISSING_SHARDS, "m.ckpt.index")


def test_an_index_without_data_misses_its_first_shard(tmp_path: Path) -> None:
    write(tmp_path, {"m.ckpt.index": INDEX})
    assert stand_in_of(tmp_path) == (StandInKind.MISSING_SHARDS, "m.ckpt.data-00000-of-00001")


def test_the_shard_that_is_missing_is_named(tmp_path: Path) -> None:
    index = e.bundle_index({"a": (1, 0, 4), "b": (1, 1, 4)}, shards=3)
    write(tmp_path, {"m.index": index, "m.data-00000-of-00003": bytes(4), "m.data-00002-of-00003": b""})
    assert stand_in_of(tmp_path) == (StandInKind.MISSING_SHARDS, "m.data-00001-of-00003")


def test_a_short_shard_is_truncated(tmp_path: Path) -> None:
    write(tmp_path, WHOLE | {"m.ckpt.data-00000-of-00001": bytes(43)})
    assert stand_in_of(tmp_path) == (StandInKind.TRUNCATED, "m.ckpt.data-00000-of-00001")


def test_a_shard_in_which_nothing_is_stored_may_be_empty(tmp_path: Path) -> None:
    write(tmp_path, {"m.index": e.bundle_index({}), "m.data-00000-of-00001": b""})
    assert find_one(checkpoint, tmp_path).stand_in is None


@pytest.mark.parametrize("name", ["m.ckpt.index", "m.ckpt.data-00000-of-00001"])
def test_a_git_lfs_pointer_is_named(tmp_path: Path, name: str) -> None:
    index = e.bundle_index({"kernel": (1, 0, 98231112)})
    write(tmp_path, WHOLE | {"m.ckpt.index": index} | {name: POINTER})
    assert stand_in_of(tmp_path) == (StandInKind.GIT_LFS_POINTER, name)


def test_a_truncated_index_is_a_stand_in(tmp_path: Path) -> None:
    write(tmp_path, WHOLE | {"m.ckpt.index": INDEX[:-1]})
    assert stand_in_of(tmp_path) == (StandInKind.TRUNCATED, "m.ckpt.index")


@pytest.mark.parametrize("name", ["search.index", ".index", "pack.idx", "m.meta"])
def test_other_files_that_are_called_an_index_are_no_checkpoint(tmp_path: Path, name: str) -> None:
    write(tmp_path, {name: e.table([(b"a", b"1")])})
    assert find(checkpoint, tmp_path) == []


def test_slices_of_a_partitioned_variable_are_one_tensor(tmp_path: Path) -> None:
    header, whole, piece = e.field(1, 1), e.field(1, 1) + e.field(7, b""), e.field(1, 1) + e.field(5, 4)
    index = e.table([(b"", header), (b"\0\x01v", piece), (b"\0\x02v", piece), (b"v", whole)])
    write(tmp_path, {"m.index": index, "m.data-00000-of-00001": bytes(4)})
    assert read(checkpoint, tmp_path).tensors == 1


def test_an_index_whose_tensor_is_in_a_shard_beyond_all_is_unreadable(tmp_path: Path) -> None:
    write(tmp_path, {"m.index": e.bundle_index({"v": (1, 7, 4)}), "m.data-00000-of-00001": bytes(4)})
    (answer,) = read_all(checkpoint, tmp_path)
    assert isinstance(answer, Unreadable)


# --- version 1 ------------------------------------------------------------------------------------------------

OLD = e.old_checkpoint({"a": 1, "b": 9})


def test_a_single_file_of_version_1_is_found_under_any_name(tmp_path: Path) -> None:
    write(tmp_path, {"export": OLD, "export.meta": META})
    sighting = find_one(checkpoint, tmp_path)
    assert (sighting.path, sighting.files, sighting.stand_in) == ("export", ("export", "export.meta"), None)
    facts = checkpoint.read_facts(tmp_path, sighting)
    assert (facts.saved_with.tensorflow, facts.tensors, facts.extra["checkpoint_version"]) == ("1.10.0", 2, "V1")


def test_shards_of_version_1_are_one_artifact(tmp_path: Path) -> None:
    write(tmp_path, {"m-00000-of-00002": OLD, "m-00001-of-00002": e.old_checkpoint({"c": 1}), "m.meta": META})
    sighting = find_one(checkpoint, tmp_path)
    assert (sighting.path, sighting.stand_in) == ("m", None)
    assert checkpoint.read_facts(tmp_path, sighting).extra["dtypes"] == "float32 2, int64 1"


def test_a_missing_shard_of_version_1_is_named(tmp_path: Path) -> None:
    write(tmp_path, {"m-00000-of-00002": OLD})
    assert stand_in_of(tmp_path) == (StandInKind.MISSING_SHARDS, "m-00001-of-00002")


@pytest.mark.parametrize("name", ["m", "m-00000-of-00001"])
def test_a_file_of_version_1_that_breaks_off_is_truncated(tmp_path: Path, name: str) -> None:
    write(tmp_path, {name: OLD[:-1]})
    assert stand_in_of(tmp_path) == (StandInKind.TRUNCATED, name)


@pytest.mark.parametrize("name", ["m", "m-00000-of-00001"])
def test_a_pointer_beside_a_graph_stands_for_weights_of_version_1(tmp_path: Path, name: str) -> None:
    write(tmp_path, {name: POINTER, "m.meta": META})
    assert stand_in_of(tmp_path) == (StandInKind.GIT_LFS_POINTER, name)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(e.table([(b"", b"header"), (b"a", b"1")]), id="another table"),
        pytest.param(bytes(100), id="zeros"),
        pytest.param(b"\0\0\x05\x0a\x03", id="hardly anything"),
        pytest.param(e.old_checkpoint({}), id="no tensors"),
        pytest.param(POINTER, id="a pointer by itself"),
    ],
)
def test_other_files_are_no_checkpoint_of_version_1(tmp_path: Path, content: bytes) -> None:
    write(tmp_path, {"train-00000-of-00001": content, "model.ckpt": content})
    assert find(checkpoint, tmp_path) == []


@given(st.binary(max_size=200).map(lambda rest: b"\0\0" + rest) | st.binary(max_size=200))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_arbitrary_bytes_are_no_checkpoint(tmp_path: Path, content: bytes) -> None:
    write(tmp_path, {"model.ckpt": content, "m.index": content, "x-00000-of-00001": content + e.MAGIC})
    assert find(checkpoint, tmp_path) == []


BEAM = {"train.data-00000-of-00002": b"one line\n", "train.data-00001-of-00002": b""}


def test_text_that_is_named_as_the_data_of_a_checkpoint_is_none(tmp_path: Path) -> None:
    assert find(checkpoint, write(tmp_path, BEAM)) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m.ckpt", b""),
        ("model.ckpt-1000", b"Not Found\n"),
        ("variables", b""),
        ("train", b"<html><head><title>404 Not Found</title></head></html>"),
    ],
)
def test_data_of_a_checkpoint_that_are_gone_are_told_of_where_name_or_content_says_that_they_were(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (sighting,) = find(checkpoint, write(tmp_path, {f"{name}.data-00000-of-00001": content}))
    assert sighting.path == name
    assert sighting.stand_in is not None
    assert sighting.stand_in.kind is StandInKind.MISSING_SHARDS


def test_records_of_json_in_shards_are_no_checkpoint(tmp_path: Path) -> None:
    assert find(checkpoint, write(tmp_path, {"train.data-00000-of-00001": b'{"id": 1}\n{"id": 2}\n'})) == []


@pytest.mark.parametrize(
    "beside",
    [
        {"checkpoint": b'model_checkpoint_path: "train"\n'},
        {"train.meta": b""},
        {"train.data-00001-of-00002": b"\x00\x01\x02"},
        {"train.data-00001-of-00002": POINTER},
    ],
    ids=["named beside it", "its graph", "bytes", "a pointer"],
)
def test_data_of_a_checkpoint_without_their_index_are_told_of_where_something_says_that_they_are(
    tmp_path: Path, beside: dict[str, bytes]
) -> None:
    (sighting,) = find(checkpoint, write(tmp_path, BEAM | beside))
    assert sighting.path == "train"
    assert sighting.stand_in is not None
    assert sighting.stand_in.detail == "the index is missing beside its data"
