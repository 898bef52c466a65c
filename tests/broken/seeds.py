"""The real files that are to be broken: every format, from the examples and from what the readers' own tests keep."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from loadgate.domain import Format

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = REPOSITORY / "examples" / "models"
DATA = REPOSITORY / "tests" / "artifacts" / "data"
CORPUS = Path(os.environ.get("LOADGATE_CORPUS", REPOSITORY.parent / "shared" / "corpus")) / "files"
SMALL = 64 * 1024
"""Bytes of a file of the corpus that is worth its time: what is broken lies in structures, and those come first."""


@dataclass(frozen=True, slots=True)
class Seed:
    """A file to break, and what lies beside it."""

    name: str
    """Relative to the folder that both are put into."""
    content: bytes
    beside: dict[str, bytes] = field(default_factory=dict)
    artifact: str | None = None
    """What a person names who means the artifact; the file itself where it is None."""

    @property
    def subject(self) -> str:
        return self.artifact or self.name


def seeds_of(kind: Format) -> list[Seed]:
    return list(_SOURCES[kind]())


def _files(*names: str) -> Iterator[Seed]:
    for name in names:
        path = EXAMPLES / name
        yield Seed(path.name, path.read_bytes())


def _corpus(*patterns: str) -> Iterator[Seed]:
    for pattern in patterns:
        for path in sorted(CORPUS.glob(pattern)):
            if path.is_file() and 0 < path.stat().st_size <= SMALL:
                yield Seed(path.name, path.read_bytes())


def _folder(root: Path) -> Iterator[Seed]:
    """Each file of a SavedModel that is read, with all the others beside it."""
    files = {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
    for name, content in files.items():
        if ".data-" not in name and name != "fingerprint.pb":
            beside = {f"model/{other}": files[other] for other in files if other != name}
            yield Seed(f"model/{name}", content, beside, artifact="model")


def _prefix(folder: Path, prefix: str) -> Iterator[Seed]:
    """Each file of a checkpoint but its weights, with all the others beside it."""
    files = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name.startswith(prefix)}
    for name, content in files.items():
        if ".data-" not in name:
            yield Seed(name, content, {other: files[other] for other in files if other != name}, artifact=prefix)


def _keras_h5() -> Iterator[Seed]:
    yield from _files("churn/churn_2019.h5", "churn/customers.h5", "pricing/elasticity.h5", "ranking/ranker_2026.h5")
    yield from _corpus("**/*.h5", "**/*.hdf5")


def _keras_weights_h5() -> Iterator[Seed]:
    yield from _files("churn/churn_2022_weights.h5", "churn/churn_2026.weights.h5")
    yield from _sharded()
    yield from _corpus("**/*weights*.h5")


def _sharded() -> Iterator[Seed]:
    """The list of shards of which one is there, that shard, and one that is packed still."""
    shard = (EXAMPLES / "churn" / "churn_2026.weights.h5").read_bytes()
    names = {f"/layers/dense_{number}/vars": f"m_0000{number}.weights.h5" for number in range(2)}
    listed = json.dumps({"metadata": {"total_size": 1.0}, "weight_map": names}, indent=4).encode()
    yield Seed("m.weights.json", listed, {"m_00000.weights.h5": shard})
    yield Seed("m_00000.weights.h5", shard, {"m.weights.json": listed})
    yield Seed("m.weights.h5", gzip.compress(shard))


def _keras_v3() -> Iterator[Seed]:
    yield from _files("churn/churn_2024.keras", "churn/churn_2026.keras", "vision/defects.keras")
    yield from _corpus("**/*.keras")


def _saved_model() -> Iterator[Seed]:
    for name in ("churn/churn_2022", "fraud/1", "ranking/ranker_2026", "text/normalizer"):
        yield from _folder(EXAMPLES / name)
    yield from _folder(DATA / "saved_model")


def _graph_def() -> Iterator[Seed]:
    yield from _files("vision/edge_detector.pb", "vision/edge_detector.pbtxt", "fraud/transaction.pb")
    yield Seed("graph.pb", (DATA / "graph.pb").read_bytes())
    yield Seed("graph.pbtxt", (DATA / "graph.pbtxt").read_bytes())


def _checkpoint() -> Iterator[Seed]:
    for prefix in ("items.ckpt-500", "items_v2-1000", "two_tower.ckpt"):
        yield from _prefix(EXAMPLES / "recommender", prefix)
    for prefix in ("version_1", "objects"):
        yield from _prefix(DATA, prefix)


def _tflite() -> Iterator[Seed]:
    speech = (
        "speech/keyword_spotter.tflite",
        "speech/keyword_spotter_2019.tflite",
        "speech/keyword_spotter_int8.tflite",
    )
    yield from _files(*speech, "text/normalizer.tflite")
    yield Seed("doubled.tflite", (DATA / "doubled.tflite").read_bytes())
    yield from _corpus("**/*.tflite")


_SOURCES = {
    Format.KERAS_H5: _keras_h5,
    Format.KERAS_WEIGHTS_H5: _keras_weights_h5,
    Format.KERAS_V3: _keras_v3,
    Format.SAVED_MODEL: _saved_model,
    Format.GRAPH_DEF: _graph_def,
    Format.CHECKPOINT: _checkpoint,
    Format.TFLITE: _tflite,
}
