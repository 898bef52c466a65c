"""What is installed in a runtime, by itself and beside what saved the artifact."""

from __future__ import annotations

from packaging.version import Version

from loadgate.diagnosis.conditions.seen import Seen, artifact_says, runtime_says, version_is
from loadgate.diagnosis.subject import Subject, version

KERAS_3 = 3


def keras(subject: Subject, wanted: str) -> Seen | None:
    """Version of the Keras that the loader uses."""
    return version_is(subject.keras, wanted, runtime_says(f"loads with Keras {subject.keras}"))


def tensorflow(subject: Subject, wanted: str) -> Seen | None:
    return version_is(subject.tensorflow, wanted, runtime_says(f"runs TensorFlow {subject.tensorflow}"))


def python(subject: Subject, wanted: str) -> Seen | None:
    return version_is(subject.python, wanted, runtime_says(f"runs Python {subject.python}"))


def package(subject: Subject, wanted: str) -> Seen | None:
    """`NAME none`, `NAME any` or `NAME SPECIFIER`."""
    name, _, versions = wanted.partition(" ")
    found = subject.lock.packages.get(name) if subject.lock else None
    if versions == "none":
        return Seen(evidence=(runtime_says(f"{name} is not installed"),)) if subject.lock and not found else None
    if found is None:
        return None
    evidence = runtime_says(f"{name} {found} is installed")
    return Seen(evidence=(evidence,)) if versions == "any" else version_is(version(found), versions, evidence)


def environment(subject: Subject, wanted: str) -> Seen | None:
    value = subject.runtime.env.get(wanted)
    return Seen(evidence=(runtime_says(f"{wanted}={value} is set"),)) if value is not None else None


# --- beside the artifact -----------------------------------------------------------------------------------------


def saver_newer(subject: Subject, wanted: str) -> Seen | None:
    """The saver's `keras` or `tensorflow` is newer than the runtime's, by its minor version at least."""
    saver, here = _pair(subject, wanted)
    return _compared(wanted, saver, here) if saver and here and saver.release[:2] > here.release[:2] else None


def saver_older(subject: Subject, wanted: str) -> Seen | None:
    saver, here = _pair(subject, wanted)
    return _compared(wanted, saver, here) if saver and here and saver.release[:2] < here.release[:2] else None


def same_generation(subject: Subject, _wanted: str) -> Seen | None:
    """Keras 2 in Keras 2, or Keras 3 in Keras 3."""
    if subject.keras is None or subject.saver_generation is None:
        return None
    return Seen() if (subject.saver_generation >= KERAS_3) == (subject.keras.major >= KERAS_3) else None


def _pair(subject: Subject, wanted: str) -> tuple[Version | None, Version | None]:
    if wanted == "keras":
        return subject.saver_keras, subject.keras
    return subject.saver_tensorflow, subject.tensorflow


def _compared(wanted: str, saver: Version, here: Version) -> Seen:
    name = {"keras": "Keras", "tensorflow": "TensorFlow"}[wanted]
    return Seen(evidence=(artifact_says(f"saved by {name} {saver}"), runtime_says(f"loads with {name} {here}")))
