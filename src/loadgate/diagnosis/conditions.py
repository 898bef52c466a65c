"""The conditions that a rule may name: the whole vocabulary. Each says whether it holds, and what shows it.

A condition gets what the rule wants of it as text, such as `<3`. Regular expressions over messages are no condition:
here stands what bytes, versions and packages can tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from loadgate.artifacts.keras_constructs import OPERATION, WHOLE
from loadgate.diagnosis.ops import first_tensorflow_with, is_measured, last_tensorflow_with, package_of_op
from loadgate.diagnosis.subject import Subject, version
from loadgate.domain import CustomObject, Evidence, Loader, Side

KERAS_3 = 3
QUOTED = 3
"""So many of a list are quoted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A condition holds."""

    evidence: tuple[Evidence, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    """What a headline may quote."""


Condition = Callable[[Subject, str], Seen | None]


# --- the artifact -------------------------------------------------------------------------------------------------


def stand_in(subject: Subject, wanted: str) -> Seen | None:
    found = subject.artifact.stand_in
    if found is None or found.kind.value not in wanted.split():
        return None
    values = {"file": found.file, "detail": found.detail, "kind": found.kind.value}
    return Seen(evidence=(_of_artifact(f"{found.file}: {found.detail}"),), values=values)


def damage(subject: Subject, wanted: str) -> Seen | None:
    found = subject.artifact.damage or _damage_of_meta_graph(subject)
    if wanted == "none":
        return Seen() if found is None and subject.artifact.stand_in is None else None
    return Seen(evidence=(_of_artifact(found),), values={"damage": found}) if found else None


def _damage_of_meta_graph(subject: Subject) -> str | None:
    """The weights of a checkpoint load without the graph beside them, so that only who asked for that misses it."""
    told = subject.facts.extra.get("meta_graph", "")
    unreadable = subject.case.loader is Loader.META_GRAPH and told.startswith("unreadable: ")
    return f"the graph in its .meta is {told}" if unreadable else None


def saver_generation(subject: Subject, wanted: str) -> Seen | None:
    """Keras 2, with all before it, or Keras 3."""
    if str(subject.saver_generation) != wanted:
        return None
    recorded = subject.facts.saved_with.keras
    text = f"saved by Keras {recorded}" if recorded else f"its configuration is one of Keras {wanted}"
    return Seen(evidence=(_of_artifact(text),))


def saver_keras(subject: Subject, wanted: str) -> Seen | None:
    return _versions(subject.saver_keras, wanted, _of_artifact(f"saved by Keras {subject.saver_keras}"))


def saver_tensorflow(subject: Subject, wanted: str) -> Seen | None:
    return _versions(subject.saver_tensorflow, wanted, _of_artifact(f"saved by TensorFlow {subject.saver_tensorflow}"))


def saver_unknown(subject: Subject, _wanted: str) -> Seen | None:
    saver = subject.facts.saved_with
    if subject.artifact.facts is None or saver.keras or saver.tensorflow or subject.facts.producer:
        return None
    return Seen(evidence=(_of_artifact("it names no version of its saver, as Keras and TensorFlow always do"),))


def named(subject: Subject, wanted: str) -> Seen | None:
    """The file's name ends in one of these."""
    suffix = next((each for each in wanted.split() if subject.artifact.path.lower().endswith(each)), None)
    if suffix is None:
        return None
    contents = {"keras_h5": "an HDF5 model", "keras_weights_h5": "HDF5 with weights", "keras_v3": "a .keras archive"}
    content = contents.get(subject.artifact.format, subject.artifact.format)
    return Seen(evidence=(_of_artifact(f"named {suffix}, and {content} by its content"),), values={"content": content})


def variant(subject: Subject, wanted: str) -> Seen | None:
    """Of a SavedModel: TF1 or TF2."""
    if subject.facts.extra.get("variant") != wanted:
        return None
    how = "a graph with signatures" if wanted == "TF1" else "a tree of objects"
    return Seen(evidence=(_of_artifact(f"a SavedModel of TensorFlow {wanted[-1]}: {how}"),))


