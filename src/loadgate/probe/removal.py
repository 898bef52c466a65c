"""Remove a folder that a load could write in, whatever it made of it.

Nothing in here recurses, follows a link, or raises. It goes down and up by one step at a time and holds one directory
at once, so that neither the depth of a tree nor the length of a path is too much.
"""

import os
from typing import Callable, List, Optional

_OWNERS = 0o700
_PLACE = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_LISTED = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class _Level:
    """A directory on the way down, and which of those in it are still to be removed."""

    def __init__(self, name: str, place: int, folders: List[str]) -> None:
        self.name = name
        self.status = os.fstat(place)
        self.folders = folders


def remove(folder: str, meanwhile: Callable[[], None] = lambda: None) -> None:
    """As far as this process may. What is gone already, or is no folder, is left alone.

    `meanwhile` is called between any two files: tens of thousands of them take more than a second.
    """
    parent, name = os.path.split(os.path.abspath(folder))
    try:
        here = os.open(parent, _PLACE)
    except OSError:
        return
    way = [_Level("", here, [name])]
    while way:
        if way[-1].folders:
            name = way[-1].folders.pop()
            below = _entered(name, here)
            if below is None:
                _remove_empty(name, here)
            else:
                os.close(here)
                here = below
                way.append(_Level(name, here, _emptied(here, meanwhile)))
        else:
            left = way.pop()
            above = _left(here, way[-1]) if way else None
            os.close(here)
            if above is None:
                return
            here = above
            _remove_empty(left.name, here)


def _entered(name: str, here: int) -> Optional[int]:
    """A directory in this one, with the permissions that it takes to empty it where they are ours to give."""
    try:
        below = os.open(name, _PLACE, dir_fd=here)
    except OSError:
        return None
    if os.fstat(below).st_mode & _OWNERS != _OWNERS:
        try:
            os.chmod("/proc/self/fd/%d" % below, _OWNERS)
        except OSError:
            # it is another's; what of it can be removed is seen by trying
            return below
    return below


def _left(here: int, level: _Level) -> Optional[int]:
    """The directory above, unless somebody moved this one: then it would be no business of ours."""
    try:
        above = os.open("..", _PLACE, dir_fd=here)
    except OSError:
        return None
    if os.path.samestat(os.fstat(above), level.status):
        return above
    os.close(above)
    return None


def _emptied(here: int, meanwhile: Callable[[], None]) -> List[str]:
    """Remove all but the directories in a directory; the names of what is left."""
    try:
        listed = os.open(".", _LISTED, dir_fd=here)
    except OSError:
        return []
    try:
        return [name for name in os.listdir(listed) if not _unlinked(name, here, meanwhile)]
    except OSError:
        return []
    finally:
        os.close(listed)


def _unlinked(name: str, here: int, meanwhile: Callable[[], None]) -> bool:
    meanwhile()
    try:
        os.unlink(name, dir_fd=here)
    except OSError:
        return False
    return True


def _remove_empty(name: str, here: int) -> None:
    try:
        os.rmdir(name, dir_fd=here)
    except OSError:
        return
