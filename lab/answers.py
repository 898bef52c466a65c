"""An answer key for every failure of the lab and of the corpus, and how many of them `explain` gets right.

usage: python -m lab.answers [--wrong] [FOLDER]

FOLDER holds NAME.plan.json, NAME.locks.json and NAME.results.jsonl of runs over the corpus; without it, the messages
that the corpus itself has are taken, which lack the exceptions behind the first. LOADGATE_LAB names the folder of raw
results; without it, those are taken that are committed.

The key knows no rule and reads no message. It asks the other loads what would have mended this one: did the same file
load by the same call where an import, the call, the Keras or the TensorFlow was another? Where no load of it passed,
the saver's own version would have. Where no load of any such file passed by this call in this runtime, the call is to
blame. A cause is right where what it blames is among what mends.
"""

from __future__ import annotations

import json
import lzma
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from packaging.version import Version

from lab.corpus import CORPUS, IS_HERE, LOADERS, truth
from loadgate.artifacts.discover import discover, read_artifact
from loadgate.diagnosis.explain import explain
from loadgate.diagnosis.subject import version
from loadgate.domain import (
    Artifact,
    Case,
    CaseResult,
    Confidence,
    Device,
    Diagnosis,
    ExceptionInfo,
    Loader,
    Lock,
    Locks,
    Outcome,
    Plan,
    Reason,
    Runtime,
    Stage,
    StageResult,
)
from loadgate.interchange import read_document, read_results

HERE = Path(__file__).parent


class Mends(StrEnum):
    IMPORT = "import"
    """The module with the custom objects is imported first."""
    LOADER = "loader"
    """Another call loads it in the same runtime."""
    KERAS = "keras"
    """A runtime with the other generation of Keras loads it."""
    NEWER = "newer"
    """A newer TensorFlow or Keras of the same generation loads it."""
    OLDER = "older"
    """An older one does."""
    PYTHON = "python"
    """Of the runtimes that hold the same generation of Keras, those that load it have another Python."""
    BYTES = "bytes"
    """The file itself says that it is not the model."""
    FILE = "file"
    """No runtime loads it by this call."""


