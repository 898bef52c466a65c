"""Why a case failed: the first rule of which everything holds, with its evidence from both sides. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from loadgate import untrusted
from loadgate.diagnosis.conditions import CONDITIONS
from loadgate.diagnosis.rule import Rule, Sign, compiled, rules, silent_changes
from loadgate.diagnosis.subject import Subject
from loadgate.domain import (
    Artifact,
    Case,
    CaseResult,
    Confidence,
    Diagnosis,
    Evidence,
    Lock,
    Outcome,
    Proposal,
    RemedyKind,
    Runtime,
    Side,
    Stage,
    StageResult,
)

UNKNOWN = "unknown"
VALUE_LIMIT = 80
EVIDENCE_LIMIT = 240


def explain(
    artifact: Artifact, case: Case, runtime: Runtime, lock: Lock | None, result: CaseResult
) -> Diagnosis | None:
    """The cause of a failure; None where the case did not fail. What fits no rule is said to be unknown."""
    stage = next((stage for stage in result.stages if stage.outcome is Outcome.FAILED), None)
    if stage is None:
        return None
    subject = Subject(artifact=artifact, case=case, runtime=runtime, lock=lock, stage=stage, log=result.log)
    return next(_fitting(rules(), subject), None) or _unknown(subject)


def warnings(
    artifact: Artifact, case: Case, runtime: Runtime, lock: Lock | None, result: CaseResult
) -> tuple[Diagnosis, ...]:
    """What a case that passed changed without saying so."""
    if result.outcome is not Outcome.PASSED:
        return ()
    stage = next(
        (stage for stage in result.stages if stage.stage is Stage.LOAD),
        StageResult(stage=Stage.LOAD, outcome=Outcome.PASSED),
    )
    subject = Subject(artifact=artifact, case=case, runtime=runtime, lock=lock, stage=stage, log=result.log)
    return tuple(_fitting(silent_changes(), subject))


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    evidence: tuple[Evidence, ...]
    values: Mapping[str, str]
    confidence: Confidence | None


def _fitting(candidates: tuple[Rule, ...], subject: Subject) -> Iterator[Diagnosis]:
    for rule in candidates:
        found = next((seen for sign in rule.signs if (seen := match(sign, subject)) is not None), None)
        if found is not None:
            yield _diagnosis(rule, found, subject)


def match(sign: Sign, subject: Subject) -> Match | None:
    """What shows that the sign is there; None where it is not.

    The cheap comes first: most signs end at the loader, the format or a version, before any expression is tried.
    """
    if not _is_about(sign, subject):
        return None
    values: dict[str, str] = {}
    said: list[Evidence] = []
    for expression, text in ((sign.message, subject.message), (sign.log, subject.output), (sign.stack, subject.stack)):
        if expression is None:
            continue
        found = compiled(expression).search(text)
        if found is None:
            return None
        values |= {name: value for name, value in found.groupdict().items() if value}
        said.append(Evidence(side=Side.LOAD, text=_line_of(found)))
    seen: list[Evidence] = []
    for name, wanted in sign.that.items():
        holds = CONDITIONS[name](subject, wanted.format_map(values))
        if holds is None:
            return None
        seen.extend(holds.evidence)
        values |= {key: value for key, value in holds.values.items() if value}
    return Match(evidence=(*seen, *said), values={**subject.names, **values}, confidence=sign.confidence)


def _is_about(sign: Sign, subject: Subject) -> bool:
    return (
        (not sign.loader or subject.case.loader in sign.loader)
        and (not sign.format or subject.artifact.format in sign.format)
        and (not sign.reason or subject.stage.reason in sign.reason)
        and subject.stage.stage in sign.stage
        and (not sign.exception or not subject.exceptions.isdisjoint(sign.exception))
    )


def _diagnosis(rule: Rule, found: Match, subject: Subject) -> Diagnosis:
    quoted = Quoted({name: untrusted.name(value, VALUE_LIMIT) for name, value in found.values.items()})
    return Diagnosis(
        cause=rule.cause,
        headline=rule.headline.format_map(quoted),
        confidence=found.confidence or rule.confidence,
        explanation=rule.explanation.strip(),
        evidence=_from_both_sides(found.evidence, subject),
        proposals=tuple(dict.fromkeys(_proposals(rule, found.values))),
    )


def _proposals(rule: Rule, values: Mapping[str, str]) -> Iterator[Proposal]:
    for suggestion in rule.proposals:
        try:
            value = suggestion.value.format_map(values)
        except KeyError:
            if suggestion.kind is not RemedyKind.FILE:
                continue
            value = ""  # it can be put there by hand, where nothing fetches it
        yield Proposal(kind=suggestion.kind, value=untrusted.name(value, VALUE_LIMIT))


def _from_both_sides(evidence: tuple[Evidence, ...], subject: Subject) -> tuple[Evidence, ...]:
    """What the rule saw; of a side of which it needed nothing, what is known of that side."""
    sides = {each.side for each in evidence}
    known = [*(each for each in _known(subject) if each.side not in sides), *evidence]
    ordered = sorted(dict.fromkeys(known), key=lambda each: list(Side).index(each.side))
    return tuple(Evidence(side=each.side, text=untrusted.line(each.text, EVIDENCE_LIMIT)) for each in ordered)


def _known(subject: Subject) -> Iterator[Evidence]:
    saver = subject.facts.saved_with
    savers = [
        f"TensorFlow {saver.tensorflow}" if saver.tensorflow else "",
        f"Keras {saver.keras}" if saver.keras else "",
    ]
    saved = " and ".join(part for part in savers if part)
    yield Evidence(side=Side.ARTIFACT, text=f"saved by {saved}" if saved else "the file does not record its saver")
    if subject.lock is not None:
        lock = subject.lock
        keras = f", Keras {subject.keras}" if subject.keras else ""
        yield Evidence(side=Side.RUNTIME, text=f"TensorFlow {lock.tensorflow}{keras}, Python {lock.python}")
    if subject.stage.outcome is Outcome.FAILED:
        yield Evidence(side=Side.LOAD, text=_what_happened(subject))


def _what_happened(subject: Subject) -> str:
    exception = subject.stage.exception
    if exception is None:
        return subject.stage.message or str(subject.stage.reason or "failed")
    if exception.chain:
        return exception.chain[-1][: 2 * EVIDENCE_LIMIT]
    return f"{exception.type.rpartition('.')[2]}: {exception.message[: 2 * EVIDENCE_LIMIT]}"


def _unknown(subject: Subject) -> Diagnosis:
    exception = subject.stage.exception
    what = untrusted.name(exception.type.rpartition(".")[2], VALUE_LIMIT) if exception else "what was seen"
    return Diagnosis(
        cause=UNKNOWN,
        headline=f"No known cause fits {what}.",
        confidence=Confidence.UNKNOWN,
        explanation="Nothing that was measured fits what was seen, so loadgate names no cause.",
        evidence=_from_both_sides((), subject),
    )


class Quoted(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return {"runtime": "the runtime", "python": "this Python", "tensorflow": "this TensorFlow"}.get(name, "unknown")


def _line_of(found: re.Match[str]) -> str:
    """The line of the message in which it was found, from a little before it."""
    text = found.string
    start = max(text.rfind("\n", 0, found.start()) + 1, found.start() - EVIDENCE_LIMIT // 4)
    return text[start : found.start() + 2 * EVIDENCE_LIMIT].partition("\n")[0]
