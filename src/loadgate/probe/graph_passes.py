"""Let TensorFlow's graph passes look up once, in the parent, what they would look up in every child.

Since 2.9, oneDNN's pass searches all registered kernels, twice, for each op and type that it has not met before:
a sixth of what a small model's load computes. It remembers what it found for the thread that it ran in, and a child has
a copy of that thread.

The passes run for a session as they do for the eager context. But a session of its own ends with all its threads, and a
process with an eager context cannot be forked. Nothing of a model is involved, and CUDA is not asked.
"""

import os
from typing import Any, Dict, List

from . import runtime

OWN_THREADS = "TF_OVERRIDE_GLOBAL_THREADPOOL"
"""Set, a device has threads of its own. Otherwise the first session would start the one pool that all later ones use,
and the children, which have no copy of its threads, with them."""
RESOURCE = """
library { function {
  signature { name: "pass_on"
    input_arg { name: "given" type: DT_RESOURCE } output_arg { name: "taken" type: DT_RESOURCE } }
  attr { key: "_noinline" value { b: true } }
  node_def { name: "same" op: "Identity" input: "given" attr { key: "T" value { type: DT_RESOURCE } } }
  ret { key: "taken" value: "same:output:0" }
} }
node { name: "variable" op: "VarHandleOp"
  attr { key: "dtype" value { type: DT_FLOAT } } attr { key: "shape" value { shape { } } } }
node { name: "passed_on" op: "StatefulPartitionedCall" input: "variable"
  attr { key: "f" value { func { name: "pass_on" } } }
  attr { key: "Tin" value { list { type: DT_RESOURCE } } } attr { key: "Tout" value { list { type: DT_RESOURCE } } } }
"""
"""A variable can be neither fed nor fetched, but given to a function."""
FED = {"float32": 0, "int32": 1, "int64": 0, "bool": False, "string": b"", "uint64": 0}
CONSTANTS = ("float32", "int32", "int64", "string")
SESSIONS = 2
"""In the first, TensorFlow starts a thread that ends by itself; only the second waits until it has."""


def look_up() -> int:
    """How many more threads the process has for ever.

    TensorFlow infers shapes on a device of its own, whose one thread has no work: it computes in the thread that asks.
    """
    import tensorflow as tf
    from google.protobuf import text_format

    before = runtime.threads()
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(text_format.Parse(RESOURCE, tf.compat.v1.GraphDef()), name="")
        fed = {name: tf.compat.v1.placeholder(name, ()) for name in FED}
        wanted = first_ops(graph, fed) + [graph.get_operation_by_name("passed_on"), arguments(graph, fed)]
    kept = runtime.threads() - before
    inherited = os.environ.get(OWN_THREADS)
    os.environ[OWN_THREADS] = "1"
    try:
        for _ in range(SESSIONS):
            run(graph, wanted, {fed[name]: value for name, value in FED.items()})
    finally:
        if inherited is None:
            del os.environ[OWN_THREADS]
        else:
            os.environ[OWN_THREADS] = inherited
    return kept


def first_ops(graph: Any, fed: Dict[str, Any]) -> List[Any]:
    """What nearly every load runs: Python's numbers become constants, and the first weights are drawn."""
    import tensorflow as tf

    ops = tf.raw_ops
    number = fed["float32"]
    # of shapes that are known, not all of this would be left to run
    matrix = ops.Reshape(tensor=number, shape=ops.Fill(dims=[2], value=fed["int32"]))
    orthogonal = ops.Qr(input=matrix)[0]
    constants = [graph.create_op("_EagerConst", [fed[name]], [fed[name].dtype], name=name) for name in CONSTANTS]
    return (
        [ops.Identity(input=value) for value in fed.values()]
        + [constant.outputs[0] for constant in constants]
        + [
            ops.AddV2(x=number, y=ops.Mul(x=number, y=ops.Sub(x=number, y=number))),
            ops.Fill(dims=ops.Reshape(tensor=fed["int32"], shape=[1]), value=number),
            ops.ConcatV2(values=[matrix, ops.Transpose(x=orthogonal, perm=[1, 0])], axis=0),
            ops.Sign(x=ops.DiagPart(input=orthogonal)),
        ]
    )


def arguments(graph: Any, fed: Dict[str, Any]) -> Any:
    """What a function's arguments become on their device. Outside of a function they cannot run, and here never do."""
    import tensorflow as tf
    from tensorflow.core.framework.attr_value_pb2 import AttrValue

    ops = tf.raw_ops
    never = ops.Identity(input=ops.Switch(data=fed["float32"], pred=fed["bool"])[1])
    with tf.control_dependencies([never]):
        taken = [
            graph.create_op(
                "_DeviceArg",
                [],
                [kind],
                attrs={"index": AttrValue(i=0), "T": AttrValue(type=kind.as_datatype_enum)},
                name="argument",
            )
            for kind in (tf.int32, tf.resource)
        ]
    with tf.control_dependencies([each.outputs[0] for each in taken]):
        return tf.no_op(name="never")


def run(graph: Any, wanted: List[Any], fed: Dict[Any, Any]) -> None:
    """In this very thread, which is what -1 stands for."""
    import tensorflow as tf

    v1 = tf.compat.v1
    config = v1.ConfigProto(
        device_count={"GPU": 0},
        use_per_session_threads=True,
        inter_op_parallelism_threads=-1,
        intra_op_parallelism_threads=1,
    )
    with v1.Session(graph=graph, config=config) as session:
        session.run(wanted, fed, options=v1.RunOptions(inter_op_thread_pool=-1))
