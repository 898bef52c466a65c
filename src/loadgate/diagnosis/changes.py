"""From the diagnosis of a failure to the changes that are worth a try, nearest to production first. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files

import msgspec
import yaml
from packaging.specifiers import SpecifierSet

from loadgate.declared import TENSORFLOW_NAMES, asks_for
from loadgate.diagnosis import releases
from loadgate.diagnosis.change import Change, name_of, parse
from loadgate.domain import (
    LOADERS_OF_FORMAT,
    Artifact,
    Case,
    Confidence,
    Definition,
    Diagnosis,
    Facts,
    Finding,
    Format,
    Loader,
    Lock,
    Proposal,
    RemedyKind,
    Runtime,
    Stage,
)

NEARNESS = tuple(RemedyKind)
"""The kinds in the order of the domain: what changes least first."""
LEGACY_KERAS = "TF_USE_LEGACY_KERAS"
KERAS_LOADERS = (Loader.KERAS, Loader.TF_KERAS)
NOT_FOR_THE_IMPORT = ("h5py", "sentencepiece", "tf_keras")
"""What others import; it registers nothing."""
VARIABLE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)")


class Package(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    module: str
    follows: bool = False


class Known(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    packages: dict[str, Package]
    repairs: dict[str, tuple[str, ...]]


@cache
def known() -> Known:
    text = files("loadgate.diagnosis").joinpath("remedies.yml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(text), Known)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A case that failed, with all that is known of it."""

    case: Case
    artifact: Artifact
    runtime: Runtime
    lock: Lock
    diagnosis: Diagnosis
    failed: tuple[Stage, ...] = (Stage.LOAD,)
    definitions: Mapping[str, tuple[Definition, ...]] = field(default_factory=dict)
    """What the repository defines of what the artifact needs."""

    @property
    def facts(self) -> Facts:
        return self.artifact.facts or Facts()

    @property
    def minor(self) -> str:
        return releases.minor_of(self.lock.tensorflow) or ""

    @property
    def separate_keras(self) -> bool:
        return is_separate(self.lock.tensorflow)

    @property
    def is_legacy(self) -> bool:
        return self.runtime.env.get(LEGACY_KERAS) == "1"

    @property
    def of_keras_2(self) -> bool:
        return (self.facts.saved_with.keras or "").startswith("2.")

    @property
    def saver_keras_3(self) -> str | None:
        """The version of Keras 3 that saved it; None where it was none, or is not told."""
        saver = self.facts.saved_with.keras or ""
        return saver if saver.startswith("3.") and releases.as_version(saver) is not None else None

    @property
    def is_named_by_shards(self) -> bool:
        """A checkpoint in files of which none has the name by which it is known."""
        in_shards = self.artifact.path not in self.artifact.files
        return in_shards and self.facts.extra.get("checkpoint_version") == "V1"

    @property
    def can_be_mended(self) -> bool:
        """The artifact's own bytes are no hindrance: those no runtime mends, but a wrong name it may."""
        kinds = {proposal.kind for proposal in self.diagnosis.proposals}
        broken = self.artifact.stand_in is not None or self.artifact.damage is not None
        return not (broken and kinds <= {RemedyKind.FILE})


def changes_of(failure: Failure) -> tuple[Change, ...]:
    """What the diagnosis proposes, then what mends failures of such an artifact in general. Each only once."""
    if not failure.can_be_mended:
        return ()
    proposed = [change for proposal in failure.diagnosis.proposals for change in _of_proposal(failure, proposal)]
    if failure.is_legacy and failure.separate_keras and failure.saver_keras_3:
        proposed[:0] = _to_keras_3(failure)
    general = sorted(_in_general(failure), key=lambda change: NEARNESS.index(change.kind))
    if _is_about_code_alone(failure) or _is_for_a_person(failure):
        general = [change for change in general if not change.needs_environment]
    unique: dict[str, Change] = {}
    for change in (*proposed, *general):
        whole = with_needed_imports(failure, change)
        unique.setdefault(repr(replace(whole, kind=RemedyKind.OTHER)), whole)
    return tuple(change for change in unique.values() if _changes_something(failure, change))


