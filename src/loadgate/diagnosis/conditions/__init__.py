"""The conditions that a rule may name: the whole vocabulary. Each says whether it holds, and what shows it.

A condition gets what the rule wants of it as text, such as `<3`. Regular expressions over messages are no condition:
here stands what bytes, versions and packages can tell.
"""

from __future__ import annotations

from collections.abc import Mapping

from loadgate.diagnosis.conditions import of_artifact, of_graph, of_runtime
from loadgate.diagnosis.conditions.seen import Condition

CONDITIONS: Mapping[str, Condition] = {
    condition.__name__: condition
    for condition in (
        of_artifact.stand_in,
        of_artifact.damage,
        of_artifact.saver_generation,
        of_artifact.saver_keras,
        of_artifact.saver_tensorflow,
        of_artifact.saver_unknown,
        of_artifact.saver_named,
        of_artifact.named,
        of_artifact.variant,
        of_artifact.keras_metadata,
        of_artifact.extra,
        of_artifact.custom_object,
        of_artifact.custom_object_of_module,
        of_artifact.built_in,
        of_artifact.nested_model,
        of_artifact.layer,
        of_artifact.written_with,
        of_artifact.first_shape,
        of_artifact.operations,
        of_artifact.lambdas,
        of_graph.op,
        of_graph.op_of_package,
        of_graph.op_since,
        of_graph.op_until,
        of_graph.op_of_nobody,
        of_graph.custom_ops,
        of_graph.flex_ops,
        of_graph.tensor_type,
        of_graph.quantized,
        of_graph.signature,
        of_runtime.keras,
        of_runtime.tensorflow,
        of_runtime.python,
        of_runtime.package,
        of_runtime.environment,
        of_runtime.same_generation,
        of_runtime.saver_newer,
        of_runtime.saver_older,
    )
}
