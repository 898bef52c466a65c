"""Load every artifact in every runtime, with loadgate's own pool and probe, and write down what happened."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.place import INSIDE, Place, append_line, read_lines
from lab.runtimes import environment_of
from loadgate.domain import (
    Case,
    CaseResult,
    Checks,
    Device,
    ExceptionInfo,
    Format,
    Loader,
    Lock,
    Outcome,
    Reason,
    Stage,
    StageResult,
)
from loadgate.loading.job import Batch, Job, Limits
from loadgate.loading.machine import available_memory
from loadgate.loading.pool import Pool
from loadgate.sandbox.walls import NO_SANDBOX

Say = Callable[[str], None]
CHECKS = Checks(infer=True, compile=True, timeout=60.0, memory=3 * 1024**3)
"""The infer stage compares outputs; a load that takes longer than this is one that hangs."""
WORKERS = 2
TEXT_LIMIT = 4000
"""Characters of a message that are kept."""
CHAIN_LIMIT = 1500
CUSTOM = ("registered_layer", "unregistered_layer", "subclassed", "custom_loss")
"""Models that are loaded twice: without the module that defines their code, and with it."""
REFUSED_ALIKE = ("dense", "text_vectorization")
"""Keras 3 refuses a SavedModel before it looks inside, so it is asked with these alone."""
FEW: dict[tuple[str, Loader], tuple[str, ...]] = {
    (Format.SAVED_MODEL, Loader.SAVED_MODEL): ("dense", "text_vectorization"),
    (Format.KERAS_WEIGHTS_H5, Loader.KERAS): ("dense",),
    (Format.KERAS_WEIGHTS_H5, Loader.WEIGHTS): ("dense", "lstm"),
    (Format.CHECKPOINT, Loader.CHECKPOINT): ("dense", "lstm"),
    (Format.GRAPH_DEF, Loader.GRAPH_DEF): ("dense", "lstm"),
}
"""Where a format and a loader do alike with every model, or where a load takes seconds, these alone are tried."""
CORE = (
    "dense",
    "bidirectional",
    "attention_multi_head",
    "lambda_layer",
    "operators",
    "registered_layer",
    "nested",
    "normalization",
    "mixed_precision",
)
CORE_OF: dict[tuple[str, Loader], tuple[str, ...]] = {
    (Format.SAVED_MODEL, Loader.KERAS): ("dense", "lambda_layer", "registered_layer", "text_vectorization"),
    (Format.SAVED_MODEL, Loader.SAVED_MODEL): ("dense",),
    (Format.KERAS_WEIGHTS_H5, Loader.KERAS): (),
    (Format.KERAS_WEIGHTS_H5, Loader.WEIGHTS): ("lstm",),
    (Format.CHECKPOINT, Loader.CHECKPOINT): ("lstm",),
    (Format.GRAPH_DEF, Loader.GRAPH_DEF): ("lstm",),
    (Format.TFLITE, Loader.TFLITE): ("convolution",),
}
"""What is loaded everywhere before anything else is loaded anywhere: the matrix is whole early, and then fills up."""
FIRST = (
    *CORE,
    "dense_without_input",
    "convolution_separable",
    "batch_normalization",
    "stateful",
    "embedding_masked",
    "unregistered_layer",
    "subclassed",
    "text_vectorization",
    "custom_loss",
)
SECOND = (
    *FIRST,
    "convolution_transposed",
    "gru",
    "attention",
    "augmentation",
    "multi_input",
    "optimizer_state",
)
TIERS = 4
LOADERS: dict[str, tuple[Loader, ...]] = {
    Format.KERAS_H5: (Loader.KERAS,),
    Format.KERAS_WEIGHTS_H5: (Loader.WEIGHTS, Loader.KERAS),
    Format.KERAS_V3: (Loader.KERAS,),
    Format.SAVED_MODEL: (Loader.SAVED_MODEL, Loader.KERAS),
    Format.GRAPH_DEF: (Loader.GRAPH_DEF,),
    Format.CHECKPOINT: (Loader.CHECKPOINT,),
    Format.TFLITE: (Loader.TFLITE,),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """One load to be made. What it is called in `loads.jsonl`, too."""

    artifact: str
    runtime: str
    loader: Loader
    imports: bool


def missing(place: Place, runtime: str, lock: Lock, tier: int) -> list[Wanted]:
    """The loads in one runtime, up to a tier, that are not in `loads.jsonl` yet."""
    done = {wanted_of(line) for line in read_lines(place.loads) if line["runtime"] == runtime}
    return [each for each in loads_in(runtime, lock, read_lines(place.catalogue), tier) if each not in done]


def load_alone(place: Place, loads: Sequence[Wanted], say: Say) -> int:
    """Append to `loads.jsonl` what comes of each load in a process of its own; how many those were."""
    locks = place.locks()
    artifacts = {line["id"]: line for line in read_lines(place.catalogue)}
    named = {str(number): each for number, each in enumerate(loads)}
    batches = [
        batch(place, lock, chosen, artifacts)
        for runtime, lock in locks.items()
        for imports in (False, True)
        if (chosen := {key: each for key, each in named.items() if (each.runtime, each.imports) == (runtime, imports)})
    ]
    return run(place, batches, named, say)


def run(place: Place, batches: Sequence[Batch], wanted: dict[str, Wanted], say: Say) -> int:
    begun = time.monotonic()
    limits = Limits(checks=CHECKS, workers=WORKERS, memory=available_memory())
    count = 0
    # the catalogue is our own, and what is compared lies outside of what a load may see
    with Pool(limits, lambda _case: None, NO_SANDBOX) as pool:
        for count, result in enumerate(pool.run(batches), start=1):
            each = wanted[result.case]
            if result.outcome is Outcome.ERROR:
                say(f"{each}: no verdict: {result.stages[0].message}")
                continue
            append_line(place.loads, record(place, each, result))
            if count % 100 == 0:
                pace = count / (time.monotonic() - begun)
                say(f"{count} of {len(wanted)} loads, {pace:.1f} a second, now {each.runtime}")
    return count


def wanted_of(line: dict[str, Any]) -> Wanted:
    return Wanted(line["artifact"], line["runtime"], Loader(line["loader"]), line["imports"])


def loads_in(runtime: str, lock: Lock, artifacts: Iterable[dict[str, Any]], tier: int) -> Iterator[Wanted]:
    for line in artifacts:
        for loader in LOADERS[line["artifact"]["format"]]:
            if tier_of(line, loader) > tier or (loader is Loader.KERAS and is_refused_alike(lock, line)):
                continue
            yield Wanted(line["id"], runtime, loader, False)
            if line["model"] in CUSTOM and loader is Loader.KERAS:
                yield Wanted(line["id"], runtime, loader, True)


def tier_of(line: dict[str, Any], loader: Loader) -> int:
    """0 for what is loaded first; `TIERS` for what is never loaded, because others of its kind say as much."""
    kind = (line["artifact"]["format"], loader)
    if line["model"] not in FEW.get(kind, (line["model"],)):
        return TIERS
    if line["model"] in CORE_OF.get(kind, CORE):
        return 0
    if kind in CORE_OF or line["model"] in FIRST:
        return 1
    return 2 if line["model"] in SECOND else 3


def is_refused_alike(lock: Lock, line: dict[str, Any]) -> bool:
    keras_3 = lock.keras_module == "keras" and (lock.keras or "").startswith("3.")
    return keras_3 and line["artifact"]["format"] == Format.SAVED_MODEL and line["model"] not in REFUSED_ALIKE


def batch(place: Place, lock: Lock, named: dict[str, Wanted], artifacts: dict[str, Any]) -> Batch:
    """Loads that share a runtime, and whether the author's module is imported there."""
    example = next(iter(named.values()))
    return Batch(
        runtime=example.runtime,
        device=Device.CPU,
        lock=lock,
        env=environment_of(example.runtime),
        imports=imports_of(example.imports),
        import_paths=import_paths_of(example.imports),
        jobs=tuple(job(place, name, each, artifacts[each.artifact]) for name, each in named.items()),
    )