def _to_keras_3(failure: Failure) -> Iterator[Change]:
    """Out of the legacy Keras, with the Keras 3 that is installed beside it, then with the saver's."""
    env = {LEGACY_KERAS: "0"}
    yield Change(kind=RemedyKind.ENVIRONMENT, env=env)
    if failure.saver_keras_3 != failure.lock.packages.get("keras"):
        yield Change(kind=RemedyKind.KERAS, keras=failure.saver_keras_3, env=env)


def _is_about_code_alone(failure: Failure) -> bool:
    """It lacks code that no TensorFlow brings and the repository has no more of, so another is not worth its minute."""
    kinds = {proposal.kind for proposal in failure.diagnosis.proposals}
    if failure.diagnosis.confidence is not Confidence.CERTAIN or not kinds <= {RemedyKind.IMPORT, RemedyKind.PACKAGE}:
        return False
    return bool(failure.facts.custom_objects) and not _defined(failure, frozenset())


def _is_for_a_person(failure: Failure) -> bool:
    """It is certain what would help, and no installing would."""
    kinds = {proposal.kind for proposal in failure.diagnosis.proposals}
    return failure.diagnosis.confidence is Confidence.CERTAIN and kinds == {RemedyKind.OTHER}


def with_needed_imports(failure: Failure, change: Change) -> Change:
    """In another environment the next thing to fail would be what nobody has imported."""
    if not (change.needs_environment or change.env):
        return change
    return replace(change, imports=tuple(dict.fromkeys((*change.imports, *_defined(failure, frozenset())))))


def _changes_something(failure: Failure, change: Change) -> bool:
    if change.loader is not None and change.loader == failure.case.loader and change.resave is None:
        return False
    same_env = all(failure.runtime.env.get(name) == value for name, value in change.env.items())
    nothing_else = not (change.needs_environment or change.imports or change.loader or change.resave)
    return not (nothing_else and same_env)


def _of_proposal(failure: Failure, proposal: Proposal) -> Iterator[Change]:
    match proposal.kind:
        case RemedyKind.IMPORT:
            yield from _imports(failure, proposal.value)
        case RemedyKind.LOADER:
            yield from _loaders(failure, proposal.value)
        case RemedyKind.PACKAGE:
            yield from _package(failure, proposal.value)
        case RemedyKind.ENVIRONMENT:
            yield from _environment(failure, proposal.value)
        case RemedyKind.KERAS:
            yield from _keras(failure, proposal.value)
        case RemedyKind.TENSORFLOW:
            yield from _tensorflow(failure, proposal.value)
        case RemedyKind.PYTHON:
            yield from _python(failure, proposal.value)
        case RemedyKind.RESAVE:
            yield from resaves(failure)


def _in_general(failure: Failure) -> Iterator[Change]:
    """The differential: what differs between the runtimes in which such an artifact loads and those where not."""
    yield from _imports(failure, "")
    if failure.artifact.format is Format.SAVED_MODEL:
        yield from _loaders(failure, "")
    if failure.case.loader in KERAS_LOADERS:
        yield from _environment(failure, f"{LEGACY_KERAS}=1")
        yield from _keras(failure, "")
    if failure.facts.lambdas:
        yield from _python(failure, "")
    yield from _tensorflow(failure, "")
    if failure.artifact.format is Format.SAVED_MODEL and failure.case.loader is not Loader.SAVED_MODEL:
        # Keras 3 reads none by `load_model`, and Keras 2 has no TFSMLayer: this call is in all of them
        others = (*_environment(failure, f"{LEGACY_KERAS}=1"), *_tensorflow(failure, ""))
        yield from (replace(change, loader=Loader.SAVED_MODEL) for change in others)


