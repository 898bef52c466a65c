"""A run as a user would have it: three runtimes, one of them broken, and every way in which a case can end."""

from __future__ import annotations

from dataclasses import dataclass, replace

from loadgate.domain import (
    Artifact,
    Case,
    CaseResult,
    Checks,
    Device,
    ExceptionInfo,
    Facts,
    Finding,
    FindingKind,
    Format,
    Loader,
    Lock,
    Locks,
    Origin,
    Outcome,
    Plan,
    Policy,
    Reason,
    Runtime,
    RuntimeState,
    SavedWith,
    Stage,
    StageResult,
    StandIn,
    StandInKind,
)
from loadgate.report.assembly import assemble
from loadgate.report.truth import Report

KERAS_3_IN_KERAS_2 = ExceptionInfo(
    type="TypeError",
    message=(
        "Error when deserializing class 'InputLayer' using config={'batch_shape': [None, 8], 'dtype': 'float32', "
        "'sparse': False, 'name': 'input_layer'}.\n\n"
        "Exception encountered: Unrecognized keyword arguments: ['batch_shape']"
    ),
    traceback=(
        "Traceback (most recent call last):\n"
        '  File "keras/src/engine/base_layer.py", line 870, in from_config\n'
        "    return cls(**config)\n"
        "TypeError: Error when deserializing class 'InputLayer'"
    ),
    chain=("ValueError: Unrecognized keyword arguments: ['batch_shape']",),
)
NOT_HDF5 = ExceptionInfo(
    type="OSError", message="Unable to synchronously open file (file signature not found)", traceback="Traceback ..."
)
HUNG_IN = (
    'Thread 0x00007f2a (most recent call first):\n  File "keras/src/legacy/saving/legacy_h5_format.py", line 341 in '
    'convert\n  File "keras/src/legacy/saving/legacy_h5_format.py", line 127 in load_model_from_hdf5\n'
    '  File "keras/src/saving/saving_api.py", line 196 in load_model'
)


@dataclass(frozen=True)
class Run:
    plan: Plan
    locks: Locks
    results: tuple[CaseResult, ...]

    @property
    def report(self) -> Report:
        return assemble(self.plan, self.locks, self.results)

    def without_results(self, *cases: str) -> Run:
        return replace(self, results=tuple(result for result in self.results if result.case not in cases))

    def with_broken(self, *names: str) -> Run:
        """The same run, had these runtimes not been made."""
        broken = Finding(kind=FindingKind.RESOLVE, cause="unknown", headline="nothing provides tensorflow==9")
        states = [RuntimeState(name=s.name, finding=broken) if s.name in names else s for s in self.locks.runtimes]
        ids = [case.id for case in self.plan.cases if case.runtime in names]
        return replace(self.without_results(*ids), locks=Locks(runtimes=tuple(states)))


def artifact(path: str, format: Format, *, keras: str | None = None, tensorflow: str | None = None) -> Artifact:  # noqa: A002 - the domain's own word
    return Artifact(
        path=path,
        format=format,
        files=(path,),
        bytes=48_112,
        digest="sha256:" + f"{len(path):064x}",
        facts=Facts(saved_with=SavedWith(keras=keras, tensorflow=tensorflow)),
    )


def lock(tensorflow: str, keras: str, python: str) -> Lock:
    return Lock(
        digest=f"sha256:{tensorflow.replace('.', ''):0>64}",
        interpreter="/cache/bin/python",
        python=python,
        implementation="CPython",
        packages={"tensorflow-cpu": tensorflow, "keras": keras},
        tensorflow=tensorflow,
        keras=keras,
        keras_module="keras",
    )


def passed(stage: Stage = Stage.LOAD, seconds: float = 0.05) -> StageResult:
    return StageResult(stage=stage, outcome=Outcome.PASSED, seconds=seconds)


def failed(
    reason: Reason,
    message: str,
    *,
    stage: Stage = Stage.LOAD,
    exception: ExceptionInfo | None = None,
    stack: str = "",
) -> StageResult:
    return StageResult(
        stage=stage,
        outcome=Outcome.FAILED,
        reason=reason,
        message=message,
        exception=exception,
        stack=stack,
        seconds=0.1,
    )


def skipped(reason: Reason, message: str, stage: Stage = Stage.LOAD) -> StageResult:
    return StageResult(stage=stage, outcome=Outcome.SKIPPED, reason=reason, message=message)


