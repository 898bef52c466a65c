"""Import what every case of a runtime needs, and say whether the process may still be forked.

A process that has run an op eagerly cannot be forked: TensorFlow's threads do not exist in the child, and it waits for
them for ever. Importing alone is safe in every version from 1.15 to 2.21.
"""

import importlib
import os
import sys
from typing import Any, Dict, List, Tuple


class ImportsFailed(Exception):
    """A module under `imports:` could not be imported."""


def prepare(request: Dict[str, Any]) -> str:
    """Import TensorFlow, then the modules that register custom objects."""
    import tensorflow as tf

    for path in request["paths"]:
        # last, so that nothing in a repository can stand in for a module of the runtime
        if path not in sys.path:
            sys.path.append(path)
    for module in request["imports"]:
        try:
            import_named(module)
        except BaseException as error:
            raise ImportsFailed("imports: %s: %s: %s" % (module, type(error).__name__, error)) from error
    return "tensorflow %s" % tf.__version__


def import_named(entry: str) -> None:
    """Import `module`; of `module:Name`, also register what has that name under it, as `custom_objects=` would."""
    module, _, name = entry.partition(":")
    found = importlib.import_module(module)
    if not name:
        return
    custom = getattr(found, name)
    for keras in keras_packages():
        keras.utils.get_custom_objects()[name] = custom


def keras_packages() -> List[Any]:
    import tensorflow as tf

    other = sys.modules.get("tf_keras")
    return [tf.keras] + ([other] if other is not None else [])


def tensorflow_version() -> Tuple[int, int]:
    import tensorflow as tf

    major, minor = tf.__version__.split(".")[:2]
    return int(major), int(minor)


def threads() -> int:
    return len(os.listdir("/proc/self/task"))


def has_eager_context() -> bool:
    """Whether an op has run eagerly, so that this process must not be forked."""
    module = sys.modules.get("tensorflow.python.eager.context")
    context = getattr(module, "_context", None)
    return getattr(context, "_context_handle", None) is not None
