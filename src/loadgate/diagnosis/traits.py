"""What of an artifact decides how it fares in a target: its traits, each of which was measured to be well there or not.

An artifact with the traits of others that load will load; one with a trait that no artifact got away with will not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import PurePosixPath

from packaging.version import Version

from loadgate.diagnosis import ops
from loadgate.diagnosis.target import Line, Target, place_of, version
from loadgate.domain import Artifact, CustomObject, Facts, Format, Loader

CUSTOM_OBJECT = "an object that Keras does not bring"
OP_TOO_NEW = "an op that this TensorFlow does not have yet"
OP_GONE = "an op that this TensorFlow no longer has"
OP_OF_PACKAGE = "an op of another package"
OP_OF_NOBODY = "an op of nobody that was measured"
CUSTOM_OP = "a custom op of TFLite"
FIRST_OF_ITS_WORD = Version("2.6")
"""Before it, a converter's word of the oldest TensorFlow that runs its output was seen to be wrong."""

_KERAS_FORMATS = frozenset({Format.KERAS_H5, Format.KERAS_V3})


_BROAD = ("written by ", "named ", "variant: ", "keras metadata: ", "needs ")


def is_broad(trait: str) -> bool:
    """Whether it is one of a whole file, and not of a part of it that other parts come with."""
    return trait.startswith(_BROAD) or " by " in trait or trait in (CUSTOM_OBJECT, OP_TOO_NEW, OP_OF_PACKAGE, CUSTOM_OP)


def traits_of(artifact: Artifact, loader: Loader, target: Target) -> frozenset[str] | None:
    """None where too little is known of the artifact."""
    facts = artifact.facts
    if facts is None:
        return None
    found = {f"{artifact.format} by {loader}"}
    if artifact.format in _KERAS_FORMATS:
        dialect = _dialect(facts)
        found |= {f"{dialect}, {trait}" for trait in _of_configuration(facts, target)}
        found |= {_named(artifact.path), f"written by {dialect}"}
    elif artifact.format is Format.KERAS_WEIGHTS_H5:
        found.add(f"layout: {facts.extra.get('layout', 'not known')}")
    elif artifact.format is Format.TFLITE:
        found |= set(_of_tflite(facts, target))
    elif artifact.format is Format.SAVED_MODEL:
        found |= set(_of_saved_model(facts, loader, target))
    elif loader is Loader.CHECKPOINT:
        found.add(f"checkpoint of version {facts.extra.get('checkpoint_version', 'not told')}")
    else:
        found |= set(_of_ops(facts, target))
    return frozenset(found)


def _dialect(facts: Facts) -> str:
    """Nothing is learnt from one major version of Keras about files of another: the same words mean other things."""
    saver = saver_of(facts)
    return f"Keras {saver.major}" if saver else "Keras not told"


def saver_of(facts: Facts) -> Version | None:
    """The Keras that wrote a file; that of TensorFlow 1.14 to 2.2 calls itself `2.2.4-tf`."""
    return version((facts.saved_with.keras or "").removesuffix("-tf"))


def place_of_saver(artifact: Artifact, line: str) -> Version | None:
    """Where the Keras that wrote a file stands on a line; None where it does not stand on that line."""
    saver = saver_of(artifact.facts) if artifact.facts else None
    if saver is None or (line == Line.KERAS_3) != (saver.major >= 3) or line == Line.TENSORFLOW:  # noqa: PLR2004
        return None
    if line == Line.KERAS_2 and saver.release[:2] < FIRST_NUMBERED_ALIKE:
        return next(tensorflow for keras, tensorflow in _EARLY if saver.release[:2] >= keras)
    return saver


FIRST_NUMBERED_ALIKE = (2, 5)
"""From here on Keras has the number of its TensorFlow."""
_EARLY = (((2, 4), Version("2.3")), ((2, 3), Version("2.2")), ((0,), Version("1.13")))
"""Keras → the first TensorFlow whose Keras calls itself so."""


def _named(path: str) -> str:
    """Keras goes by the name before it looks into the file."""
    suffix = PurePosixPath(path.lower()).suffix
    return {".h5": "named as HDF5", ".hdf5": "named as HDF5", ".keras": "named .keras"}.get(suffix, "named otherwise")


# --- Keras --------------------------------------------------------------------------------------------------------


def _of_configuration(facts: Facts, target: Target) -> Iterator[str]:
    custom = [each for each in facts.custom_objects if not _is_of_training(each)]
    names = {each.name for each in custom}
    if custom:
        yield CUSTOM_OBJECT
    for name, options in facts.constructs.items():
        if name in names:
            continue
        for option in options:
            if not (option.startswith("activation ") and option.removeprefix("activation ") in names):
                yield f"{name}: {option}" if name else option
    yield from _of_lambdas(facts, target)
    if "weights_layout" in facts.extra:
        yield f"weights under {facts.extra['weights_layout']}"


def _is_of_training(custom: CustomObject) -> bool:
    """A loss or a metric, which is not looked at unless the model is compiled."""
    return (custom.where or "").startswith("training")


