"""What the bytes of an artifact tell: who saved it, and what it is made of."""

from __future__ import annotations

from packaging.version import Version

from loadgate.artifacts.keras_constructs import OPERATION, WHOLE
from loadgate.diagnosis.conditions.seen import QUOTED, Seen, artifact_says, runtime_says, version_is
from loadgate.diagnosis.subject import Subject, version
from loadgate.domain import CustomObject, Loader, StandIn, StandInKind


def stand_in(subject: Subject, wanted: str) -> Seen | None:
    found = subject.artifact.stand_in
    if found is None or found.kind.value not in wanted.split():
        return None
    values = {"file": found.file, "detail": found.detail, "kind": found.kind.value, "fetch": _fetching(found)}
    return Seen(evidence=(artifact_says(f"{found.file}: {found.detail}"),), values=values)


def _fetching(found: StandIn) -> str:
    """The command that brings the model; empty where nothing does, as for a pointer that names no object."""
    if found.kind is StandInKind.GIT_LFS_POINTER and "sha256" in found.detail:
        return "git lfs pull"
    return "git annex get" if "/annex/objects/" in found.detail else ""


def damage(subject: Subject, wanted: str) -> Seen | None:
    found = subject.artifact.damage or _damage_of_meta_graph(subject)
    if wanted == "none":
        return Seen() if found is None and subject.artifact.stand_in is None else None
    return Seen(evidence=(artifact_says(found),), values={"damage": found}) if found else None


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
    return Seen(evidence=(artifact_says(text),))


def saver_keras(subject: Subject, wanted: str) -> Seen | None:
    return version_is(subject.saver_keras, wanted, artifact_says(f"saved by Keras {subject.saver_keras}"))


def saver_tensorflow(subject: Subject, wanted: str) -> Seen | None:
    return version_is(
        subject.saver_tensorflow, wanted, artifact_says(f"saved by TensorFlow {subject.saver_tensorflow}")
    )


def saver_unknown(subject: Subject, _wanted: str) -> Seen | None:
    saver = subject.facts.saved_with
    if subject.artifact.facts is None or saver.keras or saver.tensorflow or subject.facts.producer:
        return None
    return Seen(evidence=(artifact_says("it names no version of its saver, as Keras and TensorFlow always do"),))


def saver_named(subject: Subject, wanted: str) -> Seen | None:
    """What stands in place of a version of Keras begins with that."""
    recorded = subject.facts.saved_with.keras or ""
    return Seen(evidence=(artifact_says(f"saved by {recorded}"),)) if recorded.startswith(wanted) else None


def named(subject: Subject, wanted: str) -> Seen | None:
    """The file's name ends in one of these."""
    suffix = next((each for each in wanted.split() if subject.artifact.path.lower().endswith(each)), None)
    if suffix is None:
        return None
    contents = {"keras_h5": "an HDF5 model", "keras_weights_h5": "HDF5 with weights", "keras_v3": "a .keras archive"}
    content = contents.get(subject.artifact.format, subject.artifact.format)
    return Seen(evidence=(artifact_says(f"named {suffix}, and {content} by its content"),), values={"content": content})


def variant(subject: Subject, wanted: str) -> Seen | None:
    """Of a SavedModel: TF1 or TF2."""
    if subject.facts.extra.get("variant") != wanted:
        return None
    how = "a graph with signatures" if wanted == "TF1" else "a tree of objects"
    return Seen(evidence=(artifact_says(f"a SavedModel of TensorFlow {wanted[-1]}: {how}"),))


def keras_metadata(subject: Subject, wanted: str) -> Seen | None:
    """Of a SavedModel: `none`, `yes` (a file of its own, since 2.5) or `embedded` (2.2 to 2.4)."""
    found = subject.facts.extra.get("keras_metadata")
    if wanted == "none":
        return Seen(evidence=(artifact_says("it holds no metadata of Keras"),)) if found is None else None
    places = {"yes": "keras_metadata.pb", "embedded": "saved_model.pb"}
    return Seen(evidence=(artifact_says(f"its Keras metadata is in {places[wanted]}"),)) if found == wanted else None


