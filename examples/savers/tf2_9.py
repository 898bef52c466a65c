"""Models saved by TensorFlow 2.9 on Python 3.10: python tf2_9.py EXAMPLES."""

import sys
from pathlib import Path

import tensorflow as tf

tf.keras.utils.set_random_seed(2022)


def churn():
    tf.keras.backend.clear_session()
    features = tf.keras.Input((6,), name="features")
    hidden = tf.keras.layers.Dense(8, activation="relu", name="hidden")(features)
    churned = tf.keras.layers.Dense(1, activation="sigmoid", name="churned")(hidden)
    return tf.keras.Model(features, churned, name="churn")


def seasonality():
    """Its Lambda is stored as bytecode of Python 3.10."""
    tf.keras.backend.clear_session()
    day = tf.keras.Input((1,), name="day_of_year")
    angle = tf.keras.layers.Lambda(lambda day: day * 2.0 * 3.141592653589793 / 365.0, name="angle")(day)
    factor = tf.keras.layers.Dense(1, name="factor")(angle)
    return tf.keras.Model(day, factor, name="seasonality")


class Towers(tf.Module):
    def __init__(self):
        super().__init__()
        self.users = tf.Variable(tf.random.normal((10, 4)), name="users")
        self.items = tf.Variable(tf.random.normal((20, 4)), name="items")


def main(models):
    for folder in ("churn", "pricing", "recommender"):
        (models / folder).mkdir(parents=True, exist_ok=True)
    model = churn()
    model.compile(optimizer="adam", loss="binary_crossentropy")
    model.save(models / "churn/churn_2022")
    model.save_weights(models / "churn/churn_2022_weights.h5")
    seasonality().save(models / "pricing/seasonality.h5")
    tf.train.Checkpoint(towers=Towers()).write(str(models / "recommender/two_tower.ckpt"))


main(Path(sys.argv[1]) / "models")