def keras_metadata(subject: Subject, wanted: str) -> Seen | None:
    """Of a SavedModel: `none`, `yes` (a file of its own, since 2.5) or `embedded` (2.2 to 2.4)."""
    found = subject.facts.extra.get("keras_metadata")
    if wanted == "none":
        return Seen(evidence=(_of_artifact("it holds no metadata of Keras"),)) if found is None else None
    places = {"yes": "keras_metadata.pb", "embedded": "saved_model.pb"}
    return Seen(evidence=(_of_artifact(f"its Keras metadata is in {places[wanted]}"),)) if found == wanted else None


def extra(subject: Subject, wanted: str) -> Seen | None:
    """A fact of one format alone: `checkpoint_version=V1`, `unfrozen_variables` for any value, `no object_graph`."""
    if wanted.startswith("no "):
        missing = subject.artifact.facts is not None and wanted.removeprefix("no ") not in subject.facts.extra
        return Seen() if missing else None
    key, _, value = wanted.partition("=")
    found = subject.facts.extra.get(key)
    if found is None or (value and found != value):
        return None
    return Seen(evidence=(_of_artifact(f"{key.replace('_', ' ')}: {found}"),), values={key: found.capitalize()})


def custom_object(subject: Subject, wanted: str) -> Seen | None:
    """The object of that name is none that the saver's Keras brought itself; `any` for whatever there is."""
    found = [each for each in subject.facts.custom_objects if wanted == "any" or _is_named(each, wanted)]
    if not found:
        return None
    first = found[0]
    package = first.module.partition(".")[0] if first.module else ""
    values = {"name": first.name, "module": first.module or "", "package": package}
    names = ", ".join(each.registered_name or each.name for each in subject.facts.custom_objects[:QUOTED])
    more = " and more" if len(subject.facts.custom_objects) > QUOTED else ""
    module = f" of module {first.module}" if first.module else ""
    where = f", used in {first.where}" if first.where else ""
    text = f"needs the custom objects {names}{more}" if wanted == "any" else f"needs {first.name}{module}{where}"
    return Seen(evidence=(_of_artifact(text),), values=values)


def custom_object_of_module(subject: Subject, wanted: str) -> Seen | None:
    """One of the custom objects is of that module."""
    found = next((each for each in subject.facts.custom_objects if each.module == wanted), None)
    return custom_object(subject, found.name) if found else None


def built_in(subject: Subject, wanted: str) -> Seen | None:
    """No custom object of that name is in the file, so it is the saver's own."""
    if subject.artifact.facts is None or any(_is_named(each, wanted) for each in subject.facts.custom_objects):
        return None
    return Seen()


def nested_model(subject: Subject, wanted: str) -> Seen | None:
    nested = [name for name in ("Functional", "Sequential", "Model") if name in subject.facts.layers]
    if not nested:
        return None
    return Seen(evidence=(_of_artifact(f"a model inside the model ({', '.join(nested)})"),)) if wanted else None


def layer(subject: Subject, wanted: str) -> Seen | None:
    found = [name for name in wanted.split() if name in subject.facts.layers]
    if not found:
        return None
    number = subject.facts.layers[found[0]]
    text = f"{number} {'layer' if number == 1 else 'layers'} of class {found[0]}"
    return Seen(evidence=(_of_artifact(text),), values={"layer": found[0]})


def operations(subject: Subject, _wanted: str) -> Seen | None:
    of_the_model = subject.facts.constructs.get(WHOLE, ())
    found = [each.removeprefix(OPERATION) for each in of_the_model if each.startswith(OPERATION)]
    if not found:
        return None
    named = ", ".join(found[:QUOTED])
    text = (
        f"holds {len(found)} operations of keras.ops, such as {named}" if found[1:] else f"holds the operation {named}"
    )
    return Seen(evidence=(_of_artifact(text),), values={"operations": named})


def lambdas(subject: Subject, wanted: str) -> Seen | None:
    """`any`; `other_python` where the bytecode is of a family that this Python is not of; `same_python`."""
    if not subject.facts.lambdas:
        return None
    one = next((each for each in subject.facts.lambdas if each.python), subject.facts.lambdas[0])
    text = f"the Lambda {one.name} is stored as Python bytecode"
    evidence = (_of_artifact(f"{text} of Python {one.python}" if one.python else text),)
    values = {"lambda": one.name, "bytecode": one.python or ""}
    if wanted == "any":
        return Seen(evidence=evidence, values=values)
    if one.python is None or subject.python is None:
        return None
    if (wanted == "same_python") != is_of_family(subject.python, one.python):
        return None
    runs = _of_runtime(f"runs Python {subject.python}")
    return Seen(evidence=(*evidence, runs), values=values)


