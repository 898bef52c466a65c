"""Of the files of one folder, the ones that decide: the most exact kind, held to what another of them pins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from packaging.requirements import Requirement as ParsedRequirement
from packaging.utils import canonicalize_name

from loadgate.declared import TENSORFLOW_NAMES
from loadgate.domain import Requirement
from loadgate.infer.candidate import Candidate
from loadgate.mistakes import quoted
from loadgate.runtimes.resolution import parsed

Found = Sequence[tuple[int, Candidate]]
"""Each with its kind's place, most exact first."""


def deciding(found: Found) -> list[Candidate]:
    speaking = [each for each in found if not _is_of_tflite_alone(each[1])] or found
    first = min(kind for kind, _ in speaking)
    chosen = [candidate for kind, candidate in speaking if kind == first]
    others = [
        each for kind, each in speaking if kind > first and each.brings_tensorflow and not each.is_for_development
    ]
    if any(candidate.pins_tensorflow for candidate in chosen):
        return chosen
    return [_with_lines_of(candidate, others) for candidate in chosen]


def _is_of_tflite_alone(candidate: Candidate) -> bool:
    return not (candidate.brings_tensorflow or candidate.brings_it_along or candidate.brings_keras)


def _with_lines_of(candidate: Candidate, others: Sequence[Candidate]) -> Candidate:
    """With what the others say of TensorFlow: all, where it says nothing, else the first pin that it allows."""
    asked = parsed([line.text for line in candidate.lines_naming(TENSORFLOW_NAMES)])
    said = [line for other in others for line in other.lines_naming(TENSORFLOW_NAMES)]
    if asked:
        said = [line for line in said if all(_is_held_by(asked, one) for one in parsed([line.text]))][:1]
    elif others:
        said = others[0].lines_naming(TENSORFLOW_NAMES)
    notes = [f"{quoted(line.text)}, from {line.origin}, says which." for line in said]
    added = [Requirement(text=line.text) for line in said]
    return replace(candidate, requirements=(*candidate.requirements, *added), notes=(*candidate.notes, *notes))


def _is_held_by(asked: Sequence[ParsedRequirement], pin: ParsedRequirement) -> bool:
    versions = [each.version.removesuffix(".*") for each in pin.specifier if each.operator == "=="]
    names = {canonicalize_name(each.name) for each in asked}
    return names == {canonicalize_name(pin.name)} and any(
        all(each.specifier.contains(version, prereleases=True) for each in asked) for version in versions
    )
