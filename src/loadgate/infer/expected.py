"""What a runtime will be, as far as its own words tell: no network, nothing is made, no code of it is run."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from loadgate.diagnosis.target import Target, version
from loadgate.domain import Runtime
from loadgate.infer.brought import names_brought_by
from loadgate.infer.image_names import tensorflow_of_image
from loadgate.probe.describe import installed_packages
from loadgate.runtimes.resolution import TENSORFLOW_NAMES, parsed, pythons_for, question_of
from loadgate.runtimes.supported_pythons import supports

LEGACY_KERAS = "TF_USE_LEGACY_KERAS"
FIRST_WITH_KERAS_3 = Version("2.16")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    target: Target
    notes: tuple[str, ...] = ()
    """What was taken for granted, one sentence each."""


def expected(runtime: Runtime, repository: Path) -> Expected:
    found = of_runtime(runtime, repository)
    brought = names_brought_by(runtime.imports, repository)
    return replace(found, target=replace(found.target, imports=bool(runtime.imports), brought=brought))


def of_runtime(runtime: Runtime, repository: Path) -> Expected:
    if runtime.interpreter is not None:
        return of_environment(runtime, repository)
    if runtime.image is not None:
        tensorflow = version(tensorflow_of_image(runtime.image))
        note = "What is in an image is not looked at for a prediction; its tag was all there was to go by."
        return Expected(target=completed(runtime, {}, tensorflow, None), notes=(note,))
    return of_requirements(runtime)


def of_environment(runtime: Runtime, repository: Path) -> Expected:
    """Read from the packages that lie in it; its Python is not started."""
    root = Path(os.path.abspath(repository / (runtime.interpreter or ""))).parents[1]
    folders = sorted(root.glob("lib/python3*/site-packages"))
    if not folders:
        note = f"{runtime.interpreter} is no virtual environment whose packages could be read."
        return Expected(target=Target(), notes=(note,))
    packages = installed_packages([str(folder) for folder in folders])
    pins = {name: Version(text) for name, text in packages.items() if version(text) is not None}
    tensorflow = next((pins[name] for name in sorted(TENSORFLOW_NAMES) if name in pins), None)
    python = version(folders[0].parent.name.removeprefix("python"))
    return Expected(target=completed(runtime, pins, tensorflow, python))


def of_requirements(runtime: Runtime) -> Expected:
    question = question_of(runtime)
    python = pythons_for(runtime)[0]
    asked = specifiers(parsed((*question.lines, *question.constraints), python))
    pins = {name: pinned for name, allowed in asked.items() if (pinned := pin_of(allowed)) is not None}
    notes = []
    allowed = SpecifierSet()
    for name in TENSORFLOW_NAMES & asked.keys():
        allowed &= asked[name]
    tensorflow = pin_of(allowed)
    if tensorflow is None:
        tensorflow = newest_allowed(allowed, python)
        notes.append(f"TensorFlow is not pinned; {tensorflow} is the newest known that fits.")
    return Expected(target=completed(runtime, pins, tensorflow, version(python)), notes=tuple(notes))


def specifiers(requirements: Sequence[Requirement]) -> Mapping[str, SpecifierSet]:
    found: dict[str, SpecifierSet] = {}
    for requirement in requirements:
        name = canonicalize_name(requirement.name)
        found[name] = found.get(name, SpecifierSet()) & requirement.specifier
    return found


def pin_of(allowed: SpecifierSet) -> Version | None:
    exact = [each.version for each in allowed if each.operator in ("==", "===") and not each.version.endswith(".*")]
    return version(exact[0]) if exact else None


def newest_allowed(allowed: SpecifierSet, python: str) -> Version:
    """Of the releases that are known, for that Python."""
    minor = ".".join(python.split(".")[:2])
    for support in reversed(supports()):
        if minor in support.pythons():
            for release in reversed(support.releases):
                if allowed.contains(release, prereleases=True):
                    return Version(release)
    return Version(supports()[-1].releases[-1])


def completed(
    runtime: Runtime, pins: Mapping[str, Version], tensorflow: Version | None, python: Version | None
) -> Target:
    """With what follows from TensorFlow itself: its own Keras up to 2.15, and the tf-keras of its minor version."""
    is_legacy = runtime.env.get(LEGACY_KERAS, "").lower() in ("1", "true")
    keras = pins.get("keras")
    if tensorflow is not None and tensorflow < FIRST_WITH_KERAS_3:
        keras, is_legacy = None, False
    tf_keras = pins.get("tf-keras")
    if tf_keras is None and is_legacy and tensorflow is not None:
        tf_keras = Version(f"{tensorflow.major}.{tensorflow.minor}")
    return Target(
        tensorflow=tensorflow,
        keras=keras,
        tf_keras=tf_keras,
        is_legacy=is_legacy,
        python=python or newest_python(tensorflow),
    )


def newest_python(tensorflow: Version | None) -> Version | None:
    """Which loadgate would take, where nobody says."""
    minor = f"{tensorflow.major}.{tensorflow.minor}" if tensorflow else ""
    return next((Version(each.pythons()[0]) for each in supports() if each.tensorflow == minor), None)
