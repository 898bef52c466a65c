"""SARIF 2.1.0 for code scanning: a rule a cause, a result a failed case, on the line that must change."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import quote

from loadgate import untrusted
from loadgate.domain import Origin, Remedy
from loadgate.report.accounts import (
    SAW,
    Account,
    Warning,  # noqa: A004 - the report's own word for it
    accounts,
    broken_runtimes,
    place,
    warnings,
)
from loadgate.report.explanation import known_causes
from loadgate.report.report_json import encode
from loadgate.report.truth import Report, RuntimeReport, Standing
from loadgate.report.wording import loads_but, path_bytes

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
MOST_RESULTS = 5_000
"""GitHub shows as many; what blocks comes first."""

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    rule: str
    explanation: str
    """Of the rule; GitHub shows that of the first result."""
    origin: Origin
    result: Json
    """Without where."""


def encode_sarif(report: Report, prefix: str = "") -> bytes:
    """`prefix`: where the repository lies in its checkout."""
    found = list(islice(_found(report), MOST_RESULTS))
    driver = {
        "name": "loadgate",
        "version": untrusted.line(report.loadgate, 40) or "0",
        "rules": list(_rules(found)),
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_placed(each, prefix) for each in found],
    }
    return encode({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _found(report: Report) -> Iterator[Found]:
    yield from map(_of_account, accounts(report))
    for runtime in broken_runtimes(report):
        yield _of_runtime(runtime, report)
    yield from map(_of_warning, warnings(report))


def _of_account(account: Account) -> Found:
    case = account.case.case
    cause = account.cause if account.case.standing is Standing.FAILED else "no_verdict"
    lines = [account.title, account.headline]
    lines += [f"{SAW[evidence.side]}: {evidence.text}" for evidence in account.evidence]
    lines += map(_fix, account.remedies)
    level = "error" if account.blocks or account.case.standing is Standing.ERROR else "warning"
    explanation = account.explanation or "An artifact does not load in the runtime that will serve it."
    return _telling(cause, explanation, level, lines, account.anchor, case.id)


def _of_runtime(runtime: RuntimeReport, report: Report) -> Found:
    finding = runtime.finding
    lines = [f"runtime {runtime.name} could not be made"]
    if finding is not None:
        lines += [finding.headline, *([finding.suggestion] if finding.suggestion and not runtime.remedies else [])]
    lines += map(_fix, runtime.remedies)
    origin = runtime.runtime.origin or Origin(file=report.spec_file or "loadgate.yml", line=1)
    explanation = "A runtime could not be made, so nothing is known of what would load in it."
    return _telling(
        f"runtime.{finding.cause if finding else 'unknown'}", explanation, "error", lines, origin, runtime.name
    )


def _of_warning(warning: Warning) -> Found:
    case, diagnosis = warning.case.case, warning.diagnosis
    lines = [f"{case.artifact} loads in {place(warning.case)}, {loads_but(diagnosis)}", diagnosis.headline]
    lines += [f"{SAW[evidence.side]}: {evidence.text}" for evidence in diagnosis.evidence]
    explanation = diagnosis.explanation or "An artifact loads, but not as it was saved."
    return _telling(diagnosis.cause, explanation, "warning", lines, warning.anchor, case.id)


def _fix(remedy: Remedy) -> str:
    return f"{'Fix, verified' if remedy.verified else 'Suggested, not verified'}: {remedy.headline}"


def _telling(  # noqa: PLR0913, PLR0917 - as many as SARIF wants
    cause: str, explanation: str, level: str, lines: list[str], origin: Origin, identity: str
) -> Found:
    rule = untrusted.name(cause, 100) or "unknown"
    text = "\n".join(untrusted.line(line) for line in lines if line)
    result = {
        "ruleId": rule,
        "level": level,
        "message": {"text": _without_links(text)},
        "partialFingerprints": {"loadgate/v1": _digest(identity, rule)},
    }
    return Found(rule=rule, explanation=explanation, origin=origin, result=result)


def _placed(found: Found, prefix: str) -> Json:
    place = {
        "artifactLocation": {"uri": _uri(prefix + found.origin.file), "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": max(1, found.origin.line)},
    }
    return {**found.result, "locations": [{"physicalLocation": place}]}


def _rules(found: list[Found]) -> Iterator[Json]:
    explanations: dict[str, str] = {}
    for each in found:
        explanations.setdefault(each.rule, each.explanation)
    known = known_causes()
    for rule, explanation in sorted(explanations.items()):
        text = {"text": _without_links(untrusted.line(explanation, 1_000))}
        words = known[rule].title if rule in known else rule.replace("_", " ").replace(".", ": ")
        yield {
            "id": rule,
            "shortDescription": {"text": _without_links(words)},
            "fullDescription": text,
            "help": text,
            "properties": {"tags": ["models"]},
        }


def _without_links(text: str) -> str:
    """`[text](target)` in a message is a link to viewers of SARIF; a backslash before the bracket says it is none."""
    return text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")


def _uri(path: str) -> str:
    """Relative to the repository; a path that would be taken for an absolute or a foreign address is neither."""
    return quote(path_bytes(path).lstrip(b"/"), safe="/") or "."


def _digest(*parts: str) -> str:
    return hashlib.sha256(path_bytes("\0".join(parts))).hexdigest()