def result(case: str, *stages: StageResult, api: str = "keras.src.saving.saving_api.load_model") -> CaseResult:
    return CaseResult(
        case=case,
        stages=stages,
        api=api,
        seconds=sum(stage.seconds for stage in stages),
        peak_memory=412_000_000,
        log="2026-11-02 10:00:00.000000: I tensorflow/core/util/port.cc:153] oneDNN custom operations are on.\n",
        isolation="fork",
    )


ARTIFACTS = (
    artifact("models/churn/classifier.keras", Format.KERAS_V3, keras="3.15.1"),
    artifact("models/churn/legacy.h5", Format.KERAS_H5, keras="2.4.0"),
    artifact("models/recommender/two_tower/export/1699999999", Format.SAVED_MODEL, tensorflow="2.15.1"),
    artifact("models/vision/detector.tflite", Format.TFLITE),
    replace(
        artifact("models/vision/backbone.h5", Format.KERAS_H5),
        facts=None,
        bytes=132,
        stand_in=StandIn(
            kind=StandInKind.GIT_LFS_POINTER,
            file="models/vision/backbone.h5",
            detail="points at 98,231,112 bytes, sha256 4d7a214614ab",
        ),
    ),
    artifact("models/vision/segmenter.h5", Format.KERAS_H5, keras="2.11.0"),
)

SERVING, NEXT, LEGACY = "serving", "next", "legacy"

RUNTIMES = (
    Runtime(
        name=SERVING,
        python="3.11",
        tensorflow="2.15.1",
        origin=Origin(file="loadgate.yml", line=4),
    ),
    Runtime(
        name=NEXT, tensorflow="2.18.1", devices=(Device.CPU, Device.GPU), origin=Origin(file="loadgate.yml", line=9)
    ),
    Runtime(name=LEGACY, tensorflow="2.11.1", origin=Origin(file="loadgate.yml", line=14)),
)

LOCKS = Locks(
    runtimes=(
        RuntimeState(
            name=SERVING,
            lock=lock("2.15.1", "2.15.0", "3.11.7"),
            seconds=0.4,
            cached=True,
            notes=("tensorflow-cpu 2.15.1 stands in for tensorflow 2.15.1",),
        ),
        RuntimeState(name=NEXT, lock=lock("2.18.1", "3.15.1", "3.11.7"), seconds=14.2),
        RuntimeState(
            name=LEGACY,
            finding=Finding(
                kind=FindingKind.IMPORT,
                cause="numpy_2",
                headline="TensorFlow 2.11.1 was built for NumPy 1 and meets NumPy 2.2.6",
                detail="ImportError: numpy.core._multiarray_umath failed\nImportError: numpy.core.umath failed",
                suggestion="add `numpy<2` to the runtime's packages",
            ),
            seconds=11.0,
        ),
    )
)


def case_id(path: str, runtime: str, device: Device = Device.CPU) -> str:
    return f"{path}@{runtime}/{device}"


def cases() -> tuple[Case, ...]:
    return tuple(
        Case(
            id=case_id(artifact.path, runtime.name, device),
            artifact=artifact.path,
            runtime=runtime.name,
            device=device,
            loader={Format.SAVED_MODEL: Loader.SAVED_MODEL, Format.TFLITE: Loader.TFLITE}.get(
                artifact.format, Loader.KERAS
            ),
        )
        for artifact in ARTIFACTS
        for runtime in RUNTIMES
        for device in runtime.devices
    )


def results() -> tuple[CaseResult, ...]:
    classifier, legacy, tower, detector, backbone, segmenter = (artifact.path for artifact in ARTIFACTS)
    infer, nothing = passed(Stage.INFER), skipped(Reason.NOTHING_TO_RUN, "it has no signature", Stage.INFER)
    later = skipped(Reason.EARLIER_STAGE, "it did not load", Stage.INFER)
    pointer = failed(Reason.EXCEPTION, "the loader raised OSError", exception=NOT_HDF5)
    no_gpu = skipped(Reason.NO_GPU, "no GPU is visible on this machine")
    saved_model = "tensorflow.python.saved_model.load.load"
    lite = "tensorflow.lite.python.interpreter.Interpreter"
    return (
        result(
            case_id(classifier, SERVING),
            failed(Reason.EXCEPTION, "the loader raised TypeError", exception=KERAS_3_IN_KERAS_2),
            later,
        ),
        result(case_id(classifier, NEXT), passed(), infer),
        result(case_id(legacy, SERVING), passed(), infer),
        result(
            case_id(legacy, NEXT),
            failed(Reason.TIMED_OUT, "still loading after 300 s", stack=HUNG_IN),
            later,
        ),
        result(case_id(tower, SERVING), passed(), infer, api=saved_model),
        result(case_id(tower, NEXT), passed(), nothing, api=saved_model),
        result(case_id(detector, SERVING), passed(), infer, api=lite),
        result(
            case_id(detector, NEXT), failed(Reason.CRASHED, "ended by SIGSEGV", stack="Fatal error"), later, api=lite
        ),
        result(case_id(backbone, SERVING), pointer, later),
        result(case_id(backbone, NEXT), pointer, later),
        result(case_id(segmenter, SERVING), passed(), infer),
        result(
            case_id(segmenter, NEXT),
            passed(),
            failed(
                Reason.EXCEPTION,
                "the model raised InvalidArgumentError",
                stage=Stage.INFER,
                exception=ExceptionInfo(
                    type="tensorflow.python.framework.errors_impl.InvalidArgumentError",
                    message="Default MaxPoolingOp only supports NHWC on device type CPU",
                ),
            ),
        ),
        *(result(case_id(artifact.path, NEXT, Device.GPU), no_gpu, api="") for artifact in ARTIFACTS),
    )


