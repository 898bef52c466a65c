from __future__ import annotations

import shutil
from pathlib import Path

import pytest

MODULES = Path(__file__).parents[1] / "node" / "node_modules"


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """What script/setup-node installs."""
    if shutil.which("node") is None:
        pytest.skip("Node.js is not installed")
    if not (MODULES / ".package-lock.json").is_file():
        pytest.skip("the packages from npm are not installed; script/setup-node installs them")
    return MODULES


@pytest.fixture(scope="session")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium is installed")
    return found
