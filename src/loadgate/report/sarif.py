"""SARIF 2.1.0 for code scanning: a rule a cause, a result a failed case, on the line that must change."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from loadgate.domain import Origin
from loadgate.report import untrusted
from loadgate.report.accounts import (
    SAW,
    Account,
    Warning,  # noqa: A004 - the report's own word for it
    accounts,
    broken_runtimes,
    place,
    warnings,
)
from loadgate.report.report_json import encode
from loadgate.report.truth import Report, RuntimeReport, Standing
from loadgate.report.wording import path_bytes

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
MOST_RESULTS = 5_000
"""GitHub shows as many; what blocks comes first."""

Json = Mapping[str, Any]


def encode_sarif(report: Report) -> bytes:
    found = list(_results(report))
    run = {
        "tool": {
            "driver": {
                "name": "loadgate",
                "version": untrusted.line(report.loadgate, 40) or "0",
                "rules": list(_rules(found)),
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": found[:MOST_RESULTS],
    }
    return encode({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _results(report: Report) -> Iterator[Json]:
    for account in accounts(report):
        yield _of_account(account)
    for runtime in broken_runtimes(report):
        yield _of_runtime(runtime, report)
    for warning in warnings(report):
        yield _of_warning(warning)


def _of_account(account: Account) -> Json:
    case = account.case.case
    cause = _identifier(account.cause if account.case.standing is Standing.FAILED else "no_verdict")
    lines = [account.title, account.headline]
    lines += [f"{SAW[evidence.side]}: {evidence.text}" for evidence in account.evidence]
    for remedy in account.remedies:
        lines.append(f"{'Fix, verified' if remedy.verified else 'Suggested, not verified'}: {remedy.headline}")
    level = "error" if account.blocks or account.case.standing is Standing.ERROR else "warning"
    return _result(cause, level, lines, account.anchor, (case.id, cause))


def _of_runtime(runtime: RuntimeReport, report: Report) -> Json:
    finding = runtime.finding
    lines = [f"runtime {runtime.name} could not be made"]
    if finding is not None:
        lines += [finding.headline, *([finding.suggestion] if finding.suggestion else [])]
    origin = runtime.runtime.origin or Origin(file=report.spec_file or "loadgate.yml", line=1)
    cause = _identifier(f"runtime.{finding.cause if finding else 'unknown'}")
    return _result(cause, "error", lines, origin, (runtime.name, cause))


def _of_warning(warning: Warning) -> Json:
    case = warning.case
    cause = _identifier(warning.diagnosis.cause)
    lines = [f"{case.case.artifact} loads in {place(case)}, but not as it was", warning.diagnosis.headline]
    lines += [f"{SAW[evidence.side]}: {evidence.text}" for evidence in warning.diagnosis.evidence]
    return _result(cause, "warning", lines, warning.anchor, (case.case.id, cause))


def _result(rule: str, level: str, lines: list[str], origin: Origin, identity: tuple[str, ...]) -> Json:
    text = "\n".join(untrusted.line(line) for line in lines if line)
    return {
        "ruleId": rule,
        "level": level,
        "message": {"text": _without_links(text)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(origin.file), "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": max(1, origin.line)},
                }
            }
        ],
        "partialFingerprints": {"loadgate/v1": _digest(*identity)},
    }


def _rules(results: list[Json]) -> Iterator[Json]:
    for rule in sorted({result["ruleId"] for result in results}):
        words = rule.replace("_", " ").replace(".", ": ")
        yield {
            "id": rule,
            "shortDescription": {"text": words},
            "properties": {"tags": ["models"]},
        }


def _identifier(text: str) -> str:
    return untrusted.name(text, 100) or "unknown"


def _without_links(text: str) -> str:
    """`[text](target)` in a message is a link to viewers of SARIF; a backslash before the bracket says it is none."""
    return text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")


def _uri(path: str) -> str:
    """Relative to the repository; a path that would be taken for an absolute or a foreign address is neither."""
    return quote(path_bytes(path).lstrip(b"/"), safe="/") or "."


def _digest(*parts: str) -> str:
    return hashlib.sha256(path_bytes("\0".join(parts))).hexdigest()
