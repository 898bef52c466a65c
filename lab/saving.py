"""Save the catalogue in every runtime, and read of each artifact what loadgate reads of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from lab.place import INSIDE, Place, append_line, read_lines, write_json
from lab.runtimes import environment_of
from loadgate.artifacts.discover import read_artifact
from loadgate.artifacts.identify import identify
from loadgate.artifacts.interface import Sighting
from loadgate.domain import Artifact, Lock
from loadgate.loading.probe_process import INHERITED

Say = Callable[[str], None]
AT_ONCE = 4
TIMEOUT = 900.0
"""Seconds that one runtime may take for all that is left of its catalogue."""

MODELS = (
    "dense",
    "dense_functional",
    "dense_without_input",
    "activations",
    "convolution",
    "convolution_separable",
    "convolution_transposed",
    "batch_normalization",
    "layer_normalization",
    "lstm",
    "gru",
    "bidirectional",
    "stateful",
    "embedding",
    "embedding_masked",
    "attention",
    "attention_multi_head",
    "lambda_layer",
    "operators",
    "registered_layer",
    "unregistered_layer",
    "subclassed",
    "nested",
    "shared_encoder",
    "mixed_precision",
    "text_vectorization",
    "normalization",
    "augmentation",
    "multi_input",
    "optimizer_state",
    "custom_loss",
)
"""As in `inside/lab_catalogue.py`, which only a runtime can import."""
MODELS_OF_FORMAT: dict[str, tuple[str, ...]] = {
    "keras_h5": tuple(name for name in MODELS if name != "subclassed"),
    "keras_v3": MODELS,
    "saved_model": (
        "dense",
        "batch_normalization",
        "lstm",
        "lambda_layer",
        "registered_layer",
        "subclassed",
        "nested",
        "text_vectorization",
        "custom_loss",
    ),
    "keras_h5_as_keras": ("dense", "bidirectional", "attention_multi_head"),
    "keras_weights_h5": ("dense", "batch_normalization", "lstm", "nested"),
    "checkpoint": ("dense", "batch_normalization", "lstm", "subclassed"),
    "graph_def": ("dense", "convolution", "lstm", "embedding_masked"),
    "tflite": ("dense", "convolution", "embedding"),
}
SUFFIX = {
    "keras_h5": ".h5",
    "keras_v3": ".keras",
    "keras_h5_as_keras": ".keras",
    "keras_weights_h5": ".weights.h5",
    "graph_def": ".pb",
    "checkpoint": "/model.index",
    "tflite": ".tflite",
    "saved_model": "",
}
FIRST_WITH_KERAS_V3 = (2, 12)


def save(place: Place, say: Say, models: Sequence[str] = MODELS) -> None:
    """Append to `artifacts.jsonl` and `not_saved.jsonl` what is not there yet."""
    done = {line["id"] for path in (place.catalogue, place.not_saved) for line in read_lines(path)}
    one_at_a_time = threading.Lock()

    def save_in(name: str, lock: Lock) -> None:
        mine = [each for each in catalogue_of(lock) if each.split("/")[0] in models]
        wanted = [each for each in mine if artifact_id(name, each) not in done]
        if not wanted:
            return
        begun = time.monotonic()
        for line in saved(place, name, lock, wanted):
            with one_at_a_time:
                append_line(place.not_saved if line.get("failure") else place.catalogue, line)
        say(f"{name}: saved what it can of {len(wanted)} artifacts in {time.monotonic() - begun:.0f} s")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for future in [pool.submit(save_in, name, lock) for name, lock in place.locks().items()]:
            future.result()


def catalogue_of(lock: Lock) -> tuple[str, ...]:
    """`model/format` for all that this version may write."""
    minor = tuple(int(part) for part in lock.tensorflow.split(".")[:2])
    formats = [kind for kind in MODELS_OF_FORMAT if minor_writes(minor, kind)]
    return tuple(f"{model}/{kind}" for model in MODELS for kind in formats if model in MODELS_OF_FORMAT[kind])


def minor_writes(minor: tuple[int, ...], kind: str) -> bool:
    if kind == "keras_h5_as_keras":
        return minor == FIRST_WITH_KERAS_V3
    return kind != "keras_v3" or minor >= FIRST_WITH_KERAS_V3


def artifact_id(runtime: str, wanted: str) -> str:
    model, kind = wanted.split("/")
    return f"{runtime}/{kind}/{model}"


def saved(place: Place, name: str, lock: Lock, wanted: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Run the saver until it has accounted for everything; what ends it twice is left out and said to have."""
    account = place.root / "saving" / f"{name}.jsonl"
    account.parent.mkdir(parents=True, exist_ok=True)
    left, ended_by = list(wanted), ""
    for each, line in accounted_for(account, left):
        yield record(place, name, each, line)
    while left:
        status, errors = run_saver(place, name, lock, account, left)
        for each, line in accounted_for(account, left):
            yield record(place, name, each, line)
        if left:
            begun = [line["begin"] for line in read_lines(account) if "begin" in line][-1:]
            if not begun:
                raise SystemExit(f"{name}: the saver did not start: {errors[-2000:]}")
            culprit = next((each for each in left if each in begun or each.split("/")[0] in begun), left[0])
            if culprit == ended_by:
                problem = {"type": "", "message": f"ended with status {status}", "traceback": errors[-2000:]}
                yield record(place, name, culprit, {"failure": problem, "stage": "save"})
                left.remove(culprit)
            ended_by = culprit
    shutil.rmtree(place.root / "scratch" / name, ignore_errors=True)


