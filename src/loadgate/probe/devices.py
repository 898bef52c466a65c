"""That a case which was asked of the GPU really has one. TensorFlow itself falls back to the CPU without an error."""

from typing import Any


class WrongDevice(Exception):
    """TensorFlow would do on the CPU what was asked of the GPU."""


def require(device: str) -> None:
    """Raise `WrongDevice` where TensorFlow sees no GPU. Listing the devices initialises CUDA: only ever in a child."""
    if device != "gpu":
        return
    import tensorflow as tf

    if not tf.config.experimental.list_physical_devices("GPU"):
        built = "is built with CUDA" if tf.test.is_built_with_cuda() else "is built without CUDA"
        raise WrongDevice("TensorFlow %s %s and sees no GPU; its log says why" % (tf.__version__, built))


def require_output_on(device: str, outputs: Any) -> None:
    """Raise `WrongDevice` where not one of the outputs was computed on the GPU."""
    if device != "gpu":
        return
    import tensorflow as tf

    placed = [str(getattr(tensor, "device", "")) for tensor in tf.nest.flatten(outputs)]
    if placed and not any("GPU" in where for where in placed):
        raise WrongDevice("the outputs were computed on %s" % ", ".join(sorted(set(placed))))
