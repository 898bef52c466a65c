"""What past loads prove of the traits of artifacts: `learn` makes the table that `experience.json` holds.

It is the least that the loads prove. A trait is well in a version where an artifact that has it loaded there. What did
not load has at least one trait that is not: so whatever has all of those of its traits which were never well will not
load either.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from packaging.version import Version

from lab.past_loads import Load
from loadgate.diagnosis.experience import Knowledge, Obstacle, Table, answer_of, options_of
from loadgate.diagnosis.traits import OP_TOO_NEW, TFLITE_OP_TOO_NEW, is_broad
from loadgate.diagnosis.words import NOTHING, OWN, Answer, Vocabulary
from loadgate.domain import Format

MANY = 10
"""So many failures of what has a trait of a whole file, and none that loads, and the trait alone is blamed."""
ENOUGH = 3
"""So many failures of files that have a trait, and none that loads, and what they have in common is blamed."""
ASKED_OF_THE_RUNTIME = frozenset({OP_TOO_NEW, TFLITE_OP_TOO_NEW})
"""What a runtime was asked itself: with what it does not have, nothing loads in any, whether or not it was tried."""
COMMAND = "script/lab predict"


def learn(measured: Iterable[Load], words: Mapping[str, Vocabulary], day: str = "") -> Table:
    """`words`: what classes take, by line; what one refuses explains a failure. `day`: when the loads were made."""
    by_line: defaultdict[tuple[str, str], list[Load]] = defaultdict(list)
    for load in measured:
        by_line[load.subject, load.line].append(load)
    numbers: dict[str, int] = {}
    knowledge = tuple(
        known_of(subject, line, each, words.get(line, NOTHING), numbers)
        for (subject, line), each in sorted(by_line.items())
    )
    return Table(
        measured=day,
        command=COMMAND,
        loads=sum(len(each) for each in by_line.values()),
        traits=tuple(numbers),
        knowledge=knowledge,
    )


def known_of(
    subject: str, line: str, measured: Sequence[Load], words: Vocabulary, numbers: dict[str, int]
) -> Knowledge:
    at: defaultdict[str, list[Load]] = defaultdict(list)
    for load in measured:
        at[load.version].append(load)
    versions = sorted(at, key=Version)
    good: Counter[str] = Counter()
    varying: Counter[str] = Counter()
    obstacles: dict[tuple[frozenset[str], str], list[int]] = {}
    for index, version in enumerate(versions):
        here = at[version]
        well = frozenset().union(*(load.traits for load in here if load.loaded))
        for trait in well:
            good[trait] |= 1 << index
        for trait in set(unexplained(here, well)):
            varying[trait] |= 1 << index
        failed = Having(load.traits for load in here if not load.loaded)
        for traits, cause in blamed(suspected(here, well, words, version)):
            number = failed.count(traits)
            entry = obstacles.setdefault((traits, cause), [0, 0])
            entry[0] |= 1 << index
            entry[1] += number

    for (traits, _), entry in obstacles.items():
        if traits <= ASKED_OF_THE_RUNTIME:
            entry[0] |= ((1 << len(versions)) - 1) & ~good[next(iter(traits))]

    def number_of(trait: str) -> int:
        return numbers.setdefault(trait, len(numbers))

    return Knowledge(
        subject=subject,
        line=line,
        versions=tuple(versions),
        loads=tuple(len(at[version]) for version in versions),
        good={str(number_of(trait)): f"{bits:x}" for trait, bits in sorted(good.items())},
        varying={str(number_of(trait)): f"{bits:x}" for trait, bits in sorted(varying.items())},
        always_written={of: tuple(sorted(options)) for of, options in sorted(always_written(measured).items())},
        obstacles=tuple(
            Obstacle(traits=tuple(sorted(map(number_of, sorted(traits)))), at=at, cause=cause, loads=count)
            for (traits, cause), (at, count) in sorted(
                obstacles.items(), key=lambda entry: (sorted(entry[0][0]), entry[0][1])
            )
        ),
    )


def always_written(measured: Iterable[Load]) -> Mapping[str, set[str]]:
    """Class → the options that were in every file with the class that loaded.

    Not of SavedModels, which are restored without a class where there is no other way, nor `dtype`, which is told of
    all layers together.
    """
    loaded = (load for load in measured if load.loaded and not load.subject.startswith(Format.SAVED_MODEL))
    found: dict[str, set[str]] = {}
    for traits in {load.traits for load in loaded}:
        for owner, options in options_of(traits).items():
            written = {option for option in options if option.isidentifier() and option not in (OWN, "dtype")}
            found[owner] = found.get(owner, written) & written
    return {owner: options for owner, options in found.items() if options}


def suspected(
    here: Sequence[Load], well: frozenset[str], words: Vocabulary, version: str
) -> Iterator[tuple[Load, frozenset[str]]]:
    """What may be to blame for each failure: what was not seen to load, nor is taken by its class.

    Left out are failures that are explained: by an option that its class refuses, and by a trait with which alone
    something failed.
    """
    failed = [load for load in here if not load.loaded and not load.traits <= well]
    unseen = frozenset().union(*(load.traits for load in failed)) - well
    answers = {trait: answer_of(words, here[0].subject, trait, version) for trait in unseen}
    taken, refused = (
        frozenset(trait for trait, each in answers.items() if each is answer)
        for answer in (Answer.TAKEN, Answer.REFUSED)
    )
    suspects = [
        (load, of_classes(load.traits - well - taken or load.traits - well))
        for load in failed
        if load.traits.isdisjoint(refused)
    ]
    alone = frozenset().union(*(traits for _, traits in suspects if len(traits) == 1))
    for load, traits in suspects:
        if len(traits) == 1 or not traits & alone:
            yield load, traits


def of_classes(suspects: frozenset[str]) -> frozenset[str]:
    """Without the options of a class that is a suspect itself: where it is not known, they do not matter."""
    classes = {owner for owner, _, option in (each.rpartition(": ") for each in suspects) if option == OWN}
    return frozenset(each for each in suspects if each.endswith(f": {OWN}") or owner_of(each) not in classes)


def owner_of(trait: str) -> str:
    return trait.partition(": ")[0]


def blamed(suspects: Iterable[tuple[Load, frozenset[str]]]) -> Iterator[tuple[frozenset[str], str]]:
    """The least sets of traits that never loaded, each with the most frequent cause of what failed because of it."""
    failed = list(suspects)
    of_trait: defaultdict[str, list[frozenset[str]]] = defaultdict(list)
    for _, traits in failed:
        for trait in traits:
            of_trait[trait].append(traits)
    candidates = {traits for _, traits in failed}
    candidates |= {frozenset([trait]) for trait, sets in of_trait.items() if len(sets) >= MANY and is_broad(trait)}
    candidates |= {frozenset.intersection(*sets) for sets in of_trait.values() if len(sets) >= ENOUGH}
    least = {each for each in candidates if not any(other < each for other in candidates)}
    for traits in least:
        causes = Counter(load.cause for load, suspects_ in failed if traits <= suspects_)
        yield traits, causes.most_common(1)[0][0]


class Having:
    """How many have certain traits, among many."""

    def __init__(self, all_traits: Iterable[frozenset[str]]) -> None:
        self.by_trait: defaultdict[str, list[frozenset[str]]] = defaultdict(list)
        for traits in all_traits:
            for trait in traits:
                self.by_trait[trait].append(traits)

    def count(self, wanted: frozenset[str]) -> int:
        rarest = min((self.by_trait[trait] for trait in wanted), key=len)
        return sum(wanted <= traits for traits in rarest)


def unexplained(here: Sequence[Load], well: frozenset[str]) -> Iterator[str]:
    """Of what fails with traits that are all well elsewhere, the trait that is most often among the failures."""
    riddles = [load for load in here if not load.loaded and load.traits <= well]
    if not riddles:
        return
    failed = Counter(trait for load in riddles for trait in load.traits)
    seen = Counter(trait for load in here for trait in load.traits)
    for load in riddles:
        special = [trait for trait in load.traits if not is_broad(trait)] or load.traits
        yield max(special, key=lambda trait: (failed[trait] / seen[trait], trait))
