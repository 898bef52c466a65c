"""What of an artifact decides how it fares in a target: its traits, each of which was measured to be well there or not.

An artifact with the traits of others that load will load; one with a trait that no artifact got away with will not.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePosixPath

from packaging.version import Version

from loadgate.artifacts.keras_constructs import AFTER_SHAPE, CALLED, OPERATION, WITHOUT_SHAPE
from loadgate.artifacts.keras_metadata import BOTH, EMBEDDED
from loadgate.artifacts.tflite_names import BUILTIN_OPERATORS
from loadgate.diagnosis import ops
from loadgate.diagnosis.lambda_names import is_found
from loadgate.diagnosis.target import Line, Target, place_of, version
from loadgate.domain import Artifact, CustomObject, Facts, Format, LambdaLayer, Loader

CUSTOM_OBJECT = "an object that Keras does not bring"
OWN_OBJECT = "an object of one's own, imported before"
OP_TOO_NEW = "an op that this TensorFlow does not have yet"
FIRST_OF_ITS_WORD = Version("2.6")
"""Before it, a converter did not count up the version of an op that it gave quantised tensors."""
FIRST_WITH_FILE_OF_METADATA = Version("2.5")
FIRST_WITHOUT_KERAS_2 = Version("2.16")
FIRST_OF_ITS_SHAPES = 22
"""What TensorFlow 1.1 calls itself in a graph."""
TFLITE_OP_TOO_NEW = "an op of TFLite that this TensorFlow does not have, or not in that version"
OP_GONE = "an op that this TensorFlow no longer has"
OP_OF_PACKAGE = "an op of another package"
OP_OF_NOBODY = "an op of nobody that was measured"
CUSTOM_OP = "a custom op of TFLite"
NO_WEIGHTS = "a model without its group of weights"
_OF_NO_DIALECT = frozenset({CUSTOM_OBJECT, NO_WEIGHTS})

_KERAS_FORMATS = frozenset({Format.KERAS_H5, Format.KERAS_V3})


_BROAD = ("written by ", "named ", "variant: ", "keras metadata: ", "needs ")


def is_broad(trait: str) -> bool:
    """Whether it is one of a whole file, and not of a part of it that other parts come with."""
    return (
        trait.startswith(_BROAD)
        or " by " in trait
        or trait in (CUSTOM_OBJECT, OP_TOO_NEW, OP_OF_PACKAGE, CUSTOM_OP, TFLITE_OP_TOO_NEW)
    )


def traits_of(artifact: Artifact, loader: Loader, target: Target) -> frozenset[str] | None:
    """None where too little is known of the artifact."""
    facts = artifact.facts
    if facts is None:
        return None
    found = {f"{artifact.format} by {loader}"}
    if artifact.format in _KERAS_FORMATS:
        dialect = _dialect(facts)
        found |= {_told_in(dialect, trait) for trait in _of_configuration(facts, loader, target)}
        found |= {f"{dialect}, {trait}" for trait in _of_lambdas(facts, loader, target)}
        found |= {_named(artifact.path), f"written by {dialect}"}
    elif artifact.format is Format.KERAS_WEIGHTS_H5:
        found.add(f"layout: {facts.extra.get('layout', 'not known')}")
    elif artifact.format is Format.TFLITE:
        found |= set(_of_tflite(facts, target))
    elif artifact.format is Format.SAVED_MODEL:
        found |= set(_of_saved_model(facts, loader, target))
    elif loader is Loader.CHECKPOINT:
        in_shards = (
            "" if f"{artifact.path}.index" in artifact.files or artifact.path in artifact.files else ", in shards"
        )
        found.add(f"checkpoint of version {facts.extra.get('checkpoint_version', 'not told')}{in_shards}")
    else:
        found |= set(_of_ops(facts, target))
    return frozenset(found)


def _told_in(dialect: str, trait: str) -> str:
    """What no Keras knows, none knows by the word of another either; nor does any do without weights."""
    return trait if trait in _OF_NO_DIALECT else f"{dialect}, {trait}"


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
    if saver is None or (line == Line.KERAS_3) != (saver.major >= 3) or line == Line.TENSORFLOW:  # noqa: PLR2004 - the number is the release itself
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


def _of_configuration(facts: Facts, loader: Loader, target: Target) -> Iterator[str]:
    custom = [each for each in facts.custom_objects if not is_of_training(each)]
    names = {each.name for each in custom}
    if custom:
        yield OWN_OBJECT if target.imports else CUSTOM_OBJECT
    place = place_of(target, loader)
    is_keras_3 = place is not None and place[0] == Line.KERAS_3
    for name, options in facts.constructs.items():
        if name not in names:
            is_asked_itself = is_keras_3 and any(option.startswith(_TELLS_MODULE) for option in options)
            for option in options:
                if not _is_of(names, option) and (is_keras_3 or not option.startswith(AFTER_SHAPE)):
                    yield from _of_construct(facts, name, option, is_asked_itself=is_asked_itself)
    if "model_weights" in facts.extra:
        yield NO_WEIGHTS
    if facts.tensors and _is_not_built(facts):
        yield "weights of a model that is not built"
    if "weights_layout" in facts.extra and facts.tensors:
        yield _of_weights(facts, names, target)


def _of_construct(facts: Facts, name: str, option: str, *, is_asked_itself: bool) -> Iterator[str]:
    """What every layer has, one piece of code reads for all of them; operations are stored alike as well.

    `is_asked_itself`: of a class whose module is told, Keras 3 hands all options to the class. Where none is told, its
    reader of older files takes off what the model that it begins once took.
    """
    if not name and option.startswith(OPERATION):
        yield "an operation among the layers"
    elif option == f"registered as {name}":
        return  # in the name of no package
    elif option.startswith(CALLED):
        yield from _of_call(name, option.removeprefix(CALLED))
    elif option.startswith(_OF_FIRST_LAYER) and name != "InputLayer" and not is_asked_itself:
        yield option  # whatever class it is, the model that it begins takes it off
    else:
        is_of_every_layer = option.startswith(_OF_EVERY_LAYER.get(_dialect(facts), ()))
        yield f"{name}: {option}" if name and not is_of_every_layer else option


def _is_not_built(facts: Facts) -> bool:
    """Of a Sequential model that nobody has called: only a layer that was adapted can have weights."""
    is_sequential = "is Sequential" in facts.constructs.get("", ())
    return is_sequential and WITHOUT_SHAPE in facts.constructs.get("Sequential", ())


_TELLS_MODULE = "module "
_OF_FIRST_LAYER = ("batch_input_shape", "batch_shape")
_OF_EVERY_LAYER: Mapping[str, tuple[str, ...]] = {
    "Keras 2": ("dtype: object", "build_config: input_shape"),
    "Keras 3": ("dtype: object", "build_config: input_shape", "build_config: shapes_dict"),
}
"""By dialect."""


def _of_call(name: str, argument: str) -> Iterator[str]:
    """Its class takes an argument or not; what is given for it, one piece of code reads for all classes."""
    given, separator, kind = argument.partition(": ")
    yield f"{CALLED}{kind if separator else given}"
    if separator and name not in _OF_FUNCTIONS:
        yield f"{name}: {CALLED}{given}"


_OF_FUNCTIONS = frozenset({"TFOpLambda", "SlicingOpLambda"})
"""Their arguments are those of the function that they name."""


def _is_of(own: Collection[str], option: str) -> bool:
    """Whether it is the name of one of the objects that Keras does not bring."""
    kind, _, name = option.partition(" ")
    return kind in ("activation", "is") and name in own


def _of_weights(facts: Facts, custom: Collection[str], target: Target) -> str:
    """A class of its own names its layers itself, and then only the version tells how they are kept."""
    is_own = any(f"is {name}" in facts.constructs.get("", ()) for name in custom)
    if is_own and (saver := saver_of(facts)):
        return f"weights of a class of its own, as Keras {saver.major}.{saver.minor} keeps them"
    layout = facts.extra["weights_layout"]
    saver, tensorflow = saver_of(facts), target.tensorflow
    if layout.endswith(NUMBERED) and saver and tensorflow and tensorflow < FIRST_THAT_NUMBERS_ALIKE:
        return f"weights under {layout}, as Keras {saver.major}.{saver.minor} does"
    return f"weights under {layout}"


NUMBERED = ", numbered"
"""Of a layout in which Keras 2.12 to 2.14 number layers each in its own way, which the version alone tells."""
FIRST_THAT_NUMBERS_ALIKE = Version("2.15")


def is_of_training(custom: CustomObject) -> bool:
    """A loss or a metric, which is not looked at unless the model is compiled."""
    return (custom.where or "").startswith("training")


def _of_lambdas(facts: Facts, loader: Loader, target: Target) -> Iterator[str]:
    for found in facts.lambdas:
        if found.python is None or target.python is None:
            yield "bytecode of a Python that is not known"
        elif is_within(target.python, found.python):
            yield "bytecode of this Python"
            yield from _of_names(found, loader, target)
        else:
            yield "bytecode of another Python"


def _of_names(found: LambdaLayer, loader: Loader, target: Target) -> Iterator[str]:
    """What its code looks up and does not find."""
    place = place_of(target, loader)
    missing = (name for name in found.looks_up if place is None or not is_found(name, *place))
    yield from (f"a Lambda that looks up {name}" for name in missing)


def _minor(python: Version | None) -> str:
    return f"{python.major}.{python.minor}" if python else "not told"


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
    if facts.extra.get("tags") != "serve":
        yield "several graphs" if ";" in facts.extra.get("tags", "") else "tags other than serve"
    if facts.extra.get("hands_out_references"):
        yield "a signature that hands out a reference"
    if facts.producer is not None and facts.producer < FIRST_OF_ITS_SHAPES:
        parsed = ", of examples that it parses" if "ParseExample" in facts.ops else ""
        yield f"written before TensorFlow 1.1, whose shapes were not what they are{parsed}"
    metadata = facts.extra.get("keras_metadata", "none")
    if "optimizer_slots" in facts.extra:
        yield "optimizer slots, with Keras 2" if has_keras_2(target) else "optimizer slots, without Keras 2"
    if loader in (Loader.KERAS, Loader.TF_KERAS):
        yield f"keras metadata: {_looked_for(metadata, target).partition(':')[0]}"
        yield from (_FUNCTIONAL.sub("Functional", trait) for trait in _of_configuration(facts, loader, target))
        for each in facts.lambdas:
            yield f"bytecode of Python {each.python} in Python {_minor(target.python)}"
            yield from _of_names(each, loader, target)
        if any(name.startswith("Random") for name in facts.constructs):
            yield f"layers that draw random numbers, as TensorFlow {_era(facts, _ERAS_OF_RANDOM_LAYERS)} keeps them"
    endpoints = {signature.name for signature in facts.signatures}
    if loader is Loader.KERAS_LAYER:
        yield "served" if endpoints & {"serving_default", "serve"} else "not served"
    yield from _of_ops(facts, target)
    yield from _of_tables(facts)


def _looked_for(metadata: str, target: Target) -> str:
    """Where there are two, the one that a TensorFlow reads."""
    if metadata != BOTH or target.tensorflow is None:
        return metadata
    return "yes" if target.tensorflow >= FIRST_WITH_FILE_OF_METADATA else EMBEDDED


_FUNCTIONAL = re.compile(r"\bModel\b")
"""What Keras called a functional model before 2.3; a SavedModel is restored alike under both names."""


def has_keras_2(target: Target) -> bool:
    """Whether anything of it registers the classes with which Keras 2 restores what it saved."""
    return target.tf_keras is not None or (target.tensorflow is not None and target.tensorflow < FIRST_WITHOUT_KERAS_2)


def _of_tables(facts: Facts) -> Iterator[str]:
    """Lookup tables are restored by functions that lie in the file, and what these must be like has changed."""
    if any(op.startswith("MutableHashTable") for op in facts.ops):
        yield f"a table that grows, as TensorFlow {_era(facts, _ERAS_OF_TABLES)} keeps it"
    elif any(op.startswith("HashTable") for op in facts.ops):
        yield "a table that is filled once"


def _era(facts: Facts, eras: Eras) -> str | None:
    """That of the TensorFlow which wrote the file; its minor version where nothing was measured to be like it."""
    saver = version(facts.saved_with.tensorflow)
    minor = f"{saver.major}.{saver.minor}" if saver else None
    return next((era for first, era in eras if saver is not None and saver >= first), minor)


Eras = tuple[tuple[Version, str], ...]
"""The first TensorFlow → those that were measured to be like it; the newest first."""
_ERAS_OF_TABLES: Eras = ((Version("2.14"), "2.14 and later"), (Version("2.9"), "2.9 to 2.13"))
_ERAS_OF_RANDOM_LAYERS: Eras = ((Version("2.9"), "2.9 and later"),)


def _of_ops(facts: Facts, target: Target) -> Iterator[str]:
    """Ops by whether the target has them, and by name where that is not all that matters."""
    if target.tensorflow is None:
        yield "a TensorFlow that is not known"
        return
    if facts.saved_with.tensorflow is not None and version(facts.saved_with.tensorflow) is None:
        yield "a saver whose version is none"
    if "empty_constants" in facts.extra:
        yield "a constant without a value"  # of a graph that was made by hand
    own = Version(f"{target.tensorflow.major}.{target.tensorflow.minor}")
    for op in facts.ops:
        yield from _of_op(op, own, facts)
    for op, attributes in facts.op_attributes.items():
        for attribute in attributes:
            if _is_newer(ops.first_tensorflow_with_attribute(op, attribute), own):
                yield f"the attribute {attribute} of {op}, which is newer{_kept(facts)}"


def _kept(facts: Facts) -> str:
    """The import of TensorFlow 1's graphs drops what says nothing; what stands in a function is never dropped."""
    return ", in a function" if facts.extra.get("variant") == "TF2" else ""


