"""What is told apart in a Keras configuration, on configurations as every Keras writes them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from loadgate.artifacts.keras_constructs import AFTER_SHAPE, MAX_CLASSES, STATES, UNBOUNDED, WHOLE, constructs


def dense(**options: Any) -> dict[str, Any]:
    return {"class_name": "Dense", "config": {"name": "dense", "units": 3, "activation": "relu", **options}}


def sequential(*layers: dict[str, Any], **config: Any) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": {"name": "sequential", "layers": list(layers), **config}}


def test_the_options_of_a_layer_are_told_without_their_values_and_names() -> None:
    found = constructs(sequential(dense(use_bias=True)))
    assert found["Dense"] == ("activation", "units", "use_bias", "written")
    assert "activation relu" in found[WHOLE]
    assert found == constructs(sequential(dense(use_bias=False, units=900, name="another")))


def test_objects_inside_a_layer_are_told_as_classes_of_their_own() -> None:
    initializer = {"class_name": "GlorotUniform", "module": "keras.initializers", "config": {"seed": None}}
    found = constructs(sequential(dense(kernel_initializer=initializer)))
    assert "kernel_initializer: object" in found["Dense"]
    assert found["GlorotUniform"] == ("module keras.initializers", "seed", "written")


def test_a_model_begins_with_an_input_with_a_shape_or_with_neither() -> None:
    first = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 4]}}
    assert "begins with an input" in constructs(sequential(first, dense()))["Sequential"]
    assert "begins with a shape" in constructs(sequential(dense(batch_input_shape=[None, 4])))["Sequential"]
    assert "begins without a shape" in constructs(sequential(dense()))["Sequential"]
    assert "begins without a shape, built" in constructs(sequential(dense(), build_input_shape=[None, 4]))["Sequential"]
    of_any = sequential(dense(), build_input_shape=[None, None])
    assert "begins without a shape, built for any size" in constructs(of_any)["Sequential"]
    assert "begins with a model" in constructs(sequential(sequential(dense())))["Sequential"]


def test_the_layers_that_a_shape_reaches_are_told_up_to_the_one_that_shapes_anew() -> None:
    convolution = {"class_name": "Conv2D", "config": {"name": "conv"}}
    normalized = {"class_name": "BatchNormalization", "config": {"axis": [1]}}
    wrapped = {"class_name": "TimeDistributed", "config": {"layer": convolution}}
    reshaped = {"class_name": "Reshape", "config": {"target_shape": [2, 2]}}
    shape = {"batch_input_shape": [None, 4]}
    found = constructs(sequential(dense(**shape), normalized, wrapped, reshaped, convolution))["Sequential"]
    assert [each for each in found if each.startswith(AFTER_SHAPE)] == [
        "after a shape: BatchNormalization along 1",
        "after a shape: BatchNormalization along a list",
        "after a shape: Dense",
        "after a shape: Reshape",
        "after a shape: TimeDistributed of Conv2D",
    ]


def test_a_type_of_whole_numbers_is_told_of_the_class_whose_weights_would_be_of_it() -> None:
    first = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 6], "dtype": "int32"}}
    found = constructs(sequential(first, dense(dtype="int32")))
    assert "dtype int32" in found["Dense"]
    assert "dtype int32" not in found["InputLayer"]
    assert "dtype float32" not in constructs(sequential(dense(dtype="float32")))["Dense"]


@pytest.mark.parametrize(("inputs", "is_told"), [(1, False), (3, True)])
def test_a_recurrent_layer_that_is_handed_its_states_as_tensors_is_told_from_one_that_is_not(
    inputs: int, is_told: bool
) -> None:
    node = [["first", 0, number, {}] for number in range(inputs)]
    recurrent = {"class_name": "LSTM", "config": {"units": 3}, "inbound_nodes": [node]}
    model = {"class_name": "Model", "config": {"layers": [recurrent], "input_layers": [], "output_layers": []}}
    assert (STATES in constructs(model)["LSTM"]) is is_told


def test_a_model_in_a_model_that_nobody_has_called_is_told_from_one_that_stands_alone() -> None:
    found = constructs(sequential(sequential(dense()), dense()))["Sequential"]
    assert "begins without a shape, in a model" in found
    assert "begins without a shape" not in found


@pytest.mark.parametrize(("size", "is_of_any"), [(None, True), (3, False)])
def test_a_model_that_begins_with_a_layer_which_was_adapted_before_it_knew_its_size_says_so(
    size: int | None, is_of_any: bool
) -> None:
    told = "begins with a Normalization of any size"
    shape = {"batch_input_shape": [None, size]}
    adapted = {"class_name": "Normalization", "config": shape}
    begun = {"class_name": "InputLayer", "config": shape}
    assert (told in constructs(sequential(adapted, dense()))["Sequential"]) is is_of_any
    assert (told in constructs(sequential(begun, adapted, dense()))["Sequential"]) is is_of_any
    sized = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 3]}}
    assert told not in constructs(sequential(sized, adapted, dense()))["Sequential"]


def test_nesting_is_told_with_both_models() -> None:
    assert "Sequential in Sequential" in constructs(sequential(sequential(dense()), dense()))[WHOLE]
    assert "a model in a model in a model" in constructs(sequential(sequential(sequential(dense()))))[WHOLE]


def test_what_a_layer_is_called_with_is_told_in_the_spelling_of_either_keras() -> None:
    old = {**dense(), "inbound_nodes": [[["input", 0, 0, {"training": False}]]]}
    new = {
        **dense(),
        "inbound_nodes": [{"args": [{"class_name": "__keras_tensor__", "config": {}}], "kwargs": {"mask": None}}],
    }
    assert "called with training: bool" in constructs(sequential(old))["Dense"]
    assert "called with mask: nothing" in constructs(sequential(new))["Dense"]


def test_an_operation_between_layers_is_told_from_the_layer_of_its_name() -> None:
    called = [{"args": [{"class_name": "__keras_tensor__", "config": {}}, 2.0], "kwargs": {}}]
    operation = {"class_name": "Add", "config": {"name": "add"}, "inbound_nodes": called}
    layer = {"class_name": "Add", "config": {"name": "add", "trainable": True}, "inbound_nodes": called}
    assert "operation Add" in constructs(sequential(operation))[WHOLE]
    assert "operation Add" not in constructs(sequential(layer))[WHOLE]


def test_an_operation_that_is_written_with_its_name_is_told_from_one_without() -> None:
    nodes: dict[str, Any] = {"inbound_nodes": []}
    named = {"class_name": "Mean", "config": {"name": "mean", "axis": 1}, **nodes}
    plain = {"class_name": "Mean", "config": {"axis": 1}, **nodes}
    assert "named" in constructs(sequential(named))["Mean"]
    assert "named" not in constructs(sequential(plain))["Mean"]


def test_a_vocabulary_that_was_learnt_is_told_from_one_that_was_given() -> None:
    learnt = {"class_name": "StringLookup", "config": {"vocabulary": None}}
    given = {"class_name": "StringLookup", "config": {"vocabulary": ["a", "b"]}}
    assert "vocabulary: nothing" in constructs(sequential(learnt))["StringLookup"]
    assert "vocabulary" in constructs(sequential(given))["StringLookup"]


def test_a_list_in_a_list_is_told_in_the_spelling_of_a_saved_model_as_well() -> None:
    pairs = {"class_name": "__tuple__", "items": [{"class_name": "__tuple__", "items": [1, 1]}]}
    padded = {"class_name": "ZeroPadding2D", "config": {"padding": pairs}}
    assert "padding: list of list" in constructs(sequential(padded))["ZeroPadding2D"]


def test_a_layer_called_twice_is_told() -> None:
    twice = {**dense(), "inbound_nodes": [[["a", 0, 0, {}]], [["b", 0, 0, {}]]]}
    assert "a layer called more than once" in constructs(sequential(twice))[WHOLE]


def test_a_list_of_layers_in_place_of_a_mapping_is_told_for_early_keras_wrote_one() -> None:
    assert "config: list" in constructs({"class_name": "Sequential", "config": [dense()]})["Sequential"]


def test_a_configuration_deeper_or_wider_than_any_model_is_marked_and_ends() -> None:
    deep: dict[str, Any] = dense()
    for _ in range(300):
        deep = dense(layer=deep)
    wide = sequential(*({"class_name": f"C{number}", "config": {}} for number in range(MAX_CLASSES + 5)))
    assert UNBOUNDED in constructs(sequential(deep))[WHOLE]
    assert UNBOUNDED in constructs(wide)[WHOLE]


def test_what_is_no_model_is_told_to_be_none() -> None:
    assert constructs(json.loads('{"class_name": 3}')) == {WHOLE: ("no model",)}


def test_a_class_name_that_is_no_text_is_passed_over() -> None:
    names: list[Any] = [[], {}, 3]
    for name in names:
        found = constructs(sequential(dense(shape={"class_name": name, "items": [1, 2]})))
        assert "shape: mapping" in found["Dense"]