def _imports(failure: Failure, value: str) -> Iterator[Change]:
    """`value` is a module, or the name of what has to be registered; empty for all that the file says it needs."""
    objects = failure.facts.custom_objects
    defined = _defined(failure, frozenset({value} if value.isidentifier() else ()))
    if defined:
        yield Change(kind=RemedyKind.IMPORT, imports=defined)
    elif "." in value and all(part.isidentifier() for part in value.split(".")):
        yield Change(kind=RemedyKind.IMPORT, imports=(value,))
    tops = {(found.module or "").partition(".")[0] for found in objects}
    for name, package in known().packages.items():
        if package.module.partition(".")[0] in tops and package.module != "tf_keras":
            yield from _package(failure, name)


def _defined(failure: Failure, names: frozenset[str]) -> tuple[str, ...]:
    """What the repository defines of `names` and of what the file says it needs, and nobody imports yet."""
    called: dict[str, str | None] = dict.fromkeys(names)
    called |= {found.name: found.registered_name for found in failure.facts.custom_objects}
    entries = [
        failure.definitions[name][0].entry(registered_name)
        for name, registered_name in sorted(called.items())
        if name in failure.definitions
    ]
    return tuple(entry for entry in dict.fromkeys(entries) if entry not in failure.runtime.imports)


def _loaders(failure: Failure, value: str) -> Iterator[Change]:
    offered = LOADERS_OF_FORMAT[failure.artifact.format]
    if value == Loader.CHECKPOINT and failure.is_named_by_shards:
        value = Loader.CHECKPOINT_SHARDS
    chosen = [loader for loader in offered if loader.value == value] if value else offered
    for loader in chosen:
        missing = loader is Loader.TF_KERAS and "tf-keras" not in failure.lock.packages
        if loader != failure.case.loader and not missing:
            yield Change(kind=RemedyKind.LOADER, loader=loader)


def _package(failure: Failure, requirement: str) -> Iterator[Change]:
    """Only what is known to be meant: a rule may quote the artifact, and an artifact chooses no packages."""
    name = name_of(requirement)
    package = known().packages.get(name)
    if package is None:
        return
    imports = () if package.module in NOT_FOR_THE_IMPORT else (package.module,)
    if name in failure.lock.packages and (parsed := parse(requirement)) and not parsed.specifier:
        if imports and package.module not in failure.runtime.imports:
            yield Change(kind=RemedyKind.IMPORT, imports=imports)
        return
    text = f"{name}=={failure.minor}.*" if package.follows and requirement == name else requirement
    yield Change(kind=RemedyKind.PACKAGE, packages=(text,), imports=imports)


def _environment(failure: Failure, value: str) -> Iterator[Change]:
    found = VARIABLE.fullmatch(value)
    if found is None:
        return
    name, text = found.groups()
    if name != LEGACY_KERAS or text != "1":
        yield Change(kind=RemedyKind.ENVIRONMENT, env={name: text})
    elif failure.separate_keras and not failure.is_legacy:
        installed = releases.minor_of(failure.lock.packages.get("tf-keras", "")) == failure.minor
        packages = () if installed else (f"tf-keras=={failure.minor}.*",)
        yield Change(kind=RemedyKind.ENVIRONMENT, env={LEGACY_KERAS: "1"}, packages=packages)


def _keras(failure: Failure, value: str) -> Iterator[Change]:
    """Another Keras beside the same TensorFlow, which can be had for Keras 3 alone."""
    if not failure.separate_keras or failure.is_legacy:
        return
    chosen = value or failure.saver_keras_3 or ""
    version = releases.as_version(chosen)
    if chosen and (version is None or version.major == 3) and chosen != failure.lock.packages.get("keras"):  # noqa: PLR2004 - the number is the release itself
        here = releases.minor_of(failure.lock.python)
        python = releases.python_for(failure.lock.tensorflow, here, keras=chosen)
        yield Change(kind=RemedyKind.KERAS, keras=chosen, python=python if python != here else None)


def _tensorflow(failure: Failure, value: str) -> Iterator[Change]:
    named = [proposal.value for proposal in failure.diagnosis.proposals if proposal.kind is RemedyKind.TENSORFLOW]
    for release in releases.other_releases(failure.artifact, failure.lock.tensorflow, value):
        if value or all(releases.is_as_far(release, failure.lock.tensorflow, name) for name in named):
            yield release_change(failure, release)


