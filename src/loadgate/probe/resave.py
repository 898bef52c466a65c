"""Save a loaded model in another format, and hold what is loaded of that to what the original computes.

Both run in processes of their own, in two runtimes: what the first computed lies beside what it saved.
"""

import os
import shutil
import stat
from typing import Any, Callable, Dict, List, Tuple

from . import inference

PRODUCT = "product"
MODEL = {"keras_h5": "model.h5", "keras_v3": "model.keras", "saved_model": "model"}
RECORDED = "recorded.npz"
DEEPEST = 32
"""Folders in each other that what was saved may consist of."""
RELATIVE = 1e-3
ABSOLUTE = 1e-4
"""What two versions of TensorFlow may differ by in the same computation in single precision."""


class ComputesOtherwise(Exception):
    """What was saved again does not compute what the original computes."""


def save(model: Any, form: str, folder: str, called: Callable[[str], None]) -> None:
    """Save `model` into `folder`, and beside it what it computes of made-up inputs, where it can be run."""
    if not hasattr(model, "predict_on_batch"):
        raise inference.NothingToRun("only a Keras model can be saved in another format")
    os.makedirs(folder)
    try:
        inputs, outputs = computed(model)
    except inference.NothingToRun:
        inputs, outputs = [], []
    path = os.path.join(folder, MODEL[form])
    if form == "saved_model":
        called(export(model, path))
    else:
        called("Model.save")
        model.save(path)
    if outputs:
        record(os.path.join(folder, RECORDED), inputs, outputs)


def export(model: Any, path: str) -> str:
    """As a graph for inference, which `tf.saved_model.load` reads in every later version; the call that was made."""
    import tensorflow as tf

    if not tf.executing_eagerly():
        session = tf.compat.v1.keras.backend.get_session()
        tf.compat.v1.saved_model.simple_save(
            session,
            path,
            inputs={each.name.split(":")[0]: each for each in model.inputs},
            outputs={"output_%d" % number: each for number, each in enumerate(model.outputs)},
        )
        return "tf.compat.v1.saved_model.simple_save"
    if hasattr(model, "export"):  # Keras from 2.13 on
        model.export(path)
        return "Model.export"
    model.save(path, save_format="tf", include_optimizer=False)
    return "Model.save(save_format='tf')"


def computed(model: Any) -> Tuple[List[Tuple[str, Any]], List[Any]]:
    """Inputs by name, and the outputs of them."""
    if not getattr(model, "inputs", None):
        raise inference.NothingToRun("the model has no inputs until it has been called")
    specs = [
        inference.input_of(getattr(each, "name", "input").split(":")[0], each, keras=True) for each in model.inputs
    ]
    used: List[Any] = []

    def call(values: List[Any]) -> Any:
        del used[:]
        used.extend(varied(value) for value in values)
        return called_with(model, used)

    outputs = inference.attempt(specs, call)
    return [(spec.name, value) for spec, value in zip(specs, used)], arrays(outputs)


def varied(value: Any) -> Any:
    """In place of zeros, which too many models map to the same: small numbers, the same at every call."""
    import numpy as np

    generator = np.random.RandomState(0)
    if value.dtype.kind == "f":
        return generator.uniform(size=value.shape).astype(value.dtype)
    if value.dtype.kind in "iu":
        return generator.randint(0, 2, size=value.shape).astype(value.dtype)
    return value


def called_with(model: Any, values: List[Any]) -> Any:
    import tensorflow as tf

    if not tf.executing_eagerly():
        return model.predict_on_batch(values if len(values) > 1 else values[0])
    tensors = [tf.constant(value) for value in values]
    return model(tensors if len(tensors) > 1 else tensors[0], training=False)


def arrays(outputs: Any) -> List[Any]:
    import numpy as np
    import tensorflow as tf

    flat = tf.nest.flatten(outputs)
    return [np.asarray(each.numpy() if hasattr(each, "numpy") else each) for each in flat]


