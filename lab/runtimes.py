"""The runtimes of the lab: the TensorFlow minors that are still met, each with a Keras of its day.

The Pythons are spread on purpose: the bytecode of a Lambda layer depends on nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from loadgate.domain import Requirement, Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One TensorFlow of the lab."""

    tensorflow: str
    python: str
    keras: str | None = None
    """Pinned where TensorFlow itself leaves it open, which is from 2.16 on."""
    tf_keras: str | None = None
    pins: tuple[tuple[str, ...], ...] = ()
    """What may have to be added so that it imports, the least first; the first that suffices is used."""

    @property
    def minor(self) -> str:
        return ".".join(self.tensorflow.split(".")[:2])


OLD_PROTOBUF = (("protobuf<4",), ("protobuf<3.21",), ("protobuf<3.21", "numpy<1.20"))
OLD_NUMPY = (("numpy<2",), ("numpy<2", "protobuf<4"))

RELEASES = (
    Release(tensorflow="1.15.5", python="3.7", pins=OLD_PROTOBUF),
    Release(tensorflow="2.3.4", python="3.8", pins=OLD_PROTOBUF),
    Release(tensorflow="2.6.5", python="3.9", pins=OLD_PROTOBUF),
    Release(tensorflow="2.9.3", python="3.9", pins=OLD_NUMPY),
    Release(tensorflow="2.10.1", python="3.10", pins=OLD_NUMPY),
    Release(tensorflow="2.11.1", python="3.10", pins=OLD_NUMPY),
    Release(tensorflow="2.12.1", python="3.10", pins=OLD_NUMPY),
    Release(tensorflow="2.13.1", python="3.11", pins=OLD_NUMPY),
    Release(tensorflow="2.14.1", python="3.11", pins=OLD_NUMPY),
    Release(tensorflow="2.15.1", python="3.11", pins=OLD_NUMPY),
    Release(tensorflow="2.16.2", python="3.11", keras="3.3.3", tf_keras="2.16.0", pins=OLD_NUMPY),
    Release(tensorflow="2.17.1", python="3.12", keras="3.5.0", tf_keras="2.17.0", pins=OLD_NUMPY),
    Release(tensorflow="2.18.1", python="3.11", keras="3.8.0", tf_keras="2.18.0", pins=OLD_NUMPY),
    Release(tensorflow="2.19.1", python="3.12", keras="3.10.0", tf_keras="2.19.0", pins=OLD_NUMPY),
    Release(tensorflow="2.20.0", python="3.13", keras="3.13.0", tf_keras="2.20.1", pins=OLD_NUMPY),
    Release(tensorflow="2.21.0", python="3.12", keras="3.15.1", tf_keras="2.21.0", pins=OLD_NUMPY),
)

VERY_OLD = (("protobuf<3.21", "numpy<1.19", "h5py<3"),)

BETWEEN = {
    "tf1.14": Release(tensorflow="1.14.0", python="3.7", pins=VERY_OLD),
    "tf2.0": Release(tensorflow="2.0.4", python="3.7", pins=VERY_OLD),
    "tf2.2": Release(tensorflow="2.2.3", python="3.8", pins=VERY_OLD),
    "tf2.4": Release(tensorflow="2.4.4", python="3.8", pins=OLD_PROTOBUF),
    "tf2.5": Release(tensorflow="2.5.3", python="3.9", pins=OLD_PROTOBUF),
    "tf2.7": Release(tensorflow="2.7.4", python="3.9", pins=OLD_PROTOBUF),
    "tf2.8": Release(tensorflow="2.8.4", python="3.9", pins=(("numpy<2", "protobuf<3.21"),)),
    "keras3.0": Release(tensorflow="2.16.2", python="3.10", keras="3.0.5"),
    "keras3.1": Release(tensorflow="2.16.2", python="3.10", keras="3.1.1"),
    "keras3.2": Release(tensorflow="2.16.2", python="3.10", keras="3.2.1"),
    "tf2.16": Release(tensorflow="2.16.2", python="3.11", keras="3.15.1"),
    "keras3.4": Release(tensorflow="2.17.1", python="3.11", keras="3.4.1"),
    "keras3.6": Release(tensorflow="2.18.1", python="3.11", keras="3.6.0"),
    "keras3.7": Release(tensorflow="2.18.1", python="3.11", keras="3.7.0"),
    "keras3.9": Release(tensorflow="2.19.1", python="3.11", keras="3.9.2"),
    "keras3.11": Release(tensorflow="2.20.0", python="3.12", keras="3.11.3"),
    "keras3.12": Release(tensorflow="2.20.0", python="3.12", keras="3.12.0"),
    "keras3.14": Release(tensorflow="2.21.0", python="3.12", keras="3.14.0"),
    "tf2.21": Release(tensorflow="2.21.0", python="3.11", keras="3.15.1"),
}
"""Parts alone are loaded in these, and of them those that tell something there: what lies between two of the lab, or
beyond the oldest, and Keras 3 without tf-keras beside it, which those of the lab have."""


def runtimes(pins: dict[str, tuple[str, ...]]) -> Iterator[Runtime]:
    """Every runtime of the lab, with the pins that each TensorFlow, by its minor, was found to need."""
    for release in RELEASES:
        needed = pins.get(release.minor, ())
        if release.keras is None:
            yield runtime(f"tf{release.minor}", release, needed)
        else:
            yield runtime(f"tf{release.minor}-keras3", release, needed)
            yield runtime(f"tf{release.minor}-tfkeras", release, needed)


def between() -> Iterator[Runtime]:
    """With the most pins that they may need, so that nothing has to be found out."""
    for name, release in BETWEEN.items():
        yield runtime(name, release, release.pins[-1] if release.pins else ())


def environment_of(name: str) -> dict[str, str]:
    """Keras 3 and tf-keras lie in one environment: which of them is used, the variable alone decides."""
    return {"TF_USE_LEGACY_KERAS": "1"} if name.endswith("-tfkeras") else {}


def runtime(name: str, release: Release, pins: tuple[str, ...]) -> Runtime:
    packages = (*pins, f"tf-keras=={release.tf_keras}") if release.tf_keras else pins
    return Runtime(
        name=name,
        python=release.python,
        tensorflow=release.tensorflow,
        keras=release.keras,
        requirements=tuple(Requirement(text=text) for text in packages),
        env=environment_of(name),
    )


def unpinned(release: Release) -> Runtime:
    """What `pip install tensorflow==…` gives today."""
    return Runtime(name=f"tf{release.minor}-unpinned", python=release.python, tensorflow=release.tensorflow)
