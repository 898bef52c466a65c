"""Which GPU this machine shows to a process of ours, asked of the driver and not of TensorFlow."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from loadgate.probe.describe import nvidia_driver

PATIENCE = 10.0
"""Seconds for nvidia-smi, which hangs where a driver is broken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """What can be seen. Where `missing` is set, no load can use a GPU here, and it says why in one line."""

    missing: str | None
    names: tuple[str, ...] = ()
    """As nvidia-smi spells them; empty where there is no nvidia-smi to ask."""
    driver: str | None = None


def visible_gpu() -> Gpu:
    return look_for_gpu(Path("/"), os.environ.get("CUDA_VISIBLE_DEVICES"), shutil.which("nvidia-smi"))


def look_for_gpu(root: Path, visible_devices: str | None, nvidia_smi: str | None) -> Gpu:
    driver = nvidia_driver(str(root / "proc/driver/nvidia/version"))
    devices = [path for path in (root / "dev").glob("nvidia*") if re.fullmatch(r"nvidia\d+", path.name)]
    if driver is None and not devices:
        return Gpu(missing="no NVIDIA driver and no /dev/nvidia* on this machine")
    if not devices:
        return Gpu(missing=f"NVIDIA driver {driver} is loaded, but no /dev/nvidia* device is here", driver=driver)
    if visible_devices is not None and hides_all(visible_devices):
        return Gpu(missing=f"CUDA_VISIBLE_DEVICES={visible_devices!r} hides every GPU", driver=driver)
    if nvidia_smi is None:
        return Gpu(missing=None, driver=driver)
    return asked_of_the_driver(nvidia_smi, driver)


def hides_all(visible_devices: str) -> bool:
    """CUDA shows the devices before the first entry that names none."""
    first = visible_devices.split(",", maxsplit=1)[0].strip()
    return first in ("", "NoDevFiles") or first.startswith("-")


def asked_of_the_driver(nvidia_smi: str, driver: str | None) -> Gpu:
    try:
        answer = subprocess.run(  # noqa: S603 -- the program that PATH names, with a constant argument
            [nvidia_smi, "-L"], capture_output=True, text=True, errors="replace", timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return Gpu(missing=f"nvidia-smi gave no answer within {PATIENCE:.0f} seconds", driver=driver)
    except OSError as error:
        return Gpu(missing=f"nvidia-smi cannot be run: {error.strerror}", driver=driver)
    if answer.returncode != 0:
        reason = (answer.stdout + answer.stderr).strip().splitlines() or [f"exit status {answer.returncode}"]
        return Gpu(missing=f"nvidia-smi: {reason[-1]}", driver=driver)
    names = tuple(re.findall(r"^GPU \d+: (.*?)(?: \(UUID: .*\))?$", answer.stdout, re.MULTILINE))
    if not names:
        return Gpu(missing="nvidia-smi lists no GPU", driver=driver)
    return Gpu(missing=None, names=names, driver=driver)
