from __future__ import annotations

from pathlib import Path

import pytest

from . import world as worlds
from .world import World


@pytest.fixture(scope="session")
def uv_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uv-cache")


@pytest.fixture
def world(tmp_path: Path, uv_cache: Path) -> World:
    return worlds.make(tmp_path, uv_cache)
