"""Files that look like models from their names, and are none: python no_models.py EXAMPLES."""

import sys
from pathlib import Path

import h5py
import numpy as np
from google.protobuf import descriptor_pb2

LFS_POINTER = """\
version https://git-lfs.github.com/spec/v1
oid sha256:4f2a8c5f7c0b1f6c36bb7fd5c2ba8e0aab0b9a1d8a5a4f1c9f6d3e7b2c1a0d95
size 98231112
"""


def data_set(path):
    """A table of training data, which happens to be HDF5."""
    rows = np.random.RandomState(0).normal(size=(50, 6)).astype(np.float32)
    with h5py.File(path, "w") as file:
        table = file.create_dataset("customers/features", data=rows)
        table.attrs["columns"] = ["age", "tenure", "calls", "spend", "discount", "tickets"]
        file.create_dataset("customers/churned", data=(rows[:, 2] > 0))


def message_schema(path):
    """What `protoc --descriptor_set_out` writes: a protobuf, but no graph."""
    file = descriptor_pb2.FileDescriptorProto(name="transaction.proto", package="acme", syntax="proto3")
    message = file.message_type.add(name="Transaction")
    for number, name in enumerate(("account", "merchant", "currency"), start=1):
        message.field.add(name=name, number=number, type=9, label=1)
    path.write_bytes(descriptor_pb2.FileDescriptorSet(file=[file]).SerializeToString(deterministic=True))


def main(models):
    for folder in ("churn", "fraud", "translation"):
        (models / folder).mkdir(parents=True, exist_ok=True)
    data_set(models / "churn/customers.h5")
    message_schema(models / "fraud/transaction.pb")
    (models / "translation/encoder.keras").write_text(LFS_POINTER)


main(Path(sys.argv[1]) / "models")
