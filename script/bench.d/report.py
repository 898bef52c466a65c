"""How long the report of 2,000 cases takes, and how large its page is: all failing, and one in seven failing.

    script/bench report

The cases are 200 artifacts in 5 runtimes on 2 devices, each with 100 lines of log and each failure with a traceback.
What is counted is the processor time of the whole phase with every output, from the files to the files, in a process
of its own; the best of three. A limit that is not met makes the exit status 1.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from loadgate.domain import (
    Artifact,
    Case,
    CaseResult,
    Device,
    ExceptionInfo,
    Facts,
    Format,
    Loader,
    Lock,
    Locks,
    Origin,
    Outcome,
    Plan,
    Reason,
    Runtime,
    RuntimeState,
    SavedWith,
    Stage,
    StageResult,
)
from loadgate.interchange import append_result, read_document, write_document
from loadgate.phases.report import Outputs, report

SECONDS = 5.0
HTML = 2 * 1000**2
"""Bytes."""
ROUNDS = 3
ARTIFACTS, RUNTIMES = 200, 5
KERAS_3_IN_KERAS_2 = ExceptionInfo(
    type="TypeError",
    message=(
        "Error when deserializing class 'InputLayer' using config={'batch_shape': [None, 8], 'dtype': 'float32', "
        "'sparse': False, 'name': 'input_layer'}.\n\n"
        "Exception encountered: Unrecognized keyword arguments: ['batch_shape']"
    ),
    traceback="Traceback (most recent call last):\n" + '  File "keras/src/engine/base_layer.py", line 870\n' * 60,
    chain=("ValueError: Unrecognized keyword arguments: ['batch_shape']",),
)


def write_run(folder: Path, one_fails_in: int) -> None:
    runtimes = tuple(
        Runtime(
            name=f"runtime-{number}",
            tensorflow="2.15.1",
            devices=tuple(Device),
            origin=Origin(file="loadgate.yml", line=4 + number),
        )
        for number in range(RUNTIMES)
    )
    artifacts = tuple(artifact(number) for number in range(ARTIFACTS))
    questions = [(each, runtime, device) for each in artifacts for runtime in runtimes for device in Device]
    cases = tuple(
        Case(id=f"{number:016x}", artifact=each.path, runtime=runtime.name, device=device, loader=Loader.KERAS)
        for number, (each, runtime, device) in enumerate(questions)
    )
    planned = Plan(
        repository="/srv/acme", spec_file="loadgate.yml", artifacts=artifacts, runtimes=runtimes, cases=cases
    )
    write_document(folder / "plan.json", planned)
    states = tuple(RuntimeState(name=runtime.name, lock=lock()) for runtime in runtimes)
    write_document(folder / "locks.json", Locks(runtimes=states))
    with open(folder / "results.jsonl", "wb") as stream:
        for number, case in enumerate(cases):
            append_result(stream, result(case, fails=number % one_fails_in == 0))


def artifact(number: int) -> Artifact:
    path = f"models/team-{number % 9}/model-{number:03}.keras"
    return Artifact(
        path=path,
        format=Format.KERAS_V3,
        files=(path,),
        bytes=48_112,
        digest=f"sha256:{number:064x}",
        facts=Facts(saved_with=SavedWith(keras="3.15.1")),
    )


def lock() -> Lock:
    return Lock(
        digest=f"sha256:{0:064x}",
        interpreter="/cache/bin/python",
        python="3.11.7",
        implementation="CPython",
        packages={"tensorflow-cpu": "2.15.1", "keras": "2.15.0"},
        tensorflow="2.15.1",
        keras="2.15.0",
        keras_module="keras",
    )


def result(case: Case, *, fails: bool) -> CaseResult:
    outcome = Outcome.FAILED if fails else Outcome.PASSED
    stage = StageResult(stage=Stage.LOAD, outcome=outcome, seconds=0.05)
    if fails:
        stage = StageResult(
            stage=Stage.LOAD,
            outcome=outcome,
            reason=Reason.EXCEPTION,
            message="the loader raised TypeError",
            exception=KERAS_3_IN_KERAS_2,
            seconds=0.05,
        )
    return CaseResult(case=case.id, stages=(stage,), log="a line with <signs> & things\n" * 100)


def measure(folder: Path) -> None:
    """What the process that is measured does: it prints the seconds of processor time since it began."""
    outputs = Outputs(
        json=folder / "report.json",
        junit=folder / "junit.xml",
        html=folder / "report.html",
        sarif=folder / "report.sarif",
        summary=folder / "summary.md",
    )
    report(
        read_document(folder / "plan.json", Plan),
        read_document(folder / "locks.json", Locks),
        [folder / "results.jsonl"],
        outputs,
    )
    sys.stdout.write(f"{time.process_time()}\n")


def measured(folder: Path) -> float:
    command = [sys.executable, __file__, "--measure", str(folder)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def compared() -> Iterator[bool]:
    for name, one_fails_in in (("all failing", 1), ("one in seven", 7)):
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            write_run(folder, one_fails_in)
            seconds = min(measured(folder) for _ in range(ROUNDS))
            page = (folder / "report.html").stat().st_size
        sys.stdout.write(
            f"{name:12}  {seconds:5.2f} s (limit {SECONDS} s)"
            f"  HTML {page / 1000**2:5.2f} MB (limit {HTML / 1000**2:.0f} MB)\n"
        )
        yield seconds <= SECONDS and page <= HTML


def main() -> int:
    if sys.argv[1:2] == ["--measure"]:
        measure(Path(sys.argv[2]))
        return 0
    return 0 if all(list(compared())) else 1


if __name__ == "__main__":
    sys.exit(main())
