"""The cache of runtimes, shared between projects and between runs at the same time.

    resolutions/<digest of what was asked>.json     what it resolved to, and when
    runtimes/<digest of the pins>/                  a virtual environment
    runtimes/<digest of the pins>/loadgate.json     its record; without it the rest counts for nothing
    runtimes/<digest of the pins>/checks/….json     what it turned out to be, by environment variables and machine
    runtimes/<digest of the pins>.lock              held while it is made

An environment is made beside its place and renamed into it when it is whole, so a run that is killed leaves
nothing half made; what it leaves is removed by the next one that makes something.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import msgspec

from loadgate.domain import Finding, Lock
from loadgate.errors import LoadgateError
from loadgate.runtimes.manifest import whole
from loadgate.runtimes.processes import Processes, harmless
from loadgate.runtimes.resolution import Resolution

VERSION = 1
RECORD = "loadgate.json"
PATIENCE = 60.0
"""Seconds for the interpreter of an environment to start."""
CANNOT_WRITE = (errno.EROFS, errno.EACCES, errno.EPERM)

Document = TypeVar("Document")


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """A resolution, and when it was made, in seconds since the epoch."""

    version: int = VERSION
    made: float
    resolution: Resolution


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What an environment is made of, and what must lie in it."""

    version: int = VERSION
    python: str
    pins: tuple[str, ...]
    sizes: dict[str, int] = field(default_factory=dict)
    entries: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What importing TensorFlow there led to. Exactly one of the two is set."""

    version: int = VERSION
    lock: Lock | None = None
    finding: Finding | None = None


def default_cache(environment: Mapping[str, str]) -> Path:
    if environment.get("LOADGATE_CACHE"):
        return Path(environment["LOADGATE_CACHE"]).absolute()
    # The XDG specification says that a relative path there is to be ignored.
    base = Path(environment.get("XDG_CACHE_HOME") or "")
    return (base if base.is_absolute() else Path.home() / ".cache") / "loadgate"


class Store:
    def __init__(self, root: Path, processes: Processes) -> None:
        self._root = root
        self._processes = processes

    def remembered(self, request: str) -> Remembered | None:
        return read(self._root / "resolutions" / f"{request}.json", Remembered)

    def remember(self, request: str, resolution: Resolution) -> None:
        """Where the cache cannot be written, the next run resolves again: that is all."""
        with contextlib.suppress(OSError):
            write(self._root / "resolutions" / f"{request}.json", Remembered(made=time.time(), resolution=resolution))

    def environment(self, digest: str) -> Path | None:
        """The environment, where there is one that is whole and starts."""
        place = self._place(digest)
        record = read(place / RECORD, Record)
        if record is None or not whole(place, record.sizes, record.entries):
            return None
        return place if self._starts(place, record.python) else None

    def _starts(self, place: Path, python: str) -> bool:
        """Its Python lies elsewhere, and may have been removed or replaced by another version since."""
        say = "import platform; print(platform.python_version())"
        command = (place / "bin/python", "-I", "-S", "-c", say)
        try:
            ended = self._processes.run(command, timeout=PATIENCE, env=harmless(os.environ), cwd=Path("/"))
        except OSError:
            return False
        return ended.output.strip() == python

    def make(self, digest: str, build: Callable[[Path, int], Record]) -> tuple[Path, bool]:
        """The environment, and whether another run had made it meanwhile.

        `build` makes it in the directory that it is given. The descriptor that it is given is the lock, which the
        programs that write there must keep open. Raises what `build` raises, and LoadgateError where the cache
        cannot be written.
        """
        place = self._place(digest)
        with self._writable(), self._locked(digest) as lock:
            if self.environment(digest) is not None:
                return place, True
            self._sweep(digest)
            temporary = Path(tempfile.mkdtemp(prefix=f".{digest}.", dir=place.parent))
            try:
                write(temporary / RECORD, build(temporary, lock))
                if place.exists():
                    place.rename(temporary.with_name(f"{temporary.name}.damaged"))
                temporary.chmod(0o755)  # mkdtemp makes it for its owner alone
                temporary.rename(place)
            finally:
                self._sweep(digest)
            return place, False

    def prune(self, interpreters: Collection[Path]) -> int:
        """Remove every environment that holds none of `interpreters`, and say how many those were.

        Only for a cache that no other run uses at the same time.
        """
        wanted = {path.parent.parent for path in interpreters}
        places = [place.parent for place in self._place("*").parent.glob(f"*/{RECORD}")]
        unwanted = [place for place in places if place not in wanted]
        with self._writable():
            for place in unwanted:
                shutil.rmtree(place)
                place.with_name(f"{place.name}.lock").unlink(missing_ok=True)
        return len(unwanted)

    def check(self, digest: str, key: str) -> Check | None:
        """As it is remembered, with the interpreter where it lies now: the whole cache may have been moved."""
        check = read(self._place(digest) / "checks" / f"{key}.json", Check)
        if check is None or check.lock is None:
            return check
        return replace(check, lock=replace(check.lock, interpreter=str(self._place(digest) / "bin/python")))

    def remember_check(self, digest: str, key: str, check: Check) -> None:
        with contextlib.suppress(OSError):
            write(self._place(digest) / "checks" / f"{key}.json", check)

    @contextlib.contextmanager
    def alone(self, digest: str) -> Iterator[None]:
        """Wait until no other run makes or checks that runtime. A cache that cannot be written needs no waiting."""
        try:
            lock = self._lock_file(digest)
        except OSError as error:
            if error.errno not in CANNOT_WRITE:
                raise
            yield
            return
        with os.fdopen(lock):
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _place(self, digest: str) -> Path:
        return self._root / "runtimes" / digest

    @contextlib.contextmanager
    def _locked(self, digest: str) -> Iterator[int]:
        """A lock that outlives no process: the kernel takes it back when the last one that holds it has ended."""
        self._place(digest).parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(self._lock_file(digest)) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file.fileno()

    def _lock_file(self, digest: str) -> int:
        return os.open(self._place(digest).with_name(f"{digest}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)

    def _sweep(self, mine: str) -> None:
        """Remove what killed runs left: of the runtime whose lock we hold, and of those that nobody holds."""
        for left in self._place(mine).parent.glob(".*"):
            digest = left.name.split(".")[1]
            if digest == mine:
                shutil.rmtree(left, ignore_errors=True)
                continue
            with contextlib.suppress(OSError), os.fdopen(self._lock_file(digest)) as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left, ignore_errors=True)

    @contextlib.contextmanager
    def _writable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise LoadgateError(
                f"{self._root}: the cache cannot be written: {error.strerror}; name another with --cache"
            ) from error


def read(path: Path, kind: type[Document]) -> Document | None:
    """None where it is missing, damaged, or of another version: then it is made anew."""
    try:
        document = msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError):
        return None
    return document if getattr(document, "version", None) == VERSION else None


def write(path: Path, document: object) -> None:
    """Whole or not at all, for somebody else may read it at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as stream:
        try:
            stream.write(msgspec.json.encode(document))
            stream.flush()
            os.fchmod(stream.fileno(), 0o644)
            Path(stream.name).replace(path)
        except BaseException:
            Path(stream.name).unlink()
            raise
