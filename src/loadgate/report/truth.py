"""The one truth that every output shows: the plan, what became of its runtimes, and what happened to each case."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from loadgate.domain import (
    Artifact,
    Case,
    CaseResult,
    Checks,
    Diagnosis,
    Finding,
    Lock,
    Origin,
    Outcome,
    Policy,
    Prediction,
    Reason,
    Remedy,
    Runtime,
    RuntimeState,
    StageResult,
    Wall,
)


class Standing(StrEnum):
    """Where a case stands: an outcome, or the fact that the run ended before it."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"
    NOT_REACHED = "not_reached"


class Change(StrEnum):
    """What became of a case since the report of the base branch."""

    NEWLY_BROKEN = "newly_broken"
    """It fails and did not fail there, or only at a later stage."""
    STILL_BROKEN = "still_broken"
    FIXED = "fixed"


class Verdict(StrEnum):
    PASSED = "passed"
    """Every case passed or was allowed to be skipped."""
    FAILED = "failed"
    """At least one artifact does not load."""
    NONE = "none"
    """Nothing failed, but not every case has a verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """How many cases stand where."""

    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    not_reached: int = 0

    @property
    def cases(self) -> int:
        return self.passed + self.failed + self.errors + self.skipped + self.not_reached


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReport:
    case: Case
    standing: Standing
    reason: Reason | None = None
    """None where the case passed."""
    message: str = ""
    """One line for a person; empty where the case passed."""
    result: CaseResult | None = None
    """None where nothing was tried: the run ended before it, or its runtime could not be made."""
    diagnosis: Diagnosis | None = None
    """Why the case failed; None exactly where it did not. `unknown` is a cause too."""
    warnings: tuple[Diagnosis, ...] = ()
    """What changed although the case passed."""
    prediction: Prediction | None = None
    """What is expected, where nothing was to be loaded. The case is skipped then, whatever is expected."""
    change: Change | None = None
    """Since the base branch; None where nothing of the kind happened, or no report of it was given."""

    @property
    def decisive(self) -> StageResult | None:
        """The first stage that made the case stand where it does; None where it passed or nothing was tried."""
        if self.result is None or self.standing is Standing.PASSED:
            return None
        outcome = Outcome(self.standing.value)
        return next((stage for stage in self.result.stages if stage.outcome is outcome), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeReport:
    runtime: Runtime
    """As it was asked for."""
    state: RuntimeState | None
    """What became of it; None where the run ended before it was made."""
    totals: Totals
    remedies: tuple[Remedy, ...] = ()
    """What mends one that could not be made, best first."""

    @property
    def name(self) -> str:
        return self.runtime.name

    @property
    def lock(self) -> Lock | None:
        return self.state.lock if self.state else None

    @property
    def finding(self) -> Finding | None:
        return self.state.finding if self.state else None

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return self.state.warnings if self.state else ()

    @property
    def notes(self) -> tuple[str, ...]:
        return self.runtime.notes + (self.state.notes if self.state else ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    version: int = 1
    loadgate: str
    """Version of the loadgate that planned."""
    verdict: Verdict
    exit_status: int
    headline: str
    """The verdict in one sentence."""
    partial: bool
    """Some cases of the plan were not reached."""
    totals: Totals
    repository: str = ""
    spec_file: str | None = None
    policy: Policy
    checks: Checks
    notes: tuple[str, ...] = ()
    """What a person should know, one sentence each: of the plan first, then of the results."""
    artifacts: tuple[Artifact, ...] = ()
    runtimes: tuple[RuntimeReport, ...] = ()
    cases: tuple[CaseReport, ...] = ()
    """Every case of the plan, in its order."""
    walls: tuple[Wall, ...] | None = None
    """What the sandbox kept every load from; None where nothing was loaded, or no result says."""
    checkouts: tuple[Origin, ...] = ()
    """Workflow steps that check out without Git LFS, where an artifact is a Git LFS pointer."""
