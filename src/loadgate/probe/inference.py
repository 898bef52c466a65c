"""One run of what was loaded, on inputs made from its signature: zeros, then ones, and empty text.

Made-up inputs can be wrong where a signature leaves something open. A refusal of such inputs says nothing about the
model and is no failure; where a signature leaves only the batch open, a failure is the model's own. What is open may be
the batch or the length of a sequence: then a failure is the model's own where it is the same for every length.
"""

from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

from . import devices, tflite_sizes

SIZES = (1, 8, 32, 128, 224)
"""What an unknown dimension that is not the batch is tried with, in this order."""
LENGTHS = (1, 8, 32, 128, 224, 1024)
"""What the open first dimension of what may be a sequence is tried with."""
RANK_OF_A_SEQUENCE = 2


class NothingToRun(Exception):
    """What was loaded says of itself too little to be run."""


class Input:
    """One input of a signature: a NumPy type, or None for text, and a shape with None where it is open.

    An open first dimension is the batch, of which 1 is as good as any, where the signature is of Keras or has more
    dimensions than a sequence. Else it may be the length of one, of which 1 may be too short.
    """

    def __init__(self, name: str, dtype: Optional[Any], shape: Sequence[Optional[int]], keras: bool = False) -> None:
        self.name = name
        self.dtype = dtype
        self.shape = tuple(shape)
        self.may_be_sequence = self.shape[:1] == (None,) and len(self.shape) <= RANK_OF_A_SEQUENCE and not keras

    @property
    def certain(self) -> bool:
        return self.dtype is not None and None not in self.shape[1:]

    def value(self, size: int, length: int, filling: int) -> Any:
        import numpy as np

        first = length if self.may_be_sequence else 1
        shape = [(size if index else first) if told is None else told for index, told in enumerate(self.shape)]
        return np.full(shape, b"", dtype=object) if self.dtype is None else np.full(shape, filling, dtype=self.dtype)


def input_of(name: str, spec: Any, keras: bool = False) -> Input:
    """From anything with a TensorFlow dtype, or its name, and a shape."""
    import tensorflow as tf

    if spec.shape is None or getattr(spec.shape, "rank", 0) is None:
        raise NothingToRun("input %s has no known rank" % name)
    dtype = tf.as_dtype(spec.dtype)
    shape = [None if length is None else int(length) for length in tuple(spec.shape)]
    return Input(name, None if dtype == tf.string else dtype.as_numpy_dtype, shape, keras)


def made_up(inputs: List[Input], sizes: Sequence[int]) -> Iterator[List[Any]]:
    """What to call with, the likeliest first. Zeros are lengths that nothing has, and have no logarithm."""
    if all(None not in each.shape[1:] for each in inputs):
        sizes = sizes[:1]
    lengths = LENGTHS if are_sequences(inputs) else LENGTHS[:1]
    likeliest = (sizes[0], lengths[0], 0)
    tries = [likeliest, *((size, lengths[0], 0) for size in sizes[1:]), *((sizes[0], each, 0) for each in lengths[1:])]
    if any(each.dtype is not None for each in inputs):
        tries.append((sizes[0], lengths[0], 1))
    for size, length, filling in tries:
        yield [each.value(size, length, filling) for each in inputs]


def are_sequences(inputs: List[Input]) -> bool:
    """Whether what is open first may be a length. Beside an input of more dimensions it is the batch of both."""
    open_first = [each for each in inputs if each.shape[:1] == (None,)]
    return bool(open_first) and all(each.may_be_sequence for each in open_first)


def attempt(inputs: List[Input], call: Callable[[List[Any]], Any], sizes: Sequence[int] = SIZES) -> Any:
    """Call with made-up inputs until one is taken: with other sizes where dimensions are open, and other values.

    Raises the first refusal where the model can only have failed by itself, and `NothingToRun` where it need not.
    """
    first: Optional[Exception] = None
    refusals = set()
    for values in made_up(inputs, sizes):
        try:
            return call(values)
        except Exception as error:  # noqa: BLE001 - which is raised is known at the end
            first = first or error
            refusals.add((type(error), str(error)))
    made_no_difference = len(refusals) == 1 or not are_sequences(inputs)
    if first is not None and made_no_difference and all(each.certain for each in inputs):
        raise first
    raise NothingToRun("inputs made from the signature were refused: %s" % first)


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
    inputs = [input_of(getattr(each, "name", "input"), each, keras=True) for each in model.inputs]

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
