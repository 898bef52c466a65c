"""Traits, which are spelled to be compared, as a person would name them. Pure.

Each becomes a noun, to stand after "with" and after "takes".
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from loadgate.artifacts.keras_constructs import STATES
from loadgate.diagnosis.experience import MODULE
from loadgate.diagnosis.words import OWN

NAMED = 2
"""Options of one class."""
_DIALECT = re.compile(r"(Keras (?:\d+|not told)), ")
_CLASS = r"(?P<owner>[^\W\d]\w*): "
_NOUNS = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"written by (.+)", r"a configuration of \1"),
        (r"named as HDF5", "a name that ends in .h5 or .hdf5"),
        (r"named (\.\w+)", r"a name that ends in \1"),
        (r"named otherwise", "a name that ends neither in .keras nor in .h5 or .hdf5"),
        (r"variant: TF(\d)", r"a SavedModel of TensorFlow \1"),
        (r"keras metadata: none", "no metadata of Keras"),
        (r"keras metadata: yes", "metadata of Keras in keras_metadata.pb"),
        (r"keras metadata: embedded", "metadata of Keras in saved_model.pb"),
        (r"checkpoint of (.+)", r"a checkpoint of \1"),
        (r"schema: (.+)", r"the TFLite schema \1"),
        (r"layout: (.+)", r"the layout \1"),
        (r"(\w+) by (\w+)", r"the format `\1` and the loader `\2`"),
        (r"op (\w+)(.*)", r"the op `\1`\2"),
        (r"the attribute (\w+) of (\w+)(.*)", r"the attribute `\1` of `\2`\3"),
        (r"tensors of (.+)", r"tensors of the type \1"),
        (r"quantized as (\w+)", r"tensors quantised as \1"),
        (r"weights under (\w+)(.*)", r"weights under `\1`\2"),
        (r"a Lambda that looks up (.+)", r"a Lambda that looks up `\1`"),
        (r"(activation|dtype) (\w+)", r"the \1 `\2`"),
        (r"is (\w+)", r"a model of class `\1`"),
        (r"(\w+) in (\w+)", r"a `\1` inside a `\2`"),
        (r"([^\W\d]\w*) without (\w+)", r"`\1` without `\2`"),
        (_CLASS + OWN, r"`\g<owner>`"),
        (_CLASS + r"module (\S+)", r"`\g<owner>` of the module `\2`"),
        (_CLASS + r"registered as (.+)", r"`\g<owner>` registered as `\2`"),
        (_CLASS + r"function (\S+)", r"`\g<owner>` of the function `\2`"),
        (_CLASS + r"no (\w+)", r"`\g<owner>` without `\2`"),
        (_CLASS + r"after a shape: (\w+)( .+)?", r"`\2`\3 in a `\g<owner>` that begins with a shape"),
        (_CLASS + STATES, r"`\g<owner>` called with a list of its states"),
        (_CLASS + r"dtype (\w+)", r"`\g<owner>` of the dtype `\2`"),
        (_CLASS + r"begins (.+)", r"a `\g<owner>` that begins \2"),
        (_CLASS + r"called with (\w+): nothing", r"`\g<owner>` called with `\2=None`"),
        (_CLASS + r"called with (\w+): (.+)", r"`\g<owner>` called with a \3 for `\2`"),
        (_CLASS + r"called with (.+)", r"`\g<owner>` called with \2"),
        (_CLASS + r"build_config: (.+)", r"`\g<owner>` built from \2"),
        (_CLASS + r"(\w+): ((?:int|object)\b.*)", r"the option `\2` of `\g<owner>`, given as an \3"),
        (_CLASS + r"(\w+): ((?:list|mapping)\b.*)", r"the option `\2` of `\g<owner>`, given as a \3"),
        (_CLASS + r"(\w+).*", r"the option `\2` of `\g<owner>`"),
    )
)


def in_words(trait: str) -> str:
    """`Keras 3, Add: called with a value` is `Add` called with a value in a file of Keras 3."""
    found = _DIALECT.match(trait)
    if found is None:
        return _noun(trait)
    file = "a file that names no Keras" if found[1].endswith("not told") else f"a file of {found[1]}"
    return f"{_noun(trait[found.end() :])} in {file}"


def together(traits: Iterable[str]) -> list[str]:
    """As `in_words`, what is said of one class as one; classes first, which tell a person more than their options."""
    of_classes: dict[str, list[str]] = {}
    for trait in traits:
        owner, separator, option = trait.partition(": ")
        of_classes.setdefault(owner if separator else trait, []).append(option)
    told = []
    for owner, options in of_classes.items():
        names = [f"`{option.partition(':')[0]}`" for option in options if option != OWN]
        if len(options) <= NAMED:
            told += [in_words(f"{owner}: {option}" if option else owner) for option in sorted(options, key=_is_option)]
        else:
            more = f"its options {', '.join(names[:NAMED])} and {len(names) - NAMED} more"
            told.append(f"{in_words(f'{owner}: {OWN}')} ({more})")
    return told


def _is_option(option: str) -> bool:
    return option != OWN


def refusal_in_words(trait: str) -> str:
    """Of an option that its class does not take: which, of which, or that it is not in its module."""
    owner, _, option = _DIALECT.sub("", trait, count=1).partition(": ")
    if option.startswith(MODULE):
        return f"there is no `{owner}` in `{option.removeprefix(MODULE)}` there"
    return f"`{owner}` there does not take the option `{option.partition(':')[0]}`"


def _noun(trait: str) -> str:
    for pattern, words in _NOUNS:
        if (found := pattern.fullmatch(trait)) is not None:
            return found.expand(words)
    return trait
