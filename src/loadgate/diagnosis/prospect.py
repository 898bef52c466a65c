"""What is expected of a change before anybody tries it, so that what was measured to fail is not suggested. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from packaging.version import Version

from loadgate.diagnosis.change import FOLLOWS_TENSORFLOW, Change, name_of, parse
from loadgate.diagnosis.changes import LEGACY_KERAS, Failure, is_separate
from loadgate.diagnosis.predict import predict
from loadgate.diagnosis.target import Target, target_of, version
from loadgate.domain import Forecast, Prediction, RemedyKind


def most_promising(failure: Failure, changes: Sequence[Change]) -> list[Change]:
    """What was measured not to help comes last, and of several releases first those that are expected to.

    For the rest what is nearest to production stays first.
    """
    forecasts = [prospect(failure, change).forecast for change in changes]
    pairs = list(zip(changes, forecasts, strict=True))
    hopeless = [change for change, forecast in pairs if forecast is Forecast.WILL_NOT_LOAD]
    left = [pair for pair in pairs if pair[1] is not Forecast.WILL_NOT_LOAD]
    releases = [pair for pair in left if pair[0].kind is RemedyKind.TENSORFLOW]
    releases.sort(key=lambda pair: pair[1] is not Forecast.WILL_LOAD)
    following = (change for change, _ in releases)
    return [*(next(following) if change.kind is RemedyKind.TENSORFLOW else change for change, _ in left), *hopeless]


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
