"""The calls that production makes, one function a loader. Each says which API it calls, then returns what it loaded.

TensorFlow is imported inside, so that a child which imports it itself can use the same functions.
"""

import os
import re
import shutil
import sys
import tempfile
from typing import Any, Callable, Dict, List, Tuple

from . import tflite_sizes

Called = Callable[[str], None]
SERVED: Tuple[List[str], ...] = (["serve"], [])
"""Which of several graphs is meant: the one that TensorFlow Serving takes, or else the one that TensorFlow Hub does."""

OPENING_TO_WRITE = ("3.0.", "3.1.")
"""Releases of Keras that open an archive as if to write when they read it (`saving_lib.py`: `mode="r+b"`)."""


class LoaderMissing(Exception):
    """The runtime has no such API."""


class NothingLoaded(Exception):
    """The call returned, and what it returned holds nothing."""


def qualified_name(call: Any) -> str:
    name = getattr(call, "__qualname__", None) or getattr(call, "__name__", "")
    return "%s.%s" % (getattr(call, "__module__", "?"), name) if name else repr(call)


def keras(path: str, called: Called) -> Any:
    import tensorflow as tf

    load_model = tf.keras.models.load_model
    called(qualified_name(load_model))
    return load_model(allowed_to_open(path), compile=False)


def allowed_to_open(path: str) -> str:
    """The path, or that of a copy where this Keras would be refused: a case may only read what it loads."""
    keras_3 = sys.modules.get("keras")
    if not getattr(keras_3, "__version__", "").startswith(OPENING_TO_WRITE) or not os.path.isfile(path):
        return path
    try:
        with open(path, "r+b"):
            return path
    except OSError:
        return shutil.copyfile(path, os.path.join(tempfile.mkdtemp(), os.path.basename(path)))


def tf_keras(path: str, called: Called) -> Any:
    try:
        import tf_keras as standalone
    except ImportError as error:
        raise LoaderMissing("the runtime has no package tf_keras") from error
    load_model = standalone.models.load_model
    called(qualified_name(load_model))
    return load_model(path, compile=False)


def saved_model(path: str, called: Called) -> Any:
    import tensorflow as tf

    # in TensorFlow 1 the name without compat.v2 is another function, which wants a session and tags
    load = tf.compat.v2.saved_model.load
    called(qualified_name(load))
    try:
        return load(path)
    except ValueError as error:
        if "more than one MetaGraph" not in str(error):
            raise
        refusal = error
    for tags in SERVED:
        called("%s(tags=%r)" % (qualified_name(load), tags))
        try:
            return load(path, tags=tags)
        except RuntimeError as error:
            if "could not be found in SavedModel" not in str(error):
                raise
    called(qualified_name(load))
    raise refusal


def keras_layer(path: str, called: Called) -> Any:
    import tensorflow as tf

    layer = getattr(tf.keras.layers, "TFSMLayer", None)
    if layer is None:
        raise LoaderMissing("this Keras has no layers.TFSMLayer")
    api = qualified_name(layer)
    called(api + "(call_endpoint='serving_default')")
    try:
        return layer(path, call_endpoint="serving_default")
    except ValueError as error:
        if "endpoint" not in str(error):
            raise
        try:
            # what Keras 3's own Model.export writes
            value = layer(path, call_endpoint="serve")
        except ValueError:
            raise error  # noqa: B904 - the first is the one that production would see
        called(api + "(call_endpoint='serve')")
        return value


def graph_def(path: str, called: Called) -> Any:
    import tensorflow as tf

    graph = tf.compat.v1.GraphDef()
    with open(path, "rb") as stream:
        content = stream.read()
    if re.match(rb"(\s|#[^\n]*\n)*(node|library|versions|version)\s*[:{]", content):
        from google.protobuf import text_format

        text_format.Parse(content.decode("utf-8"), graph)
    else:
        graph.ParseFromString(content)
    if not graph.node:
        raise NothingLoaded("the file was read as a GraphDef without a single node")
    import_graph_def = tf.graph_util.import_graph_def
    called(qualified_name(import_graph_def))
    into = tf.Graph()
    with into.as_default():
        import_graph_def(graph, name="")
    return into


def meta_graph(path: str, called: Called) -> Any:
    import tensorflow as tf

    import_meta_graph = tf.compat.v1.train.import_meta_graph
    called(qualified_name(import_meta_graph))
    into = tf.Graph()
    with into.as_default():
        import_meta_graph(path + ".meta")
    return into


def checkpoint(path: str, called: Called) -> Any:
    import tensorflow as tf

    # load_checkpoint takes a path that is a folder too for that folder, and looks in it for its latest checkpoint;
    # what restores a model does not
    read = tf.compat.v1.train.NewCheckpointReader if os.path.isdir(path) else tf.train.load_checkpoint
    called(qualified_name(read))
    reader = read(path)
    for name in sorted(reader.get_variable_to_shape_map()):
        reader.get_tensor(name)
    return reader


def checkpoint_shards(path: str, called: Called) -> Any:
    return checkpoint(path + "-?????-of-?????", called)


def tflite(path: str, called: Called) -> Any:
    import tensorflow as tf

    kind = tf.lite.Interpreter
    called(qualified_name(kind) + ".allocate_tensors")
    interpreter = kind(model_path=path)
    try:
        interpreter.allocate_tensors()
    except (RuntimeError, ValueError):
        if not tflite_sizes.has_open(interpreter):
            raise
        resized = tflite_resized(path, called)
        if resized is None:
            raise
        return resized
    return interpreter


def tflite_resized(path: str, called: Called) -> Any:
    """As production loads a model whose sizes are open; None where it takes no size that we try."""
    import tensorflow as tf

    kind = tf.lite.Interpreter
    for size in tflite_sizes.SIZES:
        interpreter = kind(model_path=path)
        shapes = [tflite_sizes.filled(tflite_sizes.shape_of(each), size) for each in interpreter.get_input_details()]
        try:
            tflite_sizes.allocate(interpreter, shapes)
        except (RuntimeError, ValueError):
            continue
        given = ", ".join(map(str, shapes))
        called("%s.resize_tensor_input(%s), allocate_tensors" % (qualified_name(kind), given))
        return interpreter
    return None


def weights(path: str, called: Called) -> Any:
    import h5py

    called("h5py.File")
    read = []

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            item[()]
            read.append(name)

    with h5py.File(path, "r") as file:
        file.visititems(visit)
    return read


LOADERS: Dict[str, Callable[[str, Called], Any]] = {
    "keras": keras,
    "tf_keras": tf_keras,
    "saved_model": saved_model,
    "keras_layer": keras_layer,
    "graph_def": graph_def,
    "meta_graph": meta_graph,
    "checkpoint": checkpoint,
    "checkpoint_shards": checkpoint_shards,
    "tflite": tflite,
    "weights": weights,
}


def compiled(loader: str, path: str, called: Called) -> Any:
    """Load as `loader` does, with loss, metrics and optimizer restored."""
    if loader == "tf_keras":
        import tf_keras

        load_model = tf_keras.models.load_model
    else:
        import tensorflow as tf

        load_model = tf.keras.models.load_model
    called(qualified_name(load_model) + "(compile=True)")
    return load_model(allowed_to_open(path), compile=True)
