"""A runtime that files of the repository describe, before it is decided which of them become the spec's."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product

from packaging.requirements import Requirement as ParsedRequirement

from loadgate.declared import (
    BRINGING_NAMES,
    FOLLOWING_NAMES,
    KERAS_NAMES,
    TENSORFLOW_NAMES,
    TFLITE_NAMES,
    Declared,
    Python,
    asks_for,
)
from loadgate.domain import Origin, Requirement
from loadgate.infer.groups import is_for_development


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    file: str
    """The file after which the runtime is named."""
    requirements: tuple[Requirement, ...] = ()
    constraints: tuple[Requirement, ...] = ()
    requirement_files: tuple[str, ...] = ()
    image: Python | None = None
    """TensorFlow's version where a base image brings it, and nothing replaces it."""
    python: Python | None = None
    """What the file itself says of the Python."""
    running: str | None = None
    """The Python that was chosen; None until it is."""
    env: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    reads: frozenset[str] = frozenset()
    """Every file that went into it."""
    by_development: bool = False
    """Only a group for development brings what it is a candidate for."""

    @classmethod
    def of(cls, file: str, declared: Declared) -> Candidate:
        return cls(
            file=file,
            requirements=declared.requirements,
            constraints=declared.constraints,
            requirement_files=(file,),
            python=declared.python,
            notes=declared.notes,
            reads=frozenset(declared.files),
            by_development=declared.for_development,
        )

    @property
    def is_for_development(self) -> bool:
        return self.by_development or is_for_development(self.file)

    @property
    def folder(self) -> str:
        return posixpath.dirname(self.file)

    def is_beside(self, file: str) -> bool:
        """What `file` says, it says for its own folder and those below."""
        folder = posixpath.dirname(file)
        return not folder or folder == self.folder or self.folder.startswith(f"{folder}/")

    def lines_naming(self, packages: frozenset[str]) -> list[Requirement]:
        """The lines that say the most of one of `packages`: a lock's pins, else what is asked for.

        Of lines for different Pythons those for its own, where there are any.
        """
        pins = self.constraints if self.file.endswith(".lock") else ()
        for lines, python in product((pins, self.requirements), (self.running, None)):
            if named := [line for line in lines if asks_for(line.text, packages, python)]:
                return named
        return []

    def line_naming(self, packages: frozenset[str]) -> Requirement | None:
        return next(iter(self.lines_naming(packages)), None)

    @property
    def brings_tensorflow(self) -> bool:
        return bool(self.image or self.line_naming(TENSORFLOW_NAMES))

    @property
    def pins_tensorflow(self) -> bool:
        """One version of it, or of a package whose versions are its own, whatever else is said."""
        named = self.lines_naming(TENSORFLOW_NAMES) or self.lines_naming(FOLLOWING_NAMES)
        lines = [ParsedRequirement(line.text.split(" --", 1)[0]) for line in named]
        return self.image is not None or any(
            line.url or any(each.operator in ("==", "===") for each in line.specifier) for line in lines
        )

    @property
    def brings_it_along(self) -> bool:
        """By a package that requires TensorFlow itself."""
        return bool(self.line_naming(BRINGING_NAMES))

    @property
    def brings_keras(self) -> bool:
        return bool(self.line_naming(KERAS_NAMES))

    @property
    def brings_tflite(self) -> bool:
        return bool(self.line_naming(TFLITE_NAMES))

    @property
    def is_about_models(self) -> bool:
        return self.brings_tensorflow or self.brings_it_along or self.brings_keras or self.brings_tflite

    @property
    def chosen_line(self) -> Requirement | None:
        """The line of its own for which it is a candidate; None where that is its base image."""
        if self.image:
            return None
        names = (TENSORFLOW_NAMES, BRINGING_NAMES, KERAS_NAMES, TFLITE_NAMES)
        return next((line for each in names for line in self.lines_naming(each) if line.origin is not None), None)

    @property
    def origin(self) -> Origin:
        line = self.chosen_line
        if line is not None and line.origin is not None:
            return line.origin
        return self.image.origin if self.image else Origin(file=self.file, line=1)
