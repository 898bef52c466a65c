"""What is known of a GPU before any load. What the libraries answer is what those of real installations answered.

The answers were taken on 2026-11-22 from `tensorflow[and-cuda]` 2.15.1 and 2.21.0, on a machine without a driver.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from loadgate.domain import Device, GpuTarget, Lock, Plan, Runtime, RuntimeState
from loadgate.phases.provision import provision
from loadgate.probe import gpu_devices
from loadgate.progress import Silent
from loadgate.runtimes.asking import Asked
from loadgate.runtimes.gpu_needs import library_names, needs_of, tables
from loadgate.runtimes.gpu_preflight import (
    GpuDevice,
    Libraries,
    Library,
    Machine,
    Preflight,
    has_code_for,
    is_older,
    judge,
    opened_libraries,
)
from loadgate.runtimes.processes import Processes
from loadgate.sandbox.walls import examine

CUDA_12 = (
    "libcudart.so.12",
    "libcublas.so.12",
    "libcublasLt.so.12",
    "libcufft.so.11",
    "libcusolver.so.11",
    "libcusparse.so.12",
)


def lock(tensorflow: str, packages: dict[str, str] | None = None, **build: str) -> Lock:
    return Lock(
        digest="",
        interpreter="/python",
        python="3.11.7",
        implementation="CPython",
        packages={"tensorflow": tensorflow} if packages is None else packages,
        tensorflow=tensorflow,
        build=build,
    )


TF_2_15 = lock(
    "2.15.1",
    is_cuda_build="True",
    cuda_version="12.2",
    cudnn_version="8",
    cuda_compute_capabilities="sm_50,sm_60,sm_70,sm_75,compute_80",
)
TF_2_21 = lock(
    "2.21.0",
    packages={"tensorflow": "2.21.0", "nvidia-cusolver-cu12": "11.7.5.82"},
    is_cuda_build="True",
    cuda_version="12.5.1",
    cudnn_version="9",
    cuda_compute_capabilities="sm_60,sm_70,sm_80,sm_89,compute_90",
)
CPU_BUILD = lock("2.15.1", packages={"tensorflow-cpu": "2.15.1"}, is_cuda_build="False")

OF_2_15 = dict(zip(CUDA_12, ("12.2", "12.2.5", "12.2.5", "11.0.8", "11.5.2", "12.1.2"), strict=True)) | {
    "libcudnn.so.8": "8.9.4"
}
OF_2_21 = dict(zip(CUDA_12, ("12.9", "12.9.3", "12.9.3", "11.4.1", None, "12.5.10"), strict=True)) | {
    "libcudnn.so.9": "9.28"
}


def libraries(answers: dict[str, str] | dict[str, str | None]) -> Libraries:
    error = "cannot open shared object file: No such file or directory"
    return Libraries(
        cuda_build=True,
        libraries={
            name: Library(version=version) if version else Library(error=f"{name}: {error}")
            for name, version in answers.items()
        },
    )


def verdict(
    of: Lock,
    answers: dict[str, str] | dict[str, str | None],
    machine: Machine | None = None,
    production: GpuTarget | None = None,
) -> Preflight:
    return judge(of, needs_of(of), libraries(answers), machine or Machine(), production)


def causes(found: Preflight) -> list[str]:
    return [warning.cause for warning in found.warnings]


def test_an_installation_with_all_of_its_libraries_is_warned_of_nothing() -> None:
    found = verdict(TF_2_15, OF_2_15)
    assert found.warnings == ()
    assert found.notes == (
        "GPU: built for CUDA 12.2 and cuDNN 8.9, with code for sm_50, sm_60, sm_70, sm_75 and compute_80; "
        "needs NVIDIA driver 525.60.13 or newer; opens cudart 12.2, cublas 12.2.5, cublasLt 12.2.5, cufft 11.0.8, "
        "cusolver 11.5.2, cusparse 12.1.2, cudnn 8.9.4; no driver here.",
    )


def test_a_library_that_lies_where_tensorflow_does_not_look_is_named_with_its_folder() -> None:
    (warning,) = verdict(TF_2_21, OF_2_21).warnings
    assert warning.cause == "cuda_library_missing"
    assert "libcusolver.so.11" in warning.headline
    assert warning.suggestion is not None
    assert "LD_LIBRARY_PATH=<site-packages>/nvidia/cusolver/lib" in warning.suggestion


def test_an_installation_without_any_of_them_is_told_of_the_extra_that_brings_them() -> None:
    (warning,) = verdict(TF_2_15, dict.fromkeys(OF_2_15)).warnings
    assert warning.cause == "cuda_library_missing"
    assert warning.suggestion == "Require tensorflow[and-cuda]==2.15.1, which brings them."


def test_a_cpu_build_is_named_where_a_gpu_is_asked_for() -> None:
    found = judge(CPU_BUILD, needs_of(CPU_BUILD), Libraries(), Machine(), None)
    assert causes(found) == ["cpu_only_build"]
    assert found.warnings[0].suggestion == "Require tensorflow==2.15.1 in place of tensorflow-cpu."


@pytest.mark.parametrize(("driver", "is_warned"), [("470.82.01", True), ("525", False), ("525.60.13", False)])
def test_the_driver_of_production_must_be_new_enough_for_the_cuda_of_the_build(driver: str, is_warned: bool) -> None:
    found = verdict(TF_2_15, OF_2_15, production=GpuTarget(driver=driver))
    assert causes(found) == (["driver_too_old"] if is_warned else [])


def test_the_driver_of_this_machine_counts_where_nothing_is_said_of_production() -> None:
    machine = Machine(driver="470.82.01")
    assert causes(verdict(TF_2_15, OF_2_15, machine)) == ["driver_too_old"]
    assert causes(verdict(TF_2_15, OF_2_15, machine, GpuTarget(driver="550.54"))) == []


def test_libraries_that_production_brings_itself_are_not_missed_here() -> None:
    none = dict.fromkeys(OF_2_15)
    assert causes(verdict(TF_2_15, none, production=GpuTarget(cuda="12.4", cudnn="8.9"))) == []
    wrong = verdict(TF_2_15, none, production=GpuTarget(cuda="11.8", cudnn="8.9"))
    assert causes(wrong) == ["cuda_of_another_version"]


@pytest.mark.parametrize(("cudnn", "is_warned"), [("8.7", True), ("8.9.7", False), ("8", False), ("9.1", True)])
def test_cudnn_must_be_of_the_same_major_version_and_no_older_than_that_of_the_build(
    cudnn: str, is_warned: bool
) -> None:
    opened = verdict(TF_2_15, OF_2_15 | {"libcudnn.so.8": cudnn})
    said = verdict(TF_2_15, dict.fromkeys(OF_2_15), production=GpuTarget(cuda="12.2", cudnn=cudnn))
    assert causes(opened) == causes(said) == (["cudnn_too_old"] if is_warned else [])


@pytest.mark.parametrize(
    ("capability", "runs"),
    [("7.5", True), ("8.6", True), ("9.0", True), ("12.0", True), ("3.5", False), ("6.1", True)],
)
def test_a_device_runs_code_of_its_own_major_version_or_what_the_driver_compiles(capability: str, runs: bool) -> None:
    card = GpuDevice(name="card", compute_capability=capability)
    found = verdict(TF_2_15, OF_2_15, Machine(driver="550.1", devices=(card,)))
    assert causes(found) == ([] if runs else ["compute_capability_missing"])


def test_machine_code_alone_does_not_run_on_a_newer_generation() -> None:
    assert not has_code_for("12.0", ("sm_80", "sm_89", "sm_90"))


def test_of_a_build_before_builds_spoke_the_published_versions_are_taken() -> None:
    needs = needs_of(lock("1.15.5"))
    assert needs is not None
    assert (needs.cuda, needs.cudnn, needs.driver) == ("10.0", "7.4", "410.48")
    assert needs.libraries[-1] == "libcudnn.so.7"


def test_of_a_build_of_which_nothing_is_known_nothing_is_claimed() -> None:
    unknown = lock("9.9.9")
    found = judge(unknown, needs_of(unknown), Libraries(cuda_build=True), Machine(), None)
    assert found.warnings == ()
    assert "nothing is known" in found.notes[0]


def test_every_published_build_has_its_libraries_and_its_driver_in_the_tables() -> None:
    for row in tables().builds:
        needs = needs_of(lock(f"{row.tensorflow}.0"))
        assert needs is not None
        assert library_names(row.cuda)
        assert needs.driver is not None


def test_versions_are_compared_as_far_as_both_are_written() -> None:
    assert is_older("450.51", "450.80.02")
    assert not is_older("450", "450.80.02")


def test_without_a_driver_the_devices_are_missing_and_nothing_else_happens() -> None:
    if Path("/proc/driver/nvidia").exists():
        pytest.skip("this kernel has an NVIDIA driver")
    assert "libnvidia-ml.so.1" in gpu_devices.answer()["missing"]


@pytest.mark.skipif(
    bool(examine().missing), reason="this kernel does not give every wall; what it lacks is named at run time"
)
def test_what_the_variables_of_a_runtime_start_stays_inside(tmp_path: Path) -> None:
    canary = tmp_path / "started"
    env = {"PYTHONWARNINGS": "all:0:antigravity.x:0:0", "BROWSER": f"/bin/sh -c 'echo > {canary}' #%s"}
    subprocess.run([sys.executable, "-c", ""], env=os.environ | env, check=True, capture_output=True)
    assert canary.exists()
    canary.unlink()
    needs = needs_of(lock("2.15.1"))
    assert needs is not None
    opened_libraries(Asked(interpreter=Path(sys.executable), env=env, made_by_us=False), needs, Processes())
    assert not canary.exists()


def provisioned(cache: Path, **asked: object) -> RuntimeState:
    runtime = replace(Runtime(name="gpu", python="3.11", tensorflow="2.15.1"), **asked)  # type: ignore[arg-type]  # keywords of Runtime
    (state,) = provision(Plan(runtimes=(runtime,)), cache, progress=Silent()).runtimes
    return state


@pytest.mark.runtime
def test_a_real_gpu_build_without_cuda_beside_it_is_warned_of_once(runtimes_cache: Path) -> None:
    state = provisioned(runtimes_cache, devices=(Device.CPU, Device.GPU))
    (warning,) = state.warnings
    assert warning.cause == "cuda_library_missing"
    for name in OF_2_15:
        assert name in warning.detail


@pytest.mark.runtime
def test_a_real_runtime_of_which_no_gpu_is_asked_is_not_looked_at(runtimes_cache: Path) -> None:
    state = provisioned(runtimes_cache)
    assert state.warnings == ()
    assert not any(note.startswith("GPU") for note in state.notes)
