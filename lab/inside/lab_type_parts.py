"""Models of TFLite with one tensor and no op, for each type that a tensor may have.

`python lab_type_parts.py FOLDER ACCOUNT` needs no TensorFlow to write them. An interpreter looks at the type of every
tensor before it looks at the ops.
"""

import json
import os
import struct
import sys

TYPES = 21
"""So many the schema knows."""


def model(kind):
    """A FlatBuffer of the schema's third version, laid out by hand: the model, one graph, one tensor, one buffer."""
    head = b"\x18\0\0\0TFL3" + struct.pack("<7H2x", 14, 20, 4, 8, 12, 0, 16)
    head += struct.pack("<i4I", 16, 3, 44 - 32, 48 - 36, 136 - 40) + struct.pack("<I", 0)
    graph = struct.pack("<II6H", 1, 68 - 52, 12, 20, 4, 8, 12, 16)
    graph += struct.pack("<i4I", 12, 92 - 72, 88 - 76, 88 - 80, 88 - 84) + struct.pack("<I", 0)
    tensor = struct.pack("<II5H2x", 1, 112 - 96, 10, 16, 4, 8, 12)
    tensor += struct.pack("<iIB3xI", 12, 128 - 116, kind, 0) + struct.pack("<Ii", 1, 2)
    buffers = struct.pack("<II2Hi", 1, 148 - 140, 4, 4, 4)
    return head + graph + tensor + buffers


def save(folder, account):
    with open(account, "w") as stream:
        for kind in range(TYPES):
            name = "tensor_of_type_%d.tflite" % kind
            with open(os.path.join(folder, name), "wb") as file:
                file.write(model(kind))
            stream.write(json.dumps({"name": name, "saved": [name], "failure": None}) + "\n")


if __name__ == "__main__":
    save(sys.argv[1], sys.argv[2])
