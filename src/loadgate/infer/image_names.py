"""What the name of a base image tells of the Python and the TensorFlow in it."""

from __future__ import annotations

import posixpath
import re

from packaging.version import Version

_VERSION = r"(\d+\.\d+\.\d+(?:rc\d+|\.post\d+)?)(?=$|-)"
_BY_TAG = re.compile(
    r"(?:^|/)tensorflow/(?:tensorflow|serving)$|\.(?:dkr\.ecr|ecr\.aws)\b.*/tensorflow-(?:inference|training)$"
)
"""Docker Hub's own images, and those of AWS, whose tags begin with TensorFlow's version."""
_OF_GOOGLE = re.compile(r"/tf2?-(?:cpu|gpu|tpu)\.(\d)-(\d{1,2})(?=$|[.:])")
"""`us-docker.pkg.dev/vertex-ai/prediction/tf2-cpu.2-12`: a minor version, whatever its patches."""
_SERVER = re.compile(r"(?:^|/)(?:tensorflow/serving|tensorflow-inference)$|/vertex-ai/prediction/")
"""They have TensorFlow's server, and no package of it that pip would find."""

PYTHONS = {
    **dict.fromkeys((f"2.{minor}" for minor in range(7, 14)), "3.8"),
    **dict.fromkeys((f"2.{minor}" for minor in range(14, 19)), "3.11"),
}
"""Of `tensorflow/tensorflow`, by TensorFlow's minor: Ubuntu 20.04's own, then what is asked for by the files that
the images are built from, `tensorflow_runtime_dockerfiles` in github.com/tensorflow/build. Issue 82529 of TensorFlow
shows that of 2.18. Of others it is not known."""

FIRST_OF_RUNTIME_DOCKERFILES = Version("2.14")


def python_of_image(image: str) -> str | None:
    """`python:3.11-slim` → `3.11`; also where a name such as `2.13.0-gpu-py310-cu118` says so in passing."""
    name, tag = _name_and_tag(image)
    if posixpath.basename(name) == "python":
        said = re.match(r"3\.\d+(\.\d+)?(?=$|[-.a-z])", tag)
        return said[0] if said else None
    said = re.search(r"(?:^|[-_.:])py(?:thon)?(3\.\d{1,2}|3\d{1,2})(?=$|[-_.:])", f"{posixpath.basename(name)}:{tag}")
    if said:
        return said[1] if "." in said[1] else f"3.{said[1][1:]}"
    version = tensorflow_of_image(image)
    return PYTHONS.get(".".join(version.split(".")[:2])) if version and _is_tensorflows_own(name) else None


def tensorflow_of_image(image: str) -> str | None:
    """`tensorflow/tensorflow:2.15.0-gpu` → `2.15.0`; `tensorflow/serving` has the version of its TensorFlow.

    `2.12` where the name tells the minor version alone.
    """
    name, tag = _name_and_tag(image)
    family = _OF_GOOGLE.search(name)
    if family:
        return f"{family[1]}.{family[2]}"
    said = re.match(_VERSION, tag) if _BY_TAG.search(name) else None
    return said[1] if said else None


def package_of_image(image: str) -> str | None:
    """The package by which pip finds TensorFlow in it; empty where there is none, None where that is not known.

    The images without CUDA are built with tensorflow-cpu, which meets no requirement of tensorflow. Since when that is
    so nobody wrote down; it is from 2.14 on.
    """
    name, tag = _name_and_tag(image)
    if _SERVER.search(name):
        return ""
    version = tensorflow_of_image(image)
    if version is None or not _is_tensorflows_own(name):
        return None
    if "gpu" in tag.split("-"):
        return "tensorflow"
    return "tensorflow-cpu" if Version(version) >= FIRST_OF_RUNTIME_DOCKERFILES else None


def has_some_tensorflow(image: str) -> bool:
    """Whether its name tells of a TensorFlow of whatever version, as `nvcr.io/nvidia/tensorflow:23.12-tf2-py3` does."""
    return re.search(r"(?:^|[/_-])(?:tensorflow|tf2)(?=$|[-_.:/])", image.split("@", 1)[0]) is not None


def is_server(image: str) -> bool:
    return _SERVER.search(_name_and_tag(image)[0]) is not None


def _is_tensorflows_own(name: str) -> bool:
    return re.search(r"(?:^|/)tensorflow/tensorflow$", name) is not None


def _name_and_tag(image: str) -> tuple[str, str]:
    """Without a digest. A colon before a slash is that of a port."""
    name, _, tag = image.split("@", 1)[0].rpartition(":")
    return (name, tag) if name and "/" not in tag else (image.split("@", 1)[0], "")
