"""Where something is to be loaded, as far as a prediction needs to know it: from a lock, or from versions alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from packaging.version import InvalidVersion, Version

from loadgate.domain import Loader, Lock


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """None where it is not known."""

    tensorflow: Version | None = None
    keras: Version | None = None
    """Of the Keras that `tf.keras` is."""
    tf_keras: Version | None = None
    """Of the package tf-keras, which is Keras 2 under another name."""
    is_legacy: bool = False
    """`tf.keras` is tf-keras."""
    python: Version | None = None
    imports: bool = False
    """Something of the user's is imported first, which may register classes."""
    brought: frozenset[str] | None = None
    """The names that it defines; None where it is taken to bring all that is needed."""


def target_of(lock: Lock, *, imports: bool = False) -> Target:
    tf_keras = version(lock.packages.get("tf-keras"))
    return Target(
        tensorflow=version(lock.tensorflow),
        keras=version(lock.keras),
        tf_keras=tf_keras,
        is_legacy=lock.keras_module == "tf_keras",
        python=version(lock.python),
        imports=imports,
    )


@lru_cache(maxsize=1024)
def version(text: str | None) -> Version | None:
    try:
        return Version(text) if text else None
    except InvalidVersion:
        return None


class Line:
    """What a loader depends on, as a line of versions along which measurements are compared."""

    TENSORFLOW = "tensorflow"
    KERAS_2 = "keras 2"
    """By the TensorFlow that holds it up to 2.15, by tf-keras from 2.16 on: it is one line of releases."""
    KERAS_3 = "keras 3"


def place_of(target: Target, loader: Loader) -> tuple[str, Version] | None:
    """On which line a target stands for that loader, and where; None where that is not known."""
    if loader is Loader.TF_KERAS:
        return (Line.KERAS_2, target.tf_keras) if target.tf_keras else None
    if loader is not Loader.KERAS and loader is not Loader.KERAS_LAYER:
        return (Line.TENSORFLOW, target.tensorflow) if target.tensorflow else None
    if target.is_legacy:
        return (Line.KERAS_2, target.tf_keras) if target.tf_keras else None
    if target.keras is not None and target.keras.major >= 3:  # noqa: PLR2004 - the Keras that is no part of TensorFlow
        return Line.KERAS_3, target.keras
    if target.tensorflow is not None and target.tensorflow < Version("2.16"):
        return Line.KERAS_2, target.tensorflow
    return None
