"""Which Keras takes which option: what ships, held to what is known of Keras otherwise."""

from __future__ import annotations

import pytest

from loadgate.diagnosis.target import Line
from loadgate.diagnosis.words import ACTIVATIONS, FUNCTIONS, Answer, vocabularies


@pytest.mark.parametrize(
    ("line", "version", "owner", "option", "answer"),
    [
        (Line.KERAS_3, "3.15", "Dense", "quantization_config", Answer.TAKEN),
        (Line.KERAS_3, "3.8", "Dense", "quantization_config", Answer.REFUSED),
        (Line.KERAS_2, "2.15", "LSTM", "time_major", Answer.TAKEN),
        (Line.KERAS_3, "3.3", "LSTM", "time_major", Answer.REFUSED),
        (Line.KERAS_2, "2.9", "GlorotUniform", "dtype", Answer.TAKEN),  # of TensorFlow 1, and dropped in silence
        (Line.KERAS_2, "2.15", "Functional", "module keras.engine.functional", Answer.REFUSED),
        (Line.KERAS_2, "2.12", "Functional", "module keras.engine.functional", Answer.TAKEN),
        (Line.KERAS_2, "2.9", "MultiHeadAttention", "called with use_causal_mask", Answer.REFUSED),
        (Line.KERAS_2, "2.10", "MultiHeadAttention", "called with use_causal_mask", Answer.TAKEN),
        (Line.KERAS_3, "3.8", "Concatenate", "named", Answer.REFUSED),  # the operation of that name
        (Line.KERAS_3, "3.15", "Concatenate", "named", Answer.TAKEN),
        (Line.KERAS_2, "2.15", ACTIVATIONS, "mish", Answer.TAKEN),
        (Line.KERAS_2, "2.9", ACTIVATIONS, "mish", Answer.REFUSED),
        (Line.KERAS_2, "2.4", FUNCTIONS, "math.subtract", Answer.TAKEN),
        (Line.KERAS_3, "3.15", "NeverSeen", "units", Answer.NOT_KNOWN),
        (Line.KERAS_3, "9.0", "Dense", "units", Answer.NOT_KNOWN),
    ],
)
def test_a_class_takes_what_its_version_of_keras_takes(
    line: str, version: str, owner: str, option: str, answer: Answer
) -> None:
    assert vocabularies()[line].answer(owner, option, version) is answer


@pytest.mark.parametrize(
    ("version", "owner", "option", "is_made"),
    [
        ("2.9", "MultiHeadAttention", "query_shape", False),
        ("2.9", "AdditiveAttention", "use_scale", True),
        ("2.9", "Dense", "units", False),
        ("2.9", "StringLookup", "output_mode", False),  # what prepares data is as it was only with all of its options
        ("2.9", "NeverSeen", "units", False),
    ],
)
def test_a_class_is_made_without_what_it_does_not_need(version: str, owner: str, option: str, *, is_made: bool) -> None:
    assert vocabularies()[Line.KERAS_2].is_made_without(owner, option, version) is is_made
