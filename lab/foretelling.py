"""`script/lab predict`: learn from every load what to expect of others, and hold it to loads it did not learn from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec

from lab.learning import learn
from lab.past_loads import Load, past_loads
from lab.place import REPOSITORY, locks_in
from lab.predicting import Score, Trial, families, folds, score
from lab.table import KEPT, raw_document
from lab.vocabulary import vocabularies
from loadgate.diagnosis.words import Vocabulary
from loadgate.interchange import write_whole

Say = Callable[[str], None]
SHIPPED = REPOSITORY / "src" / "loadgate" / "diagnosis"
PAGE = REPOSITORY / "docs" / "reference" / "prediction.md"
TOLD = 20
"""So many families of what is wrong or not known are told."""


def foretell(say: Say) -> None:
    """Write `experience.json` and `words.json`, and the page that says how right they are."""
    measured = list(past_loads())
    for name, content in shipped(measured).items():
        write_whole(SHIPPED / name, content)
    say(f"learnt from {len(measured):,} loads")
    found = {}
    for saver, trials in folds(measured, words_without):
        say(f"{saver}: {score(trials)}")
        found[saver] = trials
    say(f"together: {score([trial for trials in found.values() for trial in trials])}")
    write_whole(PAGE, "".join(f"{line}\n" for line in page(found, len(measured))).encode())


def shipped(measured: Sequence[Load]) -> Mapping[str, bytes]:
    """What is part of the package, by name of file."""
    about = msgspec.json.decode((KEPT / "measured.json").read_bytes(), type=dict[str, str])
    return {
        "experience.json": msgspec.json.encode(learn(measured, words_without(""), about["on"])) + b"\n",
        "words.json": msgspec.json.encode(words_without("")) + b"\n",
    }


def words_without(saver: str) -> Mapping[str, Vocabulary]:
    locks = {**locks_in(KEPT / "runtimes.json"), **locks_in(KEPT / "between.json")}
    return vocabularies(words(), locks, saver)


@cache
def words() -> Mapping[str, Any]:
    found: Mapping[str, Any] = raw_document("words")
    return found


def page(found: Mapping[str, Sequence[Trial]], learnt_from: int) -> Iterator[str]:
    """What `docs/reference/prediction.md` says, line by line."""
    every = [trial for trials in found.values() for trial in trials]
    yield "# How often predictions are right"
    yield ""
    yield "<!-- Written by `script/lab predict`; do not edit. -->"
    yield ""
    explanation = "../explanation/how-prediction-works.md"
    yield f"What ships was learnt from {learnt_from:,} loads; [how prediction works]({explanation})"
    yield "says from what else, and what *not known* means. Here each saver is left out in turn, and what it saved is"
    yield "predicted in every runtime by what the others prove: every load of the lab, those with `imports:` included."
    yield ""
    yield "| left out | loads | predicted | of those right | wrongly expected to load |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for saver, trials in found.items():
        yield row(f"TensorFlow {saver.removeprefix('tf')}", score(trials))
    yield row("**all**", score(every))
    yield ""
    yield "## What remains"
    yield ""
    yield f"The {TOLD} largest families of loads of which something wrong was expected, or nothing was known:"
    yield ""
    yield "| loads | what, and why |"
    yield "| ---: | --- |"
    for number, family in list(families(every))[:TOLD]:
        yield f"| {number:,} | {family.replace('|', '/')} |"


def row(name: str, of: Score) -> str:
    return f"| {name} | {of.loads:,} | {of.predicted:.2f} % | {of.right:.2f} % | {of.wrong_will_load:.2f} % |"
