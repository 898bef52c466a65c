"""Real models from public repositories: what is expected of them, beside what became of them. Nobody learns from them.

usage: python -m lab.corpus

The corpus is no part of this repository; LOADGATE_CORPUS names its folder. Somebody loaded each artifact in seven
runtimes, one by one, and wrote down in `truth.json` what happened.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import click

from loadgate.artifacts.discover import discover, read_artifact
from loadgate.diagnosis.predict import predict
from loadgate.domain import Forecast, Loader, Prediction, Requirement, Runtime
from loadgate.infer.expected import expected

CORPUS = Path(os.environ.get("LOADGATE_CORPUS", Path(__file__).parents[2] / "shared" / "corpus"))
IS_HERE = (CORPUS / "truth.json").is_file()
WHERE = "the corpus is not here; set LOADGATE_CORPUS"

LOADERS = {
    "keras.load_model": Loader.KERAS,
    "keras.TFSMLayer": Loader.KERAS_LAYER,
    "saved_model.load": Loader.SAVED_MODEL,
    "import_graph_def": Loader.GRAPH_DEF,
    "import_meta_graph": Loader.META_GRAPH,
    "load_checkpoint": Loader.CHECKPOINT,
    "tflite": Loader.TFLITE,
}
RUNTIMES = ("tf1.15.5", "tf2.4.4", "tf2.9.3", "tf2.15.1", "tf2.16.2", "tf2.16.2-legacykeras", "tf2.21.0")


@cache
def truth() -> dict[str, Any]:
    """`runtimes`: what was installed in each. `results`: one row an artifact, runtime and call."""
    content: dict[str, Any] = json.loads((CORPUS / "truth.json").read_text())
    return content


def runtime_named(name: str) -> Runtime:
    """A runtime with the very versions that the truth was seen in."""
    pins = dict(truth()["runtimes"][name])
    python = pins.pop("python").rpartition(".")[0]
    tensorflow = pins.pop("tensorflow-cpu", None)
    tensorflow = pins.pop("tensorflow", tensorflow)
    return Runtime(
        name=name,
        python=python,
        tensorflow=tensorflow,
        requirements=tuple(Requirement(text=f"{package}=={version}") for package, version in pins.items()),
        env={"TF_USE_LEGACY_KERAS": "1"} if "legacykeras" in name else {},
    )


def comparable(row: dict[str, Any], paths: frozenset[str]) -> bool:
    """Whether a row is about an artifact, and about files that are in the corpus."""
    if row["id"] not in paths:
        return False
    # of one checkpoint the truth was seen with a .meta file that the corpus does not hold
    return bool(row["api"] != "import_meta_graph" or (CORPUS / "files" / (row["id"] + ".meta")).is_file())


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    prediction: Prediction
    loads: bool

    @property
    def is_known(self) -> bool:
        return self.prediction.forecast is not Forecast.NOT_KNOWN

    @property
    def is_right(self) -> bool:
        return self.prediction.forecast is (Forecast.WILL_LOAD if self.loads else Forecast.WILL_NOT_LOAD)


def predicted() -> list[Row]:
    """Every row of the truth, with what `check --predict` would expect: no runtime is made."""
    root = CORPUS / "files"
    artifacts = {sighting.path: read_artifact(root, sighting) for sighting in discover(root)}
    targets = {name: expected(runtime_named(name), root).target for name in RUNTIMES}
    return [
        Row(
            f"{row['id']} in {row['runtime']} by {row['api']}",
            predict(artifacts[row["id"]], LOADERS[row["api"]], targets[row["runtime"]]),
            row["outcome"] == "ok",
        )
        for row in truth()["results"]
        if comparable(row, frozenset(artifacts))
    ]


def tell(rows: Sequence[Row]) -> None:
    known = [row for row in rows if row.is_known]
    wrong = [row for row in known if not row.is_right]
    share = 100 * (1 - len(wrong) / max(1, len(known)))
    click.echo(
        f"{len(rows)} loads: {100 * len(known) / max(1, len(rows)):.1f} % predicted, of those {share:.2f} % right"
    )
    for row in wrong:
        click.echo(f"wrong: {row.name}: {row.prediction.headline} ({row.prediction.measured})")
    for headline, number in Counter(row.prediction.headline for row in rows if not row.is_known).most_common():
        click.echo(f"{number:5} {headline}")


if __name__ == "__main__":
    if not IS_HERE:
        raise SystemExit(WHERE)
    tell(predicted())
