"""The sentences that every output shares. They hold untrusted strings as they are: each output makes them safe."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence

from loadgate.domain import (
    Artifact,
    Case,
    Checks,
    Confidence,
    Device,
    Diagnosis,
    Lock,
    Outcome,
    Reason,
    Stage,
    StandInKind,
)
from loadgate.places import SPEC_NAMES
from loadgate.report.truth import CaseReport, Report, RuntimeReport, Standing, Totals, Verdict

NAMED_RUNTIMES = 3
"""A sentence names at most so many runtimes; beyond that it counts them."""

REASONS: Mapping[Reason, str] = {
    Reason.EXCEPTION: "raised an exception",
    Reason.CRASHED: "crashed",
    Reason.EXITED: "ended its own process",
    Reason.TIMED_OUT: "did not finish in time",
    Reason.OUT_OF_MEMORY: "took more memory than is allowed",
    Reason.WRONG_DEVICE: "ran on the CPU instead of the GPU",
    Reason.NO_GPU: "no GPU",
    Reason.NAME: "its name is not UTF-8",
    Reason.LINK: "it is a link that is not followed",
    Reason.NO_LOADER: "the runtime has no such loader",
    Reason.NOTHING_TO_RUN: "nothing to run",
    Reason.EARLIER_STAGE: "the stage before it did not pass",
    Reason.RUNTIME: "the runtime could not be made",
    Reason.IMPORTS: "a module under imports: could not be imported",
    Reason.MACHINE: "the machine has too little memory",
    Reason.PROBE: "the probe died of its own fault",
    Reason.INTERRUPTED: "not reached",
    Reason.PREDICTED: "predicted only",
}

VERBS: Mapping[Stage, tuple[str, str]] = {
    Stage.LOAD: ("does not load", "do not load"),
    Stage.INFER: ("does not run", "do not run"),
    Stage.COMPILE: ("does not compile", "do not compile"),
    Stage.RESAVE: ("cannot be saved again", "cannot be saved again"),
    Stage.COMPARE: ("computes something else", "compute something else"),
}

STAND_INS: Mapping[StandInKind, str] = {
    StandInKind.GIT_LFS_POINTER: "a Git LFS pointer, not the model",
    StandInKind.DVC_POINTER: "a DVC pointer, not the model",
    StandInKind.DANGLING_LINK: "a link to nothing, not the model",
    StandInKind.HTML: "an HTML page, not a model",
    StandInKind.JSON: "a JSON document, not a model",
    StandInKind.XML: "an XML document, not a model",
    StandInKind.TEXT: "a text, not a model",
    StandInKind.EMPTY: "an empty file",
    StandInKind.TRUNCATED: "only the beginning of a model",
    StandInKind.MISSING_GRAPH: "a SavedModel without its graph",
    StandInKind.MISSING_VARIABLES: "a SavedModel without its variables",
    StandInKind.MISSING_SHARDS: "a checkpoint without all of its shards",
}


def count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def standing_of(report: Report) -> Standing:
    """As what the verdict is marked: where nothing was tried, nothing has passed."""
    if report.verdict is Verdict.PASSED:
        return Standing.PASSED if report.totals.passed else Standing.SKIPPED
    return Standing.FAILED if report.verdict is Verdict.FAILED else Standing.ERROR


def headline(cases: Sequence[CaseReport], runtimes: Sequence[RuntimeReport], totals: Totals, checks: Checks) -> str:
    """The verdict in one sentence."""
    if not cases:
        return "No model artifact was found, so nothing was loaded"
    artifacts = len({case.case.artifact for case in cases})
    open_ends = list(_open_ends(cases, runtimes, totals))
    if totals.failed:
        return "; ".join([_failed(cases, runtimes, artifacts), *open_ends])
    if open_ends:
        return "No verdict: " + "; ".join(open_ends)
    return _passed(cases, runtimes, totals, checks)


def _failed(cases: Sequence[CaseReport], runtimes: Sequence[RuntimeReport], artifacts: int) -> str:
    failed = [case for case in cases if case.standing is Standing.FAILED]
    stage_of: dict[str, Stage] = {}
    order = list(Stage)
    for case in failed:
        stage = case.decisive.stage if case.decisive else Stage.LOAD
        stage_of[case.case.artifact] = min(stage_of.get(case.case.artifact, stage), stage, key=order.index)
    parts = []
    for stage in order:
        number = sum(1 for found in stage_of.values() if found is stage)
        if number:
            parts.append(f"{number:,} {VERBS[stage][number > 1]}")
    first, *others = parts
    of, verb = first.split(" ", 1)
    subject = f"{of} of {count(artifacts, 'artifact')} {verb}"
    return " and ".join([subject, *others]) + _in_places(failed, runtimes, _tried(cases))


def _in_places(
    failed: Sequence[CaseReport], runtimes: Sequence[RuntimeReport], tried: Mapping[str, set[Device]]
) -> str:
    places: dict[str, set[Device]] = {}
    artifacts: dict[str, set[str]] = {}
    for case in failed:
        places.setdefault(case.case.runtime, set()).add(case.case.device)
        artifacts.setdefault(case.case.runtime, set()).add(case.case.artifact)
    named = [_place(runtime, places[runtime.name], tried) for runtime in runtimes if runtime.name in places]
    if len(named) > NAMED_RUNTIMES:
        return f": failures in {len(named)} of {len(runtimes)} runtimes"
    if len(named) == 1 or len({frozenset(found) for found in artifacts.values()}) == 1:
        return f" in {enumeration(named)}"
    numbers = [len(artifacts[runtime.name]) for runtime in runtimes if runtime.name in places]
    return ": " + ", ".join(f"{number:,} in {place}" for number, place in zip(numbers, named, strict=True))


def _tried(cases: Sequence[CaseReport]) -> Mapping[str, set[Device]]:
    tried: dict[str, set[Device]] = {}
    for case in cases:
        if case.standing in (Standing.PASSED, Standing.FAILED):
            tried.setdefault(case.case.runtime, set()).add(case.case.device)
    return tried


def _place(runtime: RuntimeReport, devices: set[Device], tried: Mapping[str, set[Device]]) -> str:
    """The runtime, and the device where another device of it did not do the same."""
    if devices >= tried[runtime.name]:
        return runtime.name
    return f"{runtime.name} on {'/'.join(sorted(devices))}"


def _open_ends(cases: Sequence[CaseReport], runtimes: Sequence[RuntimeReport], totals: Totals) -> Iterator[str]:
    broken = [runtime.name for runtime in runtimes if runtime.finding is not None and runtime.totals.errors]
    if len(broken) > NAMED_RUNTIMES:
        yield f"{len(broken)} of {len(runtimes)} runtimes could not be made"
    elif broken:
        yield f"{'runtime' if len(broken) == 1 else 'runtimes'} {enumeration(broken)} could not be made"
    errors = sum(1 for case in cases if case.standing is Standing.ERROR and case.reason is not Reason.RUNTIME)
    others = sum(1 for case in cases if case.reason is Reason.RUNTIME and case.case.runtime not in broken)
    if errors + others:
        yield f"{count(errors + others, 'case')} ended in an error"
    if totals.not_reached:
        yield f"the run is partial, {totals.not_reached:,} of {count(totals.cases, 'case')} not reached"


def _passed(cases: Sequence[CaseReport], runtimes: Sequence[RuntimeReport], totals: Totals, checks: Checks) -> str:
    if not totals.passed:
        return f"Nothing was loaded: {_all_of(totals.skipped, 'case')} skipped"
    passed = {case.case.artifact for case in cases if case.standing is Standing.PASSED}
    asked = {case.case.artifact for case in cases}
    if passed != asked:
        subject = f"{len(passed):,} of {count(len(asked), 'artifact')}"
    else:
        subject = f"All {len(passed):,} artifacts" if len(passed) > 1 else "1 artifact"
    verb = "load" if len(passed) > 1 else "loads"
    checked, unchecked = _checks(cases, checks, len(passed))
    tried = _tried(cases)
    named = [runtime.name for runtime in runtimes if runtime.name in tried]
    where = enumeration(named) if len(named) <= NAMED_RUNTIMES else f"{len(named)} runtimes"
    left = f"; {count(totals.skipped, 'case')} skipped" if totals.skipped else ""
    return f"{subject} {verb}{checked} in {where}{unchecked}{left}"


def _checks(cases: Sequence[CaseReport], checks: Checks, artifacts: int) -> tuple[str, str]:
    """What came of the stages after the load, before and after the place: one with nothing to run is no pass."""
    if len(checks.stages) == 1:
        return "", ""
    later = [
        (case.case.artifact, stage.outcome)
        for case in cases
        if case.standing is Standing.PASSED and case.result is not None
        for stage in case.result.stages
        if stage.stage is not Stage.LOAD
    ]
    unchecked = len({artifact for artifact, outcome in later if outcome is Outcome.SKIPPED})
    if not unchecked:
        return (" and pass every check" if artifacts > 1 else " and passes every check"), ""
    if all(outcome is Outcome.SKIPPED for _, outcome in later):
        return "", "; no check was made, there was nothing to run"
    left = f"{unchecked:,} {'has' if unchecked == 1 else 'have'} a check with nothing to run"
    others = artifacts - unchecked
    return "", f"; {others:,} {'passes' if others == 1 else 'pass'} every check, {left}" if others else f"; {left}"


def loads_but(warning: Diagnosis) -> str:
    """After what loads, of a change that it warns of."""
    return "but not as it was" if warning.confidence is Confidence.CERTAIN else "but perhaps not as it was"


def _all_of(number: int, noun: str) -> str:
    return f"the only {noun} was" if number == 1 else f"all {number:,} {noun}s were"


def enumeration(names: Sequence[str]) -> str:
    if len(names) < 2:  # noqa: PLR2004 - two names are joined, one is not
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def result_notes(*, unknown: int, stale: int, foreign: int, contested: int) -> Iterator[str]:
    if unknown:
        yield f"{_results(unknown)} of cases that the plan does not have; ignored"
    if stale:
        yield f"{_results(stale)} of other bytes than the plan's artifacts; ignored, run `loadgate load` again"
    if foreign:
        yield f"{_results(foreign)} of runtimes that have changed since; ignored, provision and load again"
    if contested:
        yield (
            f"the files of results disagree on {count(contested, 'case')}; "
            "a verdict counts before none, and a failure before a pass"
        )


def _results(number: int) -> str:
    return "1 result is" if number == 1 else f"{number:,} results are"


def call(path: str = "", spec: str = "") -> str:
    """The command that made a report, with the repository and the spec as the user named them."""
    words = [*([path] if path else []), *(["--spec", spec] if spec else [])]
    return " ".join(["loadgate", "check", *map(quoted, words)])


def call_at_root(spec: str | None, prefix: str = "") -> str:
    """The same for a reader at the root of the checkout, in which the repository lies at `prefix`.

    `spec` is as a report has it: one that is found by its name needs no naming.
    """
    return call(prefix.rstrip("/"), "" if spec is None or spec in SPEC_NAMES else os.path.join(prefix, spec))


def reproduction(case: Case, command: str) -> str:
    """The command that tries just this case again, from the one that tried them all."""
    return f"{command} --artifact {quoted(case.artifact)} --runtime {quoted(case.runtime)}"


def quoted(word: str) -> str:
    """As bash wants it, even where the word holds bytes that must not reach a terminal."""
    if word.isprintable():
        return shlex.quote(word)
    return "$'" + "".join(_ansi_c(byte) for byte in path_bytes(word)) + "'"


def path_bytes(path: str) -> bytes:
    """As the file system has it; a surrogate that no file name can hold becomes its own three bytes."""
    try:
        return os.fsencode(path)
    except UnicodeEncodeError:
        return path.encode("utf-8", "surrogatepass")


def _ansi_c(byte: int) -> str:
    character = chr(byte)
    if character in "\\'":
        return "\\" + character
    return character if character.isascii() and character.isprintable() else f"\\x{byte:02x}"


def saved_by(artifact: Artifact) -> tuple[str, ...]:
    """What the file says of its saver, part by part."""
    if artifact.facts is None:
        return ("not known, the file could not be read",)
    saver = artifact.facts.saved_with
    if saver.tensorflow is None and saver.keras is None and artifact.facts.producer is None:
        return ("not recorded in the file",)
    parts = [
        f"TensorFlow {saver.tensorflow}" if saver.tensorflow else "TensorFlow not recorded",
        f"Keras {saver.keras}" if saver.keras else "Keras not recorded",
    ]
    if saver.backend and saver.backend != "tensorflow":
        parts.append(f"backend {saver.backend}")
    if artifact.facts.producer is not None:
        parts.append(f"graph producer {artifact.facts.producer}")
    return tuple(parts)


def loaded_by(lock: Lock) -> tuple[str, ...]:
    """What the runtime really is, in the order of `saved_by`."""
    keras = f"Keras {lock.keras}" if lock.keras else "no Keras"
    if lock.keras_module and lock.keras_module != "keras":
        keras += f" ({lock.keras_module})"
    return (f"TensorFlow {lock.tensorflow}", keras, f"Python {lock.python}")


def reason_of(case: CaseReport) -> str:
    return REASONS[case.reason] if case.reason else ""
