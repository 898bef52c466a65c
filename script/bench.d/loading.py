"""How long many small models take: each in a child of its own, against a bare loop and a process a model.

The three are measured one after another in one run on the same files, so that their ratios mean something.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean, median

SAVE = """
import os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf
K = tf.keras
def dense(n):
    return K.Sequential([K.Input((8,)), K.layers.Dense(8 + n, activation="relu"),
                         K.layers.Dropout(0.1), K.layers.Dense(2)])
def convolution(n):
    return K.Sequential([K.Input((16, 16, 3)), K.layers.Conv2D(4 + n % 5, 3), K.layers.BatchNormalization(),
                         K.layers.ReLU(), K.layers.MaxPooling2D(), K.layers.Flatten(), K.layers.Dense(4)])
def recurrent(n):
    return K.Sequential([K.Input((10,)), K.layers.Embedding(50, 8), K.layers.LSTM(8 + n % 3), K.layers.Dense(2)])
def branches(n):
    one = K.Input((8,)); two = K.Input((4,))
    both = K.layers.Concatenate()([K.layers.Dense(4 + n % 7)(one), K.layers.Dense(4)(two)])
    return K.Model([one, two], K.layers.Dense(1, activation="sigmoid")(both))
def separable(n):
    return K.Sequential([K.Input((16, 16, 3)), K.layers.SeparableConv2D(4 + n % 5, 3, padding="same"),
                         K.layers.BatchNormalization(), K.layers.GlobalAveragePooling2D(), K.layers.Dense(3)])
makers = [dense, convolution, recurrent, branches, separable]
for n in range(int(sys.argv[2])):
    K.backend.clear_session()
    makers[n % len(makers)](n).save(os.path.join(sys.argv[1], "model_%03d.h5" % n))
"""

BARE_LOOP = """
import sys
import tensorflow as tf
for path in sys.argv[1:]:
    tf.keras.models.load_model(path, compile=False)
"""


def seconds(action: Callable[[], object]) -> float:
    started = time.monotonic()
    action()
    return time.monotonic() - started


def made_runtime() -> str:
    """The interpreter of a runtime with TensorFlow 2.15.1, made in loadgate's own cache."""
    from loadgate.domain import Plan, Runtime
    from loadgate.phases.provision import provision
    from loadgate.progress import Silent
    from loadgate.runtimes.store import default_cache

    runtime = Runtime(name="bench", python="3.11", tensorflow="2.15.1")
    (state,) = provision(Plan(runtimes=(runtime,)), default_cache(os.environ), progress=Silent()).runtimes
    if state.lock is None:
        sys.exit(f"the runtime could not be made: {state.finding}")
    return state.lock.interpreter


def with_loadgate(python: str, models: Sequence[Path]) -> None:
    from loadgate.domain import Case, Checks, Device, Loader, Lock, Outcome
    from loadgate.loading.job import Batch, Job, Limits
    from loadgate.loading.machine import available_memory, usual_workers
    from loadgate.loading.pool import Pool

    lock = Lock(digest="", interpreter=python, python="", implementation="", packages={}, tensorflow="")
    jobs = tuple(
        Job(
            case=Case(id=path.stem, artifact=path.name, runtime="bench", device=Device.CPU, loader=Loader.KERAS),
            path=path,
            bytes=path.stat().st_size,
            artifact_digest=None,
        )
        for path in models
    )
    batch = Batch(runtime="bench", device=Device.CPU, lock=lock, env={}, imports=(), import_paths=(), jobs=jobs)
    limits = Limits(checks=Checks(), workers=usual_workers(), memory=available_memory())
    with Pool(limits, started=lambda _case: None) as pool:
        results = list(pool.run([batch]))
    assert [result.outcome for result in results] == [Outcome.PASSED] * len(models)  # noqa: S101 - a bench of failures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", help="an interpreter with TensorFlow in it [default: one with 2.15.1 is made]")
    parser.add_argument("--models", type=int, default=100)
    parser.add_argument("--sample", type=int, default=10, help="how many models get a process each; scaled to all")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    options.python = options.python or made_runtime()

    def run(program: str, *arguments: str) -> None:
        subprocess.run([options.python, "-c", program, *arguments], check=True, capture_output=True)

    with tempfile.TemporaryDirectory() as folder:
        run(SAVE, folder, str(options.models))
        models = sorted(Path(folder).glob("*.h5"))
        sample = models[:: max(1, len(models) // options.sample)]
        loop, ours = [], []
        for _ in range(options.rounds):
            loop.append(seconds(lambda: run(BARE_LOOP, *map(str, models))))
            ours.append(seconds(lambda: with_loadgate(options.python, models)))
        each = [seconds(lambda path=path: run(BARE_LOOP, str(path))) for path in sample]  # type: ignore[misc]  # mypy cannot type a default
    alone = mean(each) * len(models)
    ratios = [mine / theirs for mine, theirs in zip(ours, loop, strict=True)]
    print(f"{len(models)} models, {options.rounds} rounds, median of each")
    print(f"bare loop in one process     {median(loop):7.1f} s")
    print(f"loadgate, a child each       {median(ours):7.1f} s")
    print(f"a process a model            {alone:7.1f} s   scaled from {len(sample)}")
    print(f"loadgate / bare loop         {median(ratios):7.2f}     limit 1, aim 0.7; by round {spelled(ratios)}")
    print(f"a process a model / loadgate {alone / median(ours):7.1f}     limit 30")


def spelled(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.2f}" for value in values)


if __name__ == "__main__":
    main()