RUN = Run(
    Plan(
        loadgate="0.1.0",
        repository="/srv/acme",
        spec_file="loadgate.yml",
        artifacts=ARTIFACTS,
        runtimes=RUNTIMES,
        cases=cases(),
        checks=Checks(infer=True),
        notes=("2 files with a model's extension are no models, and were left out",),
    ),
    LOCKS,
    results(),
)


DEFAULT_POLICY = Policy()


def small_run(outcomes: dict[str, dict[str, StageResult | None]], *, policy: Policy = DEFAULT_POLICY) -> Run:
    """A run of load stages alone: `{artifact: {runtime: stage, or None where it was not reached}}`."""
    names = list(dict.fromkeys(runtime for row in outcomes.values() for runtime in row))
    cases = [(path, runtime, stage) for path, row in outcomes.items() for runtime, stage in row.items()]
    return Run(
        Plan(
            artifacts=tuple(artifact(path, Format.KERAS_H5) for path in outcomes),
            runtimes=tuple(Runtime(name=name) for name in names),
            cases=tuple(
                Case(id=case_id(path, name), artifact=path, runtime=name, device=Device.CPU, loader=Loader.KERAS)
                for path, name, _ in cases
            ),
            policy=policy,
        ),
        Locks(runtimes=tuple(RuntimeState(name=name, lock=lock("2.15.1", "2.15.0", "3.11.7")) for name in names)),
        tuple(result(case_id(path, name), stage) for path, name, stage in cases if stage is not None),
    )


def hostile_run(text: str) -> Run:
    """The same text in every string that a repository, a model or a runtime could choose."""
    path, name, other = f"models/{text}.h5", f"r{text}", f"s{text}"
    exception = ExceptionInfo(type=text, message=text, traceback=text, chain=(text, f"Error: {text}"))
    model = replace(
        artifact(path, Format.KERAS_H5, keras=text, tensorflow=text),
        damage=text,
        digest=text,
        stand_in=StandIn(kind=StandInKind.HTML, file=text, detail=text),
    )
    second = replace(model, path=f"{path}2", stand_in=None)
    made = replace(lock(text, text, text), digest=text, keras_module=text)
    finding = Finding(kind=FindingKind.RESOLVE, cause=text, headline=text, detail=text, suggestion=text)
    runtimes = tuple(Runtime(name=n, notes=(text,), origin=Origin(file=text, line=1)) for n in (name, other))
    planned = tuple(
        Case(id=case_id(a.path, n), artifact=a.path, runtime=n, device=Device.CPU, loader=Loader.KERAS)
        for a in (model, second)
        for n in (name, other)
    )
    wrong = replace(failed(Reason.EXCEPTION, text, exception=exception, stack=text))
    return Run(
        Plan(
            loadgate=text,
            repository=text,
            artifacts=(model, second),
            runtimes=runtimes,
            cases=planned,
            checks=Checks(infer=True),
            notes=(text,),
        ),
        Locks(
            runtimes=(
                RuntimeState(name=name, lock=made, notes=(text,)),
                RuntimeState(name=other, finding=finding, notes=(text,)),
            )
        ),
        (
            replace(
                result(case_id(path, name), wrong, skipped(Reason.EARLIER_STAGE, text, Stage.INFER), api=text),
                log=text,
                artifact_digest=text,
            ),
            replace(
                result(case_id(second.path, name), passed(), failed(Reason.CRASHED, text, stage=Stage.INFER)), log=text
            ),
        ),
    )
