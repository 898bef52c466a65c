"""What the repository declares and does not hold here: models in it would be passed over without a word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from loadgate.artifacts.bounds import spelled

_MOST_NAMED = 5
_WORDS_OF_MODELS = frozenset({"checkpoint", "checkpoints", "model", "models", "savedmodel", "savedmodels", "weights"})


class Why(Enum):
    """In words for one, for several, and what to do."""

    SUBMODULE = (
        "A submodule is not checked out",
        "submodules are not checked out",
        "run `git submodule update --init`, or give actions/checkout `submodules: true`",
    )
    SPARSE = (
        "A model that git tracks is left out by a sparse checkout",
        "models that git tracks are left out by a sparse checkout",
        "take them into the sparse checkout",
    )
    DVC = ("A folder that DVC keeps was not fetched", "folders that DVC keeps were not fetched", "run `dvc pull`")
    UNREAD = (
        "A file of DVC is no YAML, too long, or computes where models are",
        "files of DVC are no YAML, too long, or compute where models are",
        "name the models that DVC keeps there with artifacts: {include: [...]} in the spec",
    )


@dataclass(frozen=True, slots=True)
class Absent:
    path: str
    """Of a file or a folder, relative to the repository."""
    why: Why

    @property
    def is_folder(self) -> bool:
        return self.why is not Why.SPARSE

    @property
    def may_hold_models(self) -> bool:
        """By its name, where folders of that kind are mostly of something else."""
        words = re.split(r"[^a-z]+", self.path.lower())
        return self.why is not Why.DVC or not _WORDS_OF_MODELS.isdisjoint(words)

    def holds(self, place: str) -> bool:
        """Whether a folder is a place of the repository, or one above it."""
        return f"{place}/".startswith(f"{self.path}/")


def in_words(found: Sequence[Absent]) -> Iterator[str]:
    """One sentence for each reason, without its end: who says it knows what follows from it."""
    for why in Why:
        paths = sorted({spelled(each.path) for each in found if each.why is why})
        if paths:
            one, many, remedy = why.value
            subject = one if len(paths) == 1 else f"{len(paths):,} {many}"
            more = ", …" if len(paths) > _MOST_NAMED else ""
            yield f"{subject}, and what is there was not looked at: {', '.join(paths[:_MOST_NAMED])}{more}; {remedy}"
