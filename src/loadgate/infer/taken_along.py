"""Optional groups of a project, of which one is taken along where only it brings TensorFlow or Keras."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from loadgate.declared import KERAS_NAMES, TENSORFLOW_NAMES, Declared, first_named
from loadgate.infer.groups import is_for_development
from loadgate.requirements import Line

Group = tuple[str, Sequence[Line]]


def with_group(lines: Sequence[Line], groups: Iterable[Group], file: str, read: Callable[..., Declared]) -> Declared:
    """What `read` makes of the lines; with those of a group, where they alone do not name TensorFlow or Keras.

    A group for development is the last resort.
    """
    declared = read(lines)
    wanted = TENSORFLOW_NAMES | KERAS_NAMES
    if first_named(declared.requirements, wanted):
        return declared
    for group, more in sorted(groups, key=lambda group: is_for_development(group[0])):
        extended = read([*lines, *more])
        if first_named(extended.requirements, wanted):
            note = f"{file}: the group `{group}` is taken along, for it brings TensorFlow."
            return replace(extended, notes=(*extended.notes, note), for_development=is_for_development(group))
    return declared
