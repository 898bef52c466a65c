"""One case of which the cause is sought: what is known of the artifact, of the runtime and of the load, at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from packaging.version import InvalidVersion, Version

from loadgate.domain import Artifact, Case, Facts, Lock, Runtime, StageResult

MESSAGE_CHARACTERS = 16_000
"""Of each message: its beginning and its end, for Keras puts the cause behind a dump of the whole model."""
CHAIN = 10
CHAIN_CHARACTERS = 4_000
LOG_CHARACTERS = 100_000


@dataclass(frozen=True, kw_only=True)
class Subject:
    artifact: Artifact
    case: Case
    runtime: Runtime
    lock: Lock | None
    stage: StageResult
    log: str = ""

    @cached_property
    def facts(self) -> Facts:
        return self.artifact.facts or Facts()

    @cached_property
    def message(self) -> str:
        """What was said, from the outermost exception to the innermost."""
        exception = self.stage.exception
        if exception is None:
            return ends(self.stage.message)
        behind = (ends(text, CHAIN_CHARACTERS) for text in exception.chain[:CHAIN])
        return "\n".join((ends(exception.message), *behind))

    @cached_property
    def stack(self) -> str:
        exception = self.stage.exception
        return ends(self.stage.stack or (exception.traceback if exception else ""))

    @cached_property
    def exceptions(self) -> frozenset[str]:
        """Names without their module, of the exception and of those behind it."""
        exception = self.stage.exception
        if exception is None:
            return frozenset()
        names = (exception.type, *(text[:500].partition(": ")[0] for text in exception.chain[:CHAIN]))
        return frozenset(name.rpartition(".")[2] for name in names)

    @cached_property
    def output(self) -> str:
        return ends(self.log, LOG_CHARACTERS)

    @cached_property
    def keras(self) -> Version | None:
        """Of the Keras that the loader of this case uses."""
        if self.lock is None:
            return None
        if self.case.loader == "tf_keras":
            return version(self.lock.packages.get("tf-keras"))
        return version(self.lock.keras)

    @cached_property
    def tensorflow(self) -> Version | None:
        return version(self.lock.tensorflow) if self.lock else None

    @cached_property
    def python(self) -> Version | None:
        return version(self.lock.python) if self.lock else None

    @cached_property
    def saver_keras(self) -> Version | None:
        return version(self.facts.saved_with.keras)

    @cached_property
    def saver_tensorflow(self) -> Version | None:
        return version(self.facts.saved_with.tensorflow)

    @cached_property
    def saver_generation(self) -> int | None:
        """2 (and what came before it) or 3: by the version on record, or by the dialect of the configuration."""
        if self.saver_keras is not None:
            return 3 if self.saver_keras.major >= 3 else 2  # noqa: PLR2004 - the generations of Keras
        dialect = self.facts.extra.get("config_dialect", "")
        return int(dialect[-1]) if dialect in ("keras 2", "keras 3") else None

    @cached_property
    def names(self) -> Mapping[str, str]:
        """What every headline may quote."""
        lock, saver = self.lock, self.facts.saved_with
        names = {"loader": self.case.loader.value, "format": self.artifact.format.value}
        if lock is not None:
            names["tensorflow"] = f"TensorFlow {lock.tensorflow}"
            names["python"] = f"Python {lock.python}"
            names["runtime"] = f"Keras {self.keras}" if self.keras else names["tensorflow"]
        if saver.tensorflow:
            names["saver_tensorflow"] = saver.tensorflow
        if saver.keras:
            names["saver_keras"] = saver.keras
        return names


def version(text: str | None) -> Version | None:
    """None where it is missing or no version: a file can hold any text there. `2.3.0-tf` is 2.3.0."""
    if text is None:
        return None
    try:
        return Version(text[:50].partition("-tf")[0])
    except InvalidVersion:
        return None


def ends(text: str, limit: int = MESSAGE_CHARACTERS) -> str:
    if len(text) <= limit:
        return text
    return f"{text[: limit // 2]}\n{text[-limit // 2 :]}"
