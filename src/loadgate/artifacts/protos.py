"""What loadgate reads of TensorFlow's protobuf messages, with the numbers of TensorFlow's public `.proto` files.

The messages by which a graph is recognised (`GRAPH_DEF`, `NODE_DEF` and what is marked as complete below) declare every
field, so that a message of another kind is told apart; the others declare what is read.
"""

from __future__ import annotations

from loadgate.artifacts.wire import (
    DELIMITED,
    FIXED32,
    Field,
    Layout,
    enumeration,
    integer,
    mapping,
    message,
    text,
)

_OPAQUE = Layout(partial=True)
"""A message of which nothing is read field by field."""

# --- tensors --------------------------------------------------------------------------------------------------

DIMENSION = Layout(size=integer(1), name=text(2))
SHAPE = Layout(dim=message(2, DIMENSION), unknown_rank=integer(3))
TENSOR = Layout(partial=True, dtype=enumeration(1), tensor_shape=message(2, SHAPE))
SHAPES = Layout(partial=True, shape=message(7, SHAPE))
ATTRIBUTE = Layout(
    list=message(1, SHAPES),
    s=text(2),
    i=integer(3),
    f=Field(4, FIXED32),
    b=integer(5),
    type=enumeration(6),
    shape=message(7, SHAPE),
    tensor=message(8, TENSOR),
    placeholder=text(9),
    func=message(10, _OPAQUE),
)

# --- graphs ---------------------------------------------------------------------------------------------------

VERSIONS = Layout(producer=integer(1), min_consumer=integer(2), bad_consumers=integer(3), packed=Field(3, DELIMITED))
NODE_DEF = Layout(
    name=text(1),
    op=text(2),
    input=text(3),
    device=text(4),
    attr=mapping(5, ATTRIBUTE),
    experimental_debug_info=message(6, _OPAQUE),
    experimental_type=message(7, _OPAQUE),
)
OP_DEF = Layout(partial=True, name=text(1))
FUNCTION_DEF = Layout(partial=True, signature=message(1, OP_DEF), node_def=message(3, NODE_DEF))
LIBRARY = Layout(
    function=message(1, FUNCTION_DEF), gradient=message(2, _OPAQUE), registered_gradients=message(3, _OPAQUE)
)
GRAPH_DEF = Layout(
    node=message(1, NODE_DEF),
    library=message(2, LIBRARY),
    version=integer(3),
    versions=message(4, VERSIONS),
    debug_info=message(5, _OPAQUE),
)

# --- SavedModel -----------------------------------------------------------------------------------------------

TENSOR_INFO = Layout(partial=True, name=text(1), dtype=enumeration(2), tensor_shape=message(3, SHAPE))
SIGNATURE_DEF = Layout(
    partial=True, inputs=mapping(1, TENSOR_INFO), outputs=mapping(2, TENSOR_INFO), method_name=text(3)
)
META_INFO = Layout(
    partial=True,
    tags=text(4),
    tensorflow_version=text(5),
    tensorflow_git_version=text(6),
)
USER_OBJECT = Layout(partial=True, identifier=text(1), metadata=message(3, _OPAQUE))
OBJECT = Layout(
    partial=True,
    slot_variables=message(3, _OPAQUE),
    user_object=message(4, USER_OBJECT),
    variable=message(7, _OPAQUE),
)
OBJECT_GRAPH = Layout(partial=True, nodes=message(1, OBJECT))
META_GRAPH = Layout(
    meta_info_def=message(1, META_INFO),
    graph_def=message(2, GRAPH_DEF),
    saver_def=message(3, _OPAQUE),
    collection_def=mapping(4, _OPAQUE),
    signature_def=mapping(5, SIGNATURE_DEF),
    asset_file_def=message(6, _OPAQUE),
    object_graph_def=message(7, OBJECT_GRAPH),
)
SAVED_MODEL = Layout(saved_model_schema_version=integer(1), meta_graphs=message(2, META_GRAPH))

KERAS_OBJECT = Layout(partial=True, identifier=text(4), metadata=message(5, _OPAQUE))
KERAS_METADATA = Layout(partial=True, nodes=message(1, KERAS_OBJECT))

# --- checkpoints ----------------------------------------------------------------------------------------------

BUNDLE_HEADER = Layout(num_shards=integer(1), endianness=integer(2), version=message(3, VERSIONS))
BUNDLE_ENTRY = Layout(
    dtype=enumeration(1),
    shape=message(2, SHAPE),
    shard_id=integer(3),
    offset=integer(4),
    size=integer(5),
    crc32c=Field(6, FIXED32),
    slices=message(7, _OPAQUE),
)
SLICE_META = Layout(name=text(1), shape=message(2, SHAPE), type=enumeration(3), slice=message(4, _OPAQUE))
SLICES_META = Layout(tensor=message(1, SLICE_META), versions=message(2, VERSIONS))
TENSOR_SLICES = Layout(meta=message(1, SLICES_META), data=message(2, _OPAQUE))
