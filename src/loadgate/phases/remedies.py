"""The second round: what might mend the failures of the first is made, tried, and told apart from what does not help.

Network for the runtimes, and the artifacts' code is run: here both in one process, as in all of `loadgate check`. Where
the phases run apart, `load` writes the candidates as a plan, and `provision` and `load` take it like any other.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path

from loadgate.diagnosis.attempts import Attempt, Ending, Rounds, attempts, is_worth_a_resave
from loadgate.diagnosis.change import Change
from loadgate.diagnosis.changes import KERAS_LOADERS, Failure, resaves
from loadgate.diagnosis.definitions import find_definitions
from loadgate.diagnosis.draft import read_sources
from loadgate.diagnosis.elsewhere import loads_elsewhere, seen_elsewhere
from loadgate.diagnosis.explain import explain
from loadgate.diagnosis.remedy import (
    Broken,
    Findings,
    Option,
    in_order,
    in_two,
    options,
    plan_of,
    repaired_further,
    resave_plan,
)
from loadgate.diagnosis.seen import results_of, states_of
from loadgate.domain import (
    Case,
    CaseResult,
    Finding,
    FindingKind,
    Locks,
    Outcome,
    Plan,
    RemedyBounds,
    RemedyKind,
    Runtime,
    RuntimeState,
)
from loadgate.errors import UsageError
from loadgate.interchange import (
    decode_results,
    read_results,
    write_document,
)
from loadgate.phases.load import Options, load
from loadgate.phases.provision import make
from loadgate.progress import Progress, ShowProgress
from loadgate.runtimes.making import Workshop, open_workshop
from loadgate.runtimes.processes import Processes, StoppedError

LEAST_PATIENCE = 60.0
"""Seconds that a runtime or a load gets which was begun just before the time was up."""
SAVED_AT_ONCE = 40
"""Between so many re-saves it is seen to whether there is time for more."""

Tell = Callable[[tuple[Attempt, ...]], None]


def findings_of(plan: Plan, locks: Locks, results: Iterable[CaseResult]) -> Findings:
    """What the first round came to. Reads the repository, for what it defines and declares; imports nothing of it."""
    root = Path(plan.repository)
    states = {state.name: state for state in locks.runtimes}
    by_case = {result.case: result for result in results}
    failures = tuple(_failures(plan, states, by_case))
    names = {found.name for failure in failures for found in failure.facts.custom_objects}
    names |= {proposal.value for failure in failures for proposal in failure.diagnosis.proposals}
    definitions = find_definitions(root, names)
    passed = tuple(case for case in plan.cases if case.id in by_case and by_case[case.id].outcome is Outcome.PASSED)
    return Findings(
        plan=plan,
        states=states,
        failures=tuple(replace(failure, definitions=definitions) for failure in failures),
        broken=tuple(_broken(plan, states)),
        passed=passed,
        results=by_case,
        sources=read_sources(root, plan.runtimes, plan.spec_file),
    )


def _failures(plan: Plan, states: Mapping[str, RuntimeState], results: Mapping[str, CaseResult]) -> Iterator[Failure]:
    artifacts = {artifact.path: artifact for artifact in plan.artifacts}
    runtimes = {runtime.name: runtime for runtime in plan.runtimes}
    for case in plan.cases:
        result, state = results.get(case.id), states.get(case.runtime)
        if result is None or state is None or state.lock is None or result.outcome is not Outcome.FAILED:
            continue
        artifact, runtime = artifacts[case.artifact], runtimes[case.runtime]
        diagnosis = explain(artifact, case, runtime, state.lock, result)
        if diagnosis is not None:
            yield Failure(
                case=case,
                artifact=artifact,
                runtime=runtime,
                lock=state.lock,
                diagnosis=diagnosis,
                failed=result.failed,
            )


def _broken(plan: Plan, states: Mapping[str, RuntimeState]) -> Iterator[Broken]:
    for runtime in plan.runtimes:
        state = states.get(runtime.name)
        cases = tuple(case for case in plan.cases if case.runtime == runtime.name)
        if state is not None and state.finding is not None and cases:
            yield Broken(runtime=runtime, finding=state.finding, cases=cases)


def candidates(findings: Findings, bounds: RemedyBounds) -> Plan:
    """All that may be tried within `bounds`, as one plan, for phases that run apart and know nothing of time."""
    chosen = in_order(options(findings, seen_elsewhere(findings)), environments=bounds.runtimes)
    expected = {each.failure.case.id for option in chosen for each in option.tries if each.is_expected}
    chosen += loads_elsewhere(findings, seen_elsewhere(findings) - expected)
    plain = plan_of(chosen, findings)
    sources = {case.artifact: case for case in findings.passed}
    wanted = [(each, change) for each in findings.failures for change in _resaves(each)]
    by_failure = {each.case.id: sources[each.case.artifact] for each, _ in wanted if each.case.artifact in sources}
    left = bounds.runtimes - len({option.environment for option in chosen if option.makes_environment})
    return joined(plain, resave_plan(wanted, by_failure, findings, environments=left))


def _resaves(failure: Failure) -> Iterator[Change]:
    if failure.can_be_mended and any(each.kind is RemedyKind.RESAVE for each in failure.diagnosis.proposals):
        yield from resaves(failure)


def joined(first: Plan, second: Plan) -> Plan:
    """Both plans as one; what has the same name in both is the same."""
    return replace(
        first,
        artifacts=tuple({each.path: each for each in (*first.artifacts, *second.artifacts)}.values()),
        runtimes=tuple({each.name: each for each in (*first.runtimes, *second.runtimes)}.values()),
        cases=tuple({each.id: each for each in (*first.cases, *second.cases)}.values()),
        trials=tuple(dict.fromkeys((*first.trials, *second.trials))),
    )


@dataclass(kw_only=True)
class Workbench:
    """Tries one candidate after the other until every failure is mended or the bounds are reached."""

    findings: Findings
    bounds: RemedyBounds
    cache: Path
    show_progress: ShowProgress
    workers: int | None = None
    tell: Tell = lambda _attempts: None
    """Told what each candidate came to."""
    resave_always: bool = False
    """Also where something nearer has been verified."""
    begun: float = field(default_factory=time.monotonic)
    plan: Plan = field(default_factory=Plan)
    states: dict[str, RuntimeState] = field(default_factory=dict)
    results: dict[str, CaseResult] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    """Environments, so far."""
    products: Path | None = None
    """Where what was saved again is kept."""

    @property
    def rounds(self) -> Rounds:
        return Rounds(self.plan, self.states, self.results)

    @property
    def time_left(self) -> float:
        return self.bounds.time - (time.monotonic() - self.begun)

    def run(self) -> Rounds:
        left = list(options(self.findings, seen_elsewhere(self.findings)))
        tried: list[Option] = []
        while self.time_left > 0:
            left = [narrowed for option in left if (narrowed := _narrowed(option, self._open(option))) is not None]
            order = in_order(left, environments=self.bounds.runtimes - len(self.made), tried=tried)
            if not order:
                break
            option = order[0]
            left.remove(option)
            if option.makes_environment:
                self.made.add(option.environment)
                tried.append(option)
            self._try(plan_of([option], self.findings))
            left += repaired_further(option, self.states.get(option.runtime.name))
        self._look_elsewhere()
        self._resave()
        return self.rounds

    def _open(self, option: Option) -> set[str]:
        """The failures for which it is still worth its price.

        A remedy that breaks something else is not the last word, but no reason to make further environments: what
        one TensorFlow breaks, its neighbours break too.
        """
        tried = attempts(self.rounds)
        settled = {
            case
            for case, each in tried.items()
            if any(a.remedy.verified and (option.makes_environment or not a.remedy.breaks) for a in each)
        }
        return {failure.case.id for failure in self.findings.failures} - settled

    def _try(self, step: Plan) -> None:
        """What loaded before is loaded again only where something is mended."""
        may_load = self.time_left > 0
        mending, keeping = in_two(step)
        self._look_up_or_load(mending, may_load=may_load)
        if any(self.rounds.passed(trial.case) for trial in mending.trials):
            self._look_up_or_load(keeping, may_load=may_load)
        mine = {trial.case for trial in step.trials}
        told = (one for each in attempts(self.rounds).values() for one in each if one.trial.case in mine)
        self.tell(tuple(told))

    def _look_up_or_load(self, step: Plan, *, may_load: bool) -> None:
        """What this run has made or loaded already, for whichever remedy, is only looked up."""
        made = {**self.findings.states, **self.states}
        self.states |= states_of((each for each in step.runtimes if each.name not in self.states), made.values())
        seen = results_of(step, [(self.findings.plan, self.findings.results), (self.plan, self.results)])
        self.results |= seen
        left = replace(step, cases=tuple(case for case in step.cases if case.id not in seen))
        if left.cases and may_load:
            self._load(left)
        self.plan = joined(self.plan, step) if self.plan.cases else step

    def _load(self, step: Plan) -> None:
        with self.show_progress(cases=len(step.cases), remedies=True) as progress:
            missing = [runtime for runtime in step.runtimes if runtime.name not in self.states]
            locks = self._made(replace(step, runtimes=tuple(missing), cases=()), progress)
            self.states |= {state.name: state for state in locks.runtimes}
            known = Locks(runtimes=tuple(self.states[runtime.name] for runtime in step.runtimes))
            stream = BytesIO()
            patience = patience_of(step.checks.timeout, time_left=self.time_left)
            step = replace(step, checks=replace(step.checks, timeout=patience))
            load(step, known, stream, progress, Options(workers=self.workers, products=self.products))
        self.results |= {result.case: result for result in decode_results(stream.getvalue(), Path("results.jsonl"))}

    def _made(self, step: Plan, progress: Progress) -> Locks:
        return make_candidates(step, self.cache, progress, patience=max(LEAST_PATIENCE, self.time_left))

    def _look_elsewhere(self) -> None:
        """Where nothing was verified, and whatever the time: the loads are those of the first round."""
        mended = {case for case, tried in attempts(self.rounds).items() if any(each.remedy.verified for each in tried)}
        for option in loads_elsewhere(self.findings, seen_elsewhere(self.findings) - mended):
            self._try(plan_of([option], self.findings))

    def _resave(self) -> None:
        """From where it loads: another runtime of the user's, or a candidate. First what nothing else mends."""
        tried = attempts(self.rounds)
        wanted = [
            (failure, change)
            for failure in self.findings.failures
            if failure.can_be_mended and (self.resave_always or is_worth_a_resave(tried.get(failure.case.id, ())))
            for change in resaves(failure)
        ]
        mended = {case for case, each in tried.items() if any(attempt.remedy.verified for attempt in each)}
        wanted.sort(key=lambda pair: (pair[0].case.id in mended, pair[0].artifact.path))
        sources = {
            failure.case.id: source
            for failure, _ in wanted
            if (source := self._source(failure, tried.get(failure.case.id, ()))) is not None
        }
        self.states = {**self.findings.states, **self.states}
        known = replace(self.findings.plan, runtimes=(*self.findings.plan.runtimes, *self.plan.runtimes))
        findings = replace(self.findings, plan=known, states=self.states)
        left = self.bounds.runtimes - len(self.made)
        for first in range(0, len(wanted), SAVED_AT_ONCE):
            step = resave_plan(wanted[first : first + SAVED_AT_ONCE], sources, findings, environments=left)
            if step.cases and self.time_left > 0:
                self._try(step)

    def _source(self, failure: Failure, tried: Iterable[Attempt]) -> Case | None:
        """A case in which it loads as a Keras model, so that it can be saved."""
        elsewhere = [case for case in self.findings.passed if case.artifact == failure.case.artifact]
        trials = {attempt.trial.case for attempt in tried if attempt.ending is Ending.VERIFIED}
        elsewhere += [case for case in self.plan.cases if case.id in trials]
        return next((case for case in elsewhere if case.loader in KERAS_LOADERS), None)