def _of_lambdas(facts: Facts, target: Target) -> Iterator[str]:
    for found in facts.lambdas:
        if found.python is None or target.python is None:
            yield "bytecode of a Python that is not known"
        elif is_within(target.python, found.python):
            yield "bytecode of this Python"
        else:
            yield "bytecode of another Python"


def is_within(python: Version, family: str) -> bool:
    """Whether a Python is one of `3.8 to 3.10`."""
    oldest, _, newest = family.partition(" to ")
    bounds = version(oldest), version(newest or oldest)
    if bounds[0] is None or bounds[1] is None:
        return False
    return bounds[0].release[:2] <= python.release[:2] <= bounds[1].release[:2]


# --- graphs -------------------------------------------------------------------------------------------------------


def _of_saved_model(facts: Facts, loader: Loader, target: Target) -> Iterator[str]:
    yield f"variant: {facts.extra.get('variant', 'not told')}"
    yield f"tags: {facts.extra.get('tags', 'none')}"
    metadata = facts.extra.get("keras_metadata", "none")
    place = place_of(target, Loader.KERAS)
    line = place[0] if place else None
    if "optimizer_slots" in facts.extra:
        yield "optimizer slots, without Keras 2" if line == Line.KERAS_3 else "optimizer slots, with Keras 2"
    if loader in (Loader.KERAS, Loader.TF_KERAS):
        yield f"keras metadata: {metadata.partition(':')[0]}"
        yield from _of_configuration(facts, target)
    endpoints = {signature.name for signature in facts.signatures}
    if loader is Loader.KERAS_LAYER:
        yield "served" if endpoints & {"serving_default", "serve"} else "not served"
    yield from _of_ops(facts, target)
    yield from _of_age(facts, target)


def _of_age(facts: Facts, target: Target) -> Iterator[str]:
    """By whole minor versions: an older TensorFlow is promised to read what a newer one wrote for a few of them."""
    saver = version(facts.saved_with.tensorflow)
    if saver is None or target.tensorflow is None:
        yield "saver not told"
    elif saver.release[:2] > target.tensorflow.release[:2]:
        yield f"saved by a newer TensorFlow {saver.major}"


def _of_ops(facts: Facts, target: Target) -> Iterator[str]:
    """Ops by whether the target has them, and by name where that is not all that matters."""
    if target.tensorflow is None:
        yield "a TensorFlow that is not known"
        return
    for op in facts.ops:
        yield from _of_op(op, target.tensorflow)
    yield from _of_producer(facts, target.tensorflow)


def _of_producer(facts: Facts, tensorflow: Version) -> Iterator[str]:
    """How much newer the TensorFlow is that wrote the graph, as far as that mattered: it writes attributes that an
    older one does not know, a few more each year."""
    if facts.producer is None or not facts.ops:
        return
    own = next((number for minor, number in reversed(PRODUCERS) if Version(minor) <= tensorflow), 0)
    if facts.producer > own:
        yield f"of producers from {facts.producer // _A_YEAR * _A_YEAR} on, which are newer"


PRODUCERS = (("1.15", 134), ("2.3", 440), ("2.6", 808), ("2.9", 1087), ("2.12", 1395), ("2.15", 1645), ("2.18", 1994))
"""TensorFlow → the number that it gives to the graphs that it writes."""
_A_YEAR = 365
"""The number grows by one a day."""


def _of_op(op: str, tensorflow: Version) -> Iterator[str]:
    first, last = version(ops.first_tensorflow_with(op)), version(ops.last_tensorflow_with(op))
    own = Version(f"{tensorflow.major}.{tensorflow.minor}")
    if ops.package_of_op(op) is not None:
        yield OP_OF_PACKAGE
    elif first is not None and own < first:
        yield OP_TOO_NEW
    elif last is not None and own > last:
        yield OP_GONE
    elif not ops.is_known(op):
        yield OP_OF_NOBODY
    elif op in _BY_NAME:
        yield f"op {op}"


_BY_NAME: Collection[str] = frozenset(
    ["Assign", "AssignAdd", "AssignSub", "Variable", "VariableV2", "PyFunc", "EagerPyFunc", "PyFuncStateless"]
)
"""Those that hand on references, which functions cannot hold, or that call back into the saver's own process."""


# --- TFLite -------------------------------------------------------------------------------------------------------


def _of_tflite(facts: Facts, target: Target) -> Iterator[str]:
    yield f"schema: {facts.extra.get('schema', 'not told')}"
    if facts.custom_ops:
        yield CUSTOM_OP
    if facts.flex_ops:
        yield "flex ops"
    needed = version(facts.extra.get("runtime_version"))
    if target.tensorflow is None:
        yield "a TensorFlow that is not known"
    elif needed is None:
        yield from (
            f"op {name}" for name in facts.extra.get("operator_versions", "").split(", ") if not facts.custom_ops
        )
    elif needed > target.tensorflow:
        yield "needs a newer TensorFlow"
    if target.tensorflow is not None and target.tensorflow < FIRST_OF_ITS_WORD:
        yield from (f"quantized as {name}" for name in facts.quantization)
