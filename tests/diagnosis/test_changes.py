"""What a failure leads to: the changes that are worth a try, and the runtimes that come of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loadgate.diagnosis.change import Change, changed
from loadgate.diagnosis.changes import changes_of, repair_of
from loadgate.domain import (
    Confidence,
    CustomObject,
    Facts,
    Finding,
    FindingKind,
    Format,
    LambdaLayer,
    Loader,
    Proposal,
    RemedyKind,
    Requirement,
    Runtime,
    SavedWith,
)

from .failing import LEGACY, TENSORFLOW, diagnosis_of, keras_2_file_in_keras_3, lock_of, pointer, unknown_layer


def test_a_keras_2_file_gets_the_legacy_keras_before_another_tensorflow() -> None:
    first, second, *_ = changes_of(keras_2_file_in_keras_3())
    assert first.env == {"TF_USE_LEGACY_KERAS": "1"}
    assert first.packages == ("tf-keras==2.18.*",)
    assert second.tensorflow == "2.15.1"


def test_a_pointer_is_mended_by_nothing_that_could_be_tried() -> None:
    assert changes_of(pointer()) == ()


def test_a_registered_class_needs_its_module_alone() -> None:
    change, *_ = changes_of(unknown_layer(registered=True))
    assert change == Change(kind=RemedyKind.IMPORT, imports=("acme.layers",))


def test_a_class_that_does_not_register_itself_is_registered_by_name() -> None:
    change, *_ = changes_of(unknown_layer(registered=False))
    assert change == Change(kind=RemedyKind.IMPORT, imports=("acme.layers:Gate",))


def test_a_class_that_was_saved_before_it_was_registered_is_registered_by_name() -> None:
    change, *_ = changes_of(unknown_layer(registered=True, saved_bare=True))
    assert change == Change(kind=RemedyKind.IMPORT, imports=("acme.layers:Gate",))


def test_where_the_repository_has_not_the_class_no_other_tensorflow_is_tried() -> None:
    assert changes_of(replace(unknown_layer(registered=True), definitions={})) == ()


def test_no_release_is_tried_on_this_side_of_the_one_that_brought_what_is_missing() -> None:
    since = Proposal(kind=RemedyKind.TENSORFLOW, value="2.10")
    old = keras_2_file_in_keras_3("old", since, TENSORFLOW)
    facts = Facts(saved_with=SavedWith(tensorflow="2.14.0"))
    artifact = replace(old.artifact, format=Format.SAVED_MODEL, facts=facts)
    failure = replace(old, artifact=artifact, lock=lock_of("2.4.4", "2.4.0", python="3.8.18"))
    tried = [change.tensorflow for change in changes_of(failure) if change.tensorflow]
    assert tried[:2] == ["2.10.1", "2.14.1"]
    assert "2.5.3" not in tried


def test_nothing_is_installed_where_it_is_certain_that_only_a_person_can_help() -> None:
    by_hand = Proposal(kind=RemedyKind.OTHER, value="a GPU")
    failure = keras_2_file_in_keras_3("old", by_hand)
    assert not any(change.needs_environment for change in changes_of(failure))
    unsure = replace(failure, diagnosis=diagnosis_of(by_hand, confidence=Confidence.LIKELY))
    assert any(change.needs_environment for change in changes_of(unsure))


def test_a_module_that_is_imported_already_is_not_proposed_again() -> None:
    failure = unknown_layer(registered=True)
    imported = replace(failure, runtime=replace(failure.runtime, imports=("acme.layers",)))
    assert not any(change.imports for change in changes_of(imported))


def test_a_keras_3_file_in_the_legacy_keras_leaves_that_before_anything_is_installed() -> None:
    failure = keras_2_file_in_keras_3("new", TENSORFLOW)
    legacy = replace(
        failure,
        artifact=replace(failure.artifact, facts=Facts(saved_with=SavedWith(keras="3.13.0"))),
        runtime=replace(failure.runtime, env={"TF_USE_LEGACY_KERAS": "1"}),
    )
    first, second, *_ = changes_of(legacy)
    assert first == Change(kind=RemedyKind.ENVIRONMENT, env={"TF_USE_LEGACY_KERAS": "0"})
    assert second == Change(kind=RemedyKind.KERAS, keras="3.13.0", env={"TF_USE_LEGACY_KERAS": "0"})


def test_a_file_of_tf_keras_goes_to_a_newer_tensorflow_with_tf_keras() -> None:
    failure = keras_2_file_in_keras_3("tf_keras", TENSORFLOW)
    old = replace(
        failure,
        artifact=replace(failure.artifact, facts=Facts(saved_with=SavedWith(keras="2.19.0"))),
        lock=lock_of("2.15.1", "2.15.0"),
    )
    (newer,) = (change for change in changes_of(old) if change.tensorflow == "2.19.1")
    assert newer.packages == ("tf-keras==2.19.*",)
    assert newer.env == {"TF_USE_LEGACY_KERAS": "1"}


def test_another_tensorflow_also_imports_what_the_file_will_need_there() -> None:
    failure = unknown_layer(registered=True)
    doubtful = replace(failure, diagnosis=diagnosis_of(LEGACY, confidence=Confidence.UNKNOWN))
    others = [change for change in changes_of(doubtful) if change.tensorflow]
    assert others
    assert all("acme.layers" in change.imports for change in others)


def test_an_artifact_chooses_no_package_by_its_name() -> None:
    failure = keras_2_file_in_keras_3("evil", Proposal(kind=RemedyKind.PACKAGE, value="evil-package"))
    assert not any("evil" in text for change in changes_of(failure) for text in change.packages)


def test_a_module_that_a_known_package_brings_means_that_package() -> None:
    failure = keras_2_file_in_keras_3("text", Proposal(kind=RemedyKind.PACKAGE, value="tensorflow-text"))
    first, *_ = changes_of(failure)
    assert first.packages == ("tensorflow-text==2.18.*",)
    assert first.imports == ("tensorflow_text",)


def test_a_package_that_is_installed_already_is_only_imported() -> None:
    failure = keras_2_file_in_keras_3("text", Proposal(kind=RemedyKind.PACKAGE, value="tensorflow-text"))
    installed = replace(failure, lock=lock_of("2.18.1", "3.8.0", **{"tensorflow-text": "2.18.1"}))
    first, *_ = changes_of(installed)
    assert (first.kind, first.packages, first.imports) == (RemedyKind.IMPORT, (), ("tensorflow_text",))


def test_a_savedmodel_that_keras_refuses_is_first_loaded_by_another_call() -> None:
    failure = keras_2_file_in_keras_3("saved", Proposal(kind=RemedyKind.LOADER, value="saved_model"))
    saved = replace(failure, artifact=replace(failure.artifact, format=Format.SAVED_MODEL))
    assert changes_of(saved)[0].loader is Loader.SAVED_MODEL


def test_bytecode_goes_to_a_python_that_reads_it() -> None:
    failure = keras_2_file_in_keras_3("lambda", Proposal(kind=RemedyKind.PYTHON, value="3.8 to 3.10"))
    facts = Facts(saved_with=SavedWith(keras="2.9.0"), lambdas=(LambdaLayer(name="f", python="3.8 to 3.10"),))
    with_lambda = replace(failure, artifact=replace(failure.artifact, facts=facts))
    tried = changes_of(with_lambda)
    assert tried[0] == Change(kind=RemedyKind.PYTHON, python="3.10")
    assert {change.python for change in tried if change.tensorflow == "2.15.1"} == {"3.10"}


def test_a_pin_made_for_another_tensorflow_gives_way_and_the_rest_stays() -> None:
    runtime = Runtime(
        name="a",
        requirements=tuple(Requirement(text=text) for text in ("tensorflow==2.18.1", "numpy==2.0.2", "pandas==2.2.3")),
    )
    change = Change(kind=RemedyKind.TENSORFLOW, tensorflow="2.15.1", packages=("numpy<2",))
    after = changed(runtime, None, change, name="b")
    assert [line.text for line in after.requirements] == ["tensorflow==2.15.1", "pandas==2.2.3", "numpy<2"]


def test_no_constraint_holds_another_tensorflow_to_what_came_with_the_first() -> None:
    locked = ("tensorflow-cpu==2.18.1 ; sys_platform == 'linux'", "tensorboard==2.18.0", "six==1.17.0", "pandas==2.2.3")
    runtime = Runtime(
        name="a",
        requirements=(Requirement(text="tensorflow-cpu"),),
        constraints=tuple(Requirement(text=text) for text in locked),
    )
    after = changed(runtime, None, Change(kind=RemedyKind.TENSORFLOW, tensorflow="2.5.3"), name="b")
    assert [line.text for line in after.constraints] == [
        'tensorflow-cpu==2.5.3 ; sys_platform == "linux"',
        "pandas==2.2.3",
    ]


def test_nothing_is_installed_into_an_interpreter_of_the_users() -> None:
    runtime = Runtime(name="laptop", interpreter=".venv/bin/python")
    change = Change(kind=RemedyKind.PACKAGE, packages=("tensorflow-text==2.15.*",))
    after = changed(runtime, lock_of("2.15.1", "2.15.0"), change, name="like it")
    assert (after.interpreter, after.python, after.tensorflow) == (None, "3.11", "2.15.1")
    assert [line.text for line in after.requirements] == ["numpy==1.26.4", "tensorflow-text==2.15.*"]


def test_an_import_uses_the_interpreter_itself() -> None:
    runtime = Runtime(name="laptop", interpreter=".venv/bin/python")
    after = changed(runtime, None, Change(kind=RemedyKind.IMPORT, imports=("acme",)), name="with acme")
    assert (after.interpreter, after.imports) == (".venv/bin/python", ("acme",))


def test_numpy_2_is_repaired_by_an_older_one() -> None:
    runtime = Runtime(name="a", tensorflow="2.9.3", requirements=(Requirement(text="numpy==2.2.6"),))
    finding = Finding(kind=FindingKind.IMPORT, cause="numpy_2", headline="NumPy 2")
    change = repair_of(runtime, finding)
    assert change is not None
    assert [line.text for line in changed(runtime, None, change, name="b").requirements] == ["numpy<2"]


@pytest.mark.parametrize(
    ("tensorflow", "lines", "minor"),
    [
        (None, ("tensorflow-hub==0.16.1", "tensorflow==2.16.2"), "2.16"),
        (None, ("tensorflow-text==2.13.0", "tensorflow-cpu==2.16.2"), "2.16"),
        (None, ("tensorflow-macos==2.13.0 ; sys_platform == 'darwin'", "tensorflow==2.16.2"), "2.16"),
        (None, ("tensorflow>=2.12,<2.17",), "2.16"),
        (None, ("tensorflow<2.17", "tensorflow>=2.10"), "2.16"),
        ("<2.17", (), "2.16"),
        ("~=2.16.1", (), "2.16"),
        ("2.99.1", (), "2.99"),
    ],
)
def test_a_repair_is_for_the_newest_tensorflow_that_is_asked_for(
    tensorflow: str | None, lines: tuple[str, ...], minor: str
) -> None:
    runtime = Runtime(name="a", tensorflow=tensorflow, requirements=tuple(Requirement(text=text) for text in lines))
    change = repair_of(runtime, Finding(kind=FindingKind.IMPORT, cause="tf_keras_missing", headline="no tf-keras"))
    assert change is not None
    assert change.packages == (f"tf-keras=={minor}.*",)


def test_no_repair_follows_a_tensorflow_of_which_nobody_says_the_version() -> None:
    runtime = Runtime(name="a", requirements=(Requirement(text="tensorflow"), Requirement(text="tensorflow-hub==0.16")))
    finding = Finding(kind=FindingKind.IMPORT, cause="tf_keras_missing", headline="no tf-keras")
    assert repair_of(runtime, finding) is None


def test_a_python_without_builds_is_repaired_by_one_that_has_them() -> None:
    runtime = Runtime(name="a", python="3.13", tensorflow="2.15.1")
    finding = Finding(kind=FindingKind.RESOLVE, cause="no_build_for_python", headline="no build")
    change = repair_of(runtime, finding)
    assert change is not None
    assert change.python == "3.11"


def test_a_custom_object_of_a_known_package_means_that_package() -> None:
    failure = keras_2_file_in_keras_3("hub", Proposal(kind=RemedyKind.IMPORT))
    facts = Facts(custom_objects=(CustomObject(name="KerasLayer", module="tensorflow_hub.keras_layer"),))
    needs_hub = replace(failure, artifact=replace(failure.artifact, facts=facts))
    assert changes_of(needs_hub)[0].packages == ("tensorflow-hub",)


def test_a_savedmodel_for_tfsmlayer_gets_the_call_that_every_tensorflow_has_with_each_other_tensorflow() -> None:
    failure = keras_2_file_in_keras_3("saved", LEGACY, TENSORFLOW)
    saved = replace(
        failure,
        artifact=replace(failure.artifact, format=Format.SAVED_MODEL),
        case=replace(failure.case, loader=Loader.KERAS_LAYER),
    )
    older = [change.loader for change in changes_of(saved) if change.tensorflow == "2.15.1"]
    assert older == [None, Loader.SAVED_MODEL]
