"""What is expected of a change before anybody tries it, so that what was measured to fail is not suggested. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from packaging.version import Version

from loadgate.diagnosis.change import FOLLOWS_TENSORFLOW, Change, name_of, parse
from loadgate.diagnosis.changes import LEGACY_KERAS, Failure, is_separate
from loadgate.diagnosis.predict import predict
from loadgate.diagnosis.target import Target, target_of, version
from loadgate.domain import Forecast, Prediction, RemedyKind


class Prospective(NamedTuple):
    change: Change
    forecast: Forecast


def most_promising(failure: Failure, changes: Sequence[Change]) -> list[Prospective]:
    """What is nearest to production stays first, but of several releases those that are expected to help.

    What was measured not to help comes last, and no environment is worth being made for it.
    """
    found = [Prospective(change, prospect(failure, change).forecast) for change in changes]
    hopeless = [each for each in found if each.forecast is Forecast.WILL_NOT_LOAD]
    left = [each for each in found if each.forecast is not Forecast.WILL_NOT_LOAD]
    releases = [each for each in left if each.change.kind is RemedyKind.TENSORFLOW]
    releases.sort(key=lambda each: each.forecast is not Forecast.WILL_LOAD)
    following = iter(releases)
    ordered = (next(following) if each.change.kind is RemedyKind.TENSORFLOW else each for each in left)
    return [*ordered, *(each for each in hopeless if not each.change.needs_environment)]


def prospect(failure: Failure, change: Change) -> Prediction:
    """Not known of what makes another file, and of packages that bring what was never measured."""
    brings_more = any(name_of(text) not in FOLLOWS_TENSORFLOW for text in change.packages)
    if change.resave is not None or brings_more:
        return Prediction(forecast=Forecast.NOT_KNOWN)
    return predict(failure.artifact, change.loader or failure.case.loader, _target(failure, change))


def _target(failure: Failure, change: Change) -> Target:
    env = {**failure.runtime.env, **change.env}
    base = target_of(failure.lock, imports=bool(failure.runtime.imports or change.imports))
    if change.tensorflow is not None:
        base = replace(base, tensorflow=version(change.tensorflow), keras=None, tf_keras=None)
    elif base.is_legacy and env.get(LEGACY_KERAS) != "1":
        base = replace(base, keras=version(failure.lock.packages.get("keras")))
    return replace(
        base,
        keras=version(change.keras) if change.keras else base.keras,
        tf_keras=_tf_keras(change) or base.tf_keras,
        is_legacy=_is_legacy(env, change.tensorflow or failure.lock.tensorflow),
        python=version(change.python) if change.python else base.python,
    )


def _is_legacy(env: Mapping[str, str], tensorflow: str) -> bool:
    return env.get(LEGACY_KERAS) == "1" and is_separate(tensorflow)


def _tf_keras(change: Change) -> Version | None:
    """The release that a requirement such as `tf-keras==2.18.*` comes to."""
    for text in change.packages:
        parsed = parse(text)
        if parsed is not None and name_of(text) == "tf-keras" and parsed.specifier:
            return version(next(iter(parsed.specifier)).version.removesuffix(".*"))
    return None