def record(path: str, inputs: List[Tuple[str, Any]], outputs: List[Any]) -> None:
    import numpy as np

    held: Dict[str, Any] = {"names": np.array([name for name, _ in inputs], dtype="U")}
    for number, (_, value) in enumerate(inputs):
        held["input_%d" % number] = value.astype("S") if value.dtype == object else value
    for number, value in enumerate(outputs):
        if value.dtype.kind not in "fiub":
            return
        held["output_%d" % number] = value
    np.savez(path, **held)


def compare(loaded: Any, folder: str, called: Callable[[str], None]) -> None:
    """Raises `ComputesOtherwise`, and `NothingToRun` where the two cannot be compared."""
    import numpy as np

    path = os.path.join(folder, RECORDED)
    if not os.path.exists(path):
        raise inference.NothingToRun("where it was saved it could not be run")
    with np.load(path, allow_pickle=False) as held:
        names = [str(name) for name in held["names"]]
        inputs = [held["input_%d" % number] for number in range(len(names))]
        expected = [held[key] for key in held.files if key.startswith("output_")]
    called("Model.__call__" if hasattr(loaded, "predict_on_batch") else "signatures")
    if hasattr(loaded, "predict_on_batch"):
        found = arrays(called_with(loaded, inputs))
    else:
        found = arrays(signature_called_with(loaded, names, inputs))
    require_equal(expected, found)


def signature_called_with(loaded: Any, names: List[str], inputs: List[Any]) -> Any:
    import tensorflow as tf

    signatures = getattr(loaded, "signatures", None) or {}
    key = next((key for key in ("serving_default", "serve") if key in signatures), None)
    if key is None or not tf.executing_eagerly():
        raise inference.NothingToRun("no signature of it can be run here")
    wanted = sorted(signatures[key].structured_input_signature[1])
    if len(wanted) == 1 and len(names) == 1:
        names = wanted
    if sorted(names) != wanted:
        raise inference.NothingToRun("the inputs of its signature have other names: %s" % ", ".join(wanted))
    return signatures[key](**{name: tf.constant(value) for name, value in zip(names, inputs)})


def require_equal(expected: List[Any], found: List[Any]) -> None:
    """Whatever the order: a signature names its outputs as it likes."""
    import numpy as np

    left = list(found)
    for value in expected:
        same = (
            number
            for number, other in enumerate(left)
            if other.shape == value.shape and np.allclose(value, other, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True)
        )
        number = next(same, None)
        if number is None:
            raise ComputesOtherwise(difference(value, found))
        del left[number]


def difference(value: Any, found: List[Any]) -> str:
    import numpy as np

    distances = [
        float(np.max(np.abs(value.astype("float64") - other.astype("float64"))))
        for other in found
        if other.shape == value.shape
    ]
    if not distances:
        return "no output has the shape %s" % (value.shape,)
    return "an output of shape %s differs by up to %.3g" % (value.shape, min(distances))


def keep(scratch: str, place: str) -> None:
    """Take what a case has saved out of its scratch directory before that goes."""
    product = os.path.join(scratch, PRODUCT)
    if not is_plain_folder(product) or os.path.exists(place):
        return
    try:
        shutil.move(product, place)
    except OSError:
        # it has taken from itself the permission to be moved
        return


def is_plain_folder(folder: str) -> bool:
    """Whether it holds nothing but files and folders: whoever reads it has rights that who made it had not.

    Deeper than any format of a model, it is taken for no product either.
    """
    if os.path.islink(folder) or not os.path.isdir(folder):
        return False
    waiting = [(folder, 0)]
    while waiting:
        place, depth = waiting.pop()
        try:
            mode = os.lstat(place).st_mode
            if stat.S_ISDIR(mode) and depth < DEEPEST:
                waiting += [(os.path.join(place, name), depth + 1) for name in os.listdir(place)]
            elif not stat.S_ISREG(mode):
                return False
        except OSError:
            return False
    return True
