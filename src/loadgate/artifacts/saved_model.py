"""SavedModel: a directory with a `saved_model.pb` (or `.pbtxt`), and with its variables as a checkpoint below it.

The path of one that lies in the repository's own root is `.`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path

from loadgate.artifacts import bundle, keras_metadata, sightings, stand_in, text_format
from loadgate.artifacts.graph import REFERENCES, hands_out_references, read_graph, read_signatures
from loadgate.artifacts.interface import HEAD, REPOSITORY, Folder, Sighting, TooLarge, Unreadable
from loadgate.artifacts.mapped import mapped
from loadgate.artifacts.protos import SAVED_MODEL
from loadgate.artifacts.wire import FIELDS_TO_KNOW, Budget, Message
from loadgate.domain import Facts, Format, SavedWith, StandIn, StandInKind

_MAIN = ("saved_model.pb", "saved_model.pbtxt")
"""TensorFlow takes the first that is there."""
_FINGERPRINT = "fingerprint.pb"
_FOLDERS = ("assets", "assets.extra", "variables")
_INDEX = "variables/variables.index"
_DEBUG_INFO = "debug/saved_model_debug_info.pb"
"""Written on request, and read by every load where it is there."""
POINTERS = "assets_that_are_git_lfs_pointers"
_FOLDERS_OF_ASSETS = ("assets/", "assets.extra/")
_MAX_ASSETS = 100
_MAX_META_GRAPHS = 100
_MAX_TAGS = 100
"""Of one graph."""
_BEGINNING = re.compile(rb"(?:\x08[\x00-\x7f])?\x12[\x80-\xff]{0,4}[\x00-\x7f][\x0a\x12]", re.DOTALL)
"""The schema's version, then a meta graph that begins with its information or its graph."""


def find(folder: Folder) -> Iterable[Sighting]:
    """At most one: the folder itself, or the one above it where this holds the variables and that no graph."""
    main = next((name for name in _MAIN if name in folder.names), None)
    if main is None:
        yield from _without_graph(folder)
        return
    below = [name for inner in _FOLDERS for name in folder.below(inner)]
    below += [name for name in folder.below("debug") if name == _DEBUG_INFO]
    beside = [name for name in (*_MAIN, keras_metadata.FILE, _FINGERPRINT) if name in folder.names]
    try:
        reason = _find_stand_in(folder, main, below)
    except _NoSavedModel:
        return
    yield Sighting(
        path=folder.path or REPOSITORY,
        format=Format.SAVED_MODEL,
        files=tuple(sorted(sightings.path_of(folder, name) for name in (*beside, *below))),
        stand_in=reason,
    )


def _without_graph(folder: Folder) -> Iterator[Sighting]:
    """Without it the variables would be taken for a checkpoint, which loads. Nothing but a SavedModel calls them so."""
    above, _, name = f"/{folder.path}".rpartition("/")
    above = above.removeprefix("/")
    index = _INDEX.rpartition("/")[2]
    if name != "variables" or index not in folder.names:
        return
    if any(os.path.lexists(folder.root / above / main) for main in _MAIN):
        return
    file = f"{above}/{_MAIN[0]}" if above else _MAIN[0]
    yield Sighting(
        path=above or REPOSITORY,
        format=Format.SAVED_MODEL,
        files=tuple(sightings.path_of(folder, each) for each in folder.names if each.startswith("variables.")),
        stand_in=StandIn(kind=StandInKind.MISSING_GRAPH, file=file, detail="its variables are there, and no graph"),
    )


def read_facts(root: Path, sighting: Sighting) -> Facts:
    """Facts of the meta graph that is served; of the first where none has the tag `serve` and no other."""
    names = _names(sighting)
    main = next((name for name in _MAIN if name in names), _MAIN[0])
    try:
        with _opened(root / sighting.path / main) as saved_model:
            facts = _facts(saved_model, names)
    except Unreadable as error:
        raise type(error)(f"{main}: {error}", error.kind) from error
    if keras_metadata.FILE in names:
        facts = keras_metadata.add_from_file(facts, root / sighting.path / keras_metadata.FILE)
    if pointers := _assets_that_are_pointers(root / sighting.path, names):
        facts = replace(facts, extra={**facts.extra, POINTERS: ", ".join(pointers)})
    return replace(facts, tensors=_stored_tensors(root, sighting, names))


def _assets_that_are_pointers(folder: Path, names: Collection[str]) -> list[str]:
    """A table takes the lines of a pointer for its vocabulary, and the model loads."""
    assets = (name for name in sorted(names) if name.startswith(_FOLDERS_OF_ASSETS))
    return [name for name in islice(assets, _MAX_ASSETS) if _is_pointer(folder / name)]


def _is_pointer(path: Path) -> bool:
    try:
        with mapped(path) as buffer:
            found = stand_in.of_file(buffer[:HEAD], len(buffer))
    except Unreadable:
        return False
    return found is not None and found[0] is StandInKind.GIT_LFS_POINTER


class _Variables:
    """The folder with the variables, see `interface.Folder`."""

    def __init__(self, folder: Folder) -> None:
        self.root = folder.root
        self.path = sightings.path_of(folder, "variables")
        self.names = tuple(name.removeprefix("variables/") for name in folder.below("variables"))

    def below(self, folder: str) -> Sequence[str]:
        return tuple(name for name in self.names if name.startswith(f"{folder}/"))

    def head(self, name: str) -> bytes:
        with mapped(self.root / self.path / name) as buffer:
            return buffer[:HEAD]

    def size(self, name: str) -> int:
        with mapped(self.root / self.path / name) as buffer:
            return len(buffer)


class _NoSavedModel(Exception):
    """A file of that name, but of another kind."""


