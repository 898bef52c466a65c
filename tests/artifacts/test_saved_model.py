from __future__ import annotations

import json
from pathlib import Path

import pytest

from loadgate.artifacts import saved_model
from loadgate.artifacts.interface import Unreadable
from loadgate.domain import Format, SavedWith, Signature, StandInKind, TensorSpec
from loadgate.phases.plan import plan

from . import encoding as e
from .making import formats
from .on_disk import DATA, find, find_one, read, write

VARIABLE = e.node("v", "VarHandleOp", dtype=e.FLOAT)
CONSTANT = e.graph(e.placeholder("x", -1, 3), e.node("y", "Neg", "x", T=e.FLOAT))
OBJECT = e.field(7, b"")
"""A SavedObject that is a variable."""
INDEX = e.bundle_index({"v": (1, 0, 8), "w": (9, 0, 8)})
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"4d7a" * 16 + b"\nsize 98231112\n"


def with_variables(main: bytes, index: bytes = INDEX, data: bytes = bytes(16)) -> dict[str, bytes]:
    return {
        "m/saved_model.pb": main,
        "m/variables/variables.index": index,
        "m/variables/variables.data-00000-of-00001": data,
    }


def stand_in_of(root: Path) -> tuple[StandInKind, str]:
    stand_in = find_one(saved_model, root, "m").stand_in
    assert stand_in is not None
    return stand_in.kind, stand_in.file


# --- finding --------------------------------------------------------------------------------------------------


def test_a_folder_with_a_saved_model_is_one_artifact_of_its_known_files_alone(tmp_path: Path) -> None:
    others = {"m/log.csv": b"1,2", "m/models.py": b"", "m/assets/words.txt": b"a", "m/assets.extra/x": b"b"}
    others |= {"m/debug/saved_model_debug_info.pb": b"", "m/debug/notes.txt": b""}
    write(tmp_path, with_variables(e.saved_model(e.meta_graph(CONSTANT))) | others)
    sighting = find_one(saved_model, tmp_path, "m")
    assert (sighting.path, sighting.format, sighting.stand_in) == ("m", Format.SAVED_MODEL, None)
    assert sighting.files == (
        "m/assets.extra/x",
        "m/assets/words.txt",
        "m/debug/saved_model_debug_info.pb",
        "m/saved_model.pb",
        "m/variables/variables.data-00000-of-00001",
        "m/variables/variables.index",
    )


def test_a_saved_model_in_the_root_of_the_repository_is_called_by_a_dot(tmp_path: Path) -> None:
    write(tmp_path, {"saved_model.pb": e.saved_model(e.meta_graph(CONSTANT))})
    sighting = find_one(saved_model, tmp_path)
    assert (sighting.path, sighting.files) == (".", ("saved_model.pb",))
    assert saved_model.read_facts(tmp_path, sighting).ops == {"Neg": 1, "Placeholder": 1}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(CONSTANT, id="a graph by itself"),
        pytest.param(e.field(1, 7) + e.field(2, "pytorch") + e.field(7, b""), id="an ONNX model"),
        pytest.param(e.field(1, 1), id="no graph"),
        pytest.param(b"\x08\x01\x12\xff\xff\x03hello", id="another message cut off"),
        pytest.param(b"\x00\x01\x02", id="no protobuf"),
    ],
)
def test_another_file_of_that_name_is_no_saved_model(tmp_path: Path, content: bytes) -> None:
    write(tmp_path, {"m/saved_model.pb": content})
    assert find(saved_model, tmp_path, "m") == []


def test_a_saved_model_without_variables_needs_none(tmp_path: Path) -> None:
    write(tmp_path, {"m/saved_model.pb": e.saved_model(e.meta_graph(CONSTANT))})
    assert find_one(saved_model, tmp_path, "m").stand_in is None


