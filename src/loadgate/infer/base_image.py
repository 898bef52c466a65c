"""What a base image has of TensorFlow, and whether what pip is asked for replaces it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from packaging.utils import canonicalize_name

from loadgate.declared import TENSORFLOW_NAMES, Declared, Python, asks_for
from loadgate.domain import Requirement
from loadgate.infer.dockerfile import Image
from loadgate.infer.image_names import has_some_tensorflow, is_server, package_of_image
from loadgate.mistakes import quoted
from loadgate.runtimes.resolution import parsed


def brought_by(image: Image, parts: Sequence[Declared], fresh: Iterable[Requirement]) -> Python | None:
    """The base image's TensorFlow, where pip leaves it: nothing names another, or what is named is met by it.

    `fresh` are the lines for which pip looks at nothing that is there.
    """
    named = _naming(line for part in parts for line in part.requirements)
    if image.tensorflow is None or not named:
        return image.tensorflow
    has = package_of_image(image.base)
    is_left = _allow(image.tensorflow, parts) and not _naming(fresh)
    return image.tensorflow if is_left and all(_package(line) == has for line in named) else None


def is_unclear(image: Image, parts: Sequence[Declared], fresh: Iterable[Requirement]) -> bool:
    """Which TensorFlow is in the image in the end, its name and what pip is asked for do not tell."""
    named = _naming(line for part in parts for line in part.requirements)
    if image.tensorflow is None:
        return has_some_tensorflow(image.base) and not _naming(fresh)
    may_be_left = bool(named) and _allow(image.tensorflow, parts) and not _naming(fresh)
    return may_be_left and package_of_image(image.base) is None


def notes_on(image: Image, brought: Python | None, requirements: Iterable[Requirement]) -> Iterator[str]:
    if brought is None:
        return
    if is_server(image.base):
        yield f"{brought.origin}: TensorFlow Serving's TensorFlow is made as the Python package of its version."
    if "-gpu" in image.base:
        yield f"{brought.origin}: the image is for GPUs; add `devices: [cpu, gpu]` to load on both."
    for line in _naming(requirements):
        yield f"{quoted(line.text)}, from {line.origin}, is met by the base image, so pip installs no other."


def _naming(lines: Iterable[Requirement]) -> list[Requirement]:
    return [line for line in lines if asks_for(line.text, TENSORFLOW_NAMES)]


def _allow(version: Python, parts: Sequence[Declared]) -> bool:
    lines = _naming(line for part in parts for line in (*part.requirements, *part.constraints))
    asked = parsed([line.text for line in lines])
    return all(each.specifier.contains(version.said, prereleases=True) and not each.url for each in asked)


def _package(line: Requirement) -> str:
    return next((canonicalize_name(each.name) for each in parsed([line.text])), "")
