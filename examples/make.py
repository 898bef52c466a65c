"""Saves the models of this folder anew, each with its own TensorFlow, and measures what loads where.

`script/make-examples [save] [measure]` runs this; without arguments, both. Environments are made with uv and kept
under $XDG_CACHE_HOME/loadgate-examples.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

EXAMPLES = Path(__file__).resolve().parent
SAVERS = EXAMPLES / "savers"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "loadgate-examples"

FORMATS = {
    "models/churn/churn_2019.h5": "keras_h5",
    "models/churn/churn_2022": "saved_model",
    "models/churn/churn_2022_weights.h5": "keras_weights_h5",
    "models/churn/churn_2024.keras": "keras_v3",
    "models/churn/churn_2026.keras": "keras_v3",
    "models/churn/churn_2026.weights.h5": "keras_weights_h5",
    "models/fraud/1": "saved_model",
    "models/pricing/elasticity.h5": "keras_h5",
    "models/pricing/seasonality.h5": "keras_h5",
    "models/ranking/ranker.h5": "keras_h5",
    "models/ranking/ranker.keras": "keras_v3",
    "models/ranking/ranker_2026": "saved_model",
    "models/ranking/ranker_2026.h5": "keras_h5",
    "models/recommender/items.ckpt-500": "checkpoint",
    "models/recommender/items_v2-1000": "checkpoint",
    "models/recommender/two_tower.ckpt": "checkpoint",
    "models/speech/keyword_spotter.tflite": "tflite",
    "models/speech/keyword_spotter_2019.tflite": "tflite",
    "models/speech/keyword_spotter_int8.tflite": "tflite",
    "models/text/normalizer": "saved_model",
    "models/text/normalizer.tflite": "tflite",
    "models/translation/encoder.keras": "keras_v3",
    "models/vision/defects.keras": "keras_v3",
    "models/vision/edge_detector.pb": "graph_def",
    "models/vision/edge_detector.pbtxt": "graph_def",
    "models/vision/scratches.keras": "keras_v3",
}
NO_MODELS = ("models/churn/customers.h5", "models/fraud/transaction.pb")


@dataclass(frozen=True)
class Environment:
    name: str
    python: str
    requirements: tuple[str, ...]
    """As pip spells them, `-r FILE` and its kind as one string."""

    def interpreter(self) -> Path:
        """Its Python; the environment is made where it is not there yet."""
        asked_for = hashlib.sha256("\n".join((self.python, *self.requirements)).encode()).hexdigest()[:12]
        directory = CACHE / f"{self.name}-{asked_for}"
        interpreter = directory / "bin/python"
        complete = directory / ".complete"
        if not complete.exists():
            run("uv", "venv", "--quiet", "--clear", "--python", self.python, str(directory))
            run("uv", "pip", "install", "--quiet", "--python", str(interpreter), *self.requirements)
            complete.touch()
        return interpreter


def lines_of(requirements: Path) -> tuple[str, ...]:
    return tuple(requirements.read_text().split())


def saver(name: str, python: str) -> Environment:
    return Environment(name, python, lines_of(SAVERS / f"{name}.txt"))


SAVER_ENVIRONMENTS = (
    saver("tf1_15", "3.7"),
    saver("tf2_9", "3.10"),
    saver("tf2_15", "3.11"),
    saver("tf2_21", "3.11"),
)


def target_runtimes() -> list[Environment]:
    """What `loadgate.yml` asks for, read without loadgate: the measurement is there to check loadgate."""
    spec = yaml.safe_load((EXAMPLES / "loadgate.yml").read_text())
    return [
        Environment(
            name,
            runtime["python"],
            (
                f"tensorflow-cpu=={runtime['tensorflow']}",
                *([f"keras=={runtime['keras']}"] if "keras" in runtime else []),
                *(line for file in runtime["requirements"] for line in lines_of(EXAMPLES / file)),
            ),
        )
        for name, runtime in spec["runtimes"].items()
    ]


def run(*command: str, interpreter: Path | None = None) -> str:
    """Its standard output. Where `interpreter` is given, the programs beside it are found first."""
    done = attempt(*command, interpreter=interpreter)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-4000:]}")
    return done.stdout


def attempt(*command: str, interpreter: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "CUDA_VISIBLE_DEVICES": "",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    if interpreter is not None:
        environment["PATH"] = f"{interpreter.parent}:{environment['PATH']}"
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - ours


def save_models() -> None:
    with tempfile.TemporaryDirectory() as staging:
        shutil.copytree(EXAMPLES / "acme", Path(staging) / "acme")
        for environment in SAVER_ENVIRONMENTS:
            say(f"saving with {environment.name}")
            interpreter = environment.interpreter()
            # TensorFlow 1.15 finds its TFLite converter on PATH.
            run(str(interpreter), str(SAVERS / f"{environment.name}.py"), staging, interpreter=interpreter)
        run(str(SAVER_ENVIRONMENTS[-1].interpreter()), str(SAVERS / "no_models.py"), staging)
        shutil.rmtree(EXAMPLES / "models", ignore_errors=True)
        shutil.copytree(Path(staging) / "models", EXAMPLES / "models")


def measure(environment: Environment, path: str) -> dict[str, Any]:
    """One process a model; a loader that crashes it has failed as well."""
    done = attempt(str(environment.interpreter()), str(SAVERS / "measure.py"), str(EXAMPLES), FORMATS[path], path)
    if done.returncode < 0:
        return {"outcome": "failed", "error": f"signal {-done.returncode}"}
    if done.returncode > 0:
        raise SystemExit(f"{path} could not be measured in {environment.name}:\n{done.stderr[-4000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measure_all() -> None:
    outcomes: dict[str, dict[str, Any]] = {path: {} for path in FORMATS}
    for environment in target_runtimes():
        say(f"loading in {environment.name}")
        environment.interpreter()
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            answers = pool.map(lambda path, environment=environment: measure(environment, path), FORMATS)
        for path, answer in zip(FORMATS, answers, strict=True):
            outcomes[path][environment.name] = answer
    expected = {
        "artifacts": {path: {"format": FORMATS[path], "runtimes": outcomes[path]} for path in FORMATS},
        "no_models": NO_MODELS,
    }
    (EXAMPLES / "expected.json").write_text(json.dumps(expected, indent=2) + "\n")


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - progress


if __name__ == "__main__":
    steps = {"save": save_models, "measure": measure_all}
    for step in sys.argv[1:] or steps:
        steps[step]()
