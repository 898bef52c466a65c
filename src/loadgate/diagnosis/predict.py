"""What is expected before a load, from facts and versions alone. Rests on `experience.json` and says on how much of it.

An expectation is no outcome: nothing is skipped, passed or failed because of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from packaging.version import Version

from loadgate.diagnosis.experience import DISAGREEING, NOT_MEASURED, Experience, Judgement, Table, measured
from loadgate.diagnosis.rule import rules
from loadgate.diagnosis.target import Line, Target, place_of, version
from loadgate.diagnosis.trait_words import in_words, refusal_in_words, together
from loadgate.diagnosis.traits import is_of_training, place_of_saver, traits_of
from loadgate.domain import Artifact, Forecast, Format, Loader, Prediction, StandInKind

CAUSES_OF_STAND_INS: Mapping[StandInKind, str] = {
    StandInKind.GIT_LFS_POINTER: "git_lfs_pointer",
    StandInKind.DVC_POINTER: "dvc_pointer",
    StandInKind.DANGLING_LINK: "dangling_link",
    StandInKind.HTML: "document_instead_of_a_model",
    StandInKind.JSON: "document_instead_of_a_model",
    StandInKind.XML: "document_instead_of_a_model",
    StandInKind.TEXT: "document_instead_of_a_model",
    StandInKind.EMPTY: "empty_file",
    StandInKind.TRUNCATED: "truncated_file",
    StandInKind.MISSING_GRAPH: "missing_graph",
    StandInKind.MISSING_VARIABLES: "missing_variables",
    StandInKind.MISSING_SHARDS: "missing_shards",
}
FIRST_TF_KERAS = Version("2.16")
NAMED = 2
"""Of the traits that are blamed, so many are named."""
SERVED = frozenset({"serve", ""})
"""The tags of a graph that is taken where there are several: those of TensorFlow Serving, and none."""
_KERAS = (Loader.KERAS, Loader.TF_KERAS)


def predict(artifact: Artifact, loader: Loader, target: Target) -> Prediction:
    if artifact.stand_in is not None:
        return _of_stand_in(artifact.stand_in.kind)
    if artifact.facts is None:
        return _not_known("the file could not be read")
    return _of_what_it_says(artifact, loader, target)


def _of_what_it_says(artifact: Artifact, loader: Loader, target: Target) -> Prediction:
    if loader is Loader.KERAS_LAYER:
        return _of_keras_layer(artifact, target)
    if loader is Loader.SAVED_MODEL and (graphs := _graphs(artifact)) and not graphs & SERVED:
        return _expected_failure("several_graphs", "none of them has the tag `serve` alone, or no tag")
    if target.imports and target.brought is not None and not own_objects(artifact) <= target.brought:
        return _not_known("what is imported need not bring all of its objects")
    place = place_of(target, loader)
    if place is not None:
        return _at(artifact, loader, target, *place)
    if loader in _KERAS and target.tensorflow is not None and target.tensorflow >= FIRST_TF_KERAS:
        return _with_any_keras_3(artifact, loader, target)
    return _not_known("the version that decides is not known")


def _at(artifact: Artifact, loader: Loader, target: Target, line: str, version: Version) -> Prediction:
    table, known = measured()
    traits = traits_of(artifact, loader, target)
    experience = known.get((f"{artifact.format} by {loader}", line))
    if experience is None or traits is None:
        return _not_known(f"{artifact.format} by {loader} was not measured in {line}")
    judgement = experience.judge(traits, version, place_of_saver(artifact, line))
    told = _told(judgement, traits, experience, table, name_at(line, version))
    if told.forecast is Forecast.WILL_LOAD and target.imports and (own := own_objects(artifact)):
        return replace(
            told, headline=f"{told.headline}, as what is imported brings {_some([f'`{name}`' for name in sorted(own)])}"
        )
    return told


def own_objects(artifact: Artifact) -> frozenset[str]:
    """The names of its objects that Keras does not bring and that it does not load without."""
    custom = artifact.facts.custom_objects if artifact.facts else ()
    return frozenset(each.name for each in custom if not is_of_training(each))


def name_at(line: str, version: Version) -> str:
    """`Keras 3.10`, `tf-keras 2.18` or `TensorFlow 2.15`, whichever a person would name."""
    return f"{holder_of(line, version)} {version}"


def holder_of(line: str, version: Version) -> str:
    if line == Line.KERAS_3:
        return "Keras"
    return "tf-keras" if line == Line.KERAS_2 and version >= FIRST_TF_KERAS else "TensorFlow"


def _told(judgement: Judgement, traits: frozenset[str], experience: Experience, table: Table, where: str) -> Prediction:
    if judgement.unknown is not None:
        return _not_known(_missing(judgement.unknown, where))
    if judgement.obstacle is None:
        loads = sum(experience.knowledge.loads)
        return Prediction(
            forecast=Forecast.WILL_LOAD,
            headline=f"expected to load in {where}",
            measured=(
                f"among {loads:,} loads, each of its {len(traits)} traits was seen in something that loaded there, "
                "or its class takes it"
            ),
        )
    obstacle = judgement.obstacle
    seen = _failures(obstacle.loads, together(table.traits[number] for number in obstacle.traits))
    if judgement.refused is not None:
        seen = refusal_in_words(judgement.refused)
    return Prediction(
        forecast=Forecast.WILL_NOT_LOAD,
        cause=obstacle.cause or None,
        headline=f"not expected to load in {where}: {_title(obstacle.cause)}",
        measured=seen,
    )


def _with_any_keras_3(artifact: Artifact, loader: Loader, target: Target) -> Prediction:
    """Where nobody says which Keras, what every one that was measured agrees on is known all the same."""
    _, known = measured()
    experience = known.get((f"{artifact.format} by {loader}", Line.KERAS_3))
    if experience is None:
        return _not_known("which Keras is not known")
    found = [
        _at(artifact, loader, replace(target, keras=Version(version)), Line.KERAS_3, Version(version))
        for version in experience.knowledge.versions
    ]
    forecasts = {each.forecast for each in found}
    if len(forecasts) > 1 or Forecast.NOT_KNOWN in forecasts:
        return _not_known("it depends on the Keras, of which no version is named")
    oldest, *_, newest = experience.knowledge.versions
    return replace(found[-1], measured=f"{found[-1].measured}; so it is in every Keras from {oldest} to {newest}")


def _of_keras_layer(artifact: Artifact, target: Target) -> Prediction:
    """TFSMLayer loads as `tf.saved_model.load` does, and wants an endpoint then."""
    place = place_of(target, Loader.KERAS_LAYER)
    if place is not None and place[0] != Line.KERAS_3:
        return _expected_failure("no_such_loader", "TFSMLayer came with Keras 3")
    if _graphs(artifact):
        return _expected_failure("several_graphs", "TFSMLayer cannot say which of them it means")
    endpoints = {signature.name for signature in artifact.facts.signatures} if artifact.facts else set()
    if artifact.format is Format.SAVED_MODEL and not endpoints & {"serving_default", "serve"}:
        return _expected_failure("signature_without_serving_default", "it has no signature of that name")
    return predict(artifact, Loader.SAVED_MODEL, replace(target, imports=False))


def _graphs(artifact: Artifact) -> frozenset[str]:
    """The tags of each graph, where there are several; empty where there is one."""
    told = artifact.facts.extra.get("tags", "") if artifact.facts else ""
    return frozenset(told.split("; ")) if "; " in told else frozenset()


def _of_stand_in(kind: StandInKind) -> Prediction:
    return _expected_failure(CAUSES_OF_STAND_INS[kind], "the bytes of the model are not there")


def _expected_failure(cause: str, why: str) -> Prediction:
    return Prediction(
        forecast=Forecast.WILL_NOT_LOAD,
        cause=cause,
        headline=f"not expected to load: {_title(cause)}",
        measured=why,
    )


def _not_known(why: str) -> Prediction:
    return Prediction(forecast=Forecast.NOT_KNOWN, headline=f"not known: {why}")


def _title(cause: str) -> str:
    return next((rule.title for rule in rules() if rule.cause == cause), cause.replace("_", " ") or "cause not known")


def _missing(unknown: str, where: str) -> str:
    if unknown == NOT_MEASURED:
        return f"{where} lies beyond the versions that were measured"
    if unknown == DISAGREEING:
        return f"what was measured before {where} and after it differs"
    return f"no measured load tells whether {where} takes {in_words(unknown)}"


def _failures(loads: int, blamed: list[str]) -> str:
    which = "the only load" if loads == 1 else f"all {loads:,} loads"
    return f"{which} with {_some(blamed)} failed"


def _some(names: list[str]) -> str:
    if len(names) <= NAMED:
        return " and ".join(names)
    return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"


# --- for inspection -----------------------------------------------------------------------------------------------


def ladder(artifact: Artifact, loader: Loader) -> Iterator[tuple[str, Version, Prediction]]:
    """What is expected along each line of versions that was measured: line, version, and what is expected there."""
    _, known = measured()
    lines = [line for subject, line in known if subject == f"{artifact.format} by {loader}"]
    for line in sorted(lines):
        for text in known[f"{artifact.format} by {loader}", line].knowledge.versions:
            version = Version(text)
            yield line, version, predict(artifact, loader, _target_at(line, version, artifact))


def _target_at(line: str, version: Version, artifact: Artifact) -> Target:
    """A target of that version, with the rest as it is usual there: Keras 3 from TensorFlow 2.16 on."""
    python = _python_of(artifact)
    if line == Line.KERAS_3:
        return Target(tensorflow=Version("2.16"), keras=version, python=python)
    if line == Line.KERAS_2 and version >= FIRST_TF_KERAS:
        return Target(tensorflow=version, tf_keras=version, is_legacy=True, python=python)
    keras = Version("3.3") if line == Line.TENSORFLOW and version >= FIRST_TF_KERAS else None
    return Target(tensorflow=version, keras=keras, python=python)


def _python_of(artifact: Artifact) -> Version | None:
    """One that reads the Lambda layers, for with another nothing would load anywhere."""
    families = [each.python for each in artifact.facts.lambdas if each.python] if artifact.facts else []
    return version(families[0].partition(" to ")[0]) if families else None
