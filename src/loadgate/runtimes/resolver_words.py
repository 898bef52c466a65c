"""What uv says when it cannot resolve or install, turned into a cause and readable lines.

uv has no machine-readable errors. The wordings are those of 0.8 to 0.13, which frame the same sentences in
different ways.
"""

from __future__ import annotations

import re

from loadgate.domain import Finding, FindingKind

MOST_LINES = 24
LONGEST_LINE = 400

UNREACHABLE = re.compile(
    r"error sending request|dns error|tcp connect error|Could not connect|Could not resolve host|network was disabled"
    r"|operation timed out|error decoding response body|HTTP status (server error|client error \(429)"
    r"|Network is unreachable|Failed to download distribution due to network timeout"
)
UNKNOWN_PACKAGE = re.compile(r"(\S+) was not found in the (?:package registry|provided package locations)")
UNKNOWN_VERSION = re.compile(r"there (?:is|are) no versions? of (\S+)|only (\S+) (?:is|are) available")
NO_BUILD = re.compile(r"has no wheels with a matching|no wheels are usable|doesn't have a source distribution or wheel")
MALFORMED = re.compile(r"Couldn't parse requirement|Failed to parse|Unsupported requirement|Unexpected '")
UNBUILDABLE = re.compile(r"Failed to (?:download and )?build|build backend returned an error")
FULL = re.compile(r"No space left on device|Disk quota exceeded|os error (?:28|122)\b")
MISMATCH = re.compile(r"Hash mismatch for `([^`]+)`")
WRONG_HASH = re.compile(r"Hash mismatch|no hashes were provided|--require-hashes")
MISSING_FILE = re.compile(r"HTTP status client error \((?:404|410)")
REFUSED = re.compile(r"HTTP status client error \((?:401|403|407)")
DAMAGED = re.compile(
    r"has an invalid package format|Failed to (?:extract archive|read from zip file|unzip wheel)|Bad CRC"
)
CAUSES = (
    (FULL, "disk_full", "There is no space left on the disk."),
    (MISMATCH, "wrong_hash", "What was downloaded does not have the hash that it should have: {}."),
    (WRONG_HASH, "wrong_hash", "The hashes in the requirements do not fit what would be installed."),
    (UNKNOWN_PACKAGE, "no_such_package", "There is no package {}."),
    (UNREACHABLE, "unreachable", "The package index could not be reached."),
    (MISSING_FILE, "missing_file", "The package index does not have a file that it lists."),
    (REFUSED, "refused", "The package index refuses to give a file."),
    (DAMAGED, "damaged_package", "A package that was downloaded is damaged."),
    (MALFORMED, "malformed_requirement", "A requirement is not spelled as pip and uv understand it."),
    (UNBUILDABLE, "build_failed", "A package has no wheel for this Python, and building it failed."),
)
"""The first wording that is found names the cause; the headline takes in what the wording captured."""
SUGGESTIONS = {
    "disk_full": "Make room, or name a cache on another disk with `--cache`.",
    "unreachable": "Set `HTTPS_PROXY` where a proxy is needed, or `UV_DEFAULT_INDEX` to an index that can be reached.",
    "refused": "Set `UV_DEFAULT_INDEX` to an index that you may read, with what it asks for to let you in.",
}
"""By cause, where the machine is to be changed and not what the repository declares."""


def finding_of(kind: FindingKind, words: str) -> Finding:
    """`words` is what uv wrote to its standard error."""
    lines = readable(words)
    text = " ".join(" ".join(lines).split())
    cause, headline = cause_of(text)
    detail = "\n".join(lines[:MOST_LINES])
    return Finding(kind=kind, cause=cause, headline=headline, detail=detail, suggestion=SUGGESTIONS.get(cause))


def cause_of(text: str) -> tuple[str, str]:
    for wording, cause, headline in CAUSES:
        if found := wording.search(text):
            return cause, headline.format(*found.groups())
    return cause_of_no_solution(text)


def cause_of_no_solution(text: str) -> tuple[str, str]:
    """A proof of one step that mentions no dependency is about the package itself; any other is a conflict."""
    if "And because" not in text and "depends on" not in text:
        if found := UNKNOWN_VERSION.search(text):
            return "no_such_version", f"There is no such version: {required(text) or found.group(1)}."
        if NO_BUILD.search(text):
            return "no_build_for_python", f"There is no build for this Python: {required(text)}."
    if NO_BUILD.search(text):
        return "no_build_for_python", "A package that is needed has no build for this Python."
    if "No solution found" in text:
        return "conflict", "The requirements contradict each other."
    return "unknown", "The resolver gave up."


def required(text: str) -> str:
    found = re.search(r"you require (.+?),? we can conclude", text)
    return found.group(1).rstrip(",") if found else ""


def readable(words: str) -> list[str]:
    """Without the resolver's frames, warnings and progress; the lines of a paragraph that it wrapped are joined."""
    lines: list[str] = []
    for raw in words.splitlines():
        line = re.sub(r"^\s*(error:|cause:|Caused by:|×|├─▶|╰─▶|│)\s*", "", raw).rstrip()
        if not line.strip() or re.match(r"\s*(warning:|Resolved |Using |Updating |Prepared |Installed )", line):
            continue
        begins = line != raw.rstrip() or not lines or re.match(r"\s*(hint:|And because)", line) is not None
        if begins or not lines[-1].startswith(("Because", "And because", "hint:")):
            lines.append(line.strip()[:LONGEST_LINE])
        else:
            lines[-1] = f"{lines[-1]} {line.strip()}"[: LONGEST_LINE * 4]
    return lines
