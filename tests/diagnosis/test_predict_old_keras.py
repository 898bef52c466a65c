"""What is expected of what Keras wrote before TensorFlow brought one, and of types of TFLite, as published."""

from __future__ import annotations

from typing import Any

import pytest
from packaging.version import Version

from loadgate.artifacts.keras_constructs import constructs
from loadgate.diagnosis.predict import predict
from loadgate.diagnosis.target import Target
from loadgate.domain import Artifact, Facts, Forecast, Format, Loader, Prediction, SavedWith

KERAS_3 = Target(tensorflow=Version("2.21.0"), keras=Version("3.15.1"), python=Version("3.12"))
UNIFORM = {
    "class_name": "VarianceScaling",
    "config": {"scale": 1.0, "mode": "fan_avg", "seed": None, "distribution": "uniform"},
}
ORTHOGONAL = {"class_name": "Orthogonal", "config": {"gain": 1.0, "seed": None}}
RANDOM = {"class_name": "RandomUniform", "config": {"minval": -0.05, "maxval": 0.05, "seed": None}}
ZEROS = {"class_name": "Zeros", "config": {}}
OF_WEIGHTS = {
    "kernel_initializer": UNIFORM, "kernel_regularizer": None, "kernel_constraint": None, "bias_initializer": ZEROS,
    "bias_regularizer": None, "bias_constraint": None, "activity_regularizer": None, "use_bias": True,
}  # fmt: skip
OF_CONVOLUTION = {
    "filters": 8, "kernel_size": [3, 3], "strides": [1, 1], "padding": "valid", "data_format": "channels_last",
    "dilation_rate": [1, 1], "activation": "relu", **OF_WEIGHTS,
}  # fmt: skip
OF_RECURRENCE = {
    "units": 4, "activation": "tanh", "recurrent_activation": "hard_sigmoid", "unit_forget_bias": True, "dropout": 0.0,
    "recurrent_dropout": 0.0, "implementation": 1, "return_sequences": False, "return_state": False, "unroll": False,
    "go_backwards": False, "stateful": False, "recurrent_initializer": ORTHOGONAL, "recurrent_regularizer": None,
    "recurrent_constraint": None, **OF_WEIGHTS,
}  # fmt: skip
OF_NORMALIZATION = {
    "momentum": 0.99, "epsilon": 0.001, "center": True, "scale": True, "beta_initializer": ZEROS,
    "gamma_initializer": {"class_name": "Ones", "config": {}}, "moving_mean_initializer": ZEROS,
    "moving_variance_initializer": {"class_name": "Ones", "config": {}}, "beta_regularizer": None,
    "gamma_regularizer": None, "beta_constraint": None, "gamma_constraint": None,
}  # fmt: skip


def layer(name: str, **options: Any) -> dict[str, Any]:
    return {"class_name": name, "config": {"name": name.lower(), "trainable": True, **options}}


def dense(**options: Any) -> dict[str, Any]:
    return layer("Dense", units=4, activation="relu", **OF_WEIGHTS, **options)


def convolution(**options: Any) -> dict[str, Any]:
    return layer("Conv2D", **OF_CONVOLUTION, **options)


def embedding(dtype: str) -> dict[str, Any]:
    options = {"embeddings_regularizer": None, "embeddings_constraint": None, "activity_regularizer": None}
    sizes = {"input_dim": 9, "output_dim": 4, "input_length": 6, "mask_zero": False, "batch_input_shape": [None, 6]}
    return layer("Embedding", embeddings_initializer=RANDOM, dtype=dtype, **options, **sizes)


def shape(*sizes: int) -> dict[str, Any]:
    return {"batch_input_shape": [None, *sizes], "dtype": "float32"}


def expected_of(configuration: dict[str, Any], target: Target = KERAS_3, keras: str = "2.2.4") -> Prediction:
    facts = Facts(saved_with=SavedWith(keras=keras, backend="tensorflow"), constructs=constructs(configuration))
    artifact = Artifact(path="model.h5", format=Format.KERAS_H5, files=("model.h5",), bytes=1, facts=facts)
    return predict(artifact, Loader.KERAS, target)


def sequential(*layers: dict[str, Any]) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": {"name": "sequential_1", "layers": list(layers)}}


@pytest.mark.parametrize(
    ("layers", "forecast"),
    [
        ([dense(**shape(4)), dense()], Forecast.WILL_LOAD),
        ([convolution(**shape(8, 8, 3)), layer("Flatten", data_format="channels_last")], Forecast.WILL_NOT_LOAD),
        ([dense(**shape(72)), layer("Reshape", target_shape=[6, 6, 2]), convolution()], Forecast.WILL_LOAD),
        ([dense(**shape(4)), convolution()], Forecast.WILL_NOT_LOAD),
    ],
    ids=["dense", "convolution", "convolution after a reshape", "convolution after a dense layer"],
)
def test_a_shape_without_an_input_has_one_axis_more_in_keras_3_for_all_layers_that_it_reaches(
    layers: list[dict[str, Any]], forecast: Forecast
) -> None:
    assert expected_of(sequential(*layers)).forecast is forecast


EARLY_KERAS_3 = Target(tensorflow=Version("2.16.2"), keras=Version("3.3.3"), python=Version("3.11"))


