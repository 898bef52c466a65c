"""Says which NVIDIA devices are here: `gpu_devices.py OUTPUT`. Asks NVML, so no TensorFlow and no CUDA is needed.

Only a machine with an NVIDIA driver can show that this works, and it has not been run on one: without a driver it says
that there is none. Runs in a process of its own, for a broken driver hangs or crashes whoever asks it.
"""

import ctypes
import json
import sys
from typing import Any, Dict, List

NAME_LENGTH = 96
"""`NVML_DEVICE_NAME_V2_BUFFER_SIZE`; a driver's version is shorter."""


class NoAnswer(Exception):
    """What NVML does not answer, and the number that it gave as the reason."""


def ask(nvml: Any, function: str, *arguments: Any) -> None:
    status = getattr(nvml, function)(*arguments)
    if status:
        raise NoAnswer("%s answered %d" % (function, status))


def devices(nvml: Any) -> List[Dict[str, str]]:
    count = ctypes.c_uint()
    ask(nvml, "nvmlDeviceGetCount_v2", ctypes.byref(count))
    return [device(nvml, index) for index in range(count.value)]


def device(nvml: Any, index: int) -> Dict[str, str]:
    handle = ctypes.c_void_p()
    ask(nvml, "nvmlDeviceGetHandleByIndex_v2", ctypes.c_uint(index), ctypes.byref(handle))
    name = ctypes.create_string_buffer(NAME_LENGTH)
    ask(nvml, "nvmlDeviceGetName", handle, name, ctypes.c_uint(NAME_LENGTH))
    major, minor = ctypes.c_int(), ctypes.c_int()
    ask(nvml, "nvmlDeviceGetCudaComputeCapability", handle, ctypes.byref(major), ctypes.byref(minor))
    return {
        "name": name.value.decode("utf-8", "replace"),
        "compute_capability": "%d.%d" % (major.value, minor.value),
    }


def driver_version(nvml: Any) -> str:
    version = ctypes.create_string_buffer(NAME_LENGTH)
    ask(nvml, "nvmlSystemGetDriverVersion", version, ctypes.c_uint(NAME_LENGTH))
    return version.value.decode("utf-8", "replace")


def answer() -> Dict[str, Any]:
    try:
        nvml = ctypes.CDLL("libnvidia-ml.so.1")
        ask(nvml, "nvmlInit_v2")
        return {"driver": driver_version(nvml), "devices": devices(nvml)}
    except (OSError, AttributeError, NoAnswer) as error:
        return {"missing": str(error)}


if __name__ == "__main__":
    with open(sys.argv[1], "w", encoding="utf-8") as stream:
        json.dump(answer(), stream)
