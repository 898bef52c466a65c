"""Measures which TensorFlow brings which op, and which package registers which: `src/loadgate/diagnosis/ops.json`.

usage: python -m lab.ops RUNTIMES.json

RUNTIMES.json maps names to locks, as the lab writes it. Each runtime's own interpreter lists its ops. A package is
unpacked into a scratch folder and each of its shared objects loaded, because some register their ops lazily.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.place import INSIDE
from loadgate.artifacts.tflite_names import BUILTIN_OPERATORS

TFLITE_OPS = INSIDE / "lab_tflite_ops.py"
TABLE = Path(__file__).parents[1] / "src" / "loadgate" / "diagnosis" / "ops.json"

PACKAGES: Mapping[str, tuple[str, str]] = {
    "tensorflow-text": ("tensorflow-text==2.15.0", "2.15"),
    "tensorflow-decision-forests": ("tensorflow-decision-forests==1.8.1", "2.15"),
    "tensorflow-compression": ("tensorflow-compression==2.14.1", "2.15"),
    "struct2tensor": ("struct2tensor==0.46.0", "2.15"),
    "tensorflow-io": ("tensorflow-io==0.37.1", "2.16"),
}
"""What to install, and the TensorFlow whose symbols it was built for. Ops of tensorflow-addons are named `Addons>…`."""

LISTING = """
import glob, json, os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf
from tensorflow.core.framework import op_def_pb2
try:
    from tensorflow.python.client import pywrap_tf_session as c_api
except ImportError:
    from tensorflow.python import pywrap_tensorflow as c_api
def names():
    listed = op_def_pb2.OpList()
    listed.ParseFromString(bytes(c_api.TF_GetBuffer(c_api.TF_GetAllOpList())))
    return {op.name for op in listed.op}
own = names()
for path in sorted(glob.glob(os.path.join(sys.argv[1], "**", "*.so"), recursive=True)) if sys.argv[1:] else []:
    try:
        tf.load_op_library(path)
    except Exception as error:
        print(os.path.basename(path), error, file=sys.stderr)
json.dump(sorted(names() - own if sys.argv[1:] else own), sys.stdout)
"""


ATTRIBUTES = (
    LISTING.partition("own = names()")[0]
    + """
listed = op_def_pb2.OpList()
listed.ParseFromString(bytes(c_api.TF_GetBuffer(c_api.TF_GetAllOpList())))
json.dump({op.name: [attribute.name for attribute in op.attr] for op in listed.op}, sys.stdout)
"""
)


def asked(interpreter: str, program: str, *arguments: str) -> Any:
    return answer(interpreter, "-c", program, *arguments)


def answer(interpreter: str, *command: str) -> Any:
    run = subprocess.run(  # noqa: S603 - an interpreter of the lab, with a constant program
        [interpreter, *command], capture_output=True, text=True, check=False
    )
    if run.returncode:
        raise SystemExit(f"{interpreter}: {run.stderr[-2000:]}")
    return json.loads(run.stdout)


def listed(interpreter: str, *arguments: str) -> list[str]:
    names: list[str] = asked(interpreter, LISTING, *arguments)
    return names


def gained_attributes(interpreters: Mapping[str, str]) -> dict[str, dict[str, list[str]]]:
    """Measured version → op → the attributes that it has in it and did not have in the one before."""
    versions = sorted(interpreters, key=minor)
    before: dict[str, list[str]] = asked(interpreters[versions[0]], ATTRIBUTES)
    gained = {}
    for version in versions[1:]:
        now: dict[str, list[str]] = asked(interpreters[version], ATTRIBUTES)
        new = {op: sorted(set(now[op]) - set(before[op])) for op in sorted(now.keys() & before.keys())}
        gained[version] = {op: names for op, names in new.items() if names}
        before = now
    return gained


def tflite_ops(interpreters: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """Measured version → TFLite op → the newest version of the op that it takes, where that is another than before."""
    found = {}
    before: dict[str, int] = {}
    for version in sorted(interpreters, key=minor):
        newest = answer(interpreters[version], str(TFLITE_OPS), str(len(BUILTIN_OPERATORS)))
        now = dict(zip(BUILTIN_OPERATORS, newest, strict=True))
        found[version] = {op: number for op, number in now.items() if number != before.get(op, 0)}
        before = now
    return found


def minor(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])


def core_ops(interpreters: Mapping[str, str]) -> dict[str, Any]:
    """By the first and by the last of the versions that were measured, and what all of them have."""
    versions = sorted(interpreters, key=minor)
    per_version = {version: set(listed(interpreters[version])) for version in versions}
    since: dict[str, list[str]] = {}
    until: dict[str, list[str]] = {}
    for op in sorted(set().union(*per_version.values())):
        having = [version for version in versions if op in per_version[version]]
        if having[0] != versions[0]:
            since.setdefault(having[0], []).append(op)
        if having[-1] != versions[-1]:
            until.setdefault(having[-1], []).append(op)
    always = sorted(set.intersection(*per_version.values()))
    return {"since": since, "until": until, "always": always}


def package_ops(interpreters: Mapping[str, str]) -> dict[str, list[str]]:
    found = {}
    for name, (requirement, tensorflow) in PACKAGES.items():
        interpreter = interpreters[tensorflow]
        with tempfile.TemporaryDirectory() as folder:
            install = ["uv", "pip", "install", "--quiet", "--no-deps", "--python", interpreter, "--target", folder]
            subprocess.run([*install, requirement], check=True)  # noqa: S603 - constant requirements
            found[name] = listed(interpreter, folder)
    return found


def main() -> None:
    locks = json.loads(Path(sys.argv[1]).read_text())
    interpreters = {".".join(lock["tensorflow"].split(".")[:2]): lock["interpreter"] for lock in locks.values()}
    table = {
        "measured": sorted(interpreters, key=minor),
        **core_ops(interpreters),
        "gained": gained_attributes(interpreters),
        "tflite": tflite_ops(interpreters),
        "packages": package_ops(interpreters),
    }
    TABLE.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
