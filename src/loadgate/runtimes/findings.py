"""Why a runtime cannot import TensorFlow: from what was seen to a cause, by the rules beside this file."""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

import msgspec
import yaml
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion

from loadgate.domain import Finding, FindingKind

DETAIL_LINES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportFailure:
    """What was seen from inside the runtime, or from outside where it did not live to tell."""

    stage: str
    """What was being tried: `tensorflow`, `protobuf`, `numpy`, `h5py` or `keras`."""
    type: str = ""
    """Qualified name of the exception; empty where there was none."""
    message: str = ""
    traceback: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    status: int | None = 0
    """Exit status; negative for the signal that ended it; None where its time was up."""
    output: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One cause. It applies where everything that it names was seen."""

    cause: str
    headline: str
    """`{numpy}` stands for the version of that package."""
    suggestion: str
    stage: str | None = None
    type: str | None = None
    """The exception's name without its module."""
    message: str | None = None
    """Regular expression, to be found anywhere in the message."""
    traceback: str | None = None
    """The same for the traceback."""
    packages: Mapping[str, str] = field(default_factory=dict)
    """Package → versions, as a specifier; `none` where it must be missing, `any` where it must be there."""
    env: tuple[str, ...] = ()
    """Variables that must be set, and not to `0`, `false` or nothing."""


@cache
def rules() -> tuple[Rule, ...]:
    """In the order in which they are tried."""
    text = files("loadgate.runtimes").joinpath("findings.yml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(text), tuple[Rule, ...])


def runtime_finding(failure: ImportFailure) -> Finding:
    detail = detail_of(failure)
    if failure.status is None:
        return found("timed_out", f"{doing(failure.stage)} was not done in time.", detail)
    if not failure.type:
        cause = "killed" if failure.status == -signal.SIGKILL else "crashed"
        return found(cause, f"{doing(failure.stage)} ended the process{by_what(failure.status)}.", detail)
    for rule in rules():
        if applies(rule, failure):
            versions = Versions(failure.packages)
            suggestion = rule.suggestion.format_map(versions)
            return found(rule.cause, rule.headline.format_map(versions), detail, suggestion)
    first_line = failure.message.strip().partition("\n")[0]
    return found("unknown", f"{doing(failure.stage)} fails: {short(failure.type)}: {first_line}"[:300], detail)


def found(cause: str, headline: str, detail: str, suggestion: str | None = None) -> Finding:
    return Finding(kind=FindingKind.IMPORT, cause=cause, headline=headline, detail=detail, suggestion=suggestion)


class Versions(dict[str, str]):
    def __missing__(self, package: str) -> str:
        # The full build and its stand-ins are one thing to whoever reads a headline.
        if package == "tensorflow":
            return self.get("tensorflow-cpu") or self.get("tf-nightly") or ""
        return ""


def applies(rule: Rule, failure: ImportFailure) -> bool:
    return (
        rule.stage in (None, failure.stage)
        and rule.type in (None, short(failure.type))
        and (rule.message is None or re.search(rule.message, failure.message) is not None)
        and (rule.traceback is None or re.search(rule.traceback, failure.traceback) is not None)
        and all(has(failure.packages, name, versions) for name, versions in rule.packages.items())
        and all(failure.env.get(name, "").lower() not in ("", "0", "false") for name in rule.env)
    )


def has(packages: Mapping[str, str], name: str, versions: str) -> bool:
    version = Versions(packages)[name]
    if versions == "none":
        return not version
    if versions == "any" or not version:
        return bool(version)
    try:
        return SpecifierSet(versions).contains(version, prereleases=True)
    except InvalidVersion:
        return False


def doing(stage: str) -> str:
    return {
        "tensorflow": "Importing TensorFlow",
        "protobuf": "Parsing a protobuf message with TensorFlow's protobuf",
        "numpy": "Handing an array of NumPy to TensorFlow",
        "h5py": "Writing and reading HDF5 with h5py",
        "keras": "Importing tf.keras",
    }.get(stage, "Starting the interpreter")


def by_what(status: int) -> str:
    if status >= 0:
        return f" with exit status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = str(-status)
    meaning = {"SIGILL": ", an instruction that this CPU does not have", "SIGKILL": ", as happens without memory left"}
    return f" by {name}{meaning.get(name, '')}"


def short(qualified: str) -> str:
    return qualified.rpartition(".")[2]


def detail_of(failure: ImportFailure) -> str:
    """The end of the traceback, or where there is none, of what was written."""
    lines = (failure.traceback or failure.output).strip().splitlines()
    return "\n".join(lines[-DETAIL_LINES:])