def accounted_for(account: Path, left: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What the saver, in this run or in one that was killed, says to have ended; taken out of `left`."""
    ends = {line["end"]: line for line in read_lines(account) if "end" in line}
    for each in [each for each in left if each in ends]:
        left.remove(each)
        yield each, ends[each]


def run_saver(place: Place, name: str, lock: Lock, account: Path, wanted: Sequence[str]) -> tuple[int, str]:
    interpreter = Path(lock.interpreter)
    scratch = place.root / "scratch" / name
    scratch.mkdir(parents=True, exist_ok=True)
    env = {key: os.environ[key] for key in INHERITED if key in os.environ}
    # the converter of 1.15 is a program beside the interpreter
    env |= {"PATH": f"{interpreter.parent}:{env.get('PATH', '')}", "HOME": str(scratch), "TMPDIR": str(scratch)}
    env |= {"CUDA_VISIBLE_DEVICES": "-1", "PYTHONHASHSEED": "0", "TF_CPP_MIN_LOG_LEVEL": "2"}
    env |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "OMP_NUM_THREADS": "1"}
    env |= environment_of(name)
    command = [str(each) for each in (interpreter, INSIDE / "lab_save.py", place.root, name, account, *wanted)]
    try:
        ended = subprocess.run(  # noqa: S603 - the runtime's own Python
            command,
            env=env,
            cwd=scratch,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        return -1, "timed out"
    return ended.returncode, ended.stderr


def record(place: Place, name: str, wanted: str, line: dict[str, Any]) -> dict[str, Any]:
    model, kind = wanted.split("/")
    head = {"id": artifact_id(name, wanted), "saver": name, "model": model}
    if line["failure"]:
        return head | {"stage": line["stage"], "failure": line["failure"]}
    if line.get("names"):
        write_json(place.root / "expected" / name / f"{model}.graph.json", line["names"])
    path = place.artifacts / name / kind / (model + SUFFIX[kind])
    artifact = inside(place.artifacts, *identify(path))
    return head | {"path": artifact.path, "artifact": msgspec.to_builtins(artifact)}


def inside(artifacts: Path, root: Path, sighting: Sighting) -> Artifact:
    """The artifact with paths that are relative to the folder of all artifacts."""
    artifact = read_artifact(root, sighting)
    path, *files = (str((root / each).relative_to(artifacts)) for each in (artifact.path, *artifact.files))
    return replace(artifact, path=path, files=tuple(files))
