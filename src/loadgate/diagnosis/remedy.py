"""From what failed to a plan of what might mend it: candidate runtimes, and the cases to be tried in them. Pure.

A candidate serves every failure that the same change might mend, and what passed before is tried in it too.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from loadgate.asked import of_environment
from loadgate.diagnosis.advice import advise_mending, advise_repair
from loadgate.diagnosis.change import Change, changed, combined, made_like
from loadgate.diagnosis.changes import NEARNESS, Failure, repair_of
from loadgate.diagnosis.draft import Sources
from loadgate.diagnosis.shared import base_of, shared
from loadgate.domain import (
    Artifact,
    Case,
    CaseResult,
    Finding,
    Forecast,
    Format,
    Plan,
    Remedy,
    Resave,
    Runtime,
    RuntimeState,
    Trial,
)

FIRST = 60
"""What is to be expected of the first change for a failure; of the second half, and so on."""
EXPECTED = 30
"""The least of one that is expected to help. It is less than the first is worth, which is nearest to production."""
SETTLED = 5 * FIRST
"""So much is done for a failure by what is expected to help: others come first then."""
MOST_KEPT = 100
"""So many of what passed before are tried in a candidate, the most different first."""


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A runtime that could not be made, and the cases that have no verdict for it."""

    runtime: Runtime
    finding: Finding
    cases: tuple[Case, ...]


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What the first round came to, as far as remedies need it."""

    plan: Plan
    states: Mapping[str, RuntimeState]
    failures: tuple[Failure, ...] = ()
    broken: tuple[Broken, ...] = ()
    passed: tuple[Case, ...] = ()
    results: Mapping[str, CaseResult] = field(default_factory=dict)
    """By the id of the case."""
    sources: Sources = field(default_factory=Sources)

    @property
    def artifacts(self) -> Mapping[str, Artifact]:
        return {artifact.path: artifact for artifact in self.plan.artifacts}


class Try(NamedTuple):
    """A change that might mend a failure."""

    failure: Failure
    change: Change
    rank: int
    """How many changes that need an environment come before it, for this failure."""
    forecast: Forecast

    @property
    def is_expected(self) -> bool:
        """To help."""
        return self.forecast is Forecast.WILL_LOAD

    @property
    def share(self) -> int:
        """How much is to be expected of it."""
        share = FIRST // (1 + self.rank)
        return max(share, EXPECTED) if self.is_expected else share


@dataclass(frozen=True, kw_only=True)
class Option:
    """One candidate runtime, and the failures that it might mend."""

    runtime: Runtime
    """As it would be made; of the same name as the original where nothing about it changes."""
    base: Runtime
    change: Change
    tries: tuple[Try, ...] = ()
    repairs: Broken | None = None
    twin: str = ""
    """The runtime of the plan that this one is under another name; empty where it has to be made."""
    after: Runtime | None = None
    """What the base becomes by the change, where that is another than the twin: it keeps what the change leaves."""

    @property
    def nearness(self) -> int:
        if self.repairs is not None:
            return 0
        return min(NEARNESS.index(each.change.kind) for each in self.tries)

    @property
    def makes_environment(self) -> bool:
        return self.change.needs_environment and not self.twin

    @property
    def environment(self) -> str:
        """What is made for it: of two runtimes the same changes often lead to one and the same."""
        return of_environment(self.runtime)


def options(findings: Findings, near: Collection[str] = ()) -> tuple[Option, ...]:
    """Every candidate, in no order. A re-save is none: it needs a runtime in which the artifact loads.

    For the failures `near` what mends them from afar is known already: only what is nearer is a candidate.
    """
    tries: dict[tuple[str, str], list[Try]] = {}
    for failure, prospects in shared(findings.failures, near):
        costly: dict[str, int] = {}
        for change, forecast in prospects:
            runtime_of_it = repr(change.of_runtime)
            rank = costly.setdefault(runtime_of_it, len(costly)) if change.needs_environment else 0
            tries.setdefault((base_of(failure), runtime_of_it), []).append(Try(failure, change, rank, forecast))
    found = []
    for mine in tries.values():
        failure, change, *_ = mine[0]
        name = _name(failure.runtime, failure.case, change)
        runtime = changed(failure.runtime, failure.lock, change.of_runtime, name=name)
        runtime = replace(runtime, devices=(failure.case.device,))
        found.append(Option(runtime=runtime, base=failure.runtime, change=change.of_runtime, tries=tuple(mine)))
    return (*(each for broken in findings.broken for each in _repair(broken)), *found)


def _name(runtime: Runtime, case: Case, change: Change) -> str:
    device = f" ({case.device})" if len(runtime.devices) > 1 else ""
    return f"{runtime.name}{device} with {change.label}" if not change.leaves_runtime else f"{runtime.name} as it is"


def _repair(broken: Broken) -> Iterator[Option]:
    """Into what exists already nothing is installed, and of what cannot be imported none is made alike."""
    change = repair_of(broken.runtime, broken.finding)
    exists = broken.runtime.interpreter is not None or broken.runtime.image is not None
    if change is not None and not (exists and change.needs_environment):
        yield _repairing_with(change, broken)


def _repairing_with(change: Change, broken: Broken) -> Option:
    runtime = changed(broken.runtime, None, change, name=f"{broken.runtime.name} with {change.label}")
    return Option(runtime=runtime, base=broken.runtime, change=change, repairs=broken)


def repaired_further(option: Option, state: RuntimeState | None) -> Iterator[Option]:
    """Where a repair only uncovered the next thing that is wrong: both repairs at once."""
    if option.repairs is None or state is None or state.finding is None:
        return
    change = repair_of(option.base, state.finding)
    if change is not None and (both := combined(option.change, change)).label != option.change.label:
        yield _repairing_with(both, option.repairs)


def in_order(candidates: Iterable[Option], *, environments: int, tried: Iterable[Option] = ()) -> tuple[Option, ...]:
    """Those to be tried, and in which order: what mends many before what mends one, and of equals the nearest.

    At most `environments` are made for them, and what was made for one that was `tried` serves others for nothing. A
    failure that others have been chosen for, or were `tried` for, weighs less, so that each gets its turn.
    """
    left = list(candidates)
    tried = list(tried)
    free = [option for option in left if not option.makes_environment]
    costly: dict[str, list[Option]] = {}
    for option in left:
        if option.makes_environment:
            costly.setdefault(option.environment, []).append(option)
    served: Counter[str] = Counter()
    for option in tried:
        served.update(_served_by(option))
    already = dict.fromkeys(each.environment for each in tried)
    chosen = [option for environment in already for option in costly.pop(environment, [])]
    for _ in range(environments):
        if not costly:
            break
        best = max(costly, key=lambda environment: _worth_of_all(costly[environment], served))
        for option in costly.pop(best):
            chosen.append(option)
            served.update(_planned_for(option))
    free.sort(key=lambda option: (option.nearness, -len(option.tries)))
    return (*free, *chosen)


def _worth_of_all(options: Iterable[Option], served: Mapping[str, int]) -> tuple[float, int]:
    """Of all that one environment serves."""
    worths = [_worth(option, served) for option in options]
    return sum(worth for worth, _ in worths), max(nearness for _, nearness in worths)


def _worth(option: Option, served: Mapping[str, int]) -> tuple[float, int]:
    if option.repairs is not None:
        return float(len(option.repairs.cases)), 0
    shares = _served_by(option)
    return sum(share / (1 + served.get(case, 0) / FIRST) ** 2 for case, share in shares.items()), -option.nearness


def _served_by(option: Option) -> Mapping[str, int]:
    """Failure → how much is to be expected of the option: most of what is the first for it, little of its fifth."""
    return {each.failure.case.id: each.share for each in option.tries}


def _planned_for(option: Option) -> Mapping[str, int]:
    """Failure → what it has of an option that will have been tried before the next."""
    return {each.failure.case.id: SETTLED if each.is_expected else each.share for each in option.tries}


# --- as a plan ----------------------------------------------------------------------------------------------------


def plan_of(chosen: Sequence[Option], findings: Findings) -> Plan:
    """The candidates as a plan that provision and load take like any other."""
    runtimes: dict[str, Runtime] = {}
    cases: dict[str, Case] = {}
    trials: list[Trial] = []
    for option in chosen:
        runtimes.setdefault(option.runtime.name, option.runtime)
        for case, trial in (*_mending(option, findings), *_repairing(option, findings), *_keeping(option, findings)):
            cases.setdefault(case.id, case)
            trials.append(trial)
    return _plan(findings, runtimes.values(), cases.values(), trials)


def in_two(step: Plan) -> tuple[Plan, Plan]:
    """What might be mended, and what loaded before."""
    kept = {trial.case for trial in step.trials if trial.keeps is not None}
    mending, keeping = (
        replace(
            step,
            cases=tuple(case for case in step.cases if (case.id in kept) is is_kept),
            trials=tuple(trial for trial in step.trials if (trial.case in kept) is is_kept),
        )
        for is_kept in (False, True)
    )
    return mending, keeping


def _plan(findings: Findings, runtimes: Iterable[Runtime], cases: Iterable[Case], trials: Sequence[Trial]) -> Plan:
    cases = tuple(cases)
    used = {case.artifact for case in cases}
    return replace(
        findings.plan,
        artifacts=tuple(artifact for artifact in findings.plan.artifacts if artifact.path in used),
        runtimes=tuple(runtimes),
        cases=cases,
        notes=(),
        trials=tuple(trials),
    )


def _mending(option: Option, findings: Findings) -> Iterator[tuple[Case, Trial]]:
    for failure, change, *_ in option.tries:
        case = trial_case(failure.case, option.runtime, change)
        remedy = _advice(change, failure, option.after or option.runtime, findings)
        if option.twin:
            remedy = replace(remedy, headline=f"{remedy.headline}, as in `{option.twin}`")
        yield case, Trial(case=case.id, mends=failure.case.id, failed=failure.failed, remedy=remedy)


def _advice(change: Change, failure: Failure, after: Runtime, findings: Findings) -> Remedy:
    artifacts = findings.artifacts
    format_ = failure.artifact.format
    here = (case for case in findings.passed if case.runtime == failure.runtime.name)
    alone = not any(artifacts[case.artifact].format is format_ for case in here)
    return advise_mending(
        change,
        failure.case,
        failure.lock,
        all_of_format=format_ if alone else None,
        base=failure.runtime,
        after=after,
        sources=findings.sources,
    )


def _repairing(option: Option, findings: Findings) -> Iterator[tuple[Case, Trial]]:
    if option.repairs is None:
        return
    remedy = advise_repair(option.change, base=option.base, after=option.runtime, sources=findings.sources)
    for original in option.repairs.cases:
        case = trial_case(original, option.runtime, option.change)
        yield case, Trial(case=case.id, repairs=option.base.name, remedy=remedy)


def _keeping(option: Option, findings: Findings) -> Iterator[tuple[Case, Trial]]:
    if option.change.leaves_runtime or option.repairs is not None:
        return
    device = option.tries[0].failure.case.device
    mine = [case for case in findings.passed if (case.runtime, case.device) == (option.base.name, device)]
    for original in most_different(mine, findings.artifacts)[:MOST_KEPT]:
        case = trial_case(original, option.runtime, option.change)
        yield case, Trial(case=case.id, keeps=original.id)


def most_different(cases: Sequence[Case], artifacts: Mapping[str, Artifact]) -> list[Case]:
    """One of each format and saver first."""
    seen: dict[object, int] = {}
    ranked = []
    for case in cases:
        artifact = artifacts[case.artifact]
        kind = (artifact.format, artifact.facts.saved_with if artifact.facts else None)
        seen[kind] = seen.get(kind, 0) + 1
        ranked.append((seen[kind], case))
    return [case for _, case in sorted(ranked, key=lambda pair: pair[0])]


def trial_case(original: Case, runtime: Runtime, change: Change) -> Case:
    loader = change.loader or original.loader
    parts = (original.artifact, runtime.name, original.device, loader, change.resave or "")
    identity = "\0".join(parts).encode("utf-8", "surrogateescape")
    return replace(original, id=hashlib.sha256(identity).hexdigest()[:16], runtime=runtime.name, loader=loader)


# --- saved again --------------------------------------------------------------------------------------------------


def resave_plan(
    failures: Sequence[tuple[Failure, Change]], sources: Mapping[str, Case], findings: Findings, *, environments: int
) -> Plan:
    """`sources`: id of the failed case → a case of the same artifact that passed, or will be tried, elsewhere.

    Each change is tried by two cases: one loads the original there and saves it, the other loads that in the target.
    Of runtimes that have to be made for it there are at most `environments`.
    """
    runtimes: dict[str, Runtime] = {}
    cases: dict[str, Case] = {}
    trials: list[Trial] = []
    known = {runtime.name: runtime for runtime in findings.plan.runtimes}
    for failure, change in failures:
        source = sources.get(failure.case.id)
        if source is None or change.resave is None or source.runtime not in known:
            continue
        two = [_within_reach(each, findings.states) for each in (known[source.runtime], failure.runtime)]
        needed = {**runtimes, **{each.name: each for each in two}}
        if len(needed.keys() - known.keys()) > environments:
            continue
        runtimes = needed
        saver = _saver(replace(source, runtime=two[0].name), change.resave)
        target = trial_case(failure.case, two[1], change)
        if saver.id not in cases:
            trials.append(Trial(case=saver.id, saves=change.resave))
        cases |= {saver.id: saver, target.id: target}
        remedy = _advice(change, failure, failure.runtime, findings)
        resave = Resave(source=saver.id, format=change.resave)
        trials.append(Trial(case=target.id, mends=failure.case.id, failed=failure.failed, remedy=remedy, resave=resave))
    return _plan(findings, runtimes.values(), cases.values(), trials)


def _within_reach(runtime: Runtime, states: Mapping[str, RuntimeState]) -> Runtime:
    """What is saved in a container stays there, and into it comes nothing: for an image, a runtime that is like it."""
    state = states.get(runtime.name)
    if runtime.image is None or state is None or state.lock is None:
        return runtime
    return replace(made_like(runtime, state.lock), name=f"{runtime.name} made alike")


def _saver(source: Case, format_: Format) -> Case:
    identity = "\0".join((source.id, source.runtime, "saves", format_)).encode()
    return replace(source, id=hashlib.sha256(identity).hexdigest()[:16])
