"""The program that says what a runtime is, run as it runs in a target."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from loadgate.probe import describe
from loadgate.probe.describe import cpu_features, installed_packages, nvidia_driver

SOURCE = Path(describe.__file__)


def test_it_can_be_read_by_python_3_6() -> None:
    ast.parse(SOURCE.read_text(), feature_version=(3, 6))


def test_it_needs_the_standard_library_alone() -> None:
    imports = [node for node in ast.parse(SOURCE.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {
        name.split(".")[0]
        for node in imports
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }
    assert names <= sys.stdlib_module_names


@pytest.mark.parametrize(
    ("line", "driver"),
    [
        ("NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023", "535.104.05"),
        (
            "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.54.15  Release Build  (dvs-builder@U16)",
            "550.54.15",
        ),
        ("NVRM version: NVIDIA UNIX x86_64 Kernel Module  470.82.01  Wed Oct 27 21:21:55 UTC 2021", "470.82.01"),
        ("something else", None),
    ],
)
def test_the_driver_is_read_from_what_the_kernel_module_says(tmp_path: Path, line: str, driver: str | None) -> None:
    (tmp_path / "version").write_text(f"{line}\nGCC version:  gcc version 12.2.0\n")
    assert nvidia_driver(str(tmp_path / "version")) == driver


@pytest.mark.parametrize("name", ["flags", "Features"])
def test_of_the_cpu_only_what_tensorflow_has_code_for_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\n{name}\t\t: fpu avx2 sse4_2 hypervisor avx512f\n")
    assert cpu_features(str(tmp_path / "cpuinfo")) == ["avx2", "avx512f", "sse4_2"]


def test_packages_are_found_in_every_way_in_which_they_are_recorded(tmp_path: Path) -> None:
    site = tmp_path / "site"
    for folder, file, name in (
        ("Acme_Layers-1.0.dist-info", "METADATA", "Acme_Layers"),
        ("old.style-2.0.egg-info", "PKG-INFO", "old.style"),
    ):
        (site / folder).mkdir(parents=True)
        text = (
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {folder.split('-')[1][:3]}\n\nVersion: 9.9 of the manual\n"
        )
        (site / folder / file).write_text(text)
    (site / "single-3.0.egg-info").write_text("Name: single\nVersion: 3.0\n")
    (site / "broken-1.0.dist-info").mkdir()
    assert installed_packages([str(tmp_path / "missing"), str(site)]) == {
        "acme-layers": "1.0",
        "old-style": "2.0",
        "single": "3.0",
    }


def test_of_a_package_that_is_there_twice_the_one_that_an_import_finds_is_told(tmp_path: Path) -> None:
    for folder, version in (("first", "1.0"), ("second", "2.0")):
        (tmp_path / folder / f"acme-{version}.dist-info").mkdir(parents=True)
        text = f"Name: acme\nVersion: {version}\n"
        (tmp_path / folder / f"acme-{version}.dist-info/METADATA").write_text(text)
    assert installed_packages([str(tmp_path / "first"), str(tmp_path / "second")]) == {"acme": "1.0"}


def described(tmp_path: Path, module: str) -> dict[str, object]:
    """What is written when `tensorflow` is a module with that text."""
    (tmp_path / "tensorflow.py").write_text(module)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    subprocess.run(
        [sys.executable, SOURCE, tmp_path / "out.json"], env=environment, check=False, stderr=subprocess.DEVNULL
    )
    report: dict[str, object] = json.loads((tmp_path / "out.json").read_text())
    return report


def test_a_failure_is_told_with_what_is_behind_it(tmp_path: Path) -> None:
    report = described(
        tmp_path, "try:\n  1/0\nexcept ZeroDivisionError as e:\n  raise ImportError('no \\udcff') from e\n"
    )
    failure = report["failure"]
    assert isinstance(failure, dict)
    assert (report["stage"], failure["type"], failure["message"]) == ("tensorflow", "ImportError", "no ?")
    assert failure["chain"] == ["ZeroDivisionError: division by zero"]
    assert "tensorflow.py" in failure["traceback"]


def test_the_stage_that_ended_the_process_is_on_disk(tmp_path: Path) -> None:
    report = described(tmp_path, "import os\nos.abort()\n")
    assert report["stage"] == "tensorflow"
    assert "failure" not in report


def test_a_module_that_asks_to_exit_is_a_failure_to_import(tmp_path: Path) -> None:
    failure = described(tmp_path, "import sys\nsys.exit('licence expired')\n")["failure"]
    assert isinstance(failure, dict)
    assert (failure["type"], failure["message"]) == ("SystemExit", "licence expired")


def test_the_files_beside_it_shadow_no_module_of_the_target(tmp_path: Path) -> None:
    report = described(tmp_path, f"import sys\nraise RuntimeError({str(SOURCE.parent)!r} in sys.path)\n")
    failure = report["failure"]
    assert isinstance(failure, dict)
    assert failure["message"] == "False"