def imports_of(with_module: bool) -> tuple[str, ...]:
    return ("lab_registration", "lab_comparison") if with_module else ("lab_comparison",)


def import_paths_of(with_module: bool) -> tuple[Path, ...]:
    """What is compared is found from a folder of its own, so that the author's module is not found with it."""
    return (INSIDE / "comparison", INSIDE) if with_module else (INSIDE / "comparison",)


def job(place: Place, name: str, wanted: Wanted, line: dict[str, Any]) -> Job:
    case = Case(id=name, artifact=line["path"], runtime=wanted.runtime, device=Device.CPU, loader=wanted.loader)
    artifact = line["artifact"]
    return Job(
        case=case,
        path=place.artifacts / line["path"],
        bytes=artifact["bytes"],
        artifact_digest=artifact["digest"],
        files=tuple(place.artifacts / file for file in artifact["files"]),
    )


def record(place: Place, wanted: Wanted, result: CaseResult) -> dict[str, Any]:
    """A line of `loads.jsonl`. `same` is None where nothing could be compared; `infer` says why."""
    stages = {stage.stage: stage for stage in result.stages}
    loaded, compared, compiled = stages[Stage.LOAD], stages[Stage.INFER], stages[Stage.COMPILE]
    line: dict[str, Any] = {
        "artifact": wanted.artifact,
        "runtime": wanted.runtime,
        "loader": wanted.loader,
        "imports": wanted.imports,
        "reason": loaded.reason,
        "message": scrubbed(place, loaded.message)[:300],
        "exception": exception(place, loaded.exception),
        "api": result.api,
        "seconds": round(result.seconds, 3),
        "isolation": result.isolation,
        **comparison(place, compared),
    }
    if compiled.reason not in (Reason.NOTHING_TO_RUN, Reason.EARLIER_STAGE):
        line["compile"] = {"reason": compiled.reason, "exception": exception(place, compiled.exception)}
    if loaded.stack:
        line["stack"] = scrubbed(place, loaded.stack)[-1500:]
    return line


