"""Which code that is not TensorFlow's own a load would run, and where in the model it sits: from the facts alone.

A file can hide what it carries, so nothing follows from there being no such code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from loadgate.diagnosis.ops import is_known, package_of_op
from loadgate.domain import Artifact, Facts, Format

RUNS, RUN = "runs code that is not TensorFlow's", "run code that is not TensorFlow's"
NAMED = 3
"""Places, or ops, of one artifact."""
TOLD = 5
"""Artifacts that get a sentence of their own."""


def notes_on_code(artifacts: Sequence[Artifact]) -> Iterator[str]:
    """One sentence an artifact; where there are many, one on the rest of them."""
    told = [
        f"{each.path} runs code that is not TensorFlow's: {'; '.join(found)}." for each, found in _carrying(artifacts)
    ]
    yield from told[:TOLD]
    if len(told) > TOLD:
        yield f"{len(told) - TOLD:,} more artifacts {RUN}; `loadgate inspect` says which."


def _carrying(artifacts: Sequence[Artifact]) -> Iterator[tuple[Artifact, list[str]]]:
    for artifact in artifacts:
        found = list(carried_code(artifact.facts, artifact.format)) if artifact.facts else []
        if found:
            yield artifact, found


def carried_code(facts: Facts, kind: Format) -> Iterator[str]:
    if facts.lambdas:
        names = [found.name for found in facts.lambdas]
        yield f"Python bytecode in the Lambda {_listed('layer', names)}"
    if facts.python_calls:
        yield f"a Python function that is called in the {_listed('node', facts.python_calls)}"
    foreign = facts.custom_ops if kind is Format.TFLITE else [op for op in facts.ops if _is_foreign(op)]
    if foreign:
        yield f"the {_listed('op', foreign)}, which a library must bring"


def _is_foreign(op: str) -> bool:
    return package_of_op(op) is not None or not is_known(op)


def _listed(noun: str, names: Sequence[str]) -> str:
    more = len(names) - NAMED
    listed = ", ".join(names[:NAMED]) + (f" and {more:,} more" if more > 0 else "")
    return f"{noun}{'s' if len(names) > 1 else ''} {listed}"
