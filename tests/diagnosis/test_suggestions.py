"""What is suggested of a failure where nothing was tried."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from loadgate.artifacts.discover import read_artifact
from loadgate.artifacts.identify import identify
from loadgate.diagnosis.changes import Failure
from loadgate.diagnosis.rule import proposal, rules
from loadgate.diagnosis.suggestions import recommended
from loadgate.domain import (
    Artifact,
    Case,
    CustomObject,
    Device,
    Diagnosis,
    Facts,
    Format,
    LambdaLayer,
    Loader,
    Proposal,
    RemedyKind,
    Runtime,
    SavedWith,
)

from .failing import LEGACY, TENSORFLOW, diagnosis_of, lock_of, unknown_layer

EXAMPLES = Path(__file__).parents[2] / "examples" / "models"
NOT_ASKED = "no remedy was tried in this run"
RESAVE = Proposal(kind=RemedyKind.RESAVE)


def made_up(facts: Facts) -> Artifact:
    return Artifact(path="model.h5", format=Format.KERAS_H5, files=("model.h5",), bytes=1000, facts=facts)


def failure_of(artifact: Artifact, diagnosis: Diagnosis) -> Failure:
    return Failure(
        case=Case(id="one", artifact=artifact.path, runtime="next", device=Device.CPU, loader=Loader.KERAS),
        artifact=artifact,
        runtime=Runtime(name="next", python="3.11", tensorflow="2.18.1"),
        lock=lock_of("2.18.1", "3.6.0"),
        diagnosis=diagnosis,
    )


def test_a_lambda_is_not_saved_again_in_a_format_that_keeps_its_bytecode() -> None:
    facts = Facts(saved_with=SavedWith(keras="2.15.0"), lambdas=(LambdaLayer(name="angle", python="3.8 to 3.10"),))

    found = recommended(failure_of(made_up(facts), diagnosis_of(RESAVE)), (), NOT_ASKED)

    assert found
    assert not any("Keras HDF5" in remedy.headline for remedy in found)


def test_a_class_that_nobody_defines_is_to_be_imported() -> None:
    facts = Facts(saved_with=SavedWith(keras="3.6.0"), custom_objects=(CustomObject(name="LocalContrast"),))
    diagnosis = diagnosis_of(Proposal(kind=RemedyKind.IMPORT))

    (remedy,) = recommended(failure_of(made_up(facts), diagnosis), (), NOT_ASKED)

    assert "`LocalContrast` under `imports:`" in remedy.headline
    assert not remedy.verified


def test_what_was_measured_not_to_help_is_left_out_and_what_is_expected_to_comes_first() -> None:
    root, sighting = identify(EXAMPLES / "churn" / "churn_2019.h5")
    failure = failure_of(read_artifact(root, sighting), diagnosis_of(TENSORFLOW, LEGACY))

    first, *_ = found = recommended(failure, (), NOT_ASKED)

    assert first.why_not_verified == f"{NOT_ASKED}, but it is expected to load in TensorFlow 2.15.1"
    assert not any("TensorFlow 2.17" in remedy.headline for remedy in found)


def test_nobody_is_asked_for_a_module_that_was_found_and_does_not_help() -> None:
    found = unknown_layer(registered=True)
    imported = replace(found, runtime=replace(found.runtime, imports=("acme.layers",)))
    assert recommended(imported, (), NOT_ASKED) == ()


@pytest.mark.parametrize(
    ("kind", "keras", "call"),
    [
        (Format.KERAS_V3, "3.6.0", "call `keras.config.enable_unsafe_deserialization()` in a module under `imports:`"),
        (Format.KERAS_V3, "2.15.0", "call `tf.keras.__internal__.enable_unsafe_deserialization()` in a module"),
        (Format.KERAS_H5, "3.6.0", "loadgate makes the plain call"),
    ],
)
def test_a_lambda_that_is_refused_loads_where_its_file_is_trusted_and_the_call_is_told(
    kind: Format, keras: str, call: str
) -> None:
    (rule,) = (rule for rule in rules() if rule.cause == "lambda_refused")
    proposals = [proposal(each, each.value) for each in rule.proposals]
    failure = failure_of(replace(made_up(Facts()), format=kind), diagnosis_of(*proposals))

    found = recommended(replace(failure, lock=lock_of("2.18.1", keras)), (), NOT_ASKED)

    (told,) = (remedy.headline for remedy in found if "safe_mode=False" in remedy.headline)
    assert told.startswith("Where you trust the file, call `load_model(…, safe_mode=False)`; ")
    assert call in told