def _is_newer(text: str | None, own: Version) -> bool:
    first = version(text)
    return first is not None and first > own


def _of_op(op: str, own: Version, facts: Facts) -> Iterator[str]:
    """`own`: the minor version of the target's TensorFlow."""
    first, last = version(ops.first_tensorflow_with(op)), version(ops.last_tensorflow_with(op))
    if ops.package_of_op(op) is not None:
        yield OP_OF_PACKAGE
    elif first is not None and own < first:
        yield OP_TOO_NEW
    elif last is not None and own > last:
        yield OP_GONE
    elif not ops.is_known(op):
        yield OP_OF_NOBODY
    elif op in _OF_A_KIND:
        yield _OF_A_KIND[op]
    elif op.startswith(_OF_TRAINING) or op.endswith(_OF_GRADIENTS):
        saver = version(facts.saved_with.tensorflow)
        yield f"op {op}, as TensorFlow {saver.major} uses it{_kept(facts)}" if saver else f"op {op}{_kept(facts)}"


_OF_GRADIENTS = ("Grad", "GradV2", "GradV3")
_OF_TRAINING = ("Apply", "ResourceApply", "SparseApply", "ResourceSparseApply")
"""Of such ops and of gradients, the shapes that one version let pass were refused by others."""
_OF_A_KIND: Mapping[str, str] = {
    **dict.fromkeys(["Variable", "VariableV2"], "variables that are references"),
    **dict.fromkeys(["Assign", "AssignAdd", "AssignSub"], "assigns to references"),
    **dict.fromkeys(["PyFunc", "EagerPyFunc", "PyFuncStateless"], "calls back into the process that wrote it"),
}
"""Ops with which a graph fares otherwise than without them, although every TensorFlow has them."""


# --- TFLite -------------------------------------------------------------------------------------------------------


def _of_tflite(facts: Facts, target: Target) -> Iterator[str]:
    yield f"schema: {facts.extra.get('schema', 'not told')}"
    if facts.custom_ops:
        yield CUSTOM_OP
    if facts.flex_ops:
        yield "flex ops"
    if "negative_sizes" in facts.extra:
        yield "a tensor of negative size"
    types = facts.extra.get("tensor_types", "")
    yield from (f"tensors of {kind}" for kind in types.split(", ") if kind)
    if target.tensorflow is None:
        yield "a TensorFlow that is not known"
        return
    for name in facts.extra.get("operator_versions", "").split(", "):
        op, _, number = name.rpartition(" ")
        if op in BUILTIN_OPERATORS and op not in facts.custom_ops and number.isdecimal():
            newest = ops.newest_tflite_version(op, target.tensorflow)
            if newest is None:
                yield f"op {name}"
            elif newest < int(number):
                yield TFLITE_OP_TOO_NEW
    if target.tensorflow < FIRST_OF_ITS_WORD:
        yield from (f"quantized as {name}" for name in facts.quantization)
