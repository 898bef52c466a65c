"""Which other TensorFlow releases are worth a try for an artifact, the most promising of the nearest first. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from loadgate.domain import Artifact, Facts, Format, LambdaLayer
from loadgate.runtimes.constraints import constraints, constraints_for
from loadgate.runtimes.supported_pythons import Support, support_of, supports

KERAS_FORMATS = (Format.KERAS_H5, Format.KERAS_WEIGHTS_H5, Format.KERAS_V3)
LAST_WITH_KERAS_2 = "2.15"
FIRST_WITH_KERAS_3 = "2.16"
FIRST_WITH_KERAS_V3_FORMAT = "2.12"
PYTHON_OF_KERAS = (((3, 13), "3.11"), ((3, 11), "3.10"))
"""From which Keras on it installs on no older Python: measured with uv on 2026-11-22, for 3.9 and 3.10."""
ERAS = ("1.15", "2.3", "2.6", "2.9", "2.12", "2.15", "2.16", "2.18")
"""Minors after which much changed, for an artifact that does not say who saved it."""


def saver_of(artifact: Artifact) -> str | None:
    """The TensorFlow minor that saved it, as far as the file tells; of a Keras file, the one its Keras came with."""
    facts = artifact.facts or Facts()
    saved = facts.saved_with
    if saved.tensorflow and (minor := minor_of(saved.tensorflow)):
        return known(minor)
    if artifact.format is Format.TFLITE:
        return known(minor_of(facts.extra.get("runtime_version", "")) or "")
    return tensorflow_of_keras(saved.keras) if saved.keras else None


def tensorflow_of_keras(keras: str) -> str | None:
    """Keras 2.3 to 2.15 came with the TensorFlow of the same minor; what is older was made for TensorFlow 1."""
    version = as_version(keras.removesuffix("-tf"))
    if version is None:
        return None
    if version.major >= 3:  # noqa: PLR2004 - Keras 3
        return FIRST_WITH_KERAS_3
    if (version.major, version.minor) < (2, 4) and not (keras.endswith("-tf") and version.minor == 3):  # noqa: PLR2004 - the number is the release itself
        return "1.15"
    return "2.2" if version.minor == 3 else known(f"2.{version.minor}")  # noqa: PLR2004 - 2.3.0-tf


def other_releases(artifact: Artifact, running: str, wanted: str = "") -> tuple[str, ...]:
    """Releases to try for an artifact that does not load in TensorFlow `running`; of `wanted` alone, where given."""
    here = minor_of(running)
    saver = saver_of(artifact)
    minors = [minor for minor in _in_order(artifact, here, saver) if minor != here]
    if saver is not None and artifact.format in KERAS_FORMATS and _place(saver) >= _place(FIRST_WITH_KERAS_3):
        minors.sort(key=lambda minor: _place(minor) < _place(FIRST_WITH_KERAS_3))  # Keras 2 reads hardly any of Keras 3
    releases = [release_of(minor) for minor in dict.fromkeys(minors)]
    if not wanted:
        return tuple(releases)
    if re.fullmatch(r"\d+(\.\d+)+(\.post\d+)?", wanted):
        return (wanted if wanted.count(".") > 1 else release_of(wanted),)
    try:
        specifier = SpecifierSet(wanted)
    except InvalidSpecifier:
        return tuple(releases)
    nearest = [release_of(support.tensorflow) for support in _by_distance(here)]
    fitting = dict.fromkeys([*releases, *nearest])
    return tuple(release for release in fitting if release in specifier and minor_of(release) != here)


def is_as_far(release: str, running: str, named: str) -> bool:
    """Whether `release` is no nearer to the running one than `named`, where that is a release and not a condition."""
    target, here = minor_of(named) if re.fullmatch(r"[\d.]+", named) else None, minor_of(running)
    if target is None or here is None:
        return True
    step, whole = _place(minor_of(release) or "") - _place(here), _place(target) - _place(here)
    return step >= whole if whole > 0 else step <= whole


def steps(one: str, other: str) -> int:
    """How many minors lie between two releases."""
    return abs(_place(minor_of(one) or "") - _place(minor_of(other) or ""))


def _in_order(artifact: Artifact, here: str | None, saver: str | None) -> Iterator[str]:
    newest = supports()[-1].tensorflow
    if saver is None or here is None:
        yield from (support.tensorflow for support in _by_distance(here) if support.tensorflow in (*ERAS, newest))
        return
    if _place(saver) < _place(here):
        if artifact.format in KERAS_FORMATS and _place(here) > _place(LAST_WITH_KERAS_2) >= _place(saver):
            yield LAST_WITH_KERAS_2
        else:
            yield from _steps(here, -1)
        yield saver
    elif _place(saver) > _place(here):
        if artifact.format is Format.KERAS_V3:
            yield from (m for m in (FIRST_WITH_KERAS_V3_FORMAT,) if _place(here) < _place(m) < _place(saver))
        if artifact.format not in KERAS_FORMATS:
            yield from _steps(here, 1)
        if artifact.format is Format.SAVED_MODEL and _place(here) < _place(LAST_WITH_KERAS_2) < _place(saver):
            yield LAST_WITH_KERAS_2  # the last that reads one as a Keras model
        yield saver
    yield from [support.tensorflow for support in _by_distance(saver) if _is_measured(support.tensorflow)][1:3]
    yield from (support.tensorflow for support in _by_distance(here) if support.tensorflow in ERAS)
    yield newest


def _steps(here: str, step: int) -> list[str]:
    """The next minor of which it was measured what it needs."""
    names = [support.tensorflow for support in supports()][:: 1 if step > 0 else -1]
    after = names[names.index(here) + 1 :] if here in names else []
    return [minor for minor in after if _is_measured(minor)][:1]


def _by_distance(minor: str | None) -> Sequence[Support]:
    return _from_place(None if minor is None else _place(minor))


@cache
def _from_place(at: int | None) -> Sequence[Support]:
    """The newer of two that are equally far comes second: a downgrade is known to have worked once."""
    table = supports()
    if at is None:
        return table[::-1]
    return [table[index] for index in sorted(range(len(table)), key=lambda index: (abs(index - at), index))]


def _is_measured(minor: str) -> bool:
    return any(constraint.tensorflow == minor for constraint in constraints())


@cache
def _places() -> Mapping[str, int]:
    return {support.tensorflow: place for place, support in enumerate(supports())}


def _place(minor: str) -> int:
    """Where it stands in the table; beyond its ends for what the table does not have."""
    places = _places()
    if minor in places:
        return places[minor]
    version = as_version(minor)
    return len(places) if version is not None and version > Version(supports()[-1].tensorflow) else -1


def _support(minor: str | None) -> Support | None:
    at = _places().get(minor or "")
    return supports()[at] if at is not None else None


def release_of(minor: str) -> str:
    """The last release of a minor."""
    support = _support(minor)
    return support.releases[-1] if support else f"{minor}.0"


def minor_asked_for(asked: SpecifierSet) -> str | None:
    """That of the newest release that `asked` allows; None where it says nothing."""
    exact = {minor for each in asked if each.operator == "==" and (minor := minor_of(each.version))}
    return max(exact, key=Version) if exact else support_of(asked).tensorflow if asked else None


@lru_cache(maxsize=1024)
def python_for(
    release: str, running: str | None, lambdas: tuple[LambdaLayer, ...] = (), *, keras: str | None = None
) -> str | None:
    """The Python for a release: the running one if that will do, else the nearest that has builds.

    Where the artifact holds bytecode, one that can read it, if the release has builds for any. With `keras`, one on
    which that version installs.
    """
    version = as_version(release)
    measured = constraints_for(version) if version else None
    minor = minor_of(release)
    support = _support(minor)
    offered = list(dict.fromkeys([*(measured.pythons if measured else ()), *(support.pythons() if support else ())]))
    offered = [python for python in offered if second(python) >= second(oldest_python_of(keras))]
    readable = [python for python in offered if all(reads(python, layer) for layer in lambdas)]
    choice = readable or offered
    here = minor_of(running or "")
    if here in choice or not choice:
        return here
    seen = [python for python in measured.pythons if python in choice] if measured else []
    choice = seen or choice
    return min(choice, key=lambda python: abs(second(python) - second(here))) if here else choice[0]


def oldest_python_of(keras: str | None) -> str | None:
    """None where every Python will do that TensorFlow has builds for."""
    version = as_version(keras or "")
    if version is None:
        return None
    return next((python for since, python in PYTHON_OF_KERAS if version.release[:2] >= since), None)


def reads(python: str, layer: LambdaLayer) -> bool:
    """Whether that Python reads the layer's bytecode; unknown counts as yes."""
    found = re.fullmatch(r"3\.(\d+)(?: to 3\.(\d+))?", layer.python or "")
    if found is None:
        return True
    oldest, newest = int(found[1]), int(found[2] or found[1])
    return oldest <= second(python) <= newest


@lru_cache(maxsize=1024)
def requirements_for(release: str) -> tuple[str, ...]:
    """What the resolver must be told so that the release imports today."""
    version = as_version(release)
    measured = constraints_for(version) if version else None
    if measured is None and (minor := minor_of(release)):
        # its neighbours were made in the same months and want the same
        measured = min(constraints(), key=lambda other: abs(_place(other.tensorflow) - _place(minor)), default=None)
    return measured.requirements if measured else ()


def known(minor: str) -> str | None:
    """The minor, or the nearest that the table has; None for nothing."""
    if not minor:
        return None
    at = min(max(_place(minor), 0), len(supports()) - 1)
    return supports()[at].tensorflow


def minor_of(version: str) -> str | None:
    found = re.match(r"(\d+)\.(\d+)", version)
    return f"{found[1]}.{found[2]}" if found else None


def second(python: str | None) -> int:
    return int((python or "3.0").split(".")[1])


@lru_cache(maxsize=1024)
def as_version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None
