"""Whether a runtime will use a GPU as it is asked to: known before any load, and on machines without a GPU as well.

TensorFlow that lacks a library falls back to the CPU and says so in its log alone, so this is told once a runtime.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from loadgate.domain import Device, Finding, FindingKind, GpuTarget, Lock, Runtime
from loadgate.probe import gpu_devices, gpu_libraries
from loadgate.repository import UnusableFileError, read_bytes
from loadgate.runtimes.asking import Asked, ask, scratch_folder
from loadgate.runtimes.gpu_needs import Needs, is_built_for_gpu, library_names, needs_of
from loadgate.runtimes.processes import Processes

TIMEOUT = 600.0
"""Seconds for an import of TensorFlow and its libraries, one after the other."""
DEVICES_TIMEOUT = 30.0
REPORT_LIMIT = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """What became of opening one of NVIDIA's libraries."""

    version: str | None = None
    path: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Libraries:
    """What `probe/gpu_libraries.py` writes."""

    cuda_build: bool | None = None
    libraries: Mapping[str, Library] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuDevice:
    name: str
    compute_capability: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What `probe/gpu_devices.py` writes."""

    driver: str | None = None
    devices: tuple[GpuDevice, ...] = ()
    missing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    warnings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()


def preflight(runtime: Runtime, lock: Lock, repository: Path, processes: Processes) -> Preflight:
    """Look, and judge. Nothing is looked at where neither `devices` nor `gpu` of the spec asks for a GPU."""
    if Device.GPU not in runtime.devices and runtime.gpu is None:
        return Preflight()
    needs = needs_of(lock)
    if is_built_for_gpu(lock) is False or needs is None:
        return judge(lock, needs, Libraries(), Machine(), runtime.gpu)
    asked = Asked(
        interpreter=Path(lock.interpreter),
        env=runtime.env,
        repository=repository,
        made_by_us=runtime.interpreter is None,
        gpu=True,
    )
    machine = seen_devices(asked, processes)
    return judge(lock, needs, opened_libraries(asked, needs, processes), machine, runtime.gpu)


# --- looking ------------------------------------------------------------------------------------------------------


def opened_libraries(asked: Asked, needs: Needs, processes: Processes) -> Libraries:
    answer = answer_of(asked, gpu_libraries.__file__, needs.libraries, processes, TIMEOUT)
    try:
        return msgspec.json.decode(answer, type=Libraries)
    except msgspec.DecodeError:
        return Libraries()


def seen_devices(asked: Asked, processes: Processes) -> Machine:
    answer = answer_of(replace(asked, env={}), gpu_devices.__file__, (), processes, DEVICES_TIMEOUT)
    try:
        return msgspec.json.decode(answer, type=Machine)
    except msgspec.DecodeError:
        return Machine(missing="NVIDIA's driver did not answer")


def answer_of(asked: Asked, program: str, arguments: Sequence[str], processes: Processes, timeout: float) -> bytes:
    """What a program of ours writes when the runtime's own Python runs it; nothing where it did not come to that."""
    with scratch_folder() as scratch:
        answer = scratch / "answer.json"
        question: tuple[str | Path, ...] = (program, answer, *arguments)
        ask(asked, question, scratch, processes, timeout, PYTHONDONTWRITEBYTECODE="1")
        try:
            return read_bytes(answer, REPORT_LIMIT)
        except UnusableFileError:
            return b""


# --- judging ------------------------------------------------------------------------------------------------------


def judge(
    lock: Lock, needs: Needs | None, libraries: Libraries, machine: Machine, production: GpuTarget | None
) -> Preflight:
    if is_built_for_gpu(lock) is False or libraries.cuda_build is False:
        return Preflight(warnings=(without_cuda(lock),))
    if needs is None:
        note = f"Of the GPU build of TensorFlow {lock.tensorflow} nothing is known, so what it needs was not checked."
        return Preflight(notes=(note,))
    target = production or GpuTarget()
    warnings = [
        *about_libraries(lock, needs, libraries.libraries, target),
        *about_cudnn(needs, libraries.libraries, target),
        *about_driver(needs, target.driver, machine.driver or lock.driver),
        *about_devices(needs, machine.devices),
    ]
    return Preflight(warnings=tuple(warnings), notes=(needed_and_found(needs, libraries.libraries, machine),))


def warning(cause: str, headline: str, detail: str = "", suggestion: str | None = None) -> Finding:
    return Finding(kind=FindingKind.GPU, cause=cause, headline=headline, detail=detail, suggestion=suggestion)


def without_cuda(lock: Lock) -> Finding:
    name = next((name for name in ("tensorflow-cpu", "tensorflow") if name in lock.packages), "tensorflow")
    suggestion = None
    if name == "tensorflow-cpu":
        suggestion = f"Require tensorflow=={lock.tensorflow} in place of tensorflow-cpu."
    headline = f"{name} {lock.tensorflow} is built without CUDA, so it uses no GPU."
    return warning("cpu_only_build", headline, suggestion=suggestion)


def about_libraries(lock: Lock, needs: Needs, libraries: Mapping[str, Library], target: GpuTarget) -> Iterator[Finding]:
    missing = {name: library for name, library in libraries.items() if library.error is not None}
    if not missing:
        return
    if target.cuda is not None and missing.keys() == libraries.keys():
        # Production brings its own, which are not here; whether they are the right ones can be told all the same.
        if needs.libraries[:-1] != tuple(library_names(target.cuda)):
            yield warning(
                "cuda_of_another_version",
                f"TensorFlow {lock.tensorflow} opens the libraries of CUDA {needs.cuda}, "
                f"and production has CUDA {target.cuda}: it will use no GPU there.",
                suggestion=wheels(lock),
            )
        return
    yield warning(
        "cuda_library_missing",
        f"TensorFlow cannot open {listed(list(missing))} here, so it will use no GPU, and say so in its log alone.",
        detail=told(missing),
        suggestion=where_they_are(lock, missing) or wheels(lock),
    )


