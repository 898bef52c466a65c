"""What fails in one runtime and loads in another of the same run: that one's versions are a remedy already tried. Pure.

It comes last, for what nothing nearer mends: whoever keeps two runtimes has a reason for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from loadgate.declared import TENSORFLOW_NAMES
from loadgate.diagnosis import releases
from loadgate.diagnosis.change import FOLLOWS_TENSORFLOW, Change, changed, name_of
from loadgate.diagnosis.changes import LEGACY_KERAS, Failure, is_separate, known
from loadgate.diagnosis.remedy import Findings, Option, Try
from loadgate.domain import Case, Forecast, Lock, RemedyKind, Runtime


def seen_elsewhere(findings: Findings) -> frozenset[str]:
    """The failures of which another runtime mends the artifact: for them no further TensorFlow need be tried."""
    every = [failure.case.id for failure in findings.failures]
    return frozenset(each.failure.case.id for option in loads_elsewhere(findings, every) for each in option.tries)


def loads_elsewhere(findings: Findings, failed: Collection[str]) -> tuple[Option, ...]:
    """For each of the failures `failed` the nearest runtime in which the artifact was seen to load."""
    found: dict[tuple[str, str, str], Option] = {}
    runtimes = {runtime.name: runtime for runtime in findings.plan.runtimes}
    for failure in (each for each in findings.failures if each.case.id in failed and each.can_be_mended):
        case = _nearest(failure, findings)
        change = None if case is None else _change_to(failure, runtimes[case.runtime], _lock(findings, case), case)
        if case is None or change is None:
            continue
        key = failure.runtime.name, failure.case.device, case.runtime
        option = found.get(key) or _as_in(runtimes[case.runtime], failure, change)
        mine = Try(failure, change, rank=0, forecast=Forecast.WILL_LOAD)
        found[key] = replace(option, tries=(*option.tries, mine))
    return tuple(found.values())


def _as_in(runtime: Runtime, failure: Failure, change: Change) -> Option:
    base, device = failure.runtime, failure.case.device
    name = f"{base.name}{f' ({device})' if len(base.devices) > 1 else ''} as {runtime.name}"
    return Option(
        runtime=replace(runtime, name=name, devices=(device,)),
        base=base,
        change=change.of_runtime,
        twin=runtime.name,
        after=changed(base, failure.lock, change, name=name),
    )


def _nearest(failure: Failure, findings: Findings) -> Case | None:
    """By the same call if there is one, then by TensorFlow."""
    alike = {runtime.name for runtime in findings.plan.runtimes if _differ_in_versions_alone(failure.runtime, runtime)}
    same = (case for case in findings.passed if case.artifact == failure.case.artifact)
    fitting = [case for case in same if case.device == failure.case.device and case.runtime in alike]
    return min(fitting, key=lambda case: _distance(failure, _lock(findings, case), case), default=None)


def _differ_in_versions_alone(failing: Runtime, loading: Runtime) -> bool:
    """Whether the failing runtime becomes the other one, as far as a load can tell, by what a remedy would change.

    Only then has what it becomes been tried: its own variables, modules and further packages were there as well.
    """
    if any(runtime.image or runtime.interpreter for runtime in (failing, loading)):
        return False
    kept, there = _further_lines(failing), _further_lines(loading)
    has_the_same_packages = kept == there if loading.imports else kept <= there
    return _variables(failing) == _variables(loading) and failing.imports == loading.imports and has_the_same_packages


def _variables(runtime: Runtime) -> dict[str, str]:
    return {name: value for name, value in runtime.env.items() if name != LEGACY_KERAS}


def _further_lines(runtime: Runtime) -> frozenset[str]:
    """What it asks for beside what a change of TensorFlow changes."""
    every = (line.text for line in (*runtime.requirements, *runtime.constraints))
    return frozenset(text for text in every if not _is_changed_with_tensorflow(name_of(text)))


def _is_changed_with_tensorflow(package: str) -> bool:
    return package in FOLLOWS_TENSORFLOW or package in known().packages or package in TENSORFLOW_NAMES


def _distance(failure: Failure, lock: Lock, case: Case) -> tuple[bool, int, bool]:
    other_python = releases.minor_of(lock.python) != releases.minor_of(failure.lock.python)
    return case.loader != failure.case.loader, releases.steps(failure.lock.tensorflow, lock.tensorflow), other_python


def _lock(findings: Findings, case: Case) -> Lock:
    lock = findings.states[case.runtime].lock
    assert lock is not None  # noqa: S101 -- something has loaded in it
    return lock


def _change_to(failure: Failure, runtime: Runtime, lock: Lock, case: Case) -> Change | None:
    """None where the runtimes differ in nothing that a person could be told to change."""
    tensorflow = lock.tensorflow if lock.tensorflow != failure.lock.tensorflow else None
    python = releases.minor_of(lock.python)
    installed = lock.packages.get("keras") if is_separate(lock.tensorflow) and not _is_legacy(lock) else None
    keras = installed if tensorflow or installed != failure.lock.packages.get("keras") else None
    env = {} if _is_legacy(lock) == _is_legacy(failure.lock) else {LEGACY_KERAS: "1" if _is_legacy(lock) else "0"}
    packages = tuple(_packages(runtime, lock)) if tensorflow or env else ()
    change = Change(
        kind=RemedyKind.TENSORFLOW if tensorflow else RemedyKind.KERAS if keras else RemedyKind.ENVIRONMENT,
        python=python if python != releases.minor_of(failure.lock.python) else None,
        tensorflow=tensorflow,
        keras=keras,
        packages=packages,
        env=env,
        imports=tuple(module for module in runtime.imports if module not in failure.runtime.imports),
        loader=case.loader if case.loader != failure.case.loader else None,
    )
    return change if tensorflow or keras or env else None


def _is_legacy(lock: Lock) -> bool:
    return lock.keras_module == "tf_keras"


def _packages(runtime: Runtime, lock: Lock) -> Iterator[str]:
    """What it says itself of what decides how a model loads; else what its TensorFlow is known to need."""
    named = {name_of(line.text): line.text for line in (*runtime.requirements, *runtime.constraints)}
    told = {name: text for name, text in named.items() if name in FOLLOWS_TENSORFLOW or name in known().packages}
    if not told:
        told = {name_of(text): text for text in releases.requirements_for(lock.tensorflow)}
    if _is_legacy(lock):
        told.setdefault("tf-keras", f"tf-keras=={releases.minor_of(lock.tensorflow)}.*")
    yield from (text for name, text in told.items() if name != "keras")
