"""Run by a runtime's own Python: load what a JSON file names with nothing in between, as a plain script would.

`load_unwalled.py ORDER ANSWER`. One process a model, so that a hostile one costs only itself; each is bounded from
outside in time and in the size of its files. What each printed and used is written to ANSWER.
"""

import importlib
import json
import os
import resource
import signal
import sys
import tempfile
import time
from typing import Any

TOGETHER = 4
LARGEST_FILE = 256 << 20
KEPT_LOG = 1 << 20


def load(job: dict[str, Any]) -> None:
    import tensorflow as tf

    if job["loader"] == "saved_model":
        tf.saved_model.load(job["path"])
    elif job["loader"] == "weights":
        import h5py

        with h5py.File(job["path"], "r") as file:
            file["d/d/kernel:0"][()]
    else:
        model = tf.keras.models.load_model(job["path"], compile=False)
        if job["saves"]:
            os.mkdir("product")
            model.save("product/model.h5")
            tf.keras.models.load_model("product/model.h5", compile=False)
        if job["infer"]:
            model(tf.zeros([1 if length is None else length for length in model.input_shape]))
    os.write(1, b"LOADED\n")


def begin(job: dict[str, Any], folder: str) -> int:
    process = os.fork()
    if process == 0:
        try:
            os.setsid()
            os.makedirs(os.path.join(folder, job["name"]))
            os.chdir(os.path.join(folder, job["name"]))
            log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(log, 1)
            os.dup2(log, 2)
            resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
            load(job)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is told
            os.write(2, repr(error).encode())
        finally:
            os._exit(0)
    return process


def told(job: dict[str, Any], folder: str, usage: Any) -> dict[str, Any]:
    path = os.path.join(folder, job["name"], "log")
    with open(path, "rb") as stream:
        text = stream.read(KEPT_LOG).decode("utf-8", "replace")
    return {
        "log": text,
        "log_size": os.path.getsize(path),
        "passed": "LOADED" in text,
        "peak": usage.ru_maxrss * 1024,
    }


def main() -> None:
    with open(sys.argv[1]) as stream:
        order = json.load(stream)
    import tensorflow  # noqa: F401 - once for all of them

    sys.path.append(order["repository"])
    for module in order["imports"]:
        importlib.import_module(module)
    waiting = list(order["jobs"])
    running: dict[int, Any] = {}
    answer: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        while waiting or running:
            while waiting and len(running) < TOGETHER:
                job = waiting.pop(0)
                running[begin(job, folder)] = (job, time.monotonic() + order["timeout"])
            for process, (_job, deadline) in list(running.items()):
                if time.monotonic() > deadline:
                    os.kill(process, signal.SIGKILL)
            process, _, usage = os.wait4(-1, os.WNOHANG)
            if not process:
                time.sleep(0.02)
            elif process in running:
                job, _ = running.pop(process)
                answer[job["name"]] = told(job, folder, usage)
        with open(sys.argv[2], "w") as stream:
            json.dump(answer, stream)


if __name__ == "__main__":
    main()
