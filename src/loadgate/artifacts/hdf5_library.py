"""Groups and attributes by way of h5py, for the storage that `hdf5_storage.py` leaves to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from loadgate.artifacts.hdf5_groups import MAX_ATTRIBUTE, MAX_OBJECTS, DamagedError, Group, Value

if TYPE_CHECKING:
    import h5py


class LibraryGroup:
    def __init__(self, group: h5py.Group, budget: list[int]) -> None:
        budget[0] -= 1
        if budget[0] < 0:
            raise DamagedError(f"more than {MAX_OBJECTS:,} objects")
        self._group = group
        self._budget = budget

    def attribute_names(self) -> Sequence[str]:
        return tuple(self._group.attrs)

    def attribute(self, name: str) -> Value:
        import numpy as np

        if name not in self._group.attrs:
            return None
        identifier = self._group.attrs.get_id(name)
        if identifier.dtype.kind not in "SO" or identifier.get_storage_size() > MAX_ATTRIBUTE:
            return None
        value = self._group.attrs[name]
        if isinstance(value, (str, bytes)):
            return _as_str(value)
        if not isinstance(value, np.ndarray):
            return None
        return tuple(_as_str(element) for element in value.ravel() if isinstance(element, (str, bytes)))

    def members(self) -> Sequence[str]:
        return tuple(self._group)

    def group(self, name: str) -> Group | None:
        import h5py

        link = self._group.get(name, getlink=True)
        member = self._group[name] if isinstance(link, h5py.HardLink) else None
        return LibraryGroup(member, self._budget) if isinstance(member, h5py.Group) else None


@contextmanager
def opened(path: Path) -> Iterator[Group]:
    import h5py

    try:
        with h5py.File(path, "r", locking=False) as file:
            yield LibraryGroup(file, [MAX_OBJECTS])
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, MemoryError) as error:
        raise DamagedError(" ".join(str(error).split())[:200]) from error


def _as_str(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.split(b"\0", 1)[0].decode("utf-8", "replace")