def _find_stand_in(folder: Folder, main: str, below: Collection[str]) -> StandIn | None:
    """What is not there of a SavedModel. Raises `_NoSavedModel`.

    Where variables lie beside it, a file of that name can only be meant as a SavedModel, however damaged.
    """
    if reason := sightings.in_place_of(folder, main):
        return reason
    is_certain = _INDEX in below
    try:
        with _opened(folder.root / folder.path / main) as saved_model:
            if not _is_sound(replace(saved_model, budget=Budget(FIELDS_TO_KNOW))) and not is_certain:
                raise _NoSavedModel
            is_certain = True
            return _find_stand_in_of_variables(folder, saved_model)
    except Unreadable as error:
        breaks_off = isinstance(error, TooLarge) or error.kind is not None
        if not is_certain and not (breaks_off and _begins_well(main, folder.head(main))):
            raise _NoSavedModel from error
        return sightings.cut_off(folder, main, error)


def _is_sound(saved_model: Message) -> bool:
    """Whether every field, of it and of its meta graphs, is one of a SavedModel, and there is a meta graph."""
    return (
        saved_model.is_admissible()
        and saved_model.has("meta_graphs")
        and all(meta_graph.is_admissible() for meta_graph in saved_model.messages("meta_graphs"))
    )


def _begins_well(main: str, head: bytes) -> bool:
    return bool(_BEGINNING.match(head)) if main == _MAIN[0] else b"meta_graphs" in head


def _find_stand_in_of_variables(folder: Folder, saved_model: Message) -> StandIn | None:
    variables = _Variables(folder)
    if any(name.startswith(("variables.index", "variables.data-")) for name in variables.names):
        return bundle.find_stand_in(variables, "variables")
    if any(name.startswith("variables") for name in variables.names):
        return None  # in the format of checkpoints before TensorFlow 1.0
    for meta_graph in saved_model.messages("meta_graphs"):
        if _is_object_based(meta_graph):
            # tf.saved_model.load opens the variables even where there are none: seen with 2.15.1 and 2.21.0
            return _missing(folder, "TensorFlow 2 loads no SavedModel without this file")
        if count := read_graph(meta_graph.message("graph_def")).variables:
            return _missing(folder, f"the graph has {count:,} variables, and their values are not there")
    return None


def _stored_tensors(root: Path, sighting: Sighting, names: Collection[str]) -> int | None:
    """None where that cannot be told because something is missing. Raises `Unreadable` where it is damaged."""
    if _INDEX not in names:
        return None
    try:
        return sum(bundle.read_index(root / sighting.path / _INDEX).dtypes.values())
    except Unreadable as error:
        if sighting.stand_in is None:
            raise type(error)(f"{_INDEX}: {error}", error.kind) from error
        return None


def _tags(meta_graph: Message) -> list[str]:
    return sorted(islice(meta_graph.message("meta_info_def").texts("tags"), _MAX_TAGS))


def _facts(saved_model: Message, names: Collection[str]) -> Facts:
    meta_graphs = list(islice(saved_model.messages("meta_graphs"), _MAX_META_GRAPHS + 1))
    if not meta_graphs:
        raise Unreadable("there is no graph in it")
    if len(meta_graphs) > _MAX_META_GRAPHS:
        raise TooLarge(f"more than {_MAX_META_GRAPHS:,} graphs")
    tags = [_tags(meta_graph) for meta_graph in meta_graphs]
    meta_graph = meta_graphs[tags.index(["serve"])] if ["serve"] in tags else meta_graphs[0]
    information = meta_graph.message("meta_info_def")
    graph = read_graph(meta_graph.message("graph_def"))
    extra = {
        "tags": "; ".join(", ".join(of_one) for of_one in tags),
        "variant": "TF2" if _is_object_based(meta_graph) else "TF1",
        "tensorflow_git_version": information.text("tensorflow_git_version"),
        "fingerprint": "yes" if _FINGERPRINT in names else "",
        "hands_out_references": "yes" if graph.ops.keys() & REFERENCES and hands_out_references(meta_graph) else "",
        "empty_constants": str(graph.empty_constants or ""),
        "optimizer_slots": "yes" if _holds_optimizer_slots(meta_graph) else "",
    }
    facts = Facts(
        saved_with=SavedWith(tensorflow=information.text("tensorflow_version") or None),
        producer=graph.producer,
        min_consumer=graph.min_consumer,
        ops=graph.ops,
        python_calls=graph.python_calls,
        op_attributes=graph.attributes,
        devices=graph.devices,
        signatures=read_signatures(meta_graph),
        extra={key: value for key, value in extra.items() if value},
    )
    return keras_metadata.add_from_graph(facts, meta_graph)


def _is_object_based(meta_graph: Message) -> bool:
    return meta_graph.message("object_graph_def").has("nodes")


def _holds_optimizer_slots(meta_graph: Message) -> bool:
    """Variables of an optimizer, which are rebuilt through the class that the runtime registers for it."""
    return any(node.has("slot_variables") for node in meta_graph.message("object_graph_def").messages("nodes"))


@contextmanager
def _opened(path: Path) -> Iterator[Message]:
    with mapped(path) as buffer:
        is_text = path.suffix == ".pbtxt"
        yield Message.whole(SAVED_MODEL, text_format.to_wire(buffer, SAVED_MODEL) if is_text else buffer)


def _missing(folder: Folder, detail: str) -> StandIn:
    return StandIn(kind=StandInKind.MISSING_VARIABLES, file=sightings.path_of(folder, _INDEX), detail=detail)


def _names(sighting: Sighting) -> frozenset[str]:
    """Its files, relative to it."""
    prefix = "" if sighting.path == REPOSITORY else f"{sighting.path}/"
    return frozenset(file.removeprefix(prefix) for file in sighting.files)
