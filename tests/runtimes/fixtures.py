from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadgate.runtimes.interpreters import Interpreter
from loadgate.runtimes.processes import Processes
from loadgate.runtimes.uv import Uv, find_uv

from .tiny_index import TinyIndex


@pytest.fixture(scope="session")
def uv_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uv-cache")


@pytest.fixture
def index(tmp_path: Path, uv_cache: Path, monkeypatch: pytest.MonkeyPatch) -> TinyIndex:
    """The only index that uv knows for the length of a test."""
    tiny = TinyIndex(tmp_path / "index")
    monkeypatch.setenv("UV_DEFAULT_INDEX", tiny.url)
    monkeypatch.setenv("UV_CACHE_DIR", str(uv_cache))
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    return tiny


@pytest.fixture
def processes() -> Iterator[Processes]:
    running = Processes()
    yield running
    running.stop()


@pytest.fixture
def here() -> Interpreter:
    return Interpreter(".".join(str(part) for part in sys.version_info[:3]), Path(sys.executable))


@pytest.fixture
def uv(index: TinyIndex, processes: Processes) -> Uv:  # noqa: ARG001 -- it sets what uv is to see
    return Uv(find_uv(), processes, os.environ)
