"""What a TensorFlow build needs of a machine before it uses a GPU: from the build's own words and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import msgspec
import yaml

from loadgate.domain import Lock


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    cuda: str
    cudnn: str
    """As far as it is known; with what is older than its minor version, it refuses to compute."""
    driver: str | None
    """The oldest that runs that CUDA, where NVIDIA's table has it."""
    libraries: tuple[str, ...]
    """Names of the files that it opens; a single missing one means no GPU. Empty where the table does not have them."""
    capabilities: tuple[str, ...]
    """Compute capabilities that it has code for, as `sm_80`, or as `compute_80` where the driver compiles the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverRow:
    cuda: str
    driver: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryRow:
    cuda: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRow:
    tensorflow: str
    cuda: str
    cudnn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    drivers: tuple[DriverRow, ...]
    libraries: tuple[LibraryRow, ...]
    builds: tuple[BuildRow, ...]


@cache
def tables() -> Tables:
    text = files("loadgate.runtimes").joinpath("gpu_compatibility.yml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(text), Tables)


def is_built_for_gpu(lock: Lock) -> bool | None:
    """None where the build does not say: it does since TensorFlow 2.3."""
    said = lock.build.get("is_cuda_build")
    return None if said is None else said == "True"


def needs_of(lock: Lock) -> Needs | None:
    """None where nothing is known of that build."""
    known = next((row for row in tables().builds if begins(lock.tensorflow, row.tensorflow)), None)
    cuda = lock.build.get("cuda_version") or (known.cuda if known else None)
    cudnn = cudnn_of(lock.build, known)
    if cuda is None or cudnn is None:
        return None
    own = library_names(cuda)
    return Needs(
        cuda=cuda,
        cudnn=cudnn,
        driver=oldest_driver(cuda),
        libraries=(*own, f"libcudnn.so.{cudnn.partition('.')[0]}") if own else (),
        capabilities=tuple(filter(None, lock.build.get("cuda_compute_capabilities", "").split(","))),
    )


def cudnn_of(build: Mapping[str, str], known: BuildRow | None) -> str | None:
    """The build's own word, with the minor version that is published for it where it leaves that out."""
    said = build.get("cudnn_version")
    if said is None or (known is not None and begins(known.cudnn, said)):
        return known.cudnn if known else None
    return said


def oldest_driver(cuda: str) -> str | None:
    return next((row.driver for row in tables().drivers if begins(cuda, row.cuda)), None)


def library_names(cuda: str) -> Sequence[str]:
    return next((row.names for row in tables().libraries if begins(cuda, row.cuda)), ())


def begins(version: str, prefix: str) -> bool:
    """Whether `12.2.1` is of `12` or `12.2`, part by part."""
    parts, wanted = version.split("."), prefix.split(".")
    return parts[: len(wanted)] == wanted