def is_of_family(python: Version, family: str) -> bool:
    """Whether a Python is in `3.8 to 3.10`, `2.7` or `3.13 or later`."""
    first, _, last = family.removesuffix(" or later").partition(" to ")
    low, high = version(first), version(last or first)
    here = Version(f"{python.major}.{python.minor}")
    return low is not None and high is not None and low <= here and (here <= high or family.endswith(" or later"))


def op(subject: Subject, wanted: str) -> Seen | None:
    if wanted not in subject.facts.ops:
        return None
    return Seen(evidence=(_of_artifact(f"its graph holds {subject.facts.ops[wanted]} of the op {wanted}"),))


def op_of_package(subject: Subject, wanted: str) -> Seen | None:
    """The op is one that a package registers, measured by installing it."""
    package = package_of_op(wanted)
    if package is None:
        return None
    installed = subject.lock.packages.get(package) if subject.lock else None
    text = f"{package} {installed} is installed but not imported" if installed else f"{package} is not installed"
    return Seen(
        evidence=(_of_artifact(f"needs the op {wanted}, which {package} registers"), _of_runtime(text)),
        values={"package": package, "module": package.replace("-", "_")},
    )


def op_since(subject: Subject, wanted: str) -> Seen | None:
    """The op came with a newer TensorFlow than the runtime's, measured by listing the ops of each."""
    first = first_tensorflow_with(wanted)
    newer = version(first)
    if first is None or newer is None or subject.tensorflow is None or subject.tensorflow.release[:2] >= newer.release:
        return None
    return Seen(
        evidence=(
            _of_artifact(f"needs the op {wanted}, which TensorFlow has since {first}"),
            _of_runtime(f"runs TensorFlow {subject.tensorflow}"),
        ),
        values={"since": first},
    )


def op_until(subject: Subject, wanted: str) -> Seen | None:
    """The op is no longer in the runtime's TensorFlow."""
    last = last_tensorflow_with(wanted)
    older = version(last)
    if last is None or older is None or subject.tensorflow is None or subject.tensorflow.release[:2] <= older.release:
        return None
    return Seen(
        evidence=(
            _of_artifact(f"needs the op {wanted}, which TensorFlow had until {last}"),
            _of_runtime(f"runs TensorFlow {subject.tensorflow}"),
        ),
        values={"until": last},
    )


def op_of_nobody(_subject: Subject, wanted: str) -> Seen | None:
    """No TensorFlow and no package that was measured has the op."""
    if is_measured(wanted):
        return None
    return Seen(evidence=(_of_artifact(f"needs the op {wanted}, which no TensorFlow that was measured has"),))


def custom_ops(subject: Subject, wanted: str) -> Seen | None:
    """One of that name is needed."""
    return _ops(subject.facts.custom_ops, "custom op") if wanted in subject.facts.custom_ops else None


def flex_ops(subject: Subject, _wanted: str) -> Seen | None:
    return _ops(subject.facts.flex_ops, "TensorFlow op")


def quantized(subject: Subject, _wanted: str) -> Seen | None:
    found = ", ".join(subject.facts.quantization[:QUOTED])
    return Seen(evidence=(_of_artifact(f"its tensors are quantised ({found})"),)) if found else None


def signature(subject: Subject, wanted: str) -> Seen | None:
    """`no NAME`: the artifact has signatures, or none at all, but not that one."""
    name = wanted.removeprefix("no ")
    there = [each.name for each in subject.facts.signatures]
    if subject.artifact.facts is None or (name in there) == wanted.startswith("no "):
        return None
    text = f"its signatures are {', '.join(there[:QUOTED])}" if there else "it has no signature"
    return Seen(evidence=(_of_artifact(text),), values={"signatures": ", ".join(there[:QUOTED])})


# --- the runtime --------------------------------------------------------------------------------------------------


def keras(subject: Subject, wanted: str) -> Seen | None:
    """Version of the Keras that the loader uses."""
    return _versions(subject.keras, wanted, _of_runtime(f"loads with Keras {subject.keras}"))


