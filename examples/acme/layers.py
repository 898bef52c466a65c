"""The layers that our models share. Importing this module registers them, so that Keras can load those models."""

import tensorflow as tf


@tf.keras.utils.register_keras_serializable(package="acme")
class SqueezeExcite(tf.keras.layers.Layer):
    """Weighs each channel by what the whole image says of it."""

    def __init__(self, ratio=2, **kwargs):
        super().__init__(**kwargs)
        self.ratio = ratio

    def build(self, input_shape):
        channels = input_shape[-1]
        self.squeeze = self.add_weight(name="squeeze", shape=(channels, channels // self.ratio))
        self.excite = self.add_weight(name="excite", shape=(channels // self.ratio, channels))
        super().build(input_shape)

    def call(self, images):
        channels = tf.reduce_mean(images, axis=[1, 2])
        weights = tf.sigmoid(tf.matmul(tf.nn.relu(tf.matmul(channels, self.squeeze)), self.excite))
        return images * weights[:, tf.newaxis, tf.newaxis, :]

    def get_config(self):
        return {**super().get_config(), "ratio": self.ratio}
