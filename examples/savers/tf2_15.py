"""Models saved by TensorFlow 2.15 with Keras 2 on Python 3.11: python tf2_15.py EXAMPLES."""

import sys
from pathlib import Path

import tensorflow as tf

EXAMPLES = Path(sys.argv[1])
sys.path.insert(0, str(EXAMPLES))

from acme.layers import SqueezeExcite  # noqa: E402 - the repository of the examples is its own import root

tf.keras.utils.set_random_seed(2024)


class LocalContrast(tf.keras.layers.Layer):
    """Registered nowhere, and not to be found in the repository: its author kept it in a notebook."""

    def call(self, images):
        return images - tf.reduce_mean(images, axis=[1, 2], keepdims=True)


def churn():
    layers = [
        tf.keras.Input((6,), name="features"),
        tf.keras.layers.Dense(8, activation="relu", name="hidden"),
        tf.keras.layers.Dense(1, activation="sigmoid", name="churned"),
    ]
    return tf.keras.Sequential(layers, name="churn")


def ranker():
    query = tf.keras.Input((4,), name="query")
    document = tf.keras.Input((4,), name="document")
    both = tf.keras.layers.Concatenate(name="both")([query, document])
    relevance = tf.keras.layers.Dense(1, name="relevance")(both)
    model = tf.keras.Model([query, document], relevance, name="ranker")
    model.compile(optimizer="sgd", loss="mse")
    return model


def elasticity():
    """Its Lambda is stored as bytecode of Python 3.11."""
    price = tf.keras.Input((1,), name="price")
    logarithm = tf.keras.layers.Lambda(lambda price: tf.math.log(price + 1.0), name="logarithm")(price)
    demand = tf.keras.layers.Dense(1, name="demand")(logarithm)
    return tf.keras.Model(price, demand, name="elasticity")


def classifier(name, custom):
    layers = [
        tf.keras.Input((16, 16, 1), name="image"),
        tf.keras.layers.Conv2D(4, 3, activation="relu", name="texture"),
        custom,
        tf.keras.layers.GlobalAveragePooling2D(name="pooled"),
        tf.keras.layers.Dense(2, activation="softmax", name="class"),
    ]
    return tf.keras.Sequential(layers, name=name)


class Normalizer(tf.Module):
    """Text in lower case, without punctuation."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def __call__(self, text):
        return {"normalized": tf.strings.regex_replace(tf.strings.lower(text), r"[^\w\s]", "")}


class KeywordSpotter(tf.Module):
    def __init__(self):
        super().__init__()
        self.kernel = tf.Variable(tf.random.normal((16, 4)), name="kernel")

    @tf.function(input_signature=[tf.TensorSpec([1, 16], tf.float32, name="spectrum")])
    def __call__(self, spectrum):
        return {"keyword": tf.nn.softmax(tf.matmul(spectrum, self.kernel))}


def converter_of(module):
    return tf.lite.TFLiteConverter.from_concrete_functions([module.__call__.get_concrete_function()], module)


def quantized(module):
    converter = converter_of(module)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([tf.random.normal((1, 16))] for _ in range(32))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


def with_tensorflow_ops(module):
    converter = converter_of(module)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    return converter.convert()


def main(models):
    for folder in ("churn", "pricing", "ranking", "speech", "text", "vision"):
        (models / folder).mkdir(parents=True, exist_ok=True)
    churn().save(models / "churn/churn_2024.keras")
    elasticity().save(models / "pricing/elasticity.h5")
    ranking_model = ranker()
    ranking_model.save(models / "ranking/ranker.keras")
    ranking_model.save(models / "ranking/ranker.h5")
    classifier("defects", SqueezeExcite(name="attention")).save(models / "vision/defects.keras")
    classifier("scratches", LocalContrast(name="contrast")).save(models / "vision/scratches.keras")

    normalizer, spotter = Normalizer(), KeywordSpotter()
    tf.saved_model.save(normalizer, str(models / "text/normalizer"))
    (models / "text/normalizer.tflite").write_bytes(with_tensorflow_ops(normalizer))
    (models / "speech/keyword_spotter.tflite").write_bytes(converter_of(spotter).convert())
    (models / "speech/keyword_spotter_int8.tflite").write_bytes(quantized(spotter))


main(EXAMPLES / "models")
