"""Optional groups of a project, of which one is taken along where only it brings TensorFlow or Keras."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import islice

from loadgate.declared import BRINGING_NAMES, KERAS_NAMES, TENSORFLOW_NAMES, Declared, asks_for, first_named
from loadgate.infer.groups import is_for_development
from loadgate.requirements import Line

WITH_TENSORFLOW = TENSORFLOW_NAMES | BRINGING_NAMES
_MAY_NAME = re.compile(r"(?i)tensorflow|keras|intel|tf[-_.]|tfx|deepface")
MOST_GROUPS = 100
"""Read of one file, of those that name TensorFlow or Keras."""

Group = tuple[str, Sequence[Line]]


def brings(requirements: Iterable[str], packages: frozenset[str] = WITH_TENSORFLOW | KERAS_NAMES) -> bool:
    """One of them names TensorFlow or Keras: worth to look up where each stands."""
    return any(_MAY_NAME.match(each) and asks_for(each, packages) for each in requirements)


def with_group(lines: Sequence[Line], groups: Iterable[Group], file: str, read: Callable[..., Declared]) -> Declared:
    """What `read` makes of the lines; with those of a group that brings TensorFlow, where they alone do not.

    One that brings Keras alone is taken where nothing else brings any, and of each kind one for development last.
    """
    declared = read(lines)
    if first_named(declared.requirements, WITH_TENSORFLOW):
        return declared
    wanted = [WITH_TENSORFLOW] if first_named(declared.requirements, KERAS_NAMES) else [WITH_TENSORFLOW, KERAS_NAMES]
    ordered = sorted(groups, key=lambda group: is_for_development(group[0]))
    for packages in wanted:
        bringing = (group for group in ordered if brings((text for _, _, text in group[1]), packages))
        for group, more in islice(bringing, MOST_GROUPS):
            extended = read([*lines, *more])
            if first_named(extended.requirements, packages):
                what = "TensorFlow" if packages is WITH_TENSORFLOW else "Keras"
                note = f"{file}: the group `{group}` is taken along, for it brings {what}."
                return replace(extended, notes=(*extended.notes, note), for_development=is_for_development(group))
    return declared