@pytest.mark.parametrize(
    ("axis", "early", "late"),
    [(1, Forecast.WILL_LOAD, Forecast.WILL_NOT_LOAD), ([1], Forecast.NOT_KNOWN, Forecast.WILL_NOT_LOAD)],
    ids=["as the package Keras wrote it", "as tf.keras 2.0 and 2.1 wrote it"],
)
def test_that_early_keras_3_takes_a_number_for_the_axis_tells_nothing_of_a_list(
    axis: object, early: Forecast, late: Forecast
) -> None:
    """The list is refused: `Shapes used to initialize variables must be fully-defined`."""
    model = sequential(dense(**shape(6)), layer("BatchNormalization", **OF_NORMALIZATION, axis=axis), dense())
    assert (expected_of(model, EARLY_KERAS_3).forecast, expected_of(model).forecast) == (early, late)


def test_keras_2_takes_a_shape_without_an_input_for_what_it_is() -> None:
    for tensorflow in ("1.15.5", "2.9.3", "2.15.1"):
        target = Target(tensorflow=Version(tensorflow), python=Version("3.7"))
        assert expected_of(sequential(convolution(**shape(8, 8, 3))), target).forecast is Forecast.WILL_LOAD


@pytest.mark.parametrize(("dtype", "forecast"), [("float32", Forecast.WILL_LOAD), ("int32", Forecast.WILL_NOT_LOAD)])
def test_an_embedding_whose_weights_would_be_whole_numbers_is_not_expected_to_load(
    dtype: str, forecast: Forecast
) -> None:
    target = Target(tensorflow=Version("2.15.1"), python=Version("3.11"))
    assert expected_of(sequential(embedding(dtype), dense()), target).forecast is forecast


def test_an_option_of_a_recurrent_layer_is_to_blame_and_not_the_layer_that_loads_without_it() -> None:
    options = {"units": 4, **OF_RECURRENCE}
    without = expected_of(functional(layer("LSTM", **options)))
    assert without.forecast is Forecast.WILL_LOAD
    newer = expected_of(functional(layer("LSTM", time_major=False, **options)))
    assert (newer.forecast, newer.measured) == (
        Forecast.WILL_NOT_LOAD,
        "`LSTM` there does not take the option `time_major`",
    )


def functional(only: dict[str, Any]) -> dict[str, Any]:
    """A model of a series that goes into one layer."""
    given = {"name": "first", "batch_input_shape": [None, 6, 3], "dtype": "float32", "sparse": False}
    first = {"class_name": "InputLayer", "config": given, "name": "first", "inbound_nodes": []}
    second = {**only, "name": "second", "inbound_nodes": [[["first", 0, 0, {}]]]}
    ends = {"input_layers": [["first", 0, 0]], "output_layers": [["second", 0, 0]]}
    return {"class_name": "Model", "config": {"name": "model_1", "layers": [first, second], **ends}}


def test_a_layer_made_for_a_gpu_is_not_expected_to_load_in_a_tensorflow_1_that_has_none() -> None:
    lacking = (
        "activation", "recurrent_activation", "dropout", "recurrent_dropout", "implementation", "unroll", "use_bias",
    )  # fmt: skip
    options = {key: value for key, value in OF_RECURRENCE.items() if key not in lacking}
    model = functional(layer("CuDNNLSTM", **options))
    one, two = (Target(tensorflow=Version(each), python=Version("3.7")) for each in ("1.15.5", "2.9.3"))
    assert expected_of(model, one).forecast is Forecast.WILL_NOT_LOAD
    assert expected_of(model, two).forecast is Forecast.WILL_LOAD


def test_a_file_of_keras_1_is_expected_to_load_nowhere() -> None:
    options = {"output_dim": 4, "init": "glorot_uniform", "activation": "relu", "bias": True, "input_dtype": "float32"}
    options |= dict.fromkeys(["W_regularizer", "b_regularizer", "activity_regularizer", "W_constraint", "b_constraint"])
    model = {"class_name": "Sequential", "config": [layer("Dense", **options, **shape(4))]}
    for target in (KERAS_3, *(Target(tensorflow=Version(each)) for each in ("1.15.5", "2.9.3", "2.15.1"))):
        assert expected_of(model, target, keras="1.2.1").forecast is Forecast.WILL_NOT_LOAD


@pytest.mark.parametrize(
    ("tensorflow", "forecast"),
    [("2.3.4", Forecast.WILL_NOT_LOAD), ("2.4.4", Forecast.WILL_NOT_LOAD), ("2.15.1", Forecast.WILL_LOAD)],
)
def test_an_interpreter_is_expected_to_refuse_a_type_of_tensor_that_it_does_not_have(
    tensorflow: str, forecast: Forecast
) -> None:
    facts = Facts(
        ops={"ADD": 1}, extra={"schema": "3", "operator_versions": "ADD 1", "tensor_types": "float32, variant"}
    )
    artifact = Artifact(path="m.tflite", format=Format.TFLITE, files=("m.tflite",), bytes=1, facts=facts)
    assert predict(artifact, Loader.TFLITE, Target(tensorflow=Version(tensorflow))).forecast is forecast


def test_no_file_is_expected_to_fail_in_the_version_that_wrote_it_because_another_did() -> None:
    options = {
        "build_config: input_shape",
        "module keras.layers",
        "rate",
        "dtype",
        "written",
        "trainable",
        "noise_shape",
        "seed",
    }
    found = {"": ("is Functional",), "Dropout": tuple(sorted(options)), "Functional": ("written",)}
    for keras in ("2.13.1", "2.14.0"):
        facts = Facts(saved_with=SavedWith(keras=keras), constructs=found)
        artifact = Artifact(path="m.keras", format=Format.KERAS_V3, files=("m.keras",), bytes=1, facts=facts)
        target = Target(tensorflow=Version(keras), python=Version("3.11"))
        assert predict(artifact, Loader.KERAS, target).forecast is not Forecast.WILL_NOT_LOAD
