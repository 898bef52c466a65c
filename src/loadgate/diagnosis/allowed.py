"""What a plan of candidates may ask to be made. Pure.

It is written where the models' own code has run, and read where packages are installed from the network: whatever a
model does to it, it can name no package that no remedy would name.
"""

from __future__ import annotations

from loadgate.declared import KERAS_NAMES, TENSORFLOW_NAMES
from loadgate.diagnosis.change import FOLLOWS_TENSORFLOW, name_of
from loadgate.diagnosis.changes import LEGACY_KERAS, known
from loadgate.domain import Plan, Runtime
from loadgate.errors import UsageError

VARIABLES = frozenset((LEGACY_KERAS, "KERAS_BACKEND", "TF_ENABLE_ONEDNN_OPTS", "TF_ENABLE_XLA"))


def packages() -> frozenset[str]:
    repairing = {name_of(text.format(minor="2.15")) for texts in known().repairs.values() for text in texts}
    return frozenset({*TENSORFLOW_NAMES, *KERAS_NAMES, *FOLLOWS_TENSORFLOW, *known().packages, *repairing})


def refuse_what_no_remedy_is(candidates: Plan, original: Plan) -> None:
    """Raise `UsageError` where a candidate is more than a runtime of the original plan with a remedy."""
    for candidate in candidates.runtimes:
        if not any(_comes_of(candidate, runtime) for runtime in original.runtimes):
            raise UsageError(
                f"candidates: runtime {candidate.name!r} is no runtime of the plan with a remedy; "
                "run `loadgate load` again, and give both files as it wrote them"
            )


def _comes_of(candidate: Runtime, runtime: Runtime) -> bool:
    own = {line.text for line in (*runtime.requirements, *runtime.constraints)}
    asked = {line.text for line in (*candidate.requirements, *candidate.constraints)}
    return (
        candidate.image in (None, runtime.image)
        and candidate.interpreter in (None, runtime.interpreter)
        and all(text in own or _is_harmless(text) for text in asked)
        and all(runtime.env.get(name) == value or name in VARIABLES for name, value in candidate.env.items())
    )


def _is_harmless(text: str) -> bool:
    """A known package by its name and version, and nothing by its address."""
    return "@" not in text and not text.startswith("-") and name_of(text) in packages()
