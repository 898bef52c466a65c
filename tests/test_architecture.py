"""Holds the walls between the packages: who may import whom, and what the probe may import at all."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "loadgate"
FLOORS = (
    ("__main__",),
    ("cli",),
    ("phases",),
    ("spec", "init_template", "report"),
    ("infer",),
    ("diagnosis",),
    ("loading",),
    ("runtimes",),
    ("sandbox",),
    ("artifacts",),
    ("interchange",),
)
"""From the top: a package imports what stands below its own floor. What is not named here stands in the cellar."""
PACKAGES = {package: floor for floor, packages in enumerate(FLOORS) for package in packages}


def modules() -> Iterator[Path]:
    return (path for path in sorted(SOURCE.rglob("*.py")) if "probe" not in path.relative_to(SOURCE).parts)


def package_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names} if node.level == 0 else set()
    return names


def upward_imports() -> list[str]:
    cellar = len(FLOORS)
    found = []
    for path in modules():
        mine = package_of(path)
        for name in imported(path):
            parts = name.split(".")
            if parts[0] != "loadgate" or len(parts) < 2 or parts[1] == mine:
                continue
            if PACKAGES.get(parts[1], cellar) <= PACKAGES.get(mine, cellar) and parts[1] in PACKAGES:
                found.append(f"{path.relative_to(SOURCE)} imports {name}")
    return sorted(found)


def test_no_package_imports_one_that_stands_above_it_or_beside_it() -> None:
    assert upward_imports() == []


@pytest.mark.parametrize("path", sorted((SOURCE / "probe").glob("*.py")), ids=lambda path: path.name)
def test_the_probe_imports_the_standard_library_and_what_the_runtime_has(path: Path) -> None:
    """It runs inside the target, where nothing of loadgate is installed."""
    of_the_runtime = {"google", "tensorflow", "keras", "tf_keras", "numpy", "h5py"}
    outside = {name.split(".")[0] for name in imported(path)} - of_the_runtime - set(sys.stdlib_module_names)
    assert outside == set()
