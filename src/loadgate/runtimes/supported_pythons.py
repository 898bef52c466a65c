"""Which Pythons a TensorFlow release has builds for, from the measured table beside this file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import msgspec
import yaml
from packaging.specifiers import SpecifierSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    tensorflow: str
    """Its minor version, such as `2.15`."""
    python: tuple[str, str]
    """Oldest and newest minor version."""
    releases: tuple[str, ...]

    def pythons(self) -> tuple[str, ...]:
        """Minor versions, newest first."""
        oldest, newest = (int(version.removeprefix("3.")) for version in self.python)
        return tuple(f"3.{minor}" for minor in range(newest, oldest - 1, -1))


@cache
def supports() -> tuple[Support, ...]:
    """Oldest TensorFlow first."""
    text = files("loadgate.runtimes").joinpath("supported_pythons.yml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(text), tuple[Support, ...])


def support_of(tensorflow: SpecifierSet) -> Support:
    """That of the newest release that `tensorflow` allows; of the newest known, where it allows none of the table's.

    A release that is newer than the table is most likely to have builds for what the newest one of the table has.
    """
    return supports_of(tensorflow)[0]


def supports_of(tensorflow: SpecifierSet) -> tuple[Support, ...]:
    """Those of all releases that `tensorflow` allows, newest first."""
    newest_first = supports()[::-1]
    allowed = tuple(
        support
        for support in newest_first
        if any(tensorflow.contains(release, prereleases=True) for release in support.releases)
    )
    return allowed or newest_first[:1]


def advice(tensorflow: SpecifierSet, python: str) -> str | None:
    """Which Pythons would do, where `python` is none that the releases which `tensorflow` allows have builds for."""
    support = support_of(tensorflow)
    minor = ".".join(python.split(".")[:2])
    if not tensorflow or minor in support.pythons():
        return None
    oldest, newest = support.python
    return f'TensorFlow {support.tensorflow} has builds for Python {oldest} to {newest}: set `python: "{newest}"`.'
