"""Which versions of which TFLite op an interpreter takes: `python lab_tflite_ops.py OPS`, a JSON object on stdout.

It looks up every op that a model names before it looks at the graph, so a model of one op and no graph is enough.
"""

import json
import os
import struct
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf

NEWEST = 16
"""No op has come to so many versions."""
LARGEST_SMALL = 127
"""What fits the field of one byte, which is all that the first interpreters read."""


def model(number, version):
    """A FlatBuffer of the schema's third version, laid out by hand: the model, one operator code, one empty graph."""
    tables = (
        b"\x18\0\0\0TFL3"
        + struct.pack("<7H2x", 14, 20, 4, 8, 12, 0, 16)
        + struct.pack("<i4I", 16, 3, 44 - 32, 80 - 36, 124 - 40)
    )
    code = struct.pack("<II6H", 1, 64 - 48, 12, 16, 12, 0, 4, 8)
    code += struct.pack("<iiib3x", 12, version, number, min(number, LARGEST_SMALL))
    graph = struct.pack("<II6H", 1, 100 - 84, 12, 20, 4, 8, 12, 16)
    graph += struct.pack("<i4I", 12, 120 - 104, 120 - 108, 120 - 112, 120 - 116) + struct.pack("<I", 0)
    buffers = struct.pack("<II3H2xi", 1, 140 - 128, 6, 4, 0, 8)
    return tables + code + graph + buffers


def is_taken(number, version):
    try:
        tf.lite.Interpreter(model_content=model(number, version)).allocate_tensors()
    except (ValueError, RuntimeError):
        return False
    return True


def newest_taken(number):
    return max([version for version in range(1, NEWEST) if is_taken(number, version)] or [0])


if __name__ == "__main__":
    json.dump([newest_taken(number) for number in range(int(sys.argv[1]))], sys.stdout)
    sys.stdout.flush()