def test_variables_without_the_graph_above_them_are_a_saved_model_and_no_checkpoint(tmp_path: Path) -> None:
    content = with_variables(b"")
    del content["m/saved_model.pb"]
    write(tmp_path, content)
    sighting = find_one(saved_model, tmp_path, "m/variables")
    assert (sighting.path, sighting.files) == (
        "m",
        ("m/variables/variables.data-00000-of-00001", "m/variables/variables.index"),
    )
    assert sighting.stand_in is not None
    assert (sighting.stand_in.kind, sighting.stand_in.file) == (StandInKind.MISSING_GRAPH, "m/saved_model.pb")
    assert formats(tmp_path) == {"m": "saved_model"}


def test_variables_below_their_graph_are_no_saved_model_of_their_own(tmp_path: Path) -> None:
    write(tmp_path, with_variables(e.saved_model(e.meta_graph(CONSTANT))))
    assert find(saved_model, tmp_path, "m/variables") == []


@pytest.mark.parametrize("op", ["Variable", "VariableV2", "VarHandleOp"])
def test_variables_of_a_graph_that_are_not_there_are_missed(tmp_path: Path, op: str) -> None:
    write(tmp_path, {"m/saved_model.pb": e.saved_model(e.meta_graph(e.graph(e.node("v", op))))})
    assert stand_in_of(tmp_path) == (StandInKind.MISSING_VARIABLES, "m/variables/variables.index")


def test_a_tensorflow_2_saved_model_needs_its_variables_folder_even_without_variables(tmp_path: Path) -> None:
    write(tmp_path, {"m/saved_model.pb": e.saved_model(e.meta_graph(CONSTANT, objects=[b""]))})
    assert stand_in_of(tmp_path)[0] is StandInKind.MISSING_VARIABLES


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    files = with_variables(e.saved_model(e.meta_graph(CONSTANT)), e.bundle_index({"v": (1, 1, 8)}, shards=2))
    write(tmp_path, files)
    assert stand_in_of(tmp_path) == (StandInKind.MISSING_SHARDS, "m/variables/variables.data-00000-of-00002")


def test_a_missing_index_is_named(tmp_path: Path) -> None:
    files = with_variables(e.saved_model(e.meta_graph(CONSTANT)))
    del files["m/variables/variables.index"]
    write(tmp_path, files)
    assert stand_in_of(tmp_path) == (StandInKind.MISSING_SHARDS, "m/variables/variables.index")


def test_a_short_shard_is_truncated(tmp_path: Path) -> None:
    write(tmp_path, with_variables(e.saved_model(e.meta_graph(CONSTANT)), data=bytes(15)))
    assert stand_in_of(tmp_path) == (StandInKind.TRUNCATED, "m/variables/variables.data-00000-of-00001")


@pytest.mark.parametrize("pointer", ["saved_model.pb", "variables/variables.index"])
def test_a_git_lfs_pointer_inside_is_named(tmp_path: Path, pointer: str) -> None:
    write(tmp_path, with_variables(e.saved_model(e.meta_graph(CONSTANT))) | {f"m/{pointer}": POINTER})
    assert stand_in_of(tmp_path) == (StandInKind.GIT_LFS_POINTER, f"m/{pointer}")


def test_a_git_lfs_pointer_in_place_of_a_shard_is_no_short_shard(tmp_path: Path) -> None:
    index = e.bundle_index({"v": (1, 0, 98231112)})
    write(tmp_path, with_variables(e.saved_model(e.meta_graph(CONSTANT)), index, POINTER))
    assert stand_in_of(tmp_path) == (StandInKind.GIT_LFS_POINTER, "m/variables/variables.data-00000-of-00001")


def test_a_shard_that_looks_like_an_error_page_but_has_its_full_length_is_a_shard(tmp_path: Path) -> None:
    write(tmp_path, with_variables(e.saved_model(e.meta_graph(CONSTANT)), data=b'{"a": [1, 2, 3]}'))
    assert find_one(saved_model, tmp_path, "m").stand_in is None


def test_an_empty_saved_model_is_a_stand_in(tmp_path: Path) -> None:
    write(tmp_path, {"m/saved_model.pb": b""})
    assert stand_in_of(tmp_path) == (StandInKind.EMPTY, "m/saved_model.pb")


