"""How a trait is told to somebody who never heard of traits."""

from __future__ import annotations

import pytest

from loadgate.diagnosis.experience import measured
from loadgate.diagnosis.trait_words import in_words, refusal_in_words, together


@pytest.mark.parametrize(
    ("trait", "words"),
    [
        ("written by Keras 3", "a configuration of Keras 3"),
        ("named .keras", "a name that ends in .keras"),
        ("Keras 3, Add: called with a value", "`Add` called with a value in a file of Keras 3"),
        ("Keras 2, GRU: called with mask: tensor", "`GRU` called with a tensor for `mask` in a file of Keras 2"),
        ("Keras 3, Sequential: dtype", "the option `dtype` of `Sequential` in a file of Keras 3"),
        (
            "Keras not told, MaxNorm: axis: int",
            "the option `axis` of `MaxNorm`, given as an int in a file that names no Keras",
        ),
        (
            "Keras 2, Sequential: begins with a Normalization of any size",
            "a `Sequential` that begins with a Normalization of any size in a file of Keras 2",
        ),
        (
            "Keras 2, Sequential: after a shape: TimeDistributed of Conv2D",
            "`TimeDistributed` of Conv2D in a `Sequential` that begins with a shape in a file of Keras 2",
        ),
        ("Keras 2, Embedding: dtype int32", "`Embedding` of the dtype `int32` in a file of Keras 2"),
        ("tensors of variant", "tensors of the type variant"),
        ("Keras 2, Dense: written", "`Dense` in a file of Keras 2"),
        ("Dense: module keras.layers", "`Dense` of the module `keras.layers`"),
        ("Keras 2, RandomRotation without fill_value", "`RandomRotation` without `fill_value` in a file of Keras 2"),
        ("variant: TF1", "a SavedModel of TensorFlow 1"),
        ("an op that this TensorFlow does not have yet", "an op that this TensorFlow does not have yet"),
    ],
)
def test_a_trait_is_told_as_a_noun(trait: str, words: str) -> None:
    assert in_words(trait) == words


def test_no_trait_that_was_measured_is_told_in_the_spelling_of_the_table() -> None:
    table, _ = measured()
    assert [trait for trait in table.traits if ": " in in_words(trait)] == []


def test_many_options_of_one_class_are_told_as_one() -> None:
    options = ("arguments: mapping", "dtype", "function", "written")
    assert together([*(f"Keras 2, Lambda: {option}" for option in options), "named .keras"]) == [
        "`Lambda` in a file of Keras 2 (its options `arguments`, `dtype` and 1 more)",
        "a name that ends in .keras",
    ]
    assert together(["Keras 2, Add: name", "Keras 2, Add: written"]) == [
        "`Add` in a file of Keras 2",
        "the option `name` of `Add` in a file of Keras 2",
    ]


def test_a_class_that_is_not_in_its_module_is_told_as_missing_there() -> None:
    assert (
        refusal_in_words("Keras 2, Dense: module keras.src.layers") == "there is no `Dense` in `keras.src.layers` there"
    )