def tensorflow(subject: Subject, wanted: str) -> Seen | None:
    return _versions(subject.tensorflow, wanted, _of_runtime(f"runs TensorFlow {subject.tensorflow}"))


def python(subject: Subject, wanted: str) -> Seen | None:
    return _versions(subject.python, wanted, _of_runtime(f"runs Python {subject.python}"))


def package(subject: Subject, wanted: str) -> Seen | None:
    """`NAME none`, `NAME any` or `NAME SPECIFIER`."""
    name, _, versions = wanted.partition(" ")
    found = subject.lock.packages.get(name) if subject.lock else None
    if versions == "none":
        return Seen(evidence=(_of_runtime(f"{name} is not installed"),)) if subject.lock and not found else None
    if found is None:
        return None
    evidence = _of_runtime(f"{name} {found} is installed")
    return Seen(evidence=(evidence,)) if versions == "any" else _versions(version(found), versions, evidence)


def environment(subject: Subject, wanted: str) -> Seen | None:
    value = subject.runtime.env.get(wanted)
    return Seen(evidence=(_of_runtime(f"{wanted}={value} is set"),)) if value is not None else None


# --- both ---------------------------------------------------------------------------------------------------------


def saver_newer(subject: Subject, wanted: str) -> Seen | None:
    """The saver's `keras` or `tensorflow` is newer than the runtime's, by its minor version at least."""
    saver, here = _pair(subject, wanted)
    return _compared(wanted, saver, here) if saver and here and saver.release[:2] > here.release[:2] else None


def saver_older(subject: Subject, wanted: str) -> Seen | None:
    saver, here = _pair(subject, wanted)
    return _compared(wanted, saver, here) if saver and here and saver.release[:2] < here.release[:2] else None


def same_generation(subject: Subject, _wanted: str) -> Seen | None:
    """Keras 2 in Keras 2, or Keras 3 in Keras 3."""
    if subject.keras is None or subject.saver_generation is None:
        return None
    return Seen() if (subject.saver_generation >= KERAS_3) == (subject.keras.major >= KERAS_3) else None


def _pair(subject: Subject, wanted: str) -> tuple[Version | None, Version | None]:
    if wanted == "keras":
        return subject.saver_keras, subject.keras
    return subject.saver_tensorflow, subject.tensorflow


def _compared(wanted: str, saver: Version, here: Version) -> Seen:
    name = {"keras": "Keras", "tensorflow": "TensorFlow"}[wanted]
    return Seen(evidence=(_of_artifact(f"saved by {name} {saver}"), _of_runtime(f"loads with {name} {here}")))


def _versions(found: Version | None, wanted: str, evidence: Evidence) -> Seen | None:
    if found is None or not SpecifierSet(wanted).contains(found, prereleases=True):
        return None
    return Seen(evidence=(evidence,))


def _ops(names: tuple[str, ...], kind: str) -> Seen | None:
    if not names:
        return None
    listed = ", ".join(names[:QUOTED])
    plural = "s" if len(names) > 1 else ""
    return Seen(evidence=(_of_artifact(f"needs the {kind}{plural} {listed}"),), values={"ops": listed})


def _is_named(each: CustomObject, name: str) -> bool:
    return name in (each.name, each.registered_name) or name.rpartition(">")[2] == each.name


def _of_artifact(text: str) -> Evidence:
    return Evidence(side=Side.ARTIFACT, text=text)


def _of_runtime(text: str) -> Evidence:
    return Evidence(side=Side.RUNTIME, text=text)


CONDITIONS: Mapping[str, Condition] = {
    condition.__name__: condition
    for condition in (
        stand_in,
        damage,
        saver_generation,
        saver_keras,
        saver_tensorflow,
        saver_unknown,
        named,
        variant,
        keras_metadata,
        extra,
        custom_object,
        custom_object_of_module,
        built_in,
        nested_model,
        layer,
        operations,
        lambdas,
        op,
        op_of_package,
        op_since,
        op_until,
        op_of_nobody,
        custom_ops,
        flex_ops,
        quantized,
        signature,
        keras,
        tensorflow,
        python,
        package,
        environment,
        same_generation,
        saver_newer,
        saver_older,
    )
}
