"""From a runtime as it was asked for to the exact pins that it is made of.

What `pip install` would give is what is tested: nothing is constrained that the user did not constrain.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from loadgate.declared import PYTHONS, holds
from loadgate.domain import Device, Runtime
from loadgate.errors import UsageError
from loadgate.runtimes.failure import NotMadeError
from loadgate.runtimes.interpreters import Interpreter
from loadgate.runtimes.supported_pythons import advice, support_of
from loadgate.runtimes.uv import Question, Uv

FORMAT = 1
"""Part of every digest; raised when what is made of the same pins changes."""

TENSORFLOW_NAMES = frozenset(
    {
        "tensorflow",
        "tensorflow-cpu",
        "tensorflow-gpu",
        "tensorflow-intel",
        "tensorflow-rocm",
        "intel-tensorflow",
        "tf-nightly",
        "tf-nightly-cpu",
    }
)
PLACES = (
    "-i",
    "--index-url",
    "--extra-index-url",
    "--no-index",
    "-f",
    "--find-links",
    "--no-binary",
    "--only-binary",
)
"""Options with which the same pin is another file, in an order that counts."""
NO_FULL_TENSORFLOW = "tensorflow ; sys_platform == 'never'"
"""As an override it removes the full build even where another package asks for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What a runtime is made of: two runtimes with the same `digest` are the same on this kind of machine."""

    python: str
    """Full version."""
    pins: tuple[str, ...]
    options: tuple[str, ...] = ()
    """Where the pins are to be had from, as lines of a requirements file."""
    notes: tuple[str, ...] = ()

    def digest(self, platform: str) -> str:
        parts = [FORMAT, platform, self.python, sorted(self.pins)]
        places = [option for option in dict.fromkeys(self.options) if option.startswith(PLACES)]
        return digest_of(*parts, places) if places else digest_of(*parts)


def digest_of(*parts: object) -> str:
    return hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()


def request_digest(runtime: Runtime, platform: str, uv_settings: Mapping[str, str]) -> str:
    """Of all that a resolution depends on, apart from what the index has on the day."""
    return digest_of(FORMAT, platform, runtime.python, question_of(runtime), stand_in_allowed(runtime), uv_settings)


def question_of(runtime: Runtime) -> Question:
    texts = [requirement.text for requirement in runtime.requirements]
    lines = [text for text in texts if not text.startswith("-")]
    if runtime.tensorflow is not None:
        name = next((str(named.name) for named in parsed(lines, runtime.python) if is_tensorflow(named)), "tensorflow")
        lines.append(name + specifier(runtime.tensorflow))
    if runtime.keras is not None:
        lines.append("keras" + specifier(runtime.keras))
    constraints = [requirement.text for requirement in runtime.constraints]
    return Question(
        lines=tuple(lines),
        constraints=tuple(text for text in constraints if not text.startswith("-")),
        options=tuple(text for text in (*texts, *constraints) if text.startswith("-")),
    )


def specifier(version: str) -> str:
    """`2.15.1` means exactly that; what begins with an operator is taken as it is."""
    text = version if re.match(r"\s*[<>=!~]", version) else f"=={version}"
    try:
        SpecifierSet(text)
    except InvalidSpecifier as error:
        raise UsageError(
            f"`{version}` is no version and no range of versions; write it like `2.15.1` or `>=2.15,<2.16`"
        ) from error
    return text.strip()


def pythons_for(runtime: Runtime) -> tuple[str, ...]:
    """The Python that it asks for; else, newest first, those that have builds of the TensorFlow that it asks for."""
    if runtime.python is not None:
        return (runtime.python,)
    question = question_of(runtime)
    named = any(is_tensorflow(line) for line in parsed(question.lines))

    def suits(python: str) -> bool:
        supported = support_of(tensorflow_asked_for(question, python)).pythons()
        holding = any(is_tensorflow(line) for line in parsed(question.lines, python))
        return python in supported and (holding or not named)

    suiting = tuple(python for python in reversed(PYTHONS) if suits(python))
    return suiting or support_of(tensorflow_asked_for(question)).pythons()


def tensorflow_asked_for(question: Question, python: str | None = None) -> SpecifierSet:
    """What the requirements themselves say of the version of TensorFlow for that Python."""
    asked = SpecifierSet()
    for requirement in parsed((*question.lines, *question.constraints), python):
        if is_tensorflow(requirement):
            asked &= requirement.specifier
    return asked


def parsed(lines: Sequence[str], python: str | None = None) -> list[Requirement]:
    """The lines that are plain requirements, and meant for this system and that Python: for any, where it is None."""
    requirements = []
    for line in lines:
        try:
            requirement = Requirement(without_hashes(line))
        except InvalidRequirement:  # a URL, or a mistake that the resolver will name
            continue
        if holds(requirement.marker, python):
            requirements.append(requirement)
    return requirements


def without_hashes(line: str) -> str:
    return line.partition(" --hash")[0].partition(" #")[0].strip()


def is_tensorflow(requirement: Requirement) -> bool:
    return canonicalize_name(requirement.name) in TENSORFLOW_NAMES


def resolve(runtime: Runtime, interpreter: Interpreter, uv: Uv) -> Resolution:
    """Raises NotMadeError."""
    try:
        return resolved(runtime, interpreter, uv)
    except NotMadeError as error:
        if error.finding.cause != "no_build_for_python":
            raise
        asked = tensorflow_asked_for(question_of(runtime), interpreter.version)
        suggestion = advice(asked, interpreter.version)
        raise NotMadeError(replace(error.finding, suggestion=suggestion)) from error


def resolved(runtime: Runtime, interpreter: Interpreter, uv: Uv) -> Resolution:
    question = question_of(runtime)
    notes: list[str] = []
    pins = uv.resolve(question, interpreter.path) if question.lines else ()
    if not any(is_tensorflow(pin) for pin in parsed(pins)):
        notes.append("Nothing that is required brings TensorFlow, so the newest that fits was added.")
        question = replace(question, lines=(*question.lines, "tensorflow"))
        pins = uv.resolve(question, interpreter.path)
    if stand_in_allowed(runtime) and (smaller := with_cpu_build(pins, question, interpreter, uv)) is not None:
        version = next(str(pin.specifier)[2:] for pin in parsed(smaller) if pin.name == "tensorflow-cpu")
        notes.append(f"tensorflow-cpu {version} stands in for tensorflow {version}, as no GPU is asked for.")
        pins = smaller
    return Resolution(
        python=interpreter.version,
        pins=with_hashes(pins, question.lines, interpreter.version),
        options=question.options,
        notes=tuple(notes),
    )


def stand_in_allowed(runtime: Runtime) -> bool:
    """The user gets the full build where a GPU is to be used, and where its very file is named by its hash."""
    hashed = any("--hash" in requirement.text for requirement in runtime.requirements)
    return Device.GPU not in runtime.devices and not hashed


def with_cpu_build(
    pins: tuple[str, ...], question: Question, interpreter: Interpreter, uv: Uv
) -> tuple[str, ...] | None:
    """The same pins with tensorflow-cpu for tensorflow, or None where that release has no such build.

    The resolver must find that the smaller build needs nothing more and nothing else: then all that differs is the
    code for devices that are not there.
    """
    full = [pin for pin in pins if re.fullmatch(r"tensorflow==[^\s;\[]+", pin)]
    if not full:
        return None
    wanted = tuple(sorted(pin.replace("tensorflow==", "tensorflow-cpu==") if pin in full else pin for pin in pins))
    try:
        found = uv.resolve(
            Question(lines=wanted, overrides=(NO_FULL_TENSORFLOW,), options=question.options), interpreter.path
        )
    except NotMadeError:
        return None
    return found if found == wanted else None


def with_hashes(pins: Sequence[str], lines: Sequence[str], python: str) -> tuple[str, ...]:
    """The hashes that the user gave go with the pins that they were given for; uv checks them as it installs."""
    hashes: dict[tuple[str, str], str] = {}
    for line in lines:
        plain, separator, rest = line.partition(" --hash")
        for requirement in parsed([plain], python) if separator else ():
            hashes[canonicalize_name(requirement.name), str(requirement.specifier)] = f" --hash{rest}"
    pinned = []
    for pin in pins:
        key = next(((canonicalize_name(one.name), str(one.specifier)) for one in parsed([pin])), ("", ""))
        pinned.append(pin + hashes.get(key, ""))
    return tuple(pinned)
