"""What a model's author wrote beside the model: a registered layer, one that nobody registered, a loss, a metric."""

import tensorflow as tf


def registered(kind):
    """TensorFlow 1.15 has the decorator in its second interface alone."""
    utils = tf.keras.utils if hasattr(tf.keras.utils, "register_keras_serializable") else tf.compat.v2.keras.utils
    register = getattr(utils, "register_keras_serializable", None)
    return kind if register is None else register(package="lab")(kind)


class Scale(tf.keras.layers.Layer):
    """Multiplies by a weight a feature, and by `factor`."""

    def __init__(self, factor=2.0, **options):
        super().__init__(**options)
        self.factor = factor

    def build(self, input_shape):
        self.scale = self.add_weight(name="scale", shape=(int(input_shape[-1]),), initializer="ones")
        super().build(input_shape)

    def call(self, inputs):
        return inputs * self.scale * self.factor

    def get_config(self):
        return dict(super().get_config(), factor=self.factor)


@registered
class RegisteredScale(Scale):
    pass


class UnregisteredScale(Scale):
    pass


@registered
class TwoLayers(tf.keras.Model):
    """A subclassed model: what it computes stands in Python alone."""

    def __init__(self, units=5, **options):
        super().__init__(**options)
        self.units = units
        self.first = tf.keras.layers.Dense(units, activation="relu", name="first")
        self.second = tf.keras.layers.Dense(2, name="second")

    def call(self, inputs):
        return self.second(self.first(inputs))

    def get_config(self):
        return {"units": self.units}


def weighted_error(truth, predicted):
    return tf.reduce_mean(tf.square(truth - predicted)) * 3.0


def largest_error(truth, predicted):
    return tf.reduce_max(tf.abs(truth - predicted))