def comparison(place: Place, stage: StageResult) -> dict[str, Any]:
    if stage.outcome is Outcome.PASSED:
        return {"same": True, "difference": ""}
    if stage.exception is not None and stage.exception.type.endswith("OutputsDiffer"):
        return {"same": False, "difference": stage.exception.message}
    infer = None if stage.reason is Reason.EARLIER_STAGE else scrubbed(place, stage.message)[:600]
    return {"same": None, "difference": "", "infer": infer, "infer_reason": stage.reason}


def exception(place: Place, error: ExceptionInfo | None) -> dict[str, Any] | None:
    if error is None:
        return None
    return {
        "type": error.type,
        "message": shortened(scrubbed(place, error.message), TEXT_LIMIT),
        "chain": [shortened(scrubbed(place, each), CHAIN_LIMIT) for each in error.chain],
    }


def shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit // 2]} … {text[-limit // 2 :]}"


def scrubbed(place: Place, text: str) -> str:
    """Without the paths of the machine that measured, and without what differs in every run."""
    text = text.replace(str(place.root), "/lab")
    text = re.sub(r"/[^\s'\"]*/runtimes/[0-9a-f]{64}/", "/runtime/", text)
    text = text.replace(str(INSIDE.parents[1]), "/loadgate").replace(str(Path.home()), "/home")
    text = re.sub(rf"{re.escape(tempfile.gettempdir())}/[^\s'\"]*loadgate-[^\s'\"/]*", "/scratch", text)
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    return re.sub(r"0x[0-9a-f]{6,}", "0x…", text)
