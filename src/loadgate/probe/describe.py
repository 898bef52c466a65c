"""Says what a runtime is: `<its interpreter> describe.py OUTPUT` writes one JSON object to the file OUTPUT.

Runs inside the target, so it uses the standard library alone, works from Python 3.6 on and imports nothing of
loadgate. It runs no TensorFlow operation and lists no device. What a crash would lose is on disk before it: the
file is written anew before every stage that runs foreign code, and names that stage.
"""

import json
import os
import platform
import re
import sys
import traceback
from typing import Any, Dict, List, Optional, Tuple

Report = Dict[str, Any]

CPU_FEATURES = frozenset(
    [
        "sse4_1",
        "sse4_2",
        "avx",
        "avx2",
        "f16c",
        "fma",
        "avx_vnni",
        "avx512f",
        "avx512cd",
        "avx512dq",
        "avx512bw",
        "avx512vl",
        "avx512_vnni",
        "avx512_bf16",
        "avx512_fp16",
        "amx_tile",
        "amx_int8",
        "amx_bf16",
        "asimd",
        "asimdhp",
        "asimddp",
        "bf16",
        "i8mm",
        "sve",
        "sve2",
    ]
)
"""Those for which TensorFlow, oneDNN or XLA have code paths of their own."""

LIMIT = 65536
"""Characters of a message or a traceback that are kept; of what is longer, the end."""


CHAIN_LIMIT = 10


def machine_facts() -> Report:
    return {
        "machine": platform.machine(),
        "glibc": glibc_version(),
        "cpu_features": cpu_features("/proc/cpuinfo"),
        "driver": nvidia_driver("/proc/driver/nvidia/version"),
    }


def glibc_version() -> Optional[str]:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION")
    except (AttributeError, OSError, ValueError):  # musl has no such name
        return None


def cpu_features(path: str) -> List[str]:
    for line in text_of(path).splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):  # x86 and arm64 name it differently
            return sorted(CPU_FEATURES.intersection(value.split()))
    return []


def nvidia_driver(path: str) -> Optional[str]:
    found = re.search(r"NVRM version:.*?\s(\d{3,}\.\d+(?:\.\d+)?)\s", text_of(path))
    return found.group(1) if found else None


def text_of(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""


def installed_packages(search_path: List[str]) -> Dict[str, str]:
    """Normalised name to version; where a distribution is there twice, the one that an import would find.

    Read from the directories themselves: importlib.metadata is missing before Python 3.8.
    """
    packages = {}  # type: Dict[str, str]
    for directory in search_path:
        try:
            entries = sorted(os.listdir(directory or "."))
        except OSError:
            continue
        for entry in entries:
            name, version = distribution(os.path.join(directory, entry))
            if name and version:
                packages.setdefault(re.sub(r"[-_.]+", "-", name).lower(), version)
    return packages


def distribution(path: str) -> Tuple[Optional[str], Optional[str]]:
    if path.endswith(".dist-info"):
        metadata = text_of(os.path.join(path, "METADATA"))
    elif path.endswith(".egg-info"):
        metadata = text_of(os.path.join(path, "PKG-INFO") if os.path.isdir(path) else path)
    else:
        return None, None
    header = metadata.partition("\n\n")[0]
    fields = dict(re.findall(r"^(Name|Version):[ \t]*(\S+)", header, re.MULTILINE))
    return fields.get("Name"), fields.get("Version")


def import_tensorflow(report: Report) -> None:
    import tensorflow

    version = tensorflow.version
    git = getattr(version, "GIT_VERSION", None)
    report["tensorflow"] = version.VERSION
    report["tensorflow_git"] = git.decode("utf-8", "replace") if isinstance(git, bytes) else git
    if hasattr(tensorflow.sysconfig, "get_build_info"):  # since 2.3
        build = tensorflow.sysconfig.get_build_info()
        report["build"] = {str(name): spelled(value) for name, value in build.items()}


def spelled(value: Any) -> str:
    return ",".join(str(part) for part in value) if isinstance(value, (list, tuple)) else str(value)


def parse_a_message(_report: Report) -> None:
    import tensorflow

    tensorflow.compat.v1.GraphDef.FromString(tensorflow.compat.v1.GraphDef(node=[{"name": "n"}]).SerializeToString())


def convert_an_array(_report: Report) -> None:
    import numpy
    import tensorflow

    tensorflow.compat.v1.make_tensor_proto(numpy.zeros((2, 3), dtype="float32"))


def write_and_read_hdf5(report: Report) -> None:
    if "h5py" not in report["packages"]:
        return
    import h5py
    import numpy

    with h5py.File("in-memory", "w", driver="core", backing_store=False) as file:
        file["data"] = numpy.arange(3)
        file["data"][()]


def import_keras(report: Report) -> None:
    """`tf.keras` is lazy: only an attribute of it tells whether, and from where, it can be imported."""
    import tensorflow

    module = tensorflow.keras.Model.__module__
    root = "tensorflow.python.keras" if module.startswith("tensorflow.") else module.partition(".")[0]
    # In 2.13 to 2.15 `tf.keras` has no version of its own; the package behind it has.
    report["keras"] = getattr(tensorflow.keras, "__version__", None) or getattr(sys.modules[root], "__version__", None)
    report["keras_module"] = root


# TensorFlow first, as production imports it: what is loaded before it can change what it finds.
STAGES = (
    ("tensorflow", import_tensorflow),
    ("protobuf", parse_a_message),
    ("numpy", convert_an_array),
    ("h5py", write_and_read_hdf5),
    ("keras", import_keras),
)


def failure(error: BaseException) -> Report:
    """The last of the exception's own words, and of those behind it, innermost last."""
    chain = []  # type: List[str]
    behind = error.__cause__ or error.__context__
    while behind is not None and len(chain) < CHAIN_LIMIT:
        chain.append(f"{qualified_name(behind)}: {clipped(str(behind))}")
        behind = behind.__cause__ or behind.__context__
    lines = traceback.format_exception(type(error), error, error.__traceback__)
    return {
        "type": qualified_name(error),
        "message": clipped(str(error)),
        "traceback": clipped("".join(lines)),
        "chain": chain,
    }


def qualified_name(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else kind.__module__ + "." + kind.__qualname__


def clipped(text: str) -> str:
    # A surrogate, as undecodable file names carry, cannot be written as UTF-8.
    return text[-LIMIT:].encode("utf-8", "replace").decode("utf-8")


def write(report: Report, path: str) -> None:
    temporary = path + ".part"
    with open(temporary, "w", encoding="utf-8") as stream:
        json.dump(report, stream)
    os.replace(temporary, path)


def main(path: str) -> None:
    report = machine_facts()
    report["python"] = platform.python_version()
    report["implementation"] = platform.python_implementation()
    report["packages"] = installed_packages(sys.path)
    for stage, run in STAGES:
        report["stage"] = stage
        write(report, path)
        try:
            run(report)
        except BaseException as error:  # noqa: BLE001 -- a module that calls sys.exit() fails to import, too
            report["failure"] = failure(error)
            break
    else:
        report["stage"] = "done"
    write(report, path)


if __name__ == "__main__":
    # The directory of this file would otherwise come first, and its other files could shadow a module.
    del sys.path[0]
    os.dup2(2, 1)  # some packages print while they are imported
    main(sys.argv[1])
    sys.stdout.flush()
    os._exit(0)  # what libraries do at exit says nothing of a load, and some of them hang
