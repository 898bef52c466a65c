"""What is expected before a load, held to what really happened: to the examples, which nobody learnt from."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from loadgate.artifacts.discover import read_artifact
from loadgate.artifacts.identify import identify
from loadgate.diagnosis.predict import ladder, predict
from loadgate.diagnosis.target import Line, Target
from loadgate.diagnosis.traits import traits_of
from loadgate.domain import Artifact, Facts, Forecast, Format, LambdaLayer, Loader, Prediction, SavedWith
from loadgate.infer.expected import expected
from loadgate.phases.plan import plan
from loadgate.phases.predict import predictions

EXAMPLES = Path(__file__).parents[2] / "examples"
KERAS_2 = Target(tensorflow=Version("2.15.1"), python=Version("3.11"))
KERAS_3 = Target(tensorflow=Version("2.21.0"), keras=Version("3.15.1"), python=Version("3.12"))
SOME_KERAS_3 = replace(KERAS_3, keras=None)


def example(path: str) -> Artifact:
    return read_artifact(*identify(EXAMPLES / "models" / path))


def of_example(path: str, target: Target, loader: Loader = Loader.KERAS) -> Prediction:
    return predict(example(path), loader, target)


def test_no_expectation_of_an_example_is_wrong_and_two_thirds_are_known() -> None:
    planned = plan(EXAMPLES)
    seen: Any = json.loads((EXAMPLES / "expected.json").read_text())["artifacts"]
    found = predictions(planned, {runtime.name: expected(runtime, EXAMPLES) for runtime in planned.runtimes})
    outcomes = {Forecast.WILL_LOAD: "passed", Forecast.WILL_NOT_LOAD: "failed"}
    known = {
        f"{case.artifact} in {case.runtime}": (
            outcomes[found[case.id].forecast],
            seen[case.artifact]["runtimes"][case.runtime]["outcome"],
        )
        for case in planned.cases
        if found[case.id].forecast is not Forecast.NOT_KNOWN
    }
    assert {name: both for name, both in known.items() if both[0] != both[1]} == {}
    assert len(known) >= 36  # of 52; what the others hold was measured too seldom


def test_a_file_of_keras_3_is_not_expected_to_load_in_keras_2_and_says_why() -> None:
    prediction = of_example("ranking/ranker_2026.h5", KERAS_2)
    assert prediction.forecast is Forecast.WILL_NOT_LOAD
    assert prediction.cause == "keras_3_file_in_keras_2"
    assert prediction.measured == "`Dense` there does not take the option `quantization_config`"


def test_a_file_is_expected_to_load_in_the_version_that_wrote_it_and_says_on_how_much_that_rests() -> None:
    prediction = of_example("ranking/ranker.h5", KERAS_2)
    assert prediction.forecast is Forecast.WILL_LOAD
    assert prediction.cause is None
    assert "among" in prediction.measured


def test_a_pointer_is_not_expected_to_load_anywhere() -> None:
    prediction = of_example("translation/encoder.keras", KERAS_3)
    assert (prediction.forecast, prediction.cause) == (Forecast.WILL_NOT_LOAD, "git_lfs_pointer")


def test_what_every_keras_3_agrees_on_is_known_although_nobody_says_which() -> None:
    assert of_example("ranking/ranker.keras", SOME_KERAS_3).forecast is Forecast.WILL_NOT_LOAD
    assert of_example("ranking/ranker_2026.h5", SOME_KERAS_3).forecast is Forecast.NOT_KNOWN


def test_a_custom_layer_is_expected_to_load_only_where_something_that_is_imported_defines_it() -> None:
    without = of_example("vision/defects.keras", KERAS_2)
    assert (without.forecast, without.cause) == (Forecast.WILL_NOT_LOAD, "custom_object_not_imported")
    of_others = of_example("vision/defects.keras", replace(KERAS_2, imports=True, brought=frozenset({"Other"})))
    assert of_others.forecast is Forecast.NOT_KNOWN
    of_its_own = of_example(
        "vision/defects.keras", replace(KERAS_2, imports=True, brought=frozenset({"SqueezeExcite"}))
    )
    assert of_its_own.forecast is Forecast.WILL_LOAD
    assert "SqueezeExcite" in of_its_own.headline


def test_nothing_is_known_of_a_layer_that_was_never_measured() -> None:
    artifact = example("ranking/ranker.h5")
    assert artifact.facts is not None
    facts = replace(artifact.facts, constructs={**artifact.facts.constructs, "NeverSeen": ("written",)})
    prediction = predict(replace(artifact, facts=facts), Loader.KERAS, KERAS_2)
    assert prediction.forecast is Forecast.NOT_KNOWN
    assert prediction.headline == (
        "not known: no measured load tells whether TensorFlow 2.15.1 takes `NeverSeen` in a file of Keras 2"
    )


def test_operations_between_layers_load_from_an_archive_and_not_from_hdf5() -> None:
    artifact = example("ranking/ranker_2026.h5")
    assert artifact.facts is not None
    assert predict(artifact, Loader.KERAS, KERAS_3).forecast is Forecast.WILL_LOAD
    whole = (*artifact.facts.constructs[""], "operation Add")
    facts = replace(artifact.facts, constructs={**artifact.facts.constructs, "": whole})
    prediction = predict(replace(artifact, facts=facts), Loader.KERAS, KERAS_3)
    assert (prediction.forecast, prediction.cause) == (Forecast.WILL_NOT_LOAD, "operations_in_hdf5")


def test_nothing_is_known_of_a_version_beyond_those_that_were_measured() -> None:
    future = Target(tensorflow=Version("9.0"), keras=Version("9.0"), python=Version("3.20"))
    prediction = of_example("ranking/ranker_2026.h5", future)
    assert prediction.headline == "not known: Keras 9.0 lies beyond the versions that were measured"
    assert of_example("churn/churn_2022", future, Loader.SAVED_MODEL).forecast is Forecast.NOT_KNOWN


def test_what_is_so_on_both_sides_of_a_version_is_so_in_it() -> None:
    between = Target(tensorflow=Version("2.8.4"), python=Version("3.10"))
    assert of_example("ranking/ranker.h5", between).forecast is Forecast.WILL_LOAD


def test_a_lambda_is_expected_to_load_in_a_python_of_its_family_alone() -> None:
    artifact = example("pricing/elasticity.h5")
    assert artifact.facts is not None
    forecasts = {
        python: predict(artifact, Loader.KERAS, replace(KERAS_2, python=Version(python))).forecast
        for python in ("3.9", "3.11", "3.13")
    }
    assert forecasts == {
        "3.9": Forecast.WILL_NOT_LOAD,
        "3.11": Forecast.WILL_LOAD,
        "3.13": Forecast.WILL_NOT_LOAD,
    }


def test_a_lambda_that_looks_up_a_name_is_not_taken_to_load_because_one_that_looks_up_none_did() -> None:
    artifact = example("pricing/elasticity.h5")
    assert artifact.facts is not None
    lambdas = tuple(replace(each, looks_up=("backend_of_ours",)) for each in artifact.facts.lambdas)
    prediction = predict(replace(artifact, facts=replace(artifact.facts, lambdas=lambdas)), Loader.KERAS, KERAS_2)
    assert prediction.forecast is Forecast.NOT_KNOWN
    assert "looks up `backend_of_ours`" in prediction.headline


def test_a_class_without_an_option_that_every_file_had_is_not_taken_to_load() -> None:
    artifact = example("ranking/ranker.h5")
    assert artifact.facts is not None
    assert predict(artifact, Loader.KERAS, KERAS_2).forecast is Forecast.WILL_LOAD
    options = tuple(each for each in artifact.facts.constructs["Dense"] if each != "units")
    facts = replace(artifact.facts, constructs={**artifact.facts.constructs, "Dense": options})
    prediction = predict(replace(artifact, facts=facts), Loader.KERAS, KERAS_2)
    assert prediction.forecast is Forecast.NOT_KNOWN
    assert "`Dense` without `units`" in prediction.headline


def test_a_class_is_not_expected_to_take_an_argument_of_a_call_that_its_keras_does_not_have() -> None:
    artifact = example("ranking/ranker.h5")
    assert artifact.facts is not None
    options = (*artifact.facts.constructs["Dense"], "called with use_causal_mask: bool")
    facts = replace(artifact.facts, constructs={**artifact.facts.constructs, "Dense": options})
    prediction = predict(replace(artifact, facts=facts), Loader.KERAS, KERAS_2)
    assert prediction.forecast is not Forecast.WILL_LOAD


@pytest.mark.parametrize(
    ("constructs", "trait"),
    [
        ({"Conv2D": ("batch_input_shape: list", "written")}, "Keras 2, batch_input_shape: list"),
        ({"InputLayer": ("batch_input_shape: list", "written")}, "Keras 2, InputLayer: batch_input_shape: list"),
        ({"LSTM": ("called with mask: tensor", "written")}, "Keras 2, called with tensor"),
        ({"LSTM": ("called with mask: tensor", "written")}, "Keras 2, LSTM: called with mask"),
        ({"TFOpLambda": ("called with axis: value", "written")}, "Keras 2, called with value"),
        (
            {"": ("is Sequential",), "Sequential": ("begins without a shape", "written")},
            "Keras 2, weights of a model that is not built",
        ),
    ],
)
def test_what_one_piece_of_code_reads_for_all_classes_is_told_of_none(
    constructs: dict[str, tuple[str, ...]], trait: str
) -> None:
    facts = Facts(saved_with=SavedWith(keras="2.9.0"), constructs=constructs, tensors=3)
    artifact = Artifact(path="model.h5", format=Format.KERAS_H5, files=("model.h5",), bytes=1, facts=facts)
    traits = traits_of(artifact, Loader.KERAS, KERAS_2)
    assert traits is not None
    assert trait in traits


@pytest.mark.parametrize("keras", ["3.3.3", "3.6.0", "3.7.0", "3.15.1"])
def test_a_first_layer_that_keeps_its_shape_is_refused_where_its_class_is_asked_itself(keras: str) -> None:
    """As TensorFlow 2.15 writes `Sequential([Flatten(input_shape=(5, 2))])`; 2.12 and 2.13 may tell no module."""
    told = ("batch_input_shape: list", "data_format", "dtype", "module keras.layers", "trainable", "written")
    target = Target(tensorflow=Version("2.18.1"), keras=Version(keras), python=Version("3.11"))

    def expected_of(options: tuple[str, ...]) -> Prediction:
        constructs = {
            "": ("dtype float32", "is Sequential"),
            "Flatten": options,
            "InputLayer": ("batch_input_shape: list", "dtype", "module keras.layers", "ragged", "sparse", "written"),
            "Sequential": ("begins with an input", "build_config: input_shape", "module keras", "written"),
        }
        facts = Facts(saved_with=SavedWith(keras="2.15.0"), constructs=constructs)
        files = ("model.keras",)
        return predict(
            Artifact(path="model.keras", format=Format.KERAS_V3, files=files, bytes=1, facts=facts),
            Loader.KERAS,
            target,
        )

    refused = expected_of(told)
    assert (refused.forecast, refused.cause) == (Forecast.WILL_NOT_LOAD, "option_dropped_by_keras_3")
    assert refused.measured == "`Flatten` there does not take the option `batch_input_shape`"
    taken_off = expected_of(tuple(each for each in told if not each.startswith("module")))
    assert taken_off.forecast is not Forecast.WILL_NOT_LOAD


def test_a_name_that_a_lambda_looks_up_counts_in_a_saved_model_as_well() -> None:
    found = LambdaLayer(name="distance", python="3.11", looks_up=("backend_of_ours",))
    facts = Facts(extra={"variant": "TF2", "tags": "serve", "keras_metadata": "yes"}, lambdas=(found,))
    artifact = Artifact(path="model", format=Format.SAVED_MODEL, files=("model/saved_model.pb",), bytes=1, facts=facts)
    by_keras, by_tensorflow = (traits_of(artifact, loader, KERAS_2) for loader in (Loader.KERAS, Loader.SAVED_MODEL))
    assert "a Lambda that looks up backend_of_ours" in (by_keras or ())
    assert "a Lambda that looks up backend_of_ours" not in (by_tensorflow or ())


@pytest.mark.parametrize(("tensorflow", "looked_for"), [("2.4.4", "embedded"), ("2.9.3", "yes")])
def test_of_metadata_in_two_places_counts_what_the_runtime_looks_for(tensorflow: str, looked_for: str) -> None:
    facts = Facts(extra={"variant": "TF2", "tags": "serve", "keras_metadata": "yes, and embedded"})
    artifact = Artifact(path="model", format=Format.SAVED_MODEL, files=("model/saved_model.pb",), bytes=1, facts=facts)
    traits = traits_of(artifact, Loader.KERAS, Target(tensorflow=Version(tensorflow)))
    assert traits is not None
    assert f"keras metadata: {looked_for}" in traits


@pytest.mark.parametrize(
    ("extra", "forecast"), [({}, Forecast.WILL_LOAD), ({"empty_constants": "1"}, Forecast.WILL_NOT_LOAD)]
)
def test_a_graph_with_a_constant_that_has_no_value_is_not_expected_to_load(
    extra: dict[str, str], forecast: Forecast
) -> None:
    facts = Facts(ops={"Const": 1}, extra={"variant": "TF1", "tags": "serve", **extra})
    artifact = Artifact(path="model", format=Format.SAVED_MODEL, files=("model/saved_model.pb",), bytes=1, facts=facts)
    assert predict(artifact, Loader.SAVED_MODEL, Target(tensorflow=Version("2.15.1"))).forecast is forecast


@pytest.mark.parametrize(
    ("tags", "loader", "cause"),
    [
        ("train; eval", Loader.SAVED_MODEL, "several_graphs"),
        ("train; eval; serve", Loader.SAVED_MODEL, None),
        ("train; ", Loader.SAVED_MODEL, None),
        ("train", Loader.SAVED_MODEL, None),
        ("train; eval; serve", Loader.KERAS_LAYER, "several_graphs"),
    ],
)
def test_of_several_graphs_the_one_that_is_served_is_expected_to_be_loaded(
    tags: str, loader: Loader, cause: str | None
) -> None:
    facts = Facts(extra={"tags": tags, "variant": "TF1"})
    artifact = Artifact(path="model", format=Format.SAVED_MODEL, files=("model/saved_model.pb",), bytes=1, facts=facts)
    assert predict(artifact, loader, KERAS_3).cause == cause


def test_a_layer_around_a_saved_model_came_with_keras_3() -> None:
    prediction = of_example("churn/churn_2022", KERAS_2, Loader.KERAS_LAYER)
    assert (prediction.forecast, prediction.cause) == (Forecast.WILL_NOT_LOAD, "no_such_loader")


@pytest.mark.parametrize("kind", [Format.KERAS_H5, Format.SAVED_MODEL, Format.TFLITE])
def test_an_artifact_that_could_not_be_read_is_not_known_in_any_format(kind: Format) -> None:
    artifact = Artifact(path="model", format=kind, files=("model",), bytes=1, damage="nobody knows")
    assert predict(artifact, Loader.KERAS, KERAS_2).forecast is Forecast.NOT_KNOWN


def test_the_ladder_climbs_each_line_from_the_oldest_version_to_the_newest() -> None:
    steps = list(ladder(example("ranking/ranker.h5"), Loader.KERAS))
    for line in (Line.KERAS_2, Line.KERAS_3):
        versions = [version for each, version, _ in steps if each == line]
        assert versions == sorted(versions)
        assert len(versions) > 5