BLAMES: Mapping[str, frozenset[Mends]] = {
    cause: frozenset(mends)
    for mends, causes in (
        (
            (Mends.BYTES,),
            "git_lfs_pointer dvc_pointer dangling_link document_instead_of_a_model empty_file truncated_file "
            "missing_variables missing_shards missing_graph",
        ),
        (
            (Mends.FILE,),
            "damaged_file not_written_by_keras invalid_graph weights_without_a_model tflite_custom_op "
            "op_not_registered operations_in_hdf5 reference_variables graph_against_shape_functions "
            "sharded_v1_checkpoint graph_producer_too_old op_removed_from_graphs several_graphs keras_1_file "
            "embedding_of_integers",
        ),
        ((Mends.IMPORT,), "custom_object_not_imported function_without_a_name op_of_missing_package"),
        (
            (Mends.LOADER,),
            "no_such_loader saved_model_without_keras signature_without_serving_default meta_graph_missing",
        ),
        (
            (Mends.NEWER,),
            "keras_archive_before_it_existed op_newer_than_runtime attribute_newer_than_runtime "
            "attribute_value_newer_than_runtime "
            "saved_model_newer_than_runtime graph_needs_newer_consumer tflite_newer_than_runtime "
            "tflite_type_newer_than_runtime lookup_of_another_type "
            "functional_newer_than_runtime registered_name_before_it_existed "
            "option_newer_than_runtime initializer_newer_than_runtime "
            "layer_newer_than_runtime keras_metadata_before_it_existed",
        ),
        (
            (Mends.OLDER,),
            "op_removed_from_tensorflow output_shapes_contradict saver_version_not_a_version "
            "saved_state_of_older_keras",
        ),
        # some wheels between the oldest and the newest brought the delegate
        ((Mends.NEWER, Mends.OLDER), "tflite_flex_delegate_missing"),
        ((Mends.OLDER, Mends.KERAS, Mends.FILE), "lambda_refused"),
        ((Mends.LOADER, Mends.KERAS), "saved_model_in_keras_3"),
        ((Mends.KERAS, Mends.FILE), "keras_optimizer_in_saved_model"),
        ((Mends.KERAS, Mends.NEWER, Mends.OLDER, Mends.FILE), "vocabulary_in_archive"),
        ((Mends.LOADER, Mends.NEWER), "subclassed_model_with_its_class"),
        (
            (Mends.KERAS,),
            "layer_removed_by_keras_3 tensorflow_ops_as_layers "
            "option_dropped_by_keras_3 wrapped_layer_of_keras_2 batch_normalization_axis_of_keras_2 "
            "initializer_of_keras_2 dtype_policy_of_keras_2 nested_model_of_keras_2 keras_2_archive_in_keras_3 "
            "keras_2_file_in_keras_3 keras_3_file_in_keras_2 name_of_another_format "
            "layers_as_a_list first_shape_of_keras_2 tensorflow_js_file_in_keras_3",
        ),
        ((Mends.NEWER, Mends.OLDER), "archive_of_another_keras_2"),
        ((Mends.OLDER,), "option_dropped_by_later_keras option_missing_from_older_keras gru_without_reset_after"),
        # Keras 2 wrote some of these files so that it never reads them back itself
        ((Mends.OLDER, Mends.KERAS, Mends.FILE), "preprocessing_state_in_hdf5"),
        # a file that Keras 3.15 itself wrote is read by none: 3.13 refuses its newer options
        ((Mends.OLDER, Mends.FILE), "attention_in_hdf5"),
        ((Mends.NEWER, Mends.KERAS), "archive_of_tf_keras"),
        ((Mends.PYTHON,), "lambda_of_another_python lambda_of_a_near_python lambda_needs_a_name"),
    )
    for cause in causes.split()
}
"""What each cause says would mend it. A cause that is not here says only how a load ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    artifact: Artifact
    runtime: Runtime
    lock: Lock
    loader: Loader
    imports: bool
    result: CaseResult
    saver: Lock | None = None
    """The runtime that saved it, where that is known from more than the file."""

    @property
    def kind(self) -> tuple[str, ...]:
        """Files of one kind take the same way through one call."""
        extra = self.artifact.facts.extra if self.artifact.facts else {}
        return (self.runtime.name, self.loader, self.artifact.format, extra.get("variant", ""))

    @property
    def has_passed(self) -> bool:
        return self.result.outcome is Outcome.PASSED

    @property
    def generation(self) -> int:
        if self.loader is Loader.TF_KERAS:
            return 2
        return 3 if (self.lock.keras or "").startswith("3.") else 2

    @property
    def tensorflow(self) -> tuple[int, ...]:
        return Version(self.lock.tensorflow).release[:2]

    @property
    def python(self) -> tuple[int, ...]:
        return Version(self.lock.python).release[:2]


@dataclass(slots=True)
class Score:
    right: int = 0
    unknown: int = 0
    wrong: list[tuple[Load, Diagnosis, frozenset[Mends]]] = field(default_factory=list)
    causes: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return self.right + self.unknown + len(self.wrong)

    @property
    def confidently_wrong(self) -> int:
        return sum(diagnosis.confidence is Confidence.CERTAIN for _, diagnosis, _ in self.wrong)


# --- the key ------------------------------------------------------------------------------------------------------


def mended_by(load: Load, same_file: Sequence[Load], ever_passed: Container[tuple[str, ...]]) -> frozenset[Mends]:
    """What was another in the loads of the same file that passed."""
    passed = [each for each in same_file if each.has_passed]
    by_call = [each for each in passed if each.loader is load.loader]
    without_imports = [each for each in by_call if not each.imports]
    found = set(_bytes(load.artifact))
    if not load.imports and by_call and not without_imports:
        found.add(Mends.IMPORT)
    if load.kind not in ever_passed or any(
        each.loader is not load.loader and each.runtime.name == load.runtime.name for each in passed
    ):
        found.add(Mends.LOADER)
    for each in without_imports or by_call:
        found |= set(_difference(load, each.generation, each.tensorflow))
    if load.artifact.facts and load.artifact.facts.lambdas and _is_python(load, by_call):
        found.add(Mends.PYTHON)
    if not by_call:
        found |= {Mends.FILE, *_of_the_saver(load)}
        if load.artifact.facts and load.artifact.facts.custom_objects and not load.imports:
            # nothing was imported, and the file itself names what no Keras has
            found.add(Mends.IMPORT)
    return frozenset(found)


def _difference(load: Load, generation: int, tensorflow: tuple[int, ...]) -> Iterator[Mends]:
    if generation != load.generation:
        yield Mends.KERAS
    if tensorflow > load.tensorflow:
        yield Mends.NEWER
    if tensorflow < load.tensorflow:
        yield Mends.OLDER


def _of_the_saver(load: Load) -> Iterator[Mends]:
    """The way from this runtime to that of the saver, in which a file loads that nobody has put together by hand."""
    if load.saver is not None:
        saver = replace(load, lock=load.saver)
        yield from _difference(load, saver.generation, saver.tensorflow)
        return
    saved_with = load.artifact.facts.saved_with if load.artifact.facts else None
    keras = version(saved_with.keras) if saved_with else None
    tensorflow = version(saved_with.tensorflow) if saved_with else None
    if keras is not None and load.loader in (Loader.KERAS, Loader.TF_KERAS):
        here = version(load.lock.keras)
        if (keras.major >= 3) != (load.generation == 3):  # noqa: PLR2004 - the generations of Keras
            yield Mends.KERAS
        if here is not None and keras != here:
            yield Mends.NEWER if keras > here else Mends.OLDER
    elif tensorflow is not None and tensorflow.release[:2] != load.tensorflow:
        yield Mends.NEWER if tensorflow.release[:2] > load.tensorflow else Mends.OLDER


def _bytes(artifact: Artifact) -> Iterator[Mends]:
    if artifact.stand_in is not None:
        yield Mends.BYTES


def _is_python(load: Load, passed: Sequence[Load]) -> bool:
    """Every Python in which it loaded is another than this one."""
    return all(each.python != load.python for each in passed)


# --- what was measured --------------------------------------------------------------------------------------------


def of_the_lab() -> Iterator[Load]:
    rows = {row["id"]: row for row in _rows("artifacts.jsonl")}
    artifacts = {name: msgspec.convert(row["artifact"], Artifact) for name, row in rows.items()}
    locks = msgspec.json.decode((HERE / "results" / "runtimes.json").read_bytes(), type=dict[str, Lock])
    for row in _rows("loads.jsonl"):
        name = row["runtime"]
        if row["artifact"] not in artifacts or name not in locks:
            continue
        exception = row["exception"] and msgspec.convert(row["exception"], ExceptionInfo)
        yield Load(
            artifact=artifacts[row["artifact"]],
            runtime=Runtime(name=name, env={"TF_USE_LEGACY_KERAS": "1"} if "tfkeras" in name else {}),
            lock=locks[name],
            loader=Loader(row["loader"]),
            imports=row["imports"],
            saver=locks.get(rows[row["artifact"]]["saver"]),
            result=_result(row["reason"], exception, row.get("message", ""), row.get("stack", "")),
        )


def of_the_corpus() -> Iterator[Load]:
    root = CORPUS / "files"
    artifacts = {each.path: each for each in (read_artifact(root, sighting) for sighting in discover(root))}
    for row in truth()["results"]:
        if row["id"] not in artifacts:
            continue
        failed = row["outcome"] != "ok"
        exception = ExceptionInfo(type=row["exception"], message=row["message"]) if failed else None
        yield Load(
            artifact=artifacts[row["id"]],
            runtime=Runtime(name=row["runtime"]),
            lock=_lock(truth()["runtimes"][row["runtime"]]),
            loader=LOADERS[row["api"]],
            imports=False,
            result=_result("exception" if failed else None, exception),
        )


def of_runs(folder: Path) -> Iterator[Load]:
    for path in sorted(folder.glob("*.plan.json")):
        name = path.name.removesuffix(".plan.json")
        plan = read_document(path, Plan)
        locks = {each.name: each.lock for each in read_document(folder / f"{name}.locks.json", Locks).runtimes}
        artifacts = {each.path: each for each in plan.artifacts}
        runtimes = {each.name: each for each in plan.runtimes}
        cases = {each.id: each for each in plan.cases}
        for result in read_results(folder / f"{name}.results.jsonl"):
            case = cases[result.case]
            lock = locks[case.runtime]
            if lock is not None:
                yield Load(
                    artifact=artifacts[case.artifact],
                    runtime=runtimes[case.runtime],
                    lock=lock,
                    loader=case.loader,
                    imports=False,
                    result=result,
                )


def _rows(name: str) -> Iterator[dict[str, Any]]:
    raw = os.environ.get("LOADGATE_LAB")
    with open(Path(raw) / name) if raw else lzma.open(HERE / "results" / f"{name}.xz", "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _result(reason: str | None, exception: ExceptionInfo | None, message: str = "", stack: str = "") -> CaseResult:
    if reason is None:
        return CaseResult(case="1", stages=(StageResult(stage=Stage.LOAD, outcome=Outcome.PASSED),))
    stage = StageResult(
        stage=Stage.LOAD,
        outcome=Outcome.FAILED,
        reason=Reason(reason),
        exception=exception,
        message=message,
        stack=stack,
    )
    return CaseResult(case="1", stages=(stage,))


def _lock(versions: Mapping[str, str]) -> Lock:
    """Of a runtime of the corpus, whose Keras is a package of its own or that of its TensorFlow."""
    tensorflow = versions.get("tensorflow-cpu") or versions["tensorflow"]
    of_tensorflow = {"1.15.5": "2.2.4", "2.4.4": "2.4.0"}
    keras = versions.get("tf-keras") or versions.get("keras") or of_tensorflow[tensorflow]
    return Lock(
        digest="",
        interpreter="",
        python=versions["python"],
        implementation="CPython",
        packages=dict(versions),
        tensorflow=tensorflow,
        keras=keras,
    )


# --- the score ----------------------------------------------------------------------------------------------------


def scored(loads: Sequence[Load]) -> Score:
    of_file: dict[str, list[Load]] = defaultdict(list)
    for load in loads:
        of_file[load.artifact.path].append(load)
    ever_passed = {load.kind for load in loads if load.has_passed}
    score = Score()
    for load in loads:
        diagnosis = _explained(load)
        if diagnosis is None:
            continue
        score.causes[diagnosis.cause] += 1
        mends = mended_by(load, of_file[load.artifact.path], ever_passed)
        blamed = BLAMES.get(diagnosis.cause)
        if diagnosis.confidence is Confidence.UNKNOWN:
            score.unknown += 1
        elif blamed is not None and blamed & mends:
            score.right += 1
        else:
            score.wrong.append((load, diagnosis, mends))
    return score


def _explained(load: Load) -> Diagnosis | None:
    name = load.runtime.name
    case = Case(id="1", artifact=load.artifact.path, runtime=name, device=Device.CPU, loader=load.loader)
    return explain(load.artifact, case, load.runtime, load.lock, load.result)


def told(name: str, score: Score) -> str:
    share = 100 * score.right / max(1, score.total)
    return (
        f"{name}: {score.total:,} failures, {score.right:,} right ({share:.2f} %), {score.unknown} unknown, "
        f"{len(score.wrong)} wrong, {score.confidently_wrong} of them confidently"
    )


def main() -> None:
    sources: dict[str, Callable[[], Iterator[Load]]] = {"lab": of_the_lab}
    folders = [Path(argument) for argument in sys.argv[1:] if not argument.startswith("--")]
    if folders:
        sources["corpus"] = partial(of_runs, folders[0])
    elif IS_HERE:
        sources["corpus"] = of_the_corpus
    for name, source in sources.items():
        score = scored(list(source()))
        print(told(name, score))  # noqa: T201 - a program's output
        if "--wrong" in sys.argv[1:]:
            rows = Counter(
                (d.cause, d.confidence.value, load.artifact.format.value, load.loader.value, " ".join(sorted(mends)))
                for load, d, mends in score.wrong
            )
            for row, number in rows.most_common():
                print(f"{number:6} ", *row)  # noqa: T201 - a program's output


if __name__ == "__main__":
    main()
