"""Dimensions that a TFLite model leaves open. It stores 1 for each, of which a convolution may make less than nothing;
whoever runs such a model gives it a size first.
"""

from typing import Any, Dict, List, Optional, Sequence, Tuple

SIZES = (128, 224, 32, 8)
"""What an open dimension that is not the batch is tried with. The small ones come last, and 1 never: what has less than
nothing left is refused by some interpreters, and from TensorFlow 2.17 on it crashes.
"""


def shape_of(details: Dict[str, Any]) -> Tuple[Optional[int], ...]:
    """With None where it is open; TensorFlow 1 does not tell."""
    stored = [int(length) for length in details["shape"]]
    declared = details.get("shape_signature")
    if declared is None or len(declared) != len(stored):
        return tuple(stored)
    return tuple(None if told < 0 else length for told, length in zip(declared, stored))


def has_open(interpreter: Any) -> bool:
    try:
        inputs = interpreter.get_input_details()
    except ValueError:  # of a damaged model TensorFlow 1 does not tell them
        return False
    return any(None in shape_of(each)[1:] for each in inputs)


def filled(shape: Sequence[Optional[int]], size: int) -> List[int]:
    """A batch of one, and `size` for what else is open."""
    return [(size if index else 1) if length is None else length for index, length in enumerate(shape)]


def allocate(interpreter: Any, shapes: Sequence[Sequence[int]]) -> None:
    """Give its inputs these shapes, where it has others, and allocate."""
    for details, shape in zip(interpreter.get_input_details(), shapes):
        if list(details["shape"]) != list(shape):
            interpreter.resize_tensor_input(details["index"], list(shape))
    interpreter.allocate_tensors()
