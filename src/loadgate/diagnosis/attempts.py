"""What the trials of a plan of candidates came to: which remedies are verified, which are refuted. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

from loadgate.diagnosis.change import has_open_keras
from loadgate.diagnosis.changes import NEARNESS
from loadgate.diagnosis.edits import finished
from loadgate.domain import CaseResult, Lock, Locks, Outcome, Plan, Remedy, RemedyKind, RuntimeState, Stage, Trial


class Ending(StrEnum):
    VERIFIED = "verified"
    """It loaded, and what failed before passed."""
    REFUTED = "refuted"
    """It was tried and does not help."""
    NOT_SHOWN = "not_shown"
    """It loaded, but what failed before was not run."""
    NOT_TRIED = "not_tried"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One remedy that was to be tried for one failure."""

    trial: Trial
    remedy: Remedy
    """As it is to be reported: with what was found out."""
    ending: Ending
    message: str = ""
    """One line: what happened instead of a load."""


@dataclass(frozen=True)
class Rounds:
    """The plan of candidates with what became of it."""

    candidates: Plan
    states: Mapping[str, RuntimeState]
    results: Mapping[str, CaseResult]

    @classmethod
    def of(cls, candidates: Plan, locks: Locks, results: Iterable[CaseResult]) -> Rounds:
        return cls(candidates, {state.name: state for state in locks.runtimes}, {one.case: one for one in results})

    @cached_property
    def _runtimes(self) -> Mapping[str, str]:
        return {case.id: case.runtime for case in self.candidates.cases}

    def runtime_of(self, case: str) -> str:
        return self._runtimes[case]

    def tried_in(self, name: str, kind: RemedyKind, lock: Lock) -> str:
        """The versions of a candidate; of a Keras that nobody asked for, that it is today's."""
        runtime = next((each for each in self.candidates.runtimes if each.name == name), None)
        text = in_words(lock)
        is_new = kind in (RemedyKind.TENSORFLOW, RemedyKind.PYTHON)
        if runtime is None or not is_new or not has_open_keras(runtime, lock):
            return text
        return text.replace(f"Keras {lock.keras}", f"Keras {lock.keras} (which is installed with it today)", 1)

    def passed(self, case: str) -> bool:
        result = self.results.get(case)
        return result is not None and result.outcome is Outcome.PASSED


def attempts(rounds: Rounds) -> Mapping[str, tuple[Attempt, ...]]:
    """By the id of the failed case, in the order in which they were planned."""
    found: dict[str, list[Attempt]] = {}
    harm = _harm(rounds)
    for trial in rounds.candidates.trials:
        if trial.mends is not None and trial.remedy is not None:
            found.setdefault(trial.mends, []).append(_attempt(rounds, trial, trial.remedy, harm))
    return {case: tuple(each) for case, each in found.items()}


def remedies(tried: Sequence[Attempt]) -> tuple[Remedy, ...]:
    """Best first: what was verified and harms nothing, what harms something, what was not tried."""
    kept = [attempt for attempt in tried if attempt.ending is not Ending.REFUTED]
    ranked = [attempt.remedy for attempt in sorted(kept, key=_rank)]
    first = next((remedy for remedy in ranked if remedy.kind is RemedyKind.RESAVE), None)
    # what `fix --write` writes is the first
    return tuple(
        remedy if remedy is first or remedy.kind is not RemedyKind.RESAVE else replace(remedy, command=None)
        for remedy in ranked
    )


def _rank(attempt: Attempt) -> tuple[bool, bool, int]:
    remedy = attempt.remedy
    return not remedy.verified, bool(remedy.breaks), NEARNESS.index(remedy.kind)


def _attempt(rounds: Rounds, trial: Trial, remedy: Remedy, harm: Mapping[str, tuple[int, tuple[str, ...]]]) -> Attempt:
    runtime = rounds.runtime_of(trial.case)
    state = rounds.states.get(runtime)
    result = rounds.results.get(trial.case)
    if state is not None and state.finding is not None:
        return _refuted(trial, remedy, f"could not be made: {state.finding.headline}")
    if trial.resave is not None and (failed := _failed_to_save(rounds, trial.resave.source)):
        return _refuted(trial, remedy, failed)
    if state is None or state.lock is None or result is None:
        why = "the bounds on trying remedies were reached before it"
        return Attempt(trial=trial, remedy=replace(remedy, why_not_verified=why), ending=Ending.NOT_TRIED)
    if result.outcome is not Outcome.PASSED:
        return _refuted(trial, remedy, message_of(result))
    if unseen := _unseen(trial, result):
        unshown = replace(remedy, why_not_verified=unseen)
        return Attempt(trial=trial, remedy=unshown, ending=Ending.NOT_SHOWN)
    keeps, breaks = harm.get(runtime, (0, ()))
    lock, seconds = state.lock, state.seconds + result.seconds
    if trial.resave is not None:
        keeps, breaks = 0, ()
        lock, seconds = _saver(rounds, trial.resave.source, lock, seconds)
    verified = replace(
        remedy,
        verified=True,
        edits=finished(remedy.edits, lock),
        tried_in=rounds.tried_in(runtime, remedy.kind, state.lock)
        + (f", saved in {in_words(lock)}" if trial.resave is not None else ""),
        seconds=round(seconds, 1),
        keeps=keeps,
        breaks=breaks,
    )
    if trial.resave is not None:
        verified = replace(verified, headline=f"{verified.headline}{_compared(result)}")
    return Attempt(trial=trial, remedy=verified, ending=Ending.VERIFIED)