def extra(subject: Subject, wanted: str) -> Seen | None:
    """A fact of one format alone: `checkpoint_version=V1`, `unfrozen_variables` for any value, `no object_graph`."""
    if wanted.startswith("no "):
        missing = subject.artifact.facts is not None and wanted.removeprefix("no ") not in subject.facts.extra
        return Seen() if missing else None
    key, _, value = wanted.partition("=")
    found = subject.facts.extra.get(key)
    if found is None or (value and found != value):
        return None
    return Seen(evidence=(artifact_says(f"{key.replace('_', ' ')}: {found}"),), values={key: found.capitalize()})


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
    return Seen(evidence=(artifact_says(text),), values=values)


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
    return Seen(evidence=(artifact_says(f"a model inside the model ({', '.join(nested)})"),)) if wanted else None


def layer(subject: Subject, wanted: str) -> Seen | None:
    found = [name for name in wanted.split() if name in subject.facts.layers]
    if not found:
        return None
    number = subject.facts.layers[found[0]]
    text = f"{number} {'layer' if number == 1 else 'layers'} of class {found[0]}"
    return Seen(evidence=(artifact_says(text),), values={"layer": found[0]})


def written_with(subject: Subject, wanted: str) -> Seen | None:
    """`CLASS CONSTRUCT`, as `artifacts.keras_constructs` spells it."""
    name, _, construct = wanted.partition(" ")
    if construct not in subject.facts.constructs.get(name, ()):
        return None
    how = construct if construct.startswith("begins ") else f"is written with {construct.replace(':', ' as a', 1)}"
    return Seen(evidence=(artifact_says(f"{name} {how}"),))


def first_shape(subject: Subject, _wanted: str) -> Seen | None:
    """A Sequential whose first layer has the shape of the input, where later ones have an input of their own for it."""
    constructs = subject.facts.constructs
    is_alone = "is Sequential" in constructs.get(WHOLE, ()) and "Sequential" not in subject.facts.layers
    if not is_alone or "begins with a shape" not in constructs.get("Sequential", ()):
        return None
    shape = next((each.shape for signature in subject.facts.signatures for each in signature.inputs), None)
    if shape is None:
        return None
    evidence = artifact_says(f"its first layer is not an input, and has the shape {shape}")
    return Seen(evidence=(evidence,), values={"shape": str(shape), "taken": str((None, *shape))})


def operations(subject: Subject, _wanted: str) -> Seen | None:
    of_the_model = subject.facts.constructs.get(WHOLE, ())
    found = [each.removeprefix(OPERATION) for each in of_the_model if each.startswith(OPERATION)]
    if not found:
        return None
    named = ", ".join(found[:QUOTED])
    text = (
        f"holds {len(found)} operations of keras.ops, such as {named}" if found[1:] else f"holds the operation {named}"
    )
    return Seen(evidence=(artifact_says(text),), values={"operations": named})


def lambdas(subject: Subject, wanted: str) -> Seen | None:
    """`any`; `other_python` where the bytecode is of a family that this Python is not of; `same_python`."""
    if not subject.facts.lambdas:
        return None
    one = next((each for each in subject.facts.lambdas if each.python), subject.facts.lambdas[0])
    text = f"the Lambda {one.name} is stored as Python bytecode"
    evidence = (artifact_says(f"{text} of Python {one.python}" if one.python else text),)
    values = {"lambda": one.name, "bytecode": one.python or ""}
    if wanted == "any":
        return Seen(evidence=evidence, values=values)
    if one.python is None or subject.python is None:
        return None
    if (wanted == "same_python") != is_of_family(subject.python, one.python):
        return None
    runs = runtime_says(f"runs Python {subject.python}")
    return Seen(evidence=(*evidence, runs), values=values)


def is_of_family(python: Version, family: str) -> bool:
    """Whether a Python is in `3.8 to 3.10`, `2.7` or `3.13 or later`."""
    first, _, last = family.removesuffix(" or later").partition(" to ")
    low, high = version(first), version(last or first)
    here = Version(f"{python.major}.{python.minor}")
    return low is not None and high is not None and low <= here and (here <= high or family.endswith(" or later"))


def _is_named(each: CustomObject, name: str) -> bool:
    return name in (each.name, each.registered_name) or name.rpartition(">")[2] == each.name
