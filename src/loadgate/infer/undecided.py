"""What names a TensorFlow and could not be read. To take another would be a guess, and no model is gated on that."""

from __future__ import annotations

from collections.abc import Sequence

from loadgate.domain import Spec
from loadgate.errors import LoadgateError
from loadgate.infer.candidate import Candidate
from loadgate.infer.groups import is_for_development
from loadgate.infer.naming import DEPLOYING, PATTERNS, Named, versions_named
from loadgate.infer.survey import Survey

MOST_TOLD = 5


class UndecidedError(LoadgateError):
    """No verdict: which TensorFlow production has is written where it could not be read."""


def unclear_about(survey: Survey, chosen: Sequence[Candidate]) -> list[Named]:
    """What may say otherwise than the runtimes that were chosen."""
    for_use = [candidate for candidate in chosen if not candidate.is_for_development]
    if any(candidate.pins_tensorflow for candidate in for_use):
        return []
    unclear = {named.file: named for named in survey.unclear}
    if any(candidate.brings_tensorflow for candidate in chosen):
        read = {file for candidate in chosen for file in candidate.reads}
        deployed = versions_named(survey.root, DEPLOYING if for_use else PATTERNS, but={*unclear, *read})
        return [named for named in (*unclear.values(), *deployed) if not is_for_development(named.file)]
    return [*unclear.values(), *versions_named(survey.root, PATTERNS, but=unclear)]


def refuse_undecided(spec: Spec) -> None:
    """Raises `UndecidedError` with what to write, where models would be gated on a guess."""
    if not spec.undecided:
        return
    lines = [*spec.undecided[:MOST_TOLD]]
    if len(spec.undecided) > MOST_TOLD:
        lines.append(f"and {len(spec.undecided) - MOST_TOLD} more places")
    lines.append(
        "no verdict: which one production has could not be read there, and loadgate does not guess; "
        'write it into loadgate.yml, as `{version: 1, runtimes: {production: {python: "3.11", tensorflow: "2.15.1"}}}`'
    )
    raise UndecidedError("\n".join(lines))
