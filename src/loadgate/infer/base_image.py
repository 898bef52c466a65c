"""What a base image has of TensorFlow, and whether what pip is asked for replaces it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence

from packaging.utils import canonicalize_name

from loadgate.declared import TENSORFLOW_NAMES, Declared, Python, asks_for
from loadgate.domain import Requirement
from loadgate.infer.dockerfile import Image
from loadgate.mistakes import quoted
from loadgate.runtimes.resolution import parsed

INSTALLED = "tensorflow"
"""The package by which `tensorflow/tensorflow` has it. pip takes no other, such as tensorflow-cpu, for the same."""


def brought_by(image: Image, parts: Sequence[Declared], fresh: Iterable[Requirement]) -> Python | None:
    """The base image's TensorFlow, where pip leaves it: nothing names another, or what is named is met by it.

    `fresh` are the lines for which pip looks at nothing that is there.
    """
    named = _naming(line for part in parts for line in part.requirements)
    if image.tensorflow is None or not named:
        return image.tensorflow
    held = _naming(line for part in parts for line in part.constraints)
    has_python_package = posixpath.basename(image.base.split(":")[0]) == INSTALLED
    met = all(_is_met(line, image.tensorflow.said) for line in (*named, *held))
    return image.tensorflow if has_python_package and met and not _naming(fresh) else None


def notes_on(image: Image, brought: Python | None, requirements: Iterable[Requirement]) -> Iterator[str]:
    if brought is None:
        return
    if image.base.split(":")[0].endswith("tensorflow/serving"):
        yield f"{brought.origin}: TensorFlow Serving's TensorFlow is made as the Python package of its version."
    if "-gpu" in image.base:
        yield f"{brought.origin}: the image is for GPUs; add `devices: [cpu, gpu]` to load on both."
    for line in _naming(requirements):
        yield f"{quoted(line.text)}, from {line.origin}, is met by the base image, so pip installs no other."


def _naming(lines: Iterable[Requirement]) -> list[Requirement]:
    return [line for line in lines if asks_for(line.text, TENSORFLOW_NAMES)]


def _is_met(line: Requirement, version: str) -> bool:
    return all(
        canonicalize_name(each.name) == INSTALLED
        and each.specifier.contains(version, prereleases=True)
        and not each.url
        for each in parsed([line.text])
    )
