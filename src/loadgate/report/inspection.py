"""`loadgate inspect`: what an artifact says of itself, as a sheet for people or as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console
from rich.text import Text

from loadgate import untrusted
from loadgate.diagnosis.predict import ladder
from loadgate.domain import LOADERS_OF_FORMAT, Artifact, CustomObject, Facts, Format, Signature, TensorSpec
from loadgate.report import wording
from loadgate.report.expectations import told_in_ranges
from loadgate.report.report_json import encode
from loadgate.report.terminal import labelled, page

NAMED = 12
"""Of layers, ops, files and the like, so many are named before the rest is counted."""

FORMATS: Mapping[Format, str] = {
    Format.KERAS_H5: "Keras HDF5, whole model",
    Format.KERAS_WEIGHTS_H5: "Keras HDF5, weights only",
    Format.KERAS_V3: "Keras v3 (.keras)",
    Format.SAVED_MODEL: "SavedModel",
    Format.GRAPH_DEF: "frozen GraphDef",
    Format.CHECKPOINT: "TensorFlow checkpoint",
    Format.TFLITE: "TFLite",
}

Rows = Iterator[tuple[str, Text]]


def encode_inspection(artifacts: Sequence[Artifact]) -> bytes:
    """A JSON list of artifacts as `plan.json` has them."""
    return encode(artifacts)


def print_inspection(artifacts: Sequence[Artifact], console: Console) -> None:
    with page(console):
        for index, artifact in enumerate(artifacts):
            if index:
                console.print()
            console.print(Text(untrusted.name(artifact.path), "bold"), soft_wrap=True)
            console.print(labelled(list(_rows(artifact)), label_width=11))


def _rows(artifact: Artifact) -> Rows:
    yield "format", Text(FORMATS[artifact.format])
    yield "size", Text(_size(artifact))
    if artifact.digest:
        yield "digest", Text(untrusted.name(artifact.digest))
    if artifact.stand_in is not None:
        kind = wording.STAND_INS[artifact.stand_in.kind]
        yield "stand-in", Text(f"{kind}: {untrusted.line(artifact.stand_in.detail)}", "yellow")
    if artifact.damage is not None:
        yield "damage", Text(untrusted.line(artifact.damage), "yellow")
    if artifact.unread is not None:
        yield "not read", Text(untrusted.line(artifact.unread), "yellow")
    yield "saved by", Text(", ".join(untrusted.name(part) for part in wording.saved_by(artifact)))
    yield from _expectations(artifact)
    if artifact.facts is not None:
        yield from _fact_rows(artifact.facts)


def _expectations(artifact: Artifact) -> Rows:
    """Where it should load, by the default loader of its format. Nothing was loaded to find out."""
    loader = LOADERS_OF_FORMAT[artifact.format][0]
    for index, told in enumerate(told_in_ranges(ladder(artifact, loader))):
        yield "" if index else "expected", Text(told)


def _size(artifact: Artifact) -> str:
    size = wording.count(artifact.bytes, "byte")
    if artifact.files == (artifact.path,):
        return size
    files = [file.removeprefix(f"{artifact.path}/") for file in artifact.files]
    return f"{size} in {wording.count(len(files), 'file')}: {_some(files)}"


def _fact_rows(facts: Facts) -> Rows:
    if facts.min_consumer is not None:
        yield "consumer", Text(f"graph version {facts.min_consumer} or later")
    if facts.tensors is not None:
        yield "tensors", Text(f"{facts.tensors:,}")
    for label, counts in (("layers", facts.layers), ("ops", facts.ops)):
        if counts:
            yield label, Text(_counts(counts))
    if facts.custom_objects:
        yield "custom", Text("\n".join(_custom(found) for found in facts.custom_objects[:NAMED]))
    yield from _interface_rows(facts)


def _interface_rows(facts: Facts) -> Rows:
    if facts.lambdas:
        lambdas = [f"{found.name} (Python {found.python or 'not known'})" for found in facts.lambdas]
        yield "lambdas", Text(_some(lambdas))
    for label, names in (
        ("calls Python", facts.python_calls),
        ("custom ops", facts.custom_ops),
        ("Flex ops", facts.flex_ops),
        ("quantised", facts.quantization),
        ("devices", facts.devices),
    ):
        if names:
            yield label, Text(_some(names))
    for signature in facts.signatures[:NAMED]:
        yield "signature", Text(_signature(signature))
    if facts.extra:
        yield "details", Text("\n".join(_detail(*found) for found in list(facts.extra.items())[:NAMED]))


def _custom(found: CustomObject) -> str:
    full = found.registered_name or (f"{found.module}.{found.name}" if found.module else found.name)
    where = f", for {untrusted.line(found.where, 100)}" if found.where else ""
    return untrusted.name(full, 200) + where


def _detail(key: str, value: str) -> str:
    return f"{untrusted.name(key.replace('_', ' '), 40)}: {untrusted.line(value)}"


def _counts(counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    return f"{sum(counts.values()):,}: " + _some([f"{number:,} {name}" for name, number in ordered])


def _signature(signature: Signature) -> str:
    """A model of Keras names what it is called with, and not what it gives."""
    inputs, outputs = (", ".join(map(_tensor, side[:NAMED])) for side in (signature.inputs, signature.outputs))
    return f"{untrusted.name(signature.name, 100)}: {inputs or 'no inputs'}" + (f" -> {outputs}" if outputs else "")


def _tensor(spec: TensorSpec) -> str:
    shape = "any rank" if spec.shape is None else ", ".join("?" if size is None else str(size) for size in spec.shape)
    return f"{untrusted.name(spec.name, 100)} {untrusted.name(spec.dtype, 40)}[{shape}]"


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(untrusted.name(name, 200) for name in names[:NAMED])
    return f"{shown} and {len(names) - NAMED:,} more" if len(names) > NAMED else shown
