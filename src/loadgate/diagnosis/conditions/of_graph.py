"""What a graph asks of who runs it: ops and signatures."""

from __future__ import annotations

from loadgate.artifacts.tflite_names import TENSOR_TYPES
from loadgate.diagnosis.conditions.seen import QUOTED, Seen, artifact_says, runtime_says
from loadgate.diagnosis.ops import first_tensorflow_with, is_measured, last_tensorflow_with, package_of_op
from loadgate.diagnosis.subject import Subject, version

TENSOR_TYPES_SINCE = {"variant": "2.5"}
"""Type → the first TensorFlow whose interpreter was seen to take it, where one before it was seen to refuse it."""


def op(subject: Subject, wanted: str) -> Seen | None:
    if wanted not in subject.facts.ops:
        return None
    return Seen(evidence=(artifact_says(f"its graph holds {subject.facts.ops[wanted]} of the op {wanted}"),))


def op_of_package(subject: Subject, wanted: str) -> Seen | None:
    """The op is one that a package registers, measured by installing it."""
    package = package_of_op(wanted)
    if package is None:
        return None
    installed = subject.lock.packages.get(package) if subject.lock else None
    text = f"{package} {installed} is installed but not imported" if installed else f"{package} is not installed"
    return Seen(
        evidence=(artifact_says(f"needs the op {wanted}, which {package} registers"), runtime_says(text)),
        values={"package": package, "module": package.replace("-", "_")},
    )


def op_since(subject: Subject, wanted: str) -> Seen | None:
    """The op came with a newer TensorFlow than the runtime's, measured by listing the ops of each."""
    first = first_tensorflow_with(wanted)
    newer = version(first)
    if first is None or newer is None or subject.tensorflow is None or subject.tensorflow.release[:2] >= newer.release:
        return None
    return Seen(
        evidence=(
            artifact_says(f"needs the op {wanted}, which TensorFlow has since {first}"),
            runtime_says(f"runs TensorFlow {subject.tensorflow}"),
        ),
        values={"since": first},
    )


def op_until(subject: Subject, wanted: str) -> Seen | None:
    """The op is no longer in the runtime's TensorFlow."""
    last = last_tensorflow_with(wanted)
    older = version(last)
    if last is None or older is None or subject.tensorflow is None or subject.tensorflow.release[:2] <= older.release:
        return None
    return Seen(
        evidence=(
            artifact_says(f"needs the op {wanted}, which TensorFlow had until {last}"),
            runtime_says(f"runs TensorFlow {subject.tensorflow}"),
        ),
        values={"until": last},
    )


def op_of_nobody(_subject: Subject, wanted: str) -> Seen | None:
    """No TensorFlow and no package that was measured has the op."""
    if is_measured(wanted):
        return None
    return Seen(evidence=(artifact_says(f"needs the op {wanted}, which no TensorFlow that was measured has"),))


def custom_ops(subject: Subject, wanted: str) -> Seen | None:
    """One of that name is needed."""
    return _ops(subject.facts.custom_ops, "custom op") if wanted in subject.facts.custom_ops else None


def flex_ops(subject: Subject, _wanted: str) -> Seen | None:
    return _ops(subject.facts.flex_ops, "TensorFlow op")


def tensor_type(_subject: Subject, wanted: str) -> Seen | None:
    """The number of a type is one that the schema of TFLite names."""
    number = int(wanted)
    if number >= len(TENSOR_TYPES):
        return None
    name = TENSOR_TYPES[number]
    values = {"type": name, "since": TENSOR_TYPES_SINCE.get(name, "")}
    return Seen(evidence=(artifact_says(f"holds tensors of the type {name}"),), values=values)


def quantized(subject: Subject, _wanted: str) -> Seen | None:
    found = ", ".join(subject.facts.quantization[:QUOTED])
    return Seen(evidence=(artifact_says(f"its tensors are quantised ({found})"),)) if found else None


def signature(subject: Subject, wanted: str) -> Seen | None:
    """`no NAME`: the artifact has signatures, or none at all, but not that one."""
    name = wanted.removeprefix("no ")
    there = [each.name for each in subject.facts.signatures]
    if subject.artifact.facts is None or (name in there) == wanted.startswith("no "):
        return None
    text = f"its signatures are {', '.join(there[:QUOTED])}" if there else "it has no signature"
    return Seen(evidence=(artifact_says(text),), values={"signatures": ", ".join(there[:QUOTED])})


def _ops(names: tuple[str, ...], kind: str) -> Seen | None:
    if not names:
        return None
    listed = ", ".join(names[:QUOTED])
    plural = "s" if len(names) > 1 else ""
    return Seen(evidence=(artifact_says(f"needs the {kind}{plural} {listed}"),), values={"ops": listed})