def test_a_truncated_saved_model_is_a_stand_in_and_unreadable(tmp_path: Path) -> None:
    write(tmp_path, {"m/saved_model.pb": e.saved_model(e.meta_graph(CONSTANT))[:-1]})
    sighting = find_one(saved_model, tmp_path, "m")
    assert sighting.stand_in is not None
    with pytest.raises(Unreadable) as raised:
        saved_model.read_facts(tmp_path, sighting)
    assert sighting.stand_in.kind is raised.value.kind is StandInKind.TRUNCATED


def test_a_truncated_saved_model_is_named_among_its_other_files(tmp_path: Path) -> None:
    files = with_variables(e.saved_model(e.meta_graph(CONSTANT, objects=[OBJECT]))[:-1])
    write(tmp_path, files | {"m/assets/words.txt": b"a"})
    assert stand_in_of(tmp_path) == (StandInKind.TRUNCATED, "m/saved_model.pb")


def test_a_placeholder_file_in_the_folder_of_the_variables_is_no_variable(tmp_path: Path) -> None:
    main = e.saved_model(e.meta_graph(e.graph(VARIABLE)))
    write(tmp_path, {"m/saved_model.pb": main, "m/variables/.gitkeep": b""})
    assert stand_in_of(tmp_path)[0] is StandInKind.MISSING_VARIABLES


def test_variables_in_the_format_before_tensorflow_1_are_not_missed(tmp_path: Path) -> None:
    main = e.saved_model(e.meta_graph(e.graph(VARIABLE)))
    write(tmp_path, {"m/saved_model.pb": main, "m/variables/variables-00000-of-00001": e.old_checkpoint({"v": 1})})
    assert find_one(saved_model, tmp_path, "m").stand_in is None


def test_a_damaged_file_with_variables_beside_it_is_a_damaged_saved_model(tmp_path: Path) -> None:
    write(tmp_path, with_variables(b"\x0b\x0c\x0d"))
    sighting = find_one(saved_model, tmp_path, "m")
    assert sighting.stand_in is None
    with pytest.raises(Unreadable, match=r"saved_model\.pb"):
        saved_model.read_facts(tmp_path, sighting)


def test_a_damaged_index_makes_it_unreadable(tmp_path: Path) -> None:
    write(tmp_path, with_variables(e.saved_model(e.meta_graph(CONSTANT)), b"\xff" * 50 + e.MAGIC))
    sighting = find_one(saved_model, tmp_path, "m")
    with pytest.raises(Unreadable, match=r"variables\.index"):
        saved_model.read_facts(tmp_path, sighting)


# --- facts ----------------------------------------------------------------------------------------------------


def test_a_saved_model_written_by_tensorflow_1_is_read() -> None:
    facts = read(saved_model, DATA, "saved_model")
    assert facts.saved_with == SavedWith(tensorflow="1.15.5")
    assert (facts.producer, facts.min_consumer) == (134, 0)
    assert facts.ops == {"Add": 1, "Const": 1, "Placeholder": 1}
    x, y = (
        TensorSpec(name="x", dtype="float32", shape=(None, 3)),
        TensorSpec(name="y", dtype="float32", shape=(None, 3)),
    )
    assert facts.signatures == (Signature(name="serving_default", inputs=(x,), outputs=(y,)),)
    assert (facts.extra["tags"], facts.extra["variant"]) == ("serve", "TF1")


def test_ops_and_devices_of_the_function_library_count_but_calls_of_functions_do_not(tmp_path: Path) -> None:
    inner = e.function("f", e.node("a", "PyFunc"), e.node("b", "Neg", device="/device:GPU:0"))
    graph = e.graph(e.node("c", "f"), e.node("d", "Neg", device="/device:CPU:0"), library=inner)
    write(tmp_path, {"m/saved_model.pb": e.saved_model(e.meta_graph(graph))})
    facts = read(saved_model, tmp_path, "m")
    assert facts.ops == {"Neg": 2, "PyFunc": 1}
    assert facts.devices == ("/device:CPU:0", "/device:GPU:0")