def release_change(failure: Failure, release: str) -> Change:
    """Another TensorFlow, with the Python and the Keras that the artifact will need there."""
    here = releases.minor_of(failure.lock.python)
    separate = is_separate(release)
    legacy = failure.is_legacy or (failure.of_keras_2 and failure.case.loader in KERAS_LOADERS)
    tf_keras = (f"tf-keras=={releases.minor_of(release)}.*",) if legacy and separate else ()
    # a file of Keras 3 says which; the newest, which the resolver would take, reads fewer of them
    keras = failure.saver_keras_3 if separate and not tf_keras else None
    python = releases.python_for(release, here, failure.facts.lambdas, keras=keras)
    env = {LEGACY_KERAS: "1" if tf_keras else "0"} if failure.is_legacy or tf_keras else {}
    return Change(
        kind=RemedyKind.TENSORFLOW,
        tensorflow=release,
        keras=keras,
        python=python if python != here else None,
        packages=(*releases.requirements_for(release), *tf_keras),
        env={name: value for name, value in env.items() if failure.runtime.env.get(name) != value},
    )


def is_separate(release: str) -> bool:
    """Whether Keras 3 and tf-keras are two packages to choose from beside that TensorFlow."""
    version = releases.as_version(release)
    return version is not None and (version.major, version.minor) >= (2, 16)


def _python(failure: Failure, value: str) -> Iterator[Change]:
    here = releases.minor_of(failure.lock.python)
    if re.fullmatch(r"3\.\d{1,2}", value):
        python: str | None = value
    else:
        python = releases.python_for(failure.lock.tensorflow, here, failure.facts.lambdas)
    if python and python != here:
        yield Change(kind=RemedyKind.PYTHON, python=python)


def resaves(failure: Failure) -> Iterator[Change]:
    """The artifact saved again: first so that the same call reads it, then as a graph that needs no Keras."""
    if failure.artifact.format not in (Format.KERAS_H5, Format.KERAS_V3, Format.SAVED_MODEL):
        return
    if Stage.COMPILE in failure.failed:  # what is saved again is loaded and compared, and no more
        return
    generation = (failure.lock.keras or "2").partition(".")[0]
    saver = (failure.facts.saved_with.keras or "").partition(".")[0]
    keeps_its_layers = failure.case.loader in KERAS_LOADERS and saver in ("", generation, "2")
    if keeps_its_layers and not failure.facts.lambdas:  # their bytecode would be in the new file as well
        yield Change(kind=RemedyKind.RESAVE, resave=Format.KERAS_H5, loader=failure.case.loader)
    yield Change(kind=RemedyKind.RESAVE, resave=Format.SAVED_MODEL, loader=Loader.SAVED_MODEL)


def repair_of(runtime: Runtime, finding: Finding) -> Change | None:
    """What a finding of a runtime that could not be made asks for; None where nothing is known to help."""
    minor = releases.minor_asked_for(_tensorflow_asked_for(runtime))
    if finding.cause == "no_build_for_python" and minor:
        python = releases.python_for(releases.release_of(minor), None)
        return Change(kind=RemedyKind.PYTHON, python=python) if python and python != runtime.python else None
    if finding.cause == "keras_backend_missing":
        return Change(kind=RemedyKind.ENVIRONMENT, env={"KERAS_BACKEND": "tensorflow"})
    texts = known().repairs.get(finding.cause)
    if not texts or (minor is None and any("{minor}" in text for text in texts)):
        return None
    return Change(kind=RemedyKind.PACKAGE, packages=tuple(text.format(minor=minor) for text in texts))


def _tensorflow_asked_for(runtime: Runtime) -> SpecifierSet:
    release = runtime.tensorflow or ""
    texts = [f"tensorflow=={release}" if release[:1].isdigit() else f"tensorflow{release}"]
    texts += [line.text for line in (*runtime.constraints, *runtime.requirements)]
    asked = SpecifierSet()
    for text in texts:
        if asks_for(text, TENSORFLOW_NAMES) and (parsed := parse(text)):
            asked &= parsed.specifier
    return asked