def _unseen(trial: Trial, result: CaseResult) -> str:
    """Which stage that failed before was not seen to pass, and why; empty where each was."""
    stages = {each.stage: each for each in result.stages}
    passed = {stage for stage, each in stages.items() if each.outcome is Outcome.PASSED}
    if trial.resave is not None and Stage.COMPARE in passed:
        passed.add(Stage.INFER)  # both were run, on the same inputs
    stage = next((stage for stage in trial.failed if stage not in passed), None)
    if stage is None:
        return ""
    instead = stages.get(stage) or stages.get(Stage.COMPARE)
    why = f": {instead.message}" if instead and instead.message else ""
    return f"it loads with it, but `{stage}`, which failed, could not be tried there{why}"


def _refuted(trial: Trial, remedy: Remedy, message: str) -> Attempt:
    refuted = replace(remedy, why_not_verified=f"tried, and it does not help: {message}")
    return Attempt(trial=trial, remedy=refuted, ending=Ending.REFUTED, message=message)


def _failed_to_save(rounds: Rounds, source: str) -> str:
    result = rounds.results.get(source)
    return f"where it loads it cannot be saved: {message_of(result)}" if result and not rounds.passed(source) else ""


def _saver(rounds: Rounds, source: str, lock: Lock, seconds: float) -> tuple[Lock, float]:
    """A re-save is told by where it was saved."""
    state = rounds.states.get(rounds.runtime_of(source))
    result = rounds.results.get(source)
    if state is None or state.lock is None or result is None:
        return lock, seconds
    return state.lock, seconds + state.seconds + result.seconds


def _compared(result: CaseResult) -> str:
    """Whether what was saved again still computes what the original computes."""
    stage = next((stage for stage in result.stages if stage.stage is Stage.COMPARE), None)
    if stage is None or stage.outcome is Outcome.SKIPPED:
        return " (its outputs could not be compared)"
    return " (its outputs are the same)"


def _harm(rounds: Rounds) -> Mapping[str, tuple[int, tuple[str, ...]]]:
    """Candidate runtime → how many of what passed before pass in it too, and what does not."""
    artifact_of = {case.id: case.artifact for case in rounds.candidates.cases}
    kept: dict[str, int] = {}
    broken: dict[str, list[str]] = {}
    for trial in rounds.candidates.trials:
        result = rounds.results.get(trial.case)
        if trial.keeps is None or result is None:
            continue
        runtime = rounds.runtime_of(trial.case)
        if result.outcome is Outcome.PASSED:
            kept[runtime] = kept.get(runtime, 0) + 1
        elif result.outcome is Outcome.FAILED:
            broken.setdefault(runtime, []).append(artifact_of[trial.case])
    return {name: (kept.get(name, 0), tuple(broken.get(name, ()))) for name in {*kept, *broken}}


def repairs(rounds: Rounds) -> Mapping[str, tuple[Remedy, ...]]:
    """By the name of the runtime that could not be made."""
    found: dict[str, dict[str, Remedy]] = {}
    for name, candidate, remedy in _repairing(rounds):
        state = rounds.states.get(candidate)
        if state is None:
            why = "the bounds on trying remedies were reached before it"
            found.setdefault(name, {})[candidate] = replace(remedy, why_not_verified=why)
        elif state.lock is not None:
            trials = (trial for trial in rounds.candidates.trials if trial.repairs == name)
            mine = [trial.case for trial in trials if rounds.runtime_of(trial.case) == candidate]
            loaded = sum(rounds.passed(case) for case in mine)
            total = state.seconds + sum(rounds.results[case].seconds for case in mine if case in rounds.results)
            found.setdefault(name, {})[candidate] = replace(
                remedy,
                verified=True,
                headline=f"{remedy.headline}; then {loaded:,} of {len(mine):,} artifacts load",
                edits=finished(remedy.edits, state.lock),
                tried_in=rounds.tried_in(candidate, remedy.kind, state.lock),
                seconds=round(total, 1),
            )
    return {name: tuple(each.values()) for name, each in found.items()}


def _repairing(rounds: Rounds) -> Iterator[tuple[str, str, Remedy]]:
    for trial in rounds.candidates.trials:
        if trial.repairs is not None and trial.remedy is not None:
            yield trial.repairs, rounds.runtime_of(trial.case), trial.remedy


def message_of(result: CaseResult) -> str:
    decisive = next((stage for stage in result.stages if stage.outcome is result.outcome), None)
    return decisive.message if decisive else result.outcome.value


def in_words(lock: Lock) -> str:
    keras = f", Keras {lock.keras}" if lock.keras else ""
    module = f" ({lock.keras_module})" if lock.keras_module == "tf_keras" else ""
    return f"TensorFlow {lock.tensorflow}{keras}{module}, Python {lock.python}"


def is_worth_a_resave(tried: Sequence[Attempt]) -> bool:
    """Nothing nearer than another TensorFlow or Python mends it without harm."""
    far = (RemedyKind.TENSORFLOW, RemedyKind.PYTHON)
    return not any(each.remedy.verified and not each.remedy.breaks and each.remedy.kind not in far for each in tried)