def test_shapes_tell_unknown_dimensions_unknown_ranks_and_scalars_apart(tmp_path: Path) -> None:
    inputs = {"a": e.tensor_info(1, -1, 2), "b": e.tensor_info(7, unknown_rank=True), "c": e.tensor_info(109)}
    graph = e.meta_graph(CONSTANT, signatures={"s": e.signature(inputs, {}), "__saved_model_init_op": b""})
    write(tmp_path, {"m/saved_model.pb": e.saved_model(graph)})
    (signature,) = read(saved_model, tmp_path, "m").signatures
    assert [(spec.dtype, spec.shape) for spec in signature.inputs] == [
        ("float32", (None, 2)),
        ("string", None),
        ("int64", ()),
    ]


def test_the_meta_graph_that_is_served_is_read_and_the_tags_of_all_are_told(tmp_path: Path) -> None:
    train = e.meta_graph(e.graph(e.node("t", "Tan")), tags=("train", "serve"), tensorflow="1.0.0")
    serve = e.meta_graph(CONSTANT, tensorflow="1.2.3")
    write(tmp_path, {"m/saved_model.pb": e.saved_model(train, serve)})
    facts = read(saved_model, tmp_path, "m")
    assert facts.saved_with.tensorflow == "1.2.3"
    assert facts.extra["tags"] == "serve, train; serve"


def test_stored_tensors_are_counted_without_the_object_graph(tmp_path: Path) -> None:
    index = e.bundle_index({"v": (1, 0, 8), "_CHECKPOINTABLE_OBJECT_GRAPH": (7, 0, 8)})
    write(tmp_path, with_variables(e.saved_model(e.meta_graph(e.graph(VARIABLE), objects=[OBJECT])), index))
    facts = read(saved_model, tmp_path, "m")
    assert (facts.tensors, facts.extra["variant"]) == (1, "TF2")


def test_facts_are_read_where_only_shards_are_missing(tmp_path: Path) -> None:
    files = with_variables(e.saved_model(e.meta_graph(CONSTANT)))
    del files["m/variables/variables.data-00000-of-00001"]
    write(tmp_path, files)
    assert read(saved_model, tmp_path, "m").saved_with.tensorflow == "2.15.1"


def test_a_saved_model_in_text_is_read(tmp_path: Path) -> None:
    source = b"""saved_model_schema_version: 1
    meta_graphs { meta_info_def { stripped_op_list { op { name: "Neg" } } tags: "serve" tensorflow_version: "1.4.0" }
      graph_def { node { name: "x" op: "Placeholder" } versions { producer: 24 } } }"""
    write(tmp_path, {"m/saved_model.pbtxt": source})
    facts = read(saved_model, tmp_path, "m")
    assert (facts.saved_with.tensorflow, facts.producer, facts.ops) == ("1.4.0", 24, {"Placeholder": 1})


# --- Keras ----------------------------------------------------------------------------------------------------

DENSE = {"class_name": "Dense", "name": "d", "config": {"name": "d"}}
OWN = {"class_name": "Mine", "name": "mine", "config": {"name": "mine"}}
SEQUENTIAL = {
    "class_name": "Sequential",
    "config": {"name": "s", "layers": [DENSE, OWN]},
    "keras_version": "2.15.0",
    "backend": "tensorflow",
}
SUBCLASSED = {"class_name": "Net", "config": {}, "keras_version": "2.9.0", "backend": "tensorflow"}


def keras_object(identifier: str, content: object) -> bytes:
    """A SavedObject of `keras_metadata.pb`."""
    return e.field(1, e.field(2, 0) + e.field(3, "root") + e.field(4, identifier) + e.field(5, json.dumps(content)))


def test_layers_and_the_version_of_keras_are_read_from_its_metadata(tmp_path: Path) -> None:
    metadata = keras_object("_tf_keras_sequential", SEQUENTIAL) + keras_object("_tf_keras_layer", DENSE)
    write(tmp_path, {"m/saved_model.pb": e.saved_model(e.meta_graph(CONSTANT)), "m/keras_metadata.pb": metadata})
    facts = read(saved_model, tmp_path, "m")
    assert facts.saved_with == SavedWith(tensorflow="2.15.1", keras="2.15.0", backend="tensorflow")
    assert facts.layers == {"Dense": 1, "Mine": 1}
    assert [custom.name for custom in facts.custom_objects] == ["Mine"]
    assert facts.extra["keras_metadata"] == "yes"


