"""What names a TensorFlow and could not be read. To take another would be a guess, and no model is gated on that."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from loadgate.declared import is_dockerfile
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
    brings = any(candidate.brings_tensorflow or candidate.brings_it_along for candidate in chosen)
    read = {file for candidate in chosen for file in candidate.reads if brings or not _is_read_in_part(file)}
    found = versions_named(survey.root, DEPLOYING if brings and for_use else PATTERNS, but={*unclear, *read})
    doubts = [*unclear.values(), *found]
    return [named for named in doubts if not is_for_development(named.file)] if for_use or brings else doubts


def _is_read_in_part(file: str) -> bool:
    """What a tool's own table, a computed list or a command of another program than pip says is not understood."""
    return is_dockerfile(file) or posixpath.basename(file) in ("pyproject.toml", "setup.py")


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
