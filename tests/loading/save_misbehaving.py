"""Run by a runtime's own Python: save one small Keras model a function below, into the folder that is given.

Each is a real Lambda layer that behaves while it is saved, and misbehaves when it is loaded where MISBEHAVE is set.
"""

import os
import sys
from typing import Any

import tensorflow as tf


def behaves(x: Any) -> Any:
    return x * 2


def crashes(x: Any) -> Any:
    import os

    if os.environ.get("MISBEHAVE"):
        import ctypes

        ctypes.string_at(0)
    return x


def exits_with_3(x: Any) -> Any:
    import os

    if os.environ.get("MISBEHAVE"):
        os._exit(3)
    return x


def exits_with_0(x: Any) -> Any:
    import os

    if os.environ.get("MISBEHAVE"):
        os._exit(0)
    return x


def calls_sys_exit(x: Any) -> Any:
    import os
    import sys

    if os.environ.get("MISBEHAVE"):
        sys.exit(0)
    return x


def loops_for_ever(x: Any) -> Any:
    import os

    while os.environ.get("MISBEHAVE"):
        pass
    return x


def waits_for_ever(x: Any) -> Any:
    import os
    import threading

    if os.environ.get("MISBEHAVE"):
        threading.Event().wait()
    return x


def leaves_children_behind(x: Any) -> Any:
    import os
    import time

    if os.environ.get("MISBEHAVE"):
        for _ in range(3):
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    time.sleep(600)
                os._exit(0)
    return x


def forks_without_end(x: Any) -> Any:
    import os
    import time

    while os.environ.get("MISBEHAVE"):
        if os.fork() == 0:
            time.sleep(600)
            os._exit(0)
        time.sleep(0.002)
    return x


def fills_memory(x: Any) -> Any:
    import os

    if os.environ.get("MISBEHAVE"):
        hoard = []
        while True:
            hoard.append(bytearray(os.urandom(1 << 20)) * 16)
    return x


def fills_its_output(x: Any) -> Any:
    import os
    import sys

    if os.environ.get("MISBEHAVE"):
        sys.stdout.write("first words of a flood\n")
        for _ in range(200000):
            sys.stdout.write("x" * 200 + "\n")
        sys.stdout.write("last words of a flood\n")
    return x


def unpacks_into_a_temporary_directory(x: Any) -> Any:
    import os
    import tempfile

    if os.environ.get("MISBEHAVE"):
        with open(os.path.join(tempfile.mkdtemp(), "asset"), "w") as file:
            file.write("as Keras does with what an archive holds")
    return x


def tells_its_environment(x: Any) -> Any:
    import os
    import sys

    if os.environ.get("MISBEHAVE"):
        sys.stdout.write(" ".join(["sees", *sorted(os.environ)]) + "\n")
        yields = os.nice(0) - os.getpriority(os.PRIO_PROCESS, os.getppid())
        sys.stdout.write(f"yields {yields}\n")
    return x


def kills_its_parent(x: Any) -> Any:
    import os

    if os.environ.get("MISBEHAVE"):
        os.kill(os.getppid(), 9)
    return x


def looks_into_its_parent(x: Any) -> Any:
    import os

    if os.environ.get("MISBEHAVE"):
        folder = f"/proc/{os.getppid()}/fd"
        for name in os.listdir(folder):
            os.write(os.open(f"{folder}/{name}", os.O_WRONLY), b'{"event": "done"}\n')
    return x


def closes_every_descriptor(x: Any) -> Any:
    import os

    if os.environ.get("MISBEHAVE"):
        os.closerange(0, 1000)
    return x


def writes_into_every_descriptor(x: Any) -> Any:
    import os

    if os.environ.get("MISBEHAVE"):
        for name in os.listdir("/proc/self/fd"):
            try:
                os.write(int(name), b'{"stage": nonsense\n')
            except OSError:
                continue
    return x


def raises_what_has_no_text(x: Any) -> Any:
    import os

    if os.environ.get("MISBEHAVE"):

        class Mute(BaseException):
            def __str__(self) -> str:
                raise RuntimeError("no words")

        raise Mute()
    return x


def recurses_without_end(x: Any) -> Any:
    import os

    def deeper(n: int) -> int:
        return deeper(n + 1)

    if os.environ.get("MISBEHAVE"):
        deeper(0)
    return x


def nests_directories_deeper_than_python_recurses(x: Any) -> Any:
    import os

    if os.environ.get("MISBEHAVE"):
        for _ in range(1500):
            os.mkdir("d")
            os.chdir("d")
    return x


FUNCTIONS = [value for value in list(globals().values()) if getattr(value, "__module__", None) == __name__]


def main(folder: str) -> None:
    for function in FUNCTIONS:
        tf.keras.backend.clear_session()
        model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Lambda(function)])
        model.save(os.path.join(folder, function.__name__ + ".h5"))


if __name__ == "__main__":
    main(sys.argv[1])
