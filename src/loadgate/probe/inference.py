"""One run of what was loaded, on inputs made from its signature: zeros, and empty text.

Made-up inputs can be wrong where a signature leaves something open. A refusal of such inputs says nothing about the
model and is no failure; where a signature leaves only the batch open, a failure is the model's own.
"""

from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from . import devices, tflite_sizes

SIZES = (1, 8, 32, 128, 224)
"""What an unknown dimension that is not the batch is tried with, in this order."""


class NothingToRun(Exception):
    """What was loaded says of itself too little to be run."""


class Input:
    """One input of a signature: a NumPy type, or None for text, and a shape with None where it is open."""

    def __init__(self, name: str, dtype: Optional[Any], shape: Sequence[Optional[int]]) -> None:
        self.name = name
        self.dtype = dtype
        self.shape = tuple(shape)

    @property
    def certain(self) -> bool:
        return self.dtype is not None and None not in self.shape[1:]

    def value(self, size: int) -> Any:
        import numpy as np

        shape = [1 if index == 0 else size for index in range(len(self.shape))]
        for index, length in enumerate(self.shape):
            if length is not None:
                shape[index] = length
        return np.full(shape, b"", dtype=object) if self.dtype is None else np.zeros(shape, dtype=self.dtype)


def input_of(name: str, spec: Any) -> Input:
    """From anything with a TensorFlow dtype, or its name, and a shape."""
    import tensorflow as tf

    if spec.shape is None or getattr(spec.shape, "rank", 0) is None:
        raise NothingToRun("input %s has no known rank" % name)
    dtype = tf.as_dtype(spec.dtype)
    shape = [None if length is None else int(length) for length in tuple(spec.shape)]
    return Input(name, None if dtype == tf.string else dtype.as_numpy_dtype, shape)


def attempt(inputs: List[Input], call: Callable[[List[Any]], Any], sizes: Sequence[int] = SIZES) -> Any:
    """Call with made-up inputs, with other sizes where dimensions are open."""
    certain = all(each.certain for each in inputs)
    refusal: Optional[Exception] = None
    for size in sizes[:1] if certain else sizes:
        try:
            return call([each.value(size) for each in inputs])
        except Exception as error:
            if certain:
                raise
            refusal = refusal or error
    raise NothingToRun("inputs made from the signature were refused: %s" % refusal)


def signature_inputs(function: Any) -> Tuple[List[str], List[Input]]:
    specs = function.structured_input_signature[1]
    names = sorted(specs)
    return names, [input_of(name, specs[name]) for name in names]


def run_signatures(loaded: Any) -> Any:
    import tensorflow as tf

    if not tf.executing_eagerly():
        raise NothingToRun("TensorFlow 1 in graph mode runs no signature of a loaded SavedModel")
    if not getattr(loaded, "signatures", None):
        raise NothingToRun("the SavedModel has no signature")
    outputs: Dict[str, Any] = {}
    refusal: Optional[NothingToRun] = None
    for key in sorted(loaded.signatures):
        try:
            outputs[key] = run_signature(loaded.signatures[key])
        except NothingToRun as error:
            refusal = refusal or error  # another may take what can be made of its signature
    if refusal is not None and not outputs:
        raise refusal
    return outputs


def run_signature(function: Any) -> Any:
    import tensorflow as tf

    names, inputs = signature_inputs(function)
    return attempt(inputs, lambda values: function(**{name: tf.constant(value) for name, value in zip(names, values)}))


def run_keras(model: Any) -> Any:
    import tensorflow as tf

    if not getattr(model, "inputs", None):
        raise NothingToRun("the model has no inputs until it has been called")
    inputs = [input_of(getattr(each, "name", "input"), each) for each in model.inputs]

    def call(values: List[Any]) -> Any:
        if not tf.executing_eagerly():
            return model.predict_on_batch(values if len(values) > 1 else values[0])
        tensors = [tf.constant(value) for value in values]
        return model(tensors if len(tensors) > 1 else tensors[0], training=False)

    return attempt(inputs, call)


def run_tflite(interpreter: Any) -> None:
    inputs = [input_of_tflite(details) for details in interpreter.get_input_details()]

    def call(values: List[Any]) -> None:
        details = interpreter.get_input_details()
        shapes = [value.shape for value in values]
        if any(tuple(each["shape"]) != shape for each, shape in zip(details, shapes)):
            tflite_sizes.allocate(interpreter, shapes)
        for each, value in zip(details, values):
            interpreter.set_tensor(each["index"], value)
        interpreter.invoke()

    attempt(inputs, call, tflite_sizes.SIZES)


def input_of_tflite(details: Dict[str, Any]) -> Input:
    import numpy as np

    text = details["dtype"] in (np.bytes_, np.object_)
    return Input(details["name"], None if text else details["dtype"], tflite_sizes.shape_of(details))


def run(loader: str, loaded: Any, device: str, called: Callable[[str], None]) -> None:
    """Run what `loader` gave. Raises `NothingToRun` where what is to be run cannot be told."""
    if loader == "tflite":
        called("Interpreter.invoke")
        run_tflite(loaded)
    elif loader in ("keras", "tf_keras") and hasattr(loaded, "predict_on_batch"):
        called("Model.__call__")
        devices.require_output_on(device, run_keras(loaded))
    elif loader == "saved_model" or hasattr(loaded, "signatures"):
        called("signatures")
        devices.require_output_on(device, run_signatures(loaded))
    else:
        raise NothingToRun("loader %s gives nothing that can be run" % loader)
