from __future__ import annotations

import io
import os
from dataclasses import replace
from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from loadgate.domain import Artifact, CustomObject, Facts, LambdaLayer, SavedWith, Signature, TensorSpec
from loadgate.report.inspection import encode_inspection, print_inspection

from .sample_run import ARTIFACTS

GOLDEN = Path(__file__).parent / "golden" / "inspection-80.txt"
SAVED_MODEL = replace(
    ARTIFACTS[2],
    files=tuple(f"{ARTIFACTS[2].path}/{name}" for name in ("saved_model.pb", "variables/variables.index")),
    facts=Facts(
        saved_with=SavedWith(tensorflow="2.15.1"),
        producer=1645,
        min_consumer=12,
        layers={"Dense": 4, "Embedding": 2},
        ops={f"Op{number:02}": number + 1 for number in range(20)},
        custom_objects=(
            CustomObject(name="CrossLayer", module="acme.layers", registered_name="acme>CrossLayer", where="cross_1"),
            CustomObject(name="softplus2", module="acme.layers"),
        ),
        lambdas=(LambdaLayer(name="scale", python="3.8 to 3.10"), LambdaLayer(name="shift")),
        signatures=(
            Signature(
                name="serving_default",
                inputs=(
                    TensorSpec(name="user", dtype="int64", shape=(None,)),
                    TensorSpec(name="x", dtype="float32", shape=None),
                ),
                outputs=(TensorSpec(name="score", dtype="float32", shape=(None, 1)),),
            ),
        ),
        tensors=22,
        devices=("/job:localhost/replica:0/task:0/device:GPU:0",),
        extra={"tags": "serve", "schema_version": "1"},
    ),
)


def shown(*artifacts: Artifact) -> str:
    stream = io.StringIO()
    print_inspection(artifacts, Console(file=stream, width=80, color_system=None))
    return stream.getvalue()


def test_a_fact_sheet_reads_well() -> None:
    text = shown(SAVED_MODEL, ARTIFACTS[4])
    if os.environ.get("LOADGATE_WRITE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


def test_a_signature_without_outputs_is_told_without_an_arrow() -> None:
    called = Signature(name="call", inputs=(TensorSpec(name="price", dtype="float32", shape=(None, 1)),))
    text = shown(replace(SAVED_MODEL, facts=Facts(signatures=(called, Signature(name="made_up")))))
    assert "signature   call: price float32[?, 1]\n" in text
    assert "signature   made_up: no inputs\n" in text


def test_json_is_the_list_of_artifacts_as_the_plan_has_them() -> None:
    assert msgspec.json.decode(encode_inspection(ARTIFACTS), type=tuple[Artifact, ...]) == ARTIFACTS


@settings(deadline=None)
@given(st.text(st.characters()))
def test_no_fact_reaches_the_terminal_with_a_control_character(text: str) -> None:
    spec = TensorSpec(name=text, dtype=text, shape=(1,))
    facts = Facts(
        saved_with=SavedWith(tensorflow=text, keras=text, backend=text),
        layers={text: 1},
        ops={text: 1},
        custom_objects=(CustomObject(name=text, module=text, where=text),),
        lambdas=(LambdaLayer(name=text, python=text),),
        custom_ops=(text,),
        devices=(text,),
        signatures=(Signature(name=text, inputs=(spec,), outputs=(spec,)),),
        extra={text: text},
    )
    artifact = replace(ARTIFACTS[0], path=text, files=(text,), digest=text, damage=text, facts=facts)

    assert all(row.isprintable() for row in shown(artifact).split("\n"))
    assert encode_inspection([artifact])
