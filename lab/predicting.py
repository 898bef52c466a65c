"""Hold predictions to loads that they did not learn from: leave out each saver in turn, and predict what it saved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from packaging.version import Version

from lab.learning import learn
from lab.past_loads import Load
from lab.vocabulary import release_name
from loadgate.diagnosis.experience import Experience, Judgement, experiences
from loadgate.diagnosis.words import Vocabulary

WordsWithout = Callable[[str], Mapping[str, Vocabulary]]
"""What classes take, without what is known from a saver alone."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What was expected of a load, beside what became of it."""

    load: Load
    judgement: Judgement

    @property
    def is_known(self) -> bool:
        return self.judgement.is_certain

    @property
    def expects_a_load(self) -> bool:
        return self.is_known and self.judgement.obstacle is None

    @property
    def is_right(self) -> bool:
        return self.is_known and self.expects_a_load == self.load.loaded

    def __str__(self) -> str:
        load = f"{self.load.id} in {self.load.runtime} by {self.load.subject.rpartition(' ')[2]}"
        seen = self.load.cause or "loads"
        if not self.is_known:
            return f"{load}: {seen}; not known because of {self.judgement.unknown}"
        obstacle = self.judgement.obstacle
        return f"{load}: {seen}; expected {obstacle.cause or 'a failure' if obstacle else 'to load'}"


@dataclass(frozen=True, slots=True)
class Score:
    """In percent; what is right and what is wrong, of what is predicted."""

    loads: int
    predicted: float
    right: float
    wrong_will_load: float

    def __str__(self) -> str:
        return (
            f"{self.loads:,} loads: {self.predicted:.2f} % predicted, of those {self.right:.2f} % right, "
            f"{self.wrong_will_load:.2f} % wrongly expected to load"
        )


def folds(measured: Sequence[Load], words_without: WordsWithout) -> Iterator[tuple[str, list[Trial]]]:
    """For each saver of the catalogue: what is expected of its files by what was learnt from those of the others."""
    for saver in sorted({maker_of(load) for load in measured if not load.is_part}, key=version_key):
        words = words_without(saver)
        table = learn((load for load in measured if maker_of(load) != saver), words)
        known = experiences(table, words)
        held_out = (load for load in measured if maker_of(load) == saver and not load.is_part)
        yield saver, [Trial(load, judged(load, known)) for load in held_out]


def maker_of(load: Load) -> str:
    """The release that wrote the file, whichever Keras was on."""
    return release_name(load.savers[0])


def version_key(saver: str) -> tuple[int, ...]:
    return Version(saver.removeprefix("tf")).release


def judged(load: Load, known: Mapping[tuple[str, str], Experience]) -> Judgement:
    experience = known.get((load.subject, load.line))
    if experience is None:
        return Judgement(unknown="a format that nobody else wrote")
    return experience.judge(load.traits, Version(load.version), load.saver)


def score(trials: Sequence[Trial]) -> Score:
    known = [trial for trial in trials if trial.is_known]
    wrong_will_load = sum(trial.expects_a_load and not trial.load.loaded for trial in known)
    return Score(
        loads=len(trials),
        predicted=percent(len(known), len(trials)),
        right=percent(sum(trial.is_right for trial in known), len(known)),
        wrong_will_load=percent(wrong_will_load, len(known)),
    )


def percent(part: int, whole: int) -> float:
    return 100 * part / max(1, whole)


def families(trials: Iterable[Trial]) -> Iterator[tuple[int, str]]:
    """What is wrong and what is not known, by format, saver and reason, the most frequent first."""
    counts: Counter[str] = Counter()
    for trial in trials:
        if not trial.is_right:
            what = (
                f"wrong ({trial.load.cause or 'loads'})" if trial.is_known else f"not known: {trial.judgement.unknown}"
            )
            counts[f"{trial.load.subject}, saved by {trial.load.savers[0]}: {what}"] += 1
    yield from ((number, family) for family, number in counts.most_common())
