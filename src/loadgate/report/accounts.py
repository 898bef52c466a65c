"""What every page for people tells of a case without a pass: cause, evidence from both sides, fixes. Pure.

The strings are as they came, and hostile; each page makes them safe.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from loadgate.domain import Artifact, Confidence, Diagnosis, Evidence, Origin, Reason, Remedy, Side, Stage
from loadgate.report import wording
from loadgate.report.anchors import anchor_of
from loadgate.report.gate import blocks, policy_notes
from loadgate.report.truth import CaseReport, Change, Report, RuntimeReport, Standing

UNKNOWN = "unknown"

SAW = {Side.ARTIFACT: "The artifact", Side.RUNTIME: "The runtime", Side.LOAD: "The load"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Of one case that failed, or that has no verdict for a reason of its own."""

    case: CaseReport
    title: str
    """What happened to which artifact, and where."""
    cause: str
    """Stable id; `unknown` where no rule fits or none was asked."""
    headline: str
    """Why, in one sentence."""
    confidence: Confidence
    explanation: str
    evidence: tuple[Evidence, ...]
    remedies: tuple[Remedy, ...]
    anchor: Origin
    blocks: bool
    """It alone would end the run with status 1."""
    command: str
    """Tries just this case again."""

    @property
    def verified(self) -> Remedy | None:
        return next((remedy for remedy in self.remedies if remedy.verified), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountGroup:
    """Failures of one cause with the same fixes: what they have in common is told once, from the first of them."""

    first: Account
    others: tuple[Account, ...] = ()

    @property
    def all(self) -> tuple[Account, ...]:
        return (self.first, *self.others)


@dataclass(frozen=True, slots=True, kw_only=True)
class Warning:  # noqa: A001 - the report's own word for it
    """What changed although the case passed."""

    case: CaseReport
    diagnosis: Diagnosis
    anchor: Origin


def accounts(report: Report, call: str = "") -> tuple[Account, ...]:
    """What blocks first, then what else failed, then what has no verdict; else in the order of the plan.

    `call` is the command that checks the repository from where the reader is, for a page that tells it.
    A runtime that could not be made is told once, as a runtime, and not once a case.
    """
    artifacts = {artifact.path: artifact for artifact in report.artifacts}
    runtimes = {runtime.name: runtime for runtime in report.runtimes}
    found = [
        _account(case, artifacts[case.case.artifact], runtimes[case.case.runtime], report, call)
        for case in report.cases
        if case.standing is Standing.FAILED or (case.standing is Standing.ERROR and case.reason is not Reason.RUNTIME)
    ]
    return tuple(sorted(found, key=_urgency))


def grouped(found: Iterable[Account], *, by_anchor: bool = False) -> tuple[AccountGroup, ...]:
    """By cause and by what mends it, in the order of the first of each; what is not known has nothing in common."""
    groups: dict[tuple[object, ...], list[Account]] = {}
    for account in found:
        own = account.case.case.id if account.cause == UNKNOWN else None
        where = account.anchor if by_anchor else None
        fixes = tuple((remedy.headline, remedy.verified) for remedy in account.remedies)
        key = (account.cause, account.headline, fixes, account.case.standing, account.blocks, own, where)
        groups.setdefault(key, []).append(account)
    return tuple(AccountGroup(first=first, others=tuple(others)) for first, *others in groups.values())


def warnings(report: Report) -> tuple[Warning, ...]:
    artifacts = {artifact.path: artifact for artifact in report.artifacts}
    runtimes = {runtime.name: runtime.runtime for runtime in report.runtimes}
    return tuple(
        Warning(
            case=case,
            diagnosis=diagnosis,
            anchor=anchor_of(artifacts[case.case.artifact], runtimes[case.case.runtime], diagnosis, report.checkouts),
        )
        for case in report.cases
        for diagnosis in case.warnings
    )


def grouped_warnings(found: Iterable[Warning]) -> tuple[tuple[Warning, ...], ...]:
    """Those that say the same, in the order of the first of each."""
    groups: dict[tuple[str, str], list[Warning]] = {}
    for warning in found:
        groups.setdefault((warning.diagnosis.cause, warning.diagnosis.headline), []).append(warning)
    return tuple(map(tuple, groups.values()))


def broken_runtimes(report: Report) -> tuple[RuntimeReport, ...]:
    return tuple(runtime for runtime in report.runtimes if runtime.finding is not None)


def skipped(report: Report) -> tuple[tuple[str, int], ...]:
    """Why cases were skipped or not reached, and how many for each reason; the most frequent first."""
    reasons: dict[str, int] = {}
    for case in report.cases:
        if case.standing in (Standing.SKIPPED, Standing.NOT_REACHED):
            why = case.message or wording.reason_of(case) or case.standing.value
            reasons[why] = reasons.get(why, 0) + 1
    return tuple(sorted(reasons.items(), key=lambda reason: -reason[1]))


def notes(report: Report) -> tuple[str, ...]:
    """What a person should know, each once: of the run, then of each runtime. The gate's stand beside the verdict."""
    of_the_run = [note for note in report.notes if note not in policy_notes(report)]
    of_runtimes = [note for runtime in report.runtimes for note in _of_runtime(runtime)]
    return tuple(dict.fromkeys([*of_the_run, *of_runtimes]))


def _of_runtime(runtime: RuntimeReport) -> Iterator[str]:
    for finding in runtime.warnings:
        advice = f" Suggested, not verified: {finding.suggestion}" if finding.suggestion else ""
        yield f"runtime {runtime.name}: {finding.headline}{advice}"
    yield from runtime.notes


def place(case: CaseReport) -> str:
    return f"{case.case.runtime} ({case.case.device})"


def _urgency(account: Account) -> tuple[bool, bool, bool]:
    is_failure = account.case.standing is Standing.FAILED
    return not account.blocks, not is_failure, account.case.change is Change.STILL_BROKEN


def _account(case: CaseReport, artifact: Artifact, runtime: RuntimeReport, report: Report, call: str) -> Account:
    diagnosis = case.diagnosis
    return Account(
        case=case,
        title=f"{case.case.artifact} {_verb(case)} in {place(case)}",
        cause=diagnosis.cause if diagnosis else UNKNOWN,
        headline=(diagnosis.headline if diagnosis else "") or _what_was_seen(case),
        confidence=diagnosis.confidence if diagnosis else Confidence.UNKNOWN,
        explanation=diagnosis.explanation if diagnosis else "",
        evidence=tuple(_evidence(case, artifact, runtime)),
        remedies=diagnosis.remedies if diagnosis else (),
        anchor=anchor_of(artifact, runtime.runtime, diagnosis, report.checkouts),
        blocks=blocks(case, report.policy.fail_on),
        command=wording.reproduction(case.case, call),
    )


def _verb(case: CaseReport) -> str:
    if case.standing is not Standing.FAILED:
        return "has no verdict"
    return wording.VERBS[case.decisive.stage if case.decisive else Stage.LOAD][0]


def _what_was_seen(case: CaseReport) -> str:
    exception = case.decisive.exception if case.decisive else None
    if exception is not None:
        return f"{exception.type}: {exception.message}" if exception.message else exception.type
    return case.message or wording.reason_of(case)


def _evidence(case: CaseReport, artifact: Artifact, runtime: RuntimeReport) -> Iterator[Evidence]:
    """The diagnosis's own, and what it leaves unsaid: each of the three sides always has something."""
    found: Sequence[Evidence] = case.diagnosis.evidence if case.diagnosis else ()
    told = {evidence.side for evidence in found}
    fallbacks = {
        Side.ARTIFACT: _of_the_artifact(artifact),
        Side.RUNTIME: ", ".join(wording.loaded_by(runtime.lock)) if runtime.lock else "it was not made",
        Side.LOAD: _what_was_seen(case),
    }
    for side in Side:
        yield from (evidence for evidence in found if evidence.side is side)
        if side not in told and fallbacks[side]:
            yield Evidence(side=side, text=fallbacks[side])


def _of_the_artifact(artifact: Artifact) -> str:
    if artifact.stand_in is not None:
        return f"{artifact.stand_in.file} is {wording.STAND_INS[artifact.stand_in.kind]}: {artifact.stand_in.detail}"
    if (why := artifact.damage or artifact.unread) is not None:
        return why
    return "its saver: " + ", ".join(wording.saved_by(artifact))
