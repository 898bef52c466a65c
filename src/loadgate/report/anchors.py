"""Where a person would mend a failure: the line of the repository's own text that must change. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as ParsedRequirement
from packaging.utils import canonicalize_name

from loadgate.declared import KERAS_NAMES, TENSORFLOW_NAMES
from loadgate.domain import Artifact, Diagnosis, Origin, Remedy, RemedyKind, Runtime, StandInKind

KEYS: Mapping[RemedyKind, tuple[str, ...]] = {
    RemedyKind.IMPORT: ("imports",),
    RemedyKind.LOADER: ("loader",),
    RemedyKind.PACKAGE: ("packages", "requirements"),
    RemedyKind.ENVIRONMENT: ("env",),
    RemedyKind.KERAS: ("keras",),
    RemedyKind.TENSORFLOW: ("tensorflow",),
    RemedyKind.PYTHON: ("python",),
}
"""The keys of a runtime that a remedy of each kind is written under; the first that is there is taken."""
ONLY_IN_A_SPEC = frozenset({RemedyKind.IMPORT, RemedyKind.LOADER, RemedyKind.ENVIRONMENT})
"""What no requirements file or Dockerfile of which a runtime is inferred has a line for."""


def anchor_of(
    artifact: Artifact, runtime: Runtime, diagnosis: Diagnosis | None, checkouts: Sequence[Origin] = ()
) -> Origin:
    """Of a case that failed, or that a diagnosis warns of; the artifact itself where no line of text is nearer."""
    return next(_places(artifact, runtime, diagnosis, checkouts), Origin(file=artifact.path, line=1))


def _places(
    artifact: Artifact, runtime: Runtime, diagnosis: Diagnosis | None, checkouts: Sequence[Origin]
) -> Iterator[Origin]:
    if artifact.stand_in is not None and artifact.stand_in.kind is StandInKind.GIT_LFS_POINTER:
        yield from checkouts[:1]
    if artifact.stand_in is not None or artifact.damage is not None or diagnosis is None:
        return
    for remedy in diagnosis.remedies:
        yield from _edited(remedy, runtime)
    kinds = [remedy.kind for remedy in diagnosis.remedies] + [proposal.kind for proposal in diagnosis.proposals]
    for kind in kinds:
        yield from _declared(kind, runtime)


def _edited(remedy: Remedy, runtime: Runtime) -> Iterator[Origin]:
    for edit in remedy.edits:
        if edit.line is not None:
            yield Origin(file=edit.file, line=edit.line)
        elif runtime.origin is not None and runtime.origin.file == edit.file:
            yield runtime.origin
        elif edit.file in runtime.requirement_files:  # not one that is to be written
            yield Origin(file=edit.file, line=1)


def _declared(kind: RemedyKind, runtime: Runtime) -> Iterator[Origin]:
    is_inferred = not runtime.key_lines
    if kind not in KEYS or runtime.origin is None or (is_inferred and kind in ONLY_IN_A_SPEC):
        return
    lines = [runtime.key_lines[key] for key in KEYS[kind] if key in runtime.key_lines]
    yield from (Origin(file=runtime.origin.file, line=line) for line in lines[:1])
    if kind is RemedyKind.TENSORFLOW:
        yield from _required(runtime, lambda name: name in TENSORFLOW_NAMES)
    if kind is RemedyKind.KERAS:
        yield from _required(runtime, lambda name: name in KERAS_NAMES)
    yield runtime.origin


def _required(runtime: Runtime, is_wanted: Callable[[str], bool]) -> Iterator[Origin]:
    for requirement in (*runtime.requirements, *runtime.constraints):
        if requirement.origin is not None and is_wanted(_name(requirement.text)):
            yield requirement.origin


def _name(text: str) -> str:
    try:
        return canonicalize_name(ParsedRequirement(text.split(" --", 1)[0]).name)
    except InvalidRequirement:
        return ""