def patience_of(timeout: float, *, time_left: float) -> float:
    """Seconds for one load. Some files loop for ever in a Keras that is not theirs: the other trials need time too."""
    return min(timeout, max(LEAST_PATIENCE, time_left / 2))


def make_candidates(
    plan: Plan, cache: Path, progress: Progress, *, patience: float, images: Path | None = None
) -> Locks:
    """Make the runtimes of `plan` one after another, in `patience` seconds. Never raises: what fails mends nothing."""
    processes = Processes()
    timer = threading.Timer(patience, processes.stop)
    timer.daemon = True
    timer.start()
    try:
        workshop = open_workshop(cache, processes, refresh=False)
        repository = Path(plan.repository)
        return Locks(runtimes=tuple(_candidate(each, repository, workshop, progress, images) for each in plan.runtimes))
    finally:
        timer.cancel()
        processes.stop()


def _candidate(
    runtime: Runtime, repository: Path, workshop: Workshop, progress: Progress, images: Path | None
) -> RuntimeState:
    try:
        return make(runtime, repository, workshop, progress, images)
    except UsageError as error:
        finding = Finding(kind=FindingKind.PYTHON, cause="no_such_python", headline=str(error))
    except StoppedError:
        finding = Finding(kind=FindingKind.INSTALL, cause="timed_out", headline="It was not made in time.")
    state = RuntimeState(name=runtime.name, finding=finding)
    progress.runtime_finished(state)
    return state


def write_candidates(file: Path, planned: Plan, locks: Locks, results: Path) -> None:
    """What might mend the failures of the first round, for the phases to try; with no case where nothing failed."""
    findings = findings_of(planned, locks, read_results(results))
    write_document(file, candidates(findings, planned.remedies))


def _narrowed(option: Option, open_cases: set[str]) -> Option | None:
    """Without the failures that are mended already; None where it has nothing left to mend."""
    if option.repairs is not None:
        return option
    tries = tuple(each for each in option.tries if each.failure.case.id in open_cases)
    return replace(option, tries=tries) if tries else None
