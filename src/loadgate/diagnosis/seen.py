"""What a run has made and loaded already, under whatever name, is not made and loaded again for a remedy. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from loadgate.asked import of_environment, of_loads
from loadgate.domain import Case, CaseResult, Device, Loader, Outcome, Plan, Runtime, RuntimeState

Question = tuple[str, Device, Loader, str]
"""Artifact, device, loader, and what is asked of the runtime: what decides how a load ends."""


def states_of(runtimes: Iterable[Runtime], known: Iterable[RuntimeState]) -> dict[str, RuntimeState]:
    """By name: what came of one of whom the same was asked."""
    by_words = {state.asked: state for state in known if state.asked is not None}
    asked = {runtime.name: of_environment(runtime) for runtime in runtimes}
    return {name: replace(by_words[words], name=name) for name, words in asked.items() if words in by_words}


def results_of(step: Plan, rounds: Iterable[tuple[Plan, Mapping[str, CaseResult]]]) -> dict[str, CaseResult]:
    """By the id of a case of `step`: how the same load ended in one of the `rounds`."""
    known: dict[Question, CaseResult] = {}
    for plan, results in rounds:
        for case, question in _questions(plan):
            result = results.get(case.id)
            if result is not None and result.outcome in (Outcome.PASSED, Outcome.FAILED):
                known.setdefault(question, result)
    return {case.id: replace(known[question], case=case.id) for case, question in _questions(step) if question in known}


def _questions(plan: Plan) -> Iterable[tuple[Case, Question]]:
    """Not of what is saved again: it is another file each time."""
    asked = {runtime.name: of_loads(runtime) for runtime in plan.runtimes}
    apart = {trial.case for trial in plan.trials if trial.saves is not None or trial.resave is not None}
    for case in plan.cases:
        if case.id not in apart:
            yield case, (case.artifact, case.device, case.loader, asked[case.runtime])
