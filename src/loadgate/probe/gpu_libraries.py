"""Says which of NVIDIA's libraries TensorFlow can open here, and their versions: `gpu_libraries.py OUTPUT NAME...`.

Runs inside the target, as describe.py does. TensorFlow itself opens them, with `tf.load_op_library`, because where it
looks depends on who asks: it finds those of the nvidia-* wheels through a path that is written into its own binary.
No driver and no GPU is needed. Each library is tried in a process of its own, for some end it when their parts miss.
"""

import ctypes
import json
import os
import re
import sys
import time
from typing import Any, Dict, Optional, Sequence

Report = Dict[str, Any]

PATIENCE = 60.0
"""Seconds for one library; those of cuBLAS are half a gigabyte, and a cold disk is slow."""
ANSWER = 65536
"""Bytes that a child may answer; more would not fit into the pipe at once."""

MAJOR_MINOR_PATCH = (0, 1, 2)
"""`libraryPropertyType` of CUDA's library_types.h."""


def tried(name: str, before: Sequence[str]) -> Report:
    """What became of opening it in a child, after those that TensorFlow opens before: `version` and `path`, or `error`.

    What is open already can be what the next one needs.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            for other in before:
                opening_fails(other)
            os.write(writing, json.dumps(opened(name)).encode("utf-8")[:ANSWER])
        finally:
            os._exit(0)
    os.close(writing)
    status = ended(child)
    answer = os.read(reading, ANSWER)
    os.close(reading)
    if status is None:
        return {"error": "opening it was not done within %d seconds" % PATIENCE}
    try:
        return dict(json.loads(answer.decode("utf-8")))
    except ValueError:
        return {"error": "asking it for its version ended the process with status %d" % status}


def ended(child: int) -> Optional[int]:
    """The wait status; None where its time was up."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        time.sleep(0.01)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return None


def opened(name: str) -> Report:
    failure = opening_fails(name)
    if failure is not None:
        return {"error": failure}
    # The loader gives what is open already to whoever asks for the same name.
    library = ctypes.CDLL(name)
    try:
        version = version_of(name, library)
    except (AttributeError, ValueError):  # it does not have the function, as a stub would not
        version = None
    return {"version": version, "path": path_of(name)}


def opening_fails(name: str) -> Optional[str]:
    import tensorflow

    try:
        tensorflow.load_op_library(name)
    except Exception as error:  # noqa: BLE001 -- whatever it raises is the answer
        return str(error).splitlines()[0][:500] if str(error) else type(error).__name__
    return None


def version_of(name: str, library: Any) -> Optional[str]:
    stem = name[len("lib") :].partition(".")[0]
    if stem == "cudnn":
        library.cudnnGetVersion.restype = ctypes.c_size_t
        return spelled(library.cudnnGetVersion(), (1000, 100) if name.endswith((".7", ".8")) else (10000, 100))
    if stem == "cudart":
        number = ctypes.c_int()
        failed = library.cudaRuntimeGetVersion(ctypes.byref(number))
        return None if failed else spelled(number.value, (1000, 10))
    return ".".join(str(property_of(library, stem, which)) for which in MAJOR_MINOR_PATCH)


def spelled(number: int, places: Any) -> str:
    """12020 at places (1000, 10) is 12.2; 8904 at places (1000, 100) is 8.9.4."""
    major, rest = divmod(number, places[0])
    minor, patch = divmod(rest, places[1])
    return "%d.%d" % (major, minor) + (".%d" % patch if patch else "")


def property_of(library: Any, stem: str, which: int) -> int:
    value = ctypes.c_int()
    if getattr(library, stem + "GetProperty")(which, ctypes.byref(value)):
        raise ValueError(stem)
    return value.value


def path_of(name: str) -> Optional[str]:
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
        for line in maps:
            found = re.search(r"(/.*/" + re.escape(name) + r"[^/]*)$", line.rstrip("\n"))
            if found:
                return found.group(1)
    return None


def main(path: str, names: Sequence[str]) -> None:
    import tensorflow

    report = {"cuda_build": bool(tensorflow.test.is_built_with_cuda()), "libraries": {}}  # type: Report
    for index, name in enumerate(names):
        report["libraries"][name] = tried(name, names[:index])
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(report, stream)


if __name__ == "__main__":
    # The directory of this file would otherwise come first, and its other files could shadow a module.
    del sys.path[0]
    os.dup2(2, 1)
    main(sys.argv[1], sys.argv[2:])
    sys.stdout.flush()
    os._exit(0)