def told(missing: Mapping[str, Library]) -> str:
    return "\n".join(library.error or "" for library in missing.values())


def where_they_are(lock: Lock, missing: Mapping[str, Library]) -> str | None:
    """Where the wheels did bring them, and TensorFlow looks elsewhere: seen with libcusolver in 2.21.0."""
    packages = {f"nvidia-{name[3:].partition('.')[0].lower()}-cu" for name in missing}
    if all(any(package.startswith(prefix) for package in lock.packages) for prefix in packages):
        folders = ":".join(f"<site-packages>/nvidia/{name[3:].partition('.')[0].lower()}/lib" for name in missing)
        return f"The nvidia-* packages brought them where this build does not look: set LD_LIBRARY_PATH={folders}."
    return None


def wheels(lock: Lock) -> str:
    minor = tuple(int(part) for part in lock.tensorflow.split(".")[:2] if part.isdigit())
    if minor >= (2, 14):  # the first release with that extra
        return f"Require tensorflow[and-cuda]=={lock.tensorflow}, which brings them."
    return "Install that CUDA and cuDNN into the image."


def about_cudnn(needs: Needs, libraries: Mapping[str, Library], target: GpuTarget) -> Iterator[Finding]:
    """It must be of the same major version, and no older than what it was built with; newer will do."""
    opened = next((library for name, library in libraries.items() if name.startswith("libcudnn.")), Library())
    if opened.version is not None:
        if not is_enough(opened.version, needs.cudnn):
            yield warning(
                "cudnn_too_old",
                f"cuDNN {opened.version} is opened, and TensorFlow was built with {needs.cudnn}: "
                "convolutions and recurrent layers will fail on a GPU.",
                detail=opened.path or "",
                suggestion=f"Install cuDNN {needs.cudnn} or a newer {needs.cudnn.partition('.')[0]}, "
                "and see what comes before it on LD_LIBRARY_PATH.",
            )
    elif target.cudnn is not None and not is_enough(target.cudnn, needs.cudnn):
        yield warning(
            "cudnn_too_old",
            f"TensorFlow was built with cuDNN {needs.cudnn}, and production has {target.cudnn}.",
            suggestion=f"Install cuDNN {needs.cudnn} or a newer {needs.cudnn.partition('.')[0]} there.",
        )


def is_enough(cudnn: str, built_with: str) -> bool:
    same_major = cudnn.partition(".")[0] == built_with.partition(".")[0]
    return same_major and not is_older(cudnn, built_with)


def about_driver(needs: Needs, production: str | None, here: str | None) -> Iterator[Finding]:
    driver = production or here
    if driver is None or needs.driver is None or not is_older(driver, needs.driver):
        return
    whose = "production has" if production else "this machine has"
    yield warning(
        "driver_too_old",
        f"CUDA {needs.cuda} runs on NVIDIA drivers from {needs.driver} on, and {whose} {driver}.",
        suggestion=f"Update the driver of the host to {needs.driver} or newer; an image cannot bring one.",
    )


def is_older(version: str, than: str) -> bool:
    """Compared as far as both are written: `525` is no older than `525.60.13`."""
    own, others = (tuple(int(part) for part in text.split(".") if part.isdigit()) for text in (version, than))
    shared = min(len(own), len(others))
    return own[:shared] < others[:shared]


def about_devices(needs: Needs, devices: Sequence[GpuDevice]) -> Iterator[Finding]:
    for device in devices:
        if needs.capabilities and not has_code_for(device.compute_capability, needs.capabilities):
            yield warning(
                "compute_capability_missing",
                f"{device.name} has compute capability {device.compute_capability}, "
                f"and this build has code for {listed(needs.capabilities)} alone.",
                suggestion="Use a TensorFlow that is built for it; neither the driver nor CUDA changes this.",
            )


def has_code_for(capability: str, built: Sequence[str]) -> bool:
    """Machine code runs on its own major version from its minor on; `compute_` on all that is newer."""
    major, minor = (int(part) for part in [*capability.split("."), "0"][:2])
    for code in built:
        kind, _, digits = code.partition("_")
        number = int("".join(digit for digit in digits if digit.isdigit()) or "0")
        of_major, of_minor = divmod(number, 10)
        if kind == "compute" and (major, minor) >= (of_major, of_minor):
            return True
        if kind == "sm" and major == of_major and minor >= of_minor:
            return True
    return False


def needed_and_found(needs: Needs, libraries: Mapping[str, Library], machine: Machine) -> str:
    wants = f"GPU: built for CUDA {needs.cuda} and cuDNN {needs.cudnn}"
    if needs.capabilities:
        wants += f", with code for {listed(needs.capabilities)}"
    if needs.driver:
        wants += f"; needs NVIDIA driver {needs.driver} or newer"
    found = [f"{short(name)} {library.version}" for name, library in libraries.items() if library.version]
    opened = f"opens {', '.join(found)}" if found else "opens none of its libraries here"
    devices = listed([f"{device.name} ({device.compute_capability})" for device in machine.devices])
    return f"{wants}; {opened}; " + (f"driver {machine.driver}, {devices}." if machine.driver else "no driver here.")


def short(name: str) -> str:
    return name.removeprefix("lib").partition(".")[0]


def listed(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + f" and {names[-1]}" if names[2:] else ", ".join(names)