def test_the_layers_of_a_subclassed_model_are_taken_one_by_one(tmp_path: Path) -> None:
    objects = [("_tf_keras_model", SUBCLASSED), ("_tf_keras_layer", DENSE), ("_tf_keras_metric", OWN)]
    metadata = b"".join(keras_object(*each) for each in objects)
    write(tmp_path, {"m/saved_model.pb": e.saved_model(e.meta_graph(CONSTANT)), "m/keras_metadata.pb": metadata})
    facts = read(saved_model, tmp_path, "m")
    assert facts.layers == {"Dense": 1}
    assert [custom.name for custom in facts.custom_objects] == ["Net"]


def test_metadata_inside_the_graph_as_tensorflow_2_4_has_it_is_read(tmp_path: Path) -> None:
    model = e.field(4, e.field(1, "_tf_keras_sequential") + e.field(3, json.dumps(SEQUENTIAL)))
    write(tmp_path, with_variables(e.saved_model(e.meta_graph(CONSTANT, objects=[model]))))
    facts = read(saved_model, tmp_path, "m")
    assert (facts.saved_with.keras, facts.extra["keras_metadata"]) == ("2.15.0", "embedded")


def test_metadata_in_both_places_as_tensorflow_2_5_has_it_is_told_to_be_in_both(tmp_path: Path) -> None:
    model = e.field(4, e.field(1, "_tf_keras_sequential") + e.field(3, json.dumps(SEQUENTIAL)))
    graph = e.saved_model(e.meta_graph(CONSTANT, objects=[model]))
    beside = {"m/keras_metadata.pb": keras_object("_tf_keras_sequential", SEQUENTIAL)}
    write(tmp_path, {**with_variables(graph), **beside})
    assert read(saved_model, tmp_path, "m").extra["keras_metadata"] == "yes, and embedded"


@pytest.mark.parametrize("metadata", [b"\xff", keras_object("_tf_keras_model", "no object"), POINTER])
def test_metadata_that_cannot_be_read_is_said_and_takes_no_other_fact(tmp_path: Path, metadata: bytes) -> None:
    write(tmp_path, {"m/saved_model.pb": e.saved_model(e.meta_graph(CONSTANT)), "m/keras_metadata.pb": metadata})
    facts = read(saved_model, tmp_path, "m")
    assert facts.saved_with.tensorflow == "2.15.1"
    assert facts.extra["keras_metadata"].startswith("unreadable: ")


def test_assets_that_are_git_lfs_pointers_are_noted_and_do_not_stand_in_for_the_model(tmp_path: Path) -> None:
    assets = {"m/assets/tokens.txt": b"[UNK]\nthe\n", "m/assets/words.txt": POINTER, "m/assets.extra/empty": b""}
    write(tmp_path, {"m/saved_model.pb": e.saved_model(e.meta_graph(CONSTANT)), **assets})
    facts = read(saved_model, tmp_path, "m")
    assert facts.extra["assets_that_are_git_lfs_pointers"] == "assets/words.txt"
    assert find_one(saved_model, tmp_path, "m").stand_in is None
    assert plan(tmp_path).notes[-1] == (
        "m: Git LFS pointers lie where its assets should be (assets/words.txt), and it may load with their lines as "
        "its vocabulary; run `git lfs pull`, or give actions/checkout `lfs: true`."
    )


def test_nothing_is_noted_of_assets_that_are_there(tmp_path: Path) -> None:
    write(tmp_path, {"m/saved_model.pb": e.saved_model(e.meta_graph(CONSTANT)), "m/assets/words.txt": b"the\n"})
    assert "assets_that_are_git_lfs_pointers" not in read(saved_model, tmp_path, "m").extra
    assert not [note for note in plan(tmp_path).notes if "LFS" in note]
