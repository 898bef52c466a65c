"""Models saved by TensorFlow 1.15 on Python 3.7: python tf1_15.py EXAMPLES."""

import os
import sys

import numpy as np
import tensorflow as tf
from tensorflow.python.framework import graph_util

SEED = 2019


def weights(*shape):
    return np.random.RandomState(SEED).normal(scale=0.3, size=shape).astype(np.float32)


def keras_hdf5(path):
    tf.compat.v1.reset_default_graph()
    tf.keras.backend.clear_session()
    model = tf.keras.Sequential(
        [
            tf.keras.layers.Dense(8, activation="relu", input_shape=(6,), name="hidden"),
            tf.keras.layers.Dropout(0.2, name="dropout"),
            tf.keras.layers.Dense(1, activation="sigmoid", name="churned"),
        ],
        name="churn",
    )
    model.set_weights([weights(6, 8), weights(8), weights(8, 1), weights(1)])
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    model.save(path)


def saved_model(path):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        amounts = tf.compat.v1.placeholder(tf.float32, [None, 4], name="amounts")
        kernel = tf.compat.v1.get_variable("kernel", initializer=weights(4, 1))
        score = tf.sigmoid(tf.matmul(amounts, kernel), name="score")
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.saved_model.simple_save(session, path, {"amounts": amounts}, {"score": score})


def frozen_graphs(binary, text):
    anywhere = tf.compat.v1.ConfigProto(allow_soft_placement=True)
    with tf.Graph().as_default(), tf.compat.v1.Session(config=anywhere) as session:
        image = tf.compat.v1.placeholder(tf.float32, [None, 32, 32, 1], name="image")
        kernel = tf.compat.v1.get_variable("kernel", initializer=weights(3, 3, 1, 2))
        with tf.device("/device:GPU:0"):  # as it was on the machine that trained it
            edges = tf.nn.conv2d(image, kernel, strides=1, padding="SAME", name="convolution")
        tf.nn.relu(edges, name="edges")
        session.run(tf.compat.v1.global_variables_initializer())
        frozen = graph_util.convert_variables_to_constants(session, session.graph_def, ["edges"])
    tf.io.write_graph(frozen, os.path.dirname(binary), os.path.basename(binary), as_text=False)
    tf.io.write_graph(frozen, os.path.dirname(text), os.path.basename(text), as_text=True)


def checkpoint(prefix, step, version):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.compat.v1.get_variable("items/embedding", initializer=weights(20, 8))
        tf.compat.v1.get_variable("items/bias", initializer=weights(20))
        tf.compat.v1.train.get_or_create_global_step()
        session.run(tf.compat.v1.global_variables_initializer())
        saver = tf.compat.v1.train.Saver(write_version=version)
        saver.save(session, prefix, global_step=step, write_state=False)


def tflite(path):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        spectrum = tf.compat.v1.placeholder(tf.float32, [1, 16], name="spectrum")
        keyword = tf.nn.softmax(tf.matmul(spectrum, tf.constant(weights(16, 4))), name="keyword")
        converter = tf.lite.TFLiteConverter.from_session(session, [spectrum], [keyword])
        model = converter.convert()
    with open(path, "wb") as file:
        file.write(model)


def main(examples):
    def path(*parts):
        result = os.path.join(examples, "models", *parts)
        os.makedirs(os.path.dirname(result), exist_ok=True)
        return result

    keras_hdf5(path("churn", "churn_2019.h5"))
    saved_model(path("fraud", "1"))
    frozen_graphs(path("vision", "edge_detector.pb"), path("vision", "edge_detector.pbtxt"))
    checkpoint(path("recommender", "items.ckpt"), 500, tf.compat.v1.train.SaverDef.V1)
    checkpoint(path("recommender", "items_v2"), 1000, tf.compat.v1.train.SaverDef.V2)
    tflite(path("speech", "keyword_spotter_2019.tflite"))


main(sys.argv[1])
