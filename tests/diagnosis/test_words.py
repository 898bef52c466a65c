"""Which Keras takes which option: what ships, held to what is known of Keras otherwise."""

from __future__ import annotations

import pytest

from loadgate.diagnosis.target import Line
from loadgate.diagnosis.words import Answer, vocabularies


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
        (Line.KERAS_3, "3.15", "NeverSeen", "units", Answer.NOT_KNOWN),
        (Line.KERAS_3, "9.0", "Dense", "units", Answer.NOT_KNOWN),
    ],
)
def test_a_class_takes_what_its_version_of_keras_takes(
    line: str, version: str, owner: str, option: str, answer: Answer
) -> None:
    assert vocabularies()[line].answer(owner, option, version) is answer
