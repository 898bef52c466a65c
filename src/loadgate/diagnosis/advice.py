"""A change as a remedy: the sentence that recommends it, the lines to change, the command to run. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from loadgate.diagnosis.change import Change, name_of, parse
from loadgate.diagnosis.draft import Sources
from loadgate.diagnosis.edits import edits_of, is_inferred, keras_line, loader_edits, tensorflow_line
from loadgate.diagnosis.new_spec import FILE
from loadgate.domain import Case, Edit, Format, Loader, Lock, Remedy, RemedyKind, Runtime

CALLS = {
    Loader.KERAS: "tf.keras.models.load_model",
    Loader.TF_KERAS: "tf_keras.models.load_model",
    Loader.SAVED_MODEL: "tf.saved_model.load",
    Loader.KERAS_LAYER: "keras.layers.TFSMLayer",
    Loader.GRAPH_DEF: "tf.graph_util.import_graph_def",
    Loader.META_GRAPH: "tf.compat.v1.train.import_meta_graph",
    Loader.CHECKPOINT: "tf.train.load_checkpoint",
    Loader.CHECKPOINT_SHARDS: 'tf.train.load_checkpoint("PREFIX-?????-of-?????")',
    Loader.TFLITE: "tf.lite.Interpreter",
    Loader.WEIGHTS: "model.load_weights, into a model built by code",
}
FORMATS = {Format.KERAS_H5: "Keras HDF5", Format.KERAS_V3: "`.keras`", Format.SAVED_MODEL: "a SavedModel"}
ADDING = {"uv.lock": "uv add", "poetry.lock": "poetry add", "Pipfile.lock": "pipenv install"}


def advise_mending(  # noqa: PLR0913 -- a record for its one caller would only move the names
    change: Change,
    case: Case,
    lock: Lock,
    *,
    all_of_format: Format | None,
    base: Runtime,
    after: Runtime,
    sources: Sources,
) -> Remedy:
    """For a case that failed; where `all_of_format` is given, its loader may be changed for all artifacts of it.

    Not verified yet.
    """
    edits = edits_of(change, base, after, sources)
    command = None
    if change.resave is not None:
        command = f"loadgate fix {shlex.quote(case.artifact)} --runtime {shlex.quote(base.name)} --write"
    elif change.loader is not None and change.leaves_runtime:
        edits = loader_edits(change.loader, case.artifact, all_of_format, base, sources)
    else:
        command = _command(change, base, in_spec=_are_in_spec(edits, sources))
        if command is None and not edits and is_inferred(base) and not change.needs_environment:
            command = "loadgate init"  # what it writes has room for the change
    return Remedy(kind=change.kind, headline=_mending(change, case, lock), edits=edits, command=command)


def advise_repair(change: Change, *, base: Runtime, after: Runtime, sources: Sources) -> Remedy:
    """For a runtime that could not be made. Not verified yet."""
    edits = edits_of(change, base, after, sources)
    command = _command(change, base, in_spec=_are_in_spec(edits, sources))
    return Remedy(kind=change.kind, headline=_packages(change), edits=edits, command=command)


def _mending(change: Change, case: Case, lock: Lock) -> str:
    if change.kind is RemedyKind.IMPORT:
        return _imports(change)
    if change.resave is not None and change.loader is not None:
        return f"Save it again as {FORMATS[change.resave]}, and load that with `{CALLS[change.loader]}`"
    if change.loader is not None and change.leaves_runtime:
        return f"Load it with `{CALLS[change.loader]}` instead of `{CALLS[case.loader]}`"
    also = f", and {_imports(change)[:1].lower()}{_imports(change)[1:]}" if change.imports else ""
    also += f", and load it with `{CALLS[change.loader]}`" if change.loader else ""
    if change.tensorflow is not None:
        python = f" on Python {change.python}" if change.python else ""
        keras = f" with Keras {change.keras}" if change.keras else ""
        return f"Use TensorFlow {change.tensorflow}{keras}{python} instead of {lock.tensorflow}{also}"
    if change.keras is not None:
        what = f"Keras {change.keras}" if change.keras[:1].isdigit() else f"`keras{change.keras}`"
        return f"Use {what} instead of Keras {lock.keras}, with the same TensorFlow{also}"
    return _packages(change) + (f", and load it with `{CALLS[change.loader]}`" if change.loader else "")


def _imports(change: Change) -> str:
    modules = [entry for entry in change.imports if ":" not in entry]
    names = [entry.partition(":") for entry in change.imports if ":" in entry]
    parts = [f"import {_enumerated(modules)}"] if modules else []
    parts += [f"register `{name}` of `{module}`, as `custom_objects=` does" for module, _, name in names]
    return f"{parts[0][:1].upper()}{'; '.join(parts)[1:]} before the load"


def _packages(change: Change) -> str:
    """For packages and environment variables alike."""
    parts = [f"set {_enumerated([f'{name}={value}' for name, value in change.env.items()])}"] if change.env else []
    free = [text for text in change.packages if (parsed := parse(text)) and not parsed.specifier]
    bound = [text for text in change.packages if text not in free]
    if change.python:
        parts.append(f"use Python {change.python}")
    if bound:
        parts.append(f"require {_enumerated(bound)}")
    if free:
        verb = "install" if change.imports else "ask for no particular version of"
        parts.append(f"{verb} {_enumerated(free)}")
    if change.imports:
        parts.append(f"import {_enumerated(change.imports)} before the load")
    text = _joined(parts)
    return text[:1].upper() + text[1:]


def _enumerated(names: object) -> str:
    return _joined([f"`{name}`" for name in names]) if isinstance(names, list | tuple) else ""


def _joined(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def _are_in_spec(edits: Sequence[Edit], sources: Sources) -> bool:
    return any(edit.file in (FILE, sources.spec_file) for edit in edits)


def _command(change: Change, base: Runtime, *, in_spec: bool) -> str | None:
    """Where the change is not to a line of text."""
    commands = [*_installs(change, base)]
    if change.env and not in_spec:
        commands += [f"export {name}={shlex.quote(value)}" for name, value in change.env.items()]
    return " && ".join(commands) or None


def _installs(change: Change, base: Runtime) -> Iterator[str]:
    wanted = [shlex.quote(text) for text in _requirements(change)]
    if not wanted:
        return
    if base.interpreter is not None and change.python is None:
        yield f"{shlex.quote(base.interpreter)} -m pip install {' '.join(wanted)}"
    line = tensorflow_line(base)
    origin = (line.origin if line else None) or base.origin
    if origin is not None and (adding := ADDING.get(origin.file.rpartition("/")[2])):
        yield f"{adding} {' '.join(wanted)}"


def _requirements(change: Change) -> list[str]:
    found = [f"tensorflow=={change.tensorflow}"] if change.tensorflow else []
    if change.keras:
        found.append(keras_line(change.keras))
    return [*found, *(text for text in change.packages if name_of(text))]
