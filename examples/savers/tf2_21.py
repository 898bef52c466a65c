"""Models saved by TensorFlow 2.21 with Keras 3 on Python 3.11: python tf2_21.py EXAMPLES."""

import sys
from pathlib import Path

import keras

keras.utils.set_random_seed(2026)


def churn():
    layers = [
        keras.Input((6,), name="features"),
        keras.layers.Dense(8, activation="gelu", name="hidden"),
        keras.layers.Dense(1, activation="sigmoid", name="churned"),
    ]
    return keras.Sequential(layers, name="churn")


def ranker():
    query = keras.Input((4,), name="query")
    document = keras.Input((4,), name="document")
    both = keras.layers.Concatenate(name="both")([query, document])
    relevance = keras.layers.Dense(1, name="relevance")(both)
    return keras.Model([query, document], relevance, name="ranker")


def main(models):
    for folder in ("churn", "ranking"):
        (models / folder).mkdir(parents=True, exist_ok=True)
    churn_model = churn()
    churn_model.save(models / "churn/churn_2026.keras")
    churn_model.save_weights(models / "churn/churn_2026.weights.h5")
    ranking_model = ranker()
    ranking_model.save(models / "ranking/ranker_2026.h5")
    ranking_model.export(models / "ranking/ranker_2026", verbose=False)


main(Path(sys.argv[1]) / "models")
