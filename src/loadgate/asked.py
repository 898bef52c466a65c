"""What was asked of a runtime, as a digest: a lock or a result that answers other words is no answer to these."""

from __future__ import annotations

import hashlib
import json

from loadgate.domain import Runtime


def of_environment(runtime: Runtime) -> str:
    """Of all that decides what is made, or found."""
    return _digest(
        {
            "python": runtime.python,
            "tensorflow": runtime.tensorflow,
            "keras": runtime.keras,
            "requirements": [line.text for line in runtime.requirements],
            "constraints": [line.text for line in runtime.constraints],
            "env": dict(runtime.env),
            "interpreter": runtime.interpreter,
            "image": runtime.image,
        }
    )


def of_loads(runtime: Runtime) -> str:
    """Of all that decides what a load in it is."""
    return _digest({"environment": of_environment(runtime), "imports": runtime.imports})


def _digest(words: object) -> str:
    return "sha256:" + hashlib.sha256(json.dumps(words, sort_keys=True).encode()).hexdigest()
