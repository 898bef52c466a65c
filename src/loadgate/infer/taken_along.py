"""Optional groups of a project, of which one is taken along where only it brings TensorFlow or Keras."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from loadgate.declared import KERAS_NAMES, TENSORFLOW_NAMES, Declared, asks_for, first_named
from loadgate.infer.groups import is_for_development
from loadgate.requirements import Line

WANTED = TENSORFLOW_NAMES | KERAS_NAMES
_MAY_NAME = re.compile(r"(?i)tensorflow|keras|intel|tf[-_.]")
MOST_GROUPS = 100
"""Read of one file, of those that name TensorFlow or Keras."""

Group = tuple[str, Sequence[Line]]


def brings(requirements: Iterable[str]) -> bool:
    """One of them names TensorFlow or Keras: worth to look up where each stands."""
    return any(_MAY_NAME.match(each) and asks_for(each, WANTED) for each in requirements)


def with_group(lines: Sequence[Line], groups: Iterable[Group], file: str, read: Callable[..., Declared]) -> Declared:
    """What `read` makes of the lines; with those of a group, where they alone do not name TensorFlow or Keras.

    A group for development is the last resort.
    """
    declared = read(lines)
    if first_named(declared.requirements, WANTED):
        return declared
    bringing = [group for group in groups if brings(text for _, _, text in group[1])]
    for group, more in sorted(bringing[:MOST_GROUPS], key=lambda group: is_for_development(group[0])):
        extended = read([*lines, *more])
        if first_named(extended.requirements, WANTED):
            note = f"{file}: the group `{group}` is taken along, for it brings TensorFlow."
            return replace(extended, notes=(*extended.notes, note), for_development=is_for_development(group))
    return declared
