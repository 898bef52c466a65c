"""From what classes were asked to what is told of them: which Keras takes which option of which class."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

from lab.signatures import names_of, verdicts, with_names
from lab.words import COMMON, EVERYWHERE
from loadgate.diagnosis.experience import release_of
from loadgate.diagnosis.target import place_of, target_of
from loadgate.diagnosis.words import OWN, Vocabulary
from loadgate.domain import Loader, Lock

Answers = Mapping[str, Mapping[str, bool]]
"""Class → option → whether it is taken."""


def vocabularies(words: Mapping[str, Any], locks: Mapping[str, Lock], without: str = "") -> dict[str, Vocabulary]:
    """By line of versions. What is known from `without` alone, a saver that is left out, counts as never asked: of an
    option that no other has, only what the class takes that has it, in its own version."""
    names = {name: names_of(signatures) for name, signatures in words["signatures"].items()}
    own, by_name = with_names(words["own"], names), verdicts(names)
    others = {name: classes for name, classes in own.items() if release_name(name) != without}
    known = {(of, option) for classes in others.values() for of, options in classes.items() for option in options}
    everywhere = EVERYWHERE.keys() | common_to(others)
    locks = {name: lock for name, lock in locks.items() if name in own}
    lines: defaultdict[str, dict[str, Answers]] = defaultdict(dict)
    for line, version, name in places(locks):
        lines[line][version] = {
            of: {
                option: verdict
                for option, verdict in {**by_name[name].get(of, {}), **asked(words, name, of)}.items()
                if (of, option) in known or option in everywhere or option == OWN or option in own[name].get(of, ())
            }
            for of in sorted(own[name].keys() | words["taken"][name].keys())
        }
    taken = {
        (of, option)
        for versions in lines.values()
        for answers in versions.values()
        for of, options in answers.items()
        for option, verdict in options.items()
        if verdict
    }
    return {
        line: vocabulary(versions, taken, needed_in(words, [name for of, _, name in places(locks) if of == line]))
        for line, versions in lines.items()
    }


def asked(words: Mapping[str, Any], name: str, of: str) -> Mapping[str, bool]:
    taken: Mapping[str, bool] | None = words["taken"][name].get(of)
    return {} if taken is None else {OWN: True, **taken}


def needed_in(words: Mapping[str, Any], runtimes: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
    """Class → option → those of the runtimes in which it is not made without it."""
    bits: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for index, name in enumerate(runtimes):
        for of, options in words["signatures"][name]["needed"].items():
            for option in options:
                bits[of][option] |= 1 << index
    return in_hexadecimal(bits)


def places(locks: Mapping[str, Lock]) -> Iterator[tuple[str, str, str]]:
    """Line, version on it and name of every runtime, oldest first."""
    found = ((place_of(target_of(lock), Loader.KERAS), name) for name, lock in locks.items())
    known = [(*place, name) for place, name in found if place is not None]
    for line, version, name in sorted(known, key=lambda each: each[:2]):
        yield line, ".".join(map(str, release_of(version))), name


def common_to(own: Mapping[str, Mapping[str, list[str]]]) -> set[str]:
    """Options that many classes have."""
    having: defaultdict[str, set[str]] = defaultdict(set)
    for classes in own.values():
        for of, options in classes.items():
            for option in options:
                having[option].add(of)
    return {option for option, classes in having.items() if len(classes) >= COMMON}


def vocabulary(
    versions: Mapping[str, Answers], taken: Set[tuple[str, str]], needed: Mapping[str, Mapping[str, str]]
) -> Vocabulary:
    """Of what a class never takes in any version nothing is told: nobody writes it."""
    bits: dict[bool, defaultdict[str, Counter[str]]] = {True: defaultdict(Counter), False: defaultdict(Counter)}
    for index, classes in enumerate(versions.values()):
        for of, options in classes.items():
            for option, verdict in options.items():
                if (of, option) in taken:
                    bits[verdict][of][option] |= 1 << index
    return Vocabulary(
        versions=tuple(versions),
        taken=in_hexadecimal(bits[True]),
        refused=in_hexadecimal(bits[False]),
        needed=needed,
    )


def in_hexadecimal(bits: Mapping[str, Mapping[str, int]]) -> Mapping[str, Mapping[str, str]]:
    return {
        of: {option: f"{each:x}" for option, each in sorted(options.items())} for of, options in sorted(bits.items())
    }


def release_name(saver: str) -> str:
    """`tf2.16` for both of its Keras."""
    return saver.partition("-")[0]
