"""What GPU is seen, on file systems and with programs as a driver would offer them."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadgate.runtimes.gpu import look_for_gpu, visible_gpu

VERSION = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023\nGCC version: 12\n"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A file system with a loaded driver and one GPU."""
    (tmp_path / "proc/driver/nvidia").mkdir(parents=True)
    (tmp_path / "proc/driver/nvidia/version").write_text(VERSION)
    (tmp_path / "dev").mkdir()
    for name in ("nvidia0", "nvidiactl", "nvidia-uvm"):
        (tmp_path / "dev" / name).touch()
    return tmp_path


def nvidia_smi(folder: Path, script: str) -> str:
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(program)


def test_a_machine_without_a_driver_says_so(tmp_path: Path) -> None:
    assert look_for_gpu(tmp_path, None, None).missing == "no NVIDIA driver and no /dev/nvidia* on this machine"


def test_a_container_without_the_devices_of_its_host_says_so(machine: Path) -> None:
    (machine / "dev/nvidia0").unlink()
    gpu = look_for_gpu(machine, None, None)
    assert gpu.missing == "NVIDIA driver 535.104.05 is loaded, but no /dev/nvidia* device is here"


@pytest.mark.parametrize("value", ["", "-1", "NoDevFiles", "-1,0"])
def test_gpus_hidden_by_the_environment_are_missing_and_the_variable_is_named(machine: Path, value: str) -> None:
    missing = look_for_gpu(machine, value, None).missing
    assert missing is not None
    assert "CUDA_VISIBLE_DEVICES" in missing


@pytest.mark.parametrize("value", [None, "0", "0,-1", "GPU-8932f937"])
def test_a_gpu_is_seen_where_the_variable_shows_one(machine: Path, value: str | None) -> None:
    assert look_for_gpu(machine, value, None).missing is None


def test_the_driver_names_the_gpus(machine: Path) -> None:
    program = nvidia_smi(machine, "echo 'GPU 0: NVIDIA H200 (UUID: GPU-8932f937-d72c)'; echo 'GPU 1: Tesla T4'")
    gpu = look_for_gpu(machine, None, program)
    assert (gpu.missing, gpu.names, gpu.driver) == (None, ("NVIDIA H200", "Tesla T4"), "535.104.05")


def test_a_driver_that_does_not_answer_its_own_tool_is_no_gpu(machine: Path) -> None:
    program = nvidia_smi(machine, "echo 'NVIDIA-SMI has failed because it could not communicate.'; exit 9")
    gpu = look_for_gpu(machine, None, program)
    assert gpu.missing == "nvidia-smi: NVIDIA-SMI has failed because it could not communicate."


def test_a_tool_that_lists_nothing_means_no_gpu(machine: Path) -> None:
    assert look_for_gpu(machine, None, nvidia_smi(machine, "exit 0")).missing == "nvidia-smi lists no GPU"


def test_this_machine_gives_an_answer_either_way() -> None:
    gpu = visible_gpu()
    assert gpu.missing is None or "\n" not in gpu.missing
