"""One page a cause, and their index: from the rules, and from the failures in which each was seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from loadgate.diagnosis.rule import Rule, rules, silent_changes
from loadgate.domain import Confidence

REPOSITORY = Path(__file__).parents[2]
SEEN = REPOSITORY / "tests" / "diagnosis" / "seen.yml"
FOLDER = REPOSITORY / "docs" / "causes"
SAMPLES = 4
SAMPLE_CHARACTERS = 320

SURENESS = {
    Confidence.CERTAIN: "What is seen leaves no other cause that was ever measured.",
    Confidence.LIKELY: "It fits what is seen and nothing contradicts it, but another cause could look the same.",
    Confidence.UNKNOWN: "This says how the load ended, and no more.",
}


class Dots(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "…"


def pages() -> Mapping[Path, str]:
    seen = yaml.safe_load(SEEN.read_text(encoding="utf-8"))
    every = (*rules(), *silent_changes())
    found = {FOLDER / f"{rule.cause}.md": "\n".join(_page(rule, _of(rule, seen))) + "\n" for rule in every}
    return found | {FOLDER / "README.md": "\n".join(_index()) + "\n"}


def _of(rule: Rule, seen: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [failure for failure in seen if failure["cause"] == rule.cause]


def _page(rule: Rule, seen: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield from (f"# {rule.title}", "", f"> {_headline(rule)}", "")
    yield from (f"Cause `{rule.cause}`. {SURENESS[rule.confidence]}", "")
    samples = {_words(failure): _where(failure) for failure in reversed(seen)}
    if samples:
        yield from ("## What you see", "")
        for words, where in list(reversed(samples.items()))[:SAMPLES]:
            yield from (f"{where}:", "", "```", words, "```", "")
    yield from ("## Why", "", rule.explanation.strip(), "", "## What to do", "", rule.remedy.strip())


def _headline(rule: Rule) -> str:
    return rule.headline.format_map(Dots())


def _words(failure: Mapping[str, Any]) -> str:
    """The innermost exception, which says most, on one line; else how the load ended."""
    stage = failure["stage"]
    exception = stage.get("exception")
    if exception is None:
        return str(stage.get("message") or stage["reason"])
    name = exception["type"].rpartition(".")[2]
    text = exception["chain"][-1] if exception.get("chain") else f"{name}: {exception['message']}"
    line = " ".join(text.split()).replace("```", "'''")
    return line if len(line) <= SAMPLE_CHARACTERS else f"{line[: SAMPLE_CHARACTERS - 2]} …"


def _where(failure: Mapping[str, Any]) -> str:
    lock = failure["lock"]
    keras = f", Keras {lock['keras']}" if lock.get("keras") else ""
    saved = failure["artifact"].get("facts", {}).get("saved_with", {})
    savers = [
        f"{name} {saved[key]}" for name, key in (("TensorFlow", "tensorflow"), ("Keras", "keras")) if key in saved
    ]
    saver = f", on a file of {' and '.join(savers)}" if savers else ""
    return f"The loader `{failure['loader']}` of TensorFlow {lock['tensorflow']}{keras}{saver}"


def _index() -> Iterator[str]:
    yield from ("# Causes", "")
    yield "Why a model does not load: one page a cause, made by `script/reference` from the rules in"
    yield "`src/loadgate/diagnosis/rules`. Every one was seen to happen: the words under *What you see* are those of a"
    yield "real load, with neutral names. What fits none of them is reported as unknown."
    yield from ("", "| cause | what loadgate says |", "| --- | --- |")
    for rule in rules():
        yield f"| [{rule.title}]({rule.cause}.md) | {_headline(rule)} |"
    if silent_changes():
        yield from (
            "",
            "What may change although the load passes:",
            "",
            "| change | what loadgate says |",
            "| --- | --- |",
        )
    for rule in silent_changes():
        yield f"| [{rule.title}]({rule.cause}.md) | {_headline(rule)} |"
