"""Reads the configuration of a Keras model in every dialect."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from loadgate.artifacts.keras_config import (
    MAX_CUSTOM_OBJECTS,
    MAX_NAME,
    ConfigurationError,
    ConfigurationTooLargeError,
    Reading,
    parse,
    read,
)
from loadgate.domain import CustomObject, LambdaLayer, TensorSpec

from .making import layer, sequential
from .test_bytecode import WRITTEN_BY

CODE = WRITTEN_BY["3.9"]["plain"]


def functional(layers: list[dict[str, Any]], inputs: object) -> dict[str, Any]:
    named = [{**each, "name": each["config"]["name"]} for each in layers]
    return {"class_name": "Functional", "config": {"name": "model", "layers": named, "input_layers": inputs}}


def inputs_of(reading: Reading) -> tuple[TensorSpec, ...]:
    assert reading.signature is not None
    return reading.signature.inputs


def test_layers_are_counted_with_those_inside_wrappers_and_nested_models() -> None:
    lstm = layer("Bidirectional", layer=layer("LSTM", "forward"), backward_layer=layer("GRU", "backward"))
    cells = layer("RNN", cell={"class_name": "StackedRNNCells", "config": {"cells": [layer("LSTMCell")] * 2}})
    dense = layer("TimeDistributed", layer=layer("Dense"))
    reading = read(sequential(lstm, cells, dense, sequential(layer("Dense"))))
    assert reading.layers == {
        "Bidirectional": 1,
        "Dense": 2,
        "GRU": 1,
        "LSTM": 1,
        "LSTMCell": 2,
        "RNN": 1,
        "Sequential": 1,
        "StackedRNNCells": 1,
        "TimeDistributed": 1,
    }


def test_a_sequential_model_of_keras_1_is_a_plain_list() -> None:
    reading = read({"class_name": "Sequential", "config": [layer("Dense", "d", batch_input_shape=[None, 2])]})
    assert reading.layers == {"Dense": 1}
    assert inputs_of(reading) == (TensorSpec(name="d_input", dtype="float32", shape=(None, 2)),)


def test_a_built_in_model_has_no_custom_object() -> None:
    dense = layer(
        "Dense",
        activation="relu",
        kernel_initializer={"class_name": "VarianceScaling", "config": {"scale": 1.0}},
        kernel_regularizer={"class_name": "L1L2", "config": {"l1": 0.0}},
        dtype={"class_name": "Policy", "config": {"name": "mixed_float16"}},
    )
    training = {"loss": "mse", "metrics": [["accuracy"]], "optimizer_config": {"class_name": "Adam", "config": {}}}
    assert read(sequential(dense), training).custom_objects == ()


def test_a_class_that_keras_does_not_bring_is_custom_and_says_where_it_is_needed() -> None:
    quantizer = {"class_name": "quantized_bits", "config": {"bits": 6}}
    reading = read(sequential(layer("QDense", "fc1", kernel_quantizer=quantizer, activation="softplus2")))
    assert reading.layers == {"QDense": 1}
    assert reading.custom_objects == (
        CustomObject(name="QDense", where="fc1"),
        CustomObject(name="quantized_bits", where="fc1.kernel_quantizer"),
        CustomObject(name="softplus2", where="fc1.activation"),
    )


def test_an_operation_between_layers_is_nothing_that_its_author_would_import() -> None:
    operation = {"class_name": "TrueDivide", "config": {"name": "true_divide"}, "inbound_nodes": []}
    own = {**operation, "config": {"name": "true_divide", "trainable": True, "dtype": "float32"}}
    assert read(sequential(operation)).custom_objects == ()
    assert [each.name for each in read(sequential(own)).custom_objects] == ["TrueDivide"]


def test_a_registered_class_in_the_dialect_of_hdf5_carries_its_package_in_its_name() -> None:
    reading = read(sequential(layer("Addons>GroupNormalization", "gn")))
    assert reading.layers == {"GroupNormalization": 1}
    assert reading.custom_objects == (
        CustomObject(name="GroupNormalization", registered_name="Addons>GroupNormalization", where="gn"),
    )


def test_a_lambda_in_place_of_an_activation_is_custom_under_the_name_that_every_lambda_has() -> None:
    reading = read(sequential(layer("Dense", "head", activation="<lambda>")))
    assert reading.custom_objects == (CustomObject(name="<lambda>", where="head.activation"),)


def test_a_recorded_module_decides_whatever_the_class_is_called() -> None:
    own = {**layer("Dense", "mine"), "module": "acme.layers", "registered_name": "acme>Dense"}
    theirs = {**layer("GetItem", "get"), "module": "keras.src.ops.numpy", "registered_name": "GetItem"}
    assert read(sequential(own, theirs)).custom_objects == (
        CustomObject(name="Dense", module="acme.layers", registered_name="acme>Dense", where="mine"),
    )


def test_a_class_of_the_main_script_has_no_module_and_is_custom() -> None:
    model: dict[str, Any] = {"module": None, "class_name": "Model", "config": {}, "registered_name": "Model"}
    assert read(model).custom_objects == (CustomObject(name="Model"),)


def test_custom_losses_and_metrics_are_found_by_output_in_lists_and_as_objects() -> None:
    training = {
        "loss": {"a": "mse", "b": "focal"},
        "metrics": [[{"class_name": "MeanMetricWrapper", "config": {"name": "f1", "fn": "f1"}}], ["dice"]],
        "weighted_metrics": None,
        "optimizer_config": {"class_name": "Ranger", "config": {"learning_rate": 0.1}},
    }
    found = {(each.name, each.where) for each in read(sequential(), training).custom_objects}
    assert found == {("focal", "training.loss"), ("dice", "training.metrics"), ("Ranger", "training.optimizer_config")}


def test_the_optimizers_that_keras_2_registers_itself_are_its_own() -> None:
    training = {"optimizer_config": {"class_name": "Custom>Adam", "config": {}}}
    assert read(sequential(), training).custom_objects == ()


@pytest.mark.parametrize(
    "function",
    [
        [CODE, None, None],
        {"class_name": "__tuple__", "items": [CODE, None, None]},
        {"class_name": "__lambda__", "config": {"value": [CODE, None, None]}},
        {"class_name": "__lambda__", "config": {"value": CODE}},
        {"class_name": "__lambda__", "config": {"code": CODE, "defaults": None, "closure": None}},
    ],
    ids=["keras 2 hdf5", "keras 2 saved model", "keras 2 zip", "plain value", "keras 3"],
)
def test_a_lambda_tells_the_pythons_of_its_bytecode(function: object) -> None:
    reading = read(sequential(layer("Lambda", "double", function=function, function_type="lambda")))
    assert reading.lambdas == (LambdaLayer(name="double", python="3.8 to 3.10"),)
    assert reading.custom_objects == ()


@pytest.mark.parametrize(
    "function",
    ["l2_normalise", {"module": "builtins", "class_name": "function", "config": "l2_normalise"}],
    ids=["keras 2", "keras 3"],
)
def test_a_lambda_that_names_a_function_needs_that_function(function: object) -> None:
    reading = read(sequential(layer("Lambda", "norm", function=function, function_type="function")))
    assert reading.lambdas == ()
    assert reading.custom_objects == (CustomObject(name="l2_normalise", where="norm.function"),)


def test_inputs_of_a_functional_model_come_in_the_order_of_the_call() -> None:
    ids = layer("InputLayer", "ids", batch_input_shape=[None, 2], dtype="int32")
    seq = layer("InputLayer", "seq", batch_shape=[None, None, 3], dtype="float32")
    reading = read(functional([ids, seq], [["seq", 0, 0], ["ids", 0, 0]]))
    assert inputs_of(reading) == (
        TensorSpec(name="seq", dtype="float32", shape=(None, None, 3)),
        TensorSpec(name="ids", dtype="int32", shape=(None, 2)),
    )


@pytest.mark.parametrize("inputs", [["x", 0, 0], [["x", 0, 0]], {"x": ["x", 0, 0]}])
def test_keras_3_writes_a_single_input_without_a_list_and_several_as_a_dictionary(inputs: object) -> None:
    model = functional([layer("InputLayer", "x", batch_shape=[None, 7], dtype="uint8")], inputs)
    assert inputs_of(read(model)) == (TensorSpec(name="x", dtype="uint8", shape=(None, 7)),)


def test_inputs_of_a_sequential_model_are_those_of_the_model_that_it_begins_with() -> None:
    inner = functional([layer("InputLayer", "x", batch_shape=[None, 7], dtype="float32")], [["x", 0, 0]])
    assert inputs_of(read(sequential(inner, layer("Dense")))) == (
        TensorSpec(name="x", dtype="float32", shape=(None, 7)),
    )


def test_a_model_that_does_not_say_its_inputs_has_no_signature() -> None:
    assert read(sequential(layer("Dense"))).signature is None


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": ' * 100_000, "[" * 1_000_000, '{"a": ' + "9" * 5000 + "}"])
def test_what_is_no_json_object_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        parse(text)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("called", ['[[["x", 0, 0, {"a": %s}]]]', '[{"args": [], "kwargs": {"a": %s}}]'])
def test_a_layer_that_is_called_with_lists_without_end_is_refused(called: str) -> None:
    nodes = called % ("[" * 3_000 + "]" * 3_000)
    layer = f'{{"class_name": "Dense", "config": {{}}, "inbound_nodes": {nodes}}}'
    with pytest.raises(ConfigurationTooLargeError, match="nested too deep"):
        read(parse(f'{{"class_name": "Functional", "config": {{"layers": [{layer}]}}}}'))


def test_a_configuration_that_is_nested_without_end_is_refused() -> None:
    model: dict[str, Any] = layer("Dense")
    for _ in range(150):
        model = sequential(model)
    with pytest.raises(ConfigurationError, match="nested"):
        read(model)


FIELDS = ["class_name", "config", "layers", "layer", "input_layers", "name", "function", "module", "dtype", "loss"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(FIELDS) | st.text(max_size=4),
            inner,
            max_size=5,
        )
    ),
    max_leaves=30,
)


@settings(max_examples=300, deadline=None)
@example({"class_name": "Sequential"}, None)
@given(st.dictionaries(st.sampled_from(["class_name", "config", "compile_config", "x"]), JSON), st.none() | JSON)
def test_any_configuration_is_read(model: dict[str, Any], training: object) -> None:
    reading = read(parse(json.dumps(model)), training if isinstance(training, dict) else None)
    assert all(isinstance(name, str) and count > 0 for name, count in reading.layers.items())


def test_a_long_name_is_not_repeated_at_length_wherever_something_lies_below_it() -> None:
    inner = [{"class_name": f"C{index}", "config": {}} for index in range(2_000)]
    reading = read(sequential(layer("Own", "n" * 100_000, inner=inner)))
    assert len(reading.custom_objects) <= MAX_CUSTOM_OBJECTS
    assert sum(len(found.where or "") for found in reading.custom_objects) < 3 * MAX_NAME * MAX_CUSTOM_OBJECTS


def test_a_text_that_would_take_far_more_memory_than_its_own_size_is_not_parsed() -> None:
    with pytest.raises(ConfigurationError, match="more than 1,000,000 values"):
        parse('{"a": [' + "[]," * 600_000 + "[]]}")


@pytest.mark.parametrize("extent", [True, 10**30, "3", 1.5])
def test_what_is_no_extent_of_a_tensor_is_not_passed_on_as_one(extent: object) -> None:
    dense = layer("Dense", "d", batch_input_shape=[None, extent])
    assert read({"class_name": "Sequential", "config": [dense]}).signature is None
