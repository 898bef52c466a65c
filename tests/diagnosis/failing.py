"""Failures to find remedies for, as they are seen in real runs."""

from __future__ import annotations

from loadgate.diagnosis.changes import Failure
from loadgate.domain import (
    Artifact,
    Case,
    Confidence,
    CustomObject,
    Definition,
    Device,
    Diagnosis,
    Facts,
    Format,
    Loader,
    Lock,
    Proposal,
    RemedyKind,
    Requirement,
    Runtime,
    SavedWith,
    StandIn,
    StandInKind,
)


def lock_of(tensorflow: str, keras: str, python: str = "3.11.7", **packages: str) -> Lock:
    return Lock(
        digest="sha256:0",
        interpreter="/python",
        python=python,
        implementation="CPython",
        packages={"keras": keras, "numpy": "1.26.4", **packages},
        tensorflow=tensorflow,
        keras=keras,
        keras_module="keras",
    )


def diagnosis_of(*proposals: Proposal, confidence: Confidence = Confidence.CERTAIN) -> Diagnosis:
    return Diagnosis(cause="a_cause", headline="It fails.", confidence=confidence, proposals=proposals)


LEGACY = Proposal(kind=RemedyKind.ENVIRONMENT, value="TF_USE_LEGACY_KERAS=1")
TENSORFLOW = Proposal(kind=RemedyKind.TENSORFLOW)


def keras_2_file_in_keras_3(name: str = "old", *proposals: Proposal) -> Failure:
    artifact = Artifact(
        path=f"models/{name}.h5",
        format=Format.KERAS_H5,
        files=(f"models/{name}.h5",),
        bytes=1000,
        facts=Facts(saved_with=SavedWith(keras="2.9.0")),
    )
    return Failure(
        case=Case(id=name, artifact=artifact.path, runtime="next", device=Device.CPU, loader=Loader.KERAS),
        artifact=artifact,
        runtime=Runtime(
            name="next", python="3.11", tensorflow="2.18.1", requirements=(Requirement(text="numpy==2.0.2"),)
        ),
        lock=lock_of("2.18.1", "3.8.0"),
        diagnosis=diagnosis_of(*(proposals or (LEGACY, TENSORFLOW))),
    )


def unknown_layer(*, registered: bool, saved_bare: bool = False) -> Failure:
    registered_as = "acme>Gate" if registered else None
    needed = CustomObject(name="Gate", module="acme.layers", registered_name=None if saved_bare else registered_as)
    artifact = Artifact(
        path="models/gate.keras",
        format=Format.KERAS_V3,
        files=("models/gate.keras",),
        bytes=1000,
        facts=Facts(saved_with=SavedWith(keras="2.15.0"), custom_objects=(needed,)),
    )
    definition = Definition(
        name="Gate", module="acme.layers", file="acme/layers.py", line=3, registered_as=registered_as
    )
    return Failure(
        case=Case(id="gate", artifact=artifact.path, runtime="serving", device=Device.CPU, loader=Loader.KERAS),
        artifact=artifact,
        runtime=Runtime(name="serving", python="3.11", tensorflow="2.15.1"),
        lock=lock_of("2.15.1", "2.15.0"),
        diagnosis=diagnosis_of(Proposal(kind=RemedyKind.IMPORT)),
        definitions={"Gate": (definition,)},
    )


def pointer() -> Failure:
    failure = keras_2_file_in_keras_3("pointer", Proposal(kind=RemedyKind.FILE, value="git lfs pull"))
    stand_in = StandIn(kind=StandInKind.GIT_LFS_POINTER, file=failure.artifact.path, detail="points at 98 bytes")
    artifact = Artifact(
        path=failure.artifact.path, format=Format.KERAS_H5, files=failure.artifact.files, bytes=130, stand_in=stand_in
    )
    return Failure(
        case=failure.case, artifact=artifact, runtime=failure.runtime, lock=failure.lock, diagnosis=failure.diagnosis
    )
