"""Models of one part each, as in `lab_parts.py`: each kind of value that an option may have.

`lab_parts.py` has every class once, as it is made by default. Runs inside every runtime:
`python lab_value_parts.py FOLDER ACCOUNT` writes FOLDER/NAME.h5 and FOLDER/NAME.keras, and a line for each in ACCOUNT.
"""

import os
import sys

import lab_parts
import tensorflow as tf
from lab_call_parts import CALLS, ENDS, series
from lab_parts import IMAGE, SERIES, VECTOR, alone, functional, layer, merged, small_sequential, wrapped

keras = tf.keras
L = keras.layers
Model = keras.models.Model
Sequential = keras.models.Sequential
WORDS = (1,)


# --- kinds of values ----------------------------------------------------------------------------------------------


def doubled(values):
    return values * 2.0


def scaled(values, factor=1.0, mask=None):  # noqa: ARG001 - Keras looks whether it takes one
    return values * factor


def adapted(made, samples):
    made.adapt(samples.numpy())
    first = keras.Input(shape=(samples.shape[-1],), dtype=samples.dtype.name)
    return Model(first, made(first))


def crossed():
    left, right = keras.Input(shape=(1,), dtype="string"), keras.Input(shape=(1,), dtype="string")
    return Model([left, right], layer("HashedCrossing")(5)([left, right]))


def policy(name):
    return (getattr(keras, "DTypePolicy", None) or keras.mixed_precision.Policy)(name)


def under(name, build):
    before = keras.mixed_precision.global_policy()
    keras.mixed_precision.set_global_policy(name)
    try:
        return build()
    finally:
        keras.mixed_precision.set_global_policy(before)


VALUES = {
    "lambda_function": alone(VECTOR, "Lambda", doubled),
    "lambda_shape": alone(VECTOR, "Lambda", doubled, output_shape=(4,)),
    "lambda_shape_list": alone(VECTOR, "Lambda", doubled, output_shape=[4]),
    "lambda_arguments": alone(VECTOR, "Lambda", scaled, arguments={"factor": 2.0}),
    "lambda_masked": series(lambda first: L.Lambda(scaled)(L.Masking()(first))),
    "normalization_axis_list": alone(SERIES, "LayerNormalization", axis=[1, 2]),
    "normalization_axis_int": alone(SERIES, "LayerNormalization", axis=-1),
    "normalization_axis_1": alone(IMAGE, "BatchNormalization", axis=1),
    "normalization_renorm": alone(IMAGE, "BatchNormalization", renorm=True),
    "normalization_fused": alone(IMAGE, "BatchNormalization", fused=False),
    "normalization_sync": alone(IMAGE, "BatchNormalization", synchronized=True),
    "unit_normalization_axes": alone(SERIES, "UnitNormalization", axis=[1, 2]),
    "normalization_all": alone(VECTOR, "Normalization", axis=None, mean=0.5, variance=1.0),
    "normalization_of_each": alone(VECTOR, "Normalization", axis=-1, mean=[0.0] * 4, variance=[1.0] * 4),
    "normalization_adapted": lambda: adapted(layer("Normalization")(), tf.constant([[0.0, 1.0], [2.0, 3.0]])),
    "discretization_bins": alone(VECTOR, "Discretization", bins=[0.0, 1.0]),
    "discretization_adapted": lambda: adapted(layer("Discretization")(num_bins=3), tf.constant([[0.0], [1.0], [2.0]])),
    "cropping_number": alone(IMAGE, "Cropping2D", cropping=1),
    "cropping_pair": alone(IMAGE, "Cropping2D", cropping=(1, 2)),
    "cropping_pairs": alone(IMAGE, "Cropping2D", cropping=((1, 1), (0, 2))),
    "cropping_series": alone(SERIES, "Cropping1D", cropping=(1, 1)),
    "padding_number": alone(IMAGE, "ZeroPadding2D", padding=2),
    "padding_pairs": alone(IMAGE, "ZeroPadding2D", padding=((1, 1), (0, 2))),
    "padding_first": alone(IMAGE, "ZeroPadding2D", padding=1, data_format="channels_first"),
    "policy_mixed": alone(VECTOR, "Dense", 3, dtype="mixed_float16"),
    "policy_bfloat": alone(VECTOR, "Dense", 3, dtype="mixed_bfloat16"),
    "policy_half": alone(VECTOR, "Dense", 3, dtype="float16"),
    "policy_object": lambda: Sequential([L.Dense(3, input_shape=VECTOR, dtype=policy("mixed_float16"))]),
    "policy_of_all": lambda: under("mixed_float16", small_sequential),
    "attention_scale": series(lambda first: L.Attention(use_scale=True, dropout=0.1)([first, first])),
    "attention_additive_plain": series(lambda first: L.AdditiveAttention(use_scale=False)([first, first])),
    "attention_concat": series(lambda first: L.Attention(score_mode="concat")([first, first])),
    "heads_values": series(
        lambda first: L.MultiHeadAttention(2, 3, value_dim=4, dropout=0.1, use_bias=False)(first, first)
    ),
    "heads_shape": series(lambda first: L.MultiHeadAttention(2, 3, output_shape=5)(first, first)),
    "heads_axes": functional((5, 6, 3), lambda first: L.MultiHeadAttention(2, 3, attention_axes=(1, 2))(first, first)),
    "heads_regularized": series(
        lambda first: L.MultiHeadAttention(2, 3, kernel_regularizer="l2", kernel_constraint="non_neg")(first, first)
    ),
    "einsum_number": alone(SERIES, "EinsumDense", "abc,cd->abd", output_shape=(6, 5), activation="relu"),
    "dot_axes": functional(SERIES, lambda first: L.Dot(axes=(2, 2), normalize=True)([first, first])),
    "concatenate_first": merged("Concatenate", axis=-1),
    "reshape_open": alone(SERIES, "Reshape", (-1, 2)),
    "flatten_first": alone(IMAGE, "Flatten", data_format="channels_first"),
    "softmax_axes": alone(SERIES, "Softmax", axis=[1, 2]),
    "softmax_axis": alone(SERIES, "Softmax", axis=1),
    "relu_all": alone(VECTOR, "ReLU", max_value=6.0, negative_slope=0.1, threshold=0.2),
    "prelu_axes": alone(SERIES, "PReLU", shared_axes=[1], alpha_initializer="ones"),
    "dropout_shape": alone(SERIES, "Dropout", 0.2, noise_shape=(None, 1, 3)),
    "constant_list": lab_parts.dense_with(
        bias_initializer=keras.initializers.Constant(0.1), kernel_regularizer="l1_l2"
    ),
    "regularized_all": lab_parts.dense_with(
        kernel_regularizer=keras.regularizers.l1_l2(1e-5, 1e-4),
        bias_regularizer=keras.regularizers.l2(1e-4),
        activity_regularizer=keras.regularizers.l1(1e-5),
        kernel_constraint=keras.constraints.MaxNorm(2.0),
        bias_constraint="non_neg",
    ),
    "embedding_regularized": alone(
        (6,), "Embedding", 9, 4, embeddings_regularizer="l2", embeddings_constraint="unit_norm"
    ),
    "embedding_mask": alone((6,), "Embedding", 9, 4, mask_zero=True),
    "convolution_all": alone(
        IMAGE, "Conv2D", 2, (3, 3), strides=(2, 2), padding="same", activation="relu", kernel_regularizer="l2"
    ),
    "convolution_first": alone(IMAGE, "Conv2D", 2, 3, padding="same", data_format="channels_first"),
    "convolution_causal": alone(SERIES, "Conv1D", 2, 3, padding="causal", dilation_rate=2),
    "transposed_padding": alone(IMAGE, "Conv2DTranspose", 2, 3, strides=2, output_padding=1),
    "depthwise_multiplier": alone(IMAGE, "DepthwiseConv2D", 3, depth_multiplier=2, dilation_rate=2),
    "separable_all": alone(IMAGE, "SeparableConv2D", 2, 3, depth_multiplier=2, pointwise_regularizer="l2"),
    "pooling_same": alone(IMAGE, "MaxPooling2D", (3, 2), strides=(2, 1), padding="same"),
    "pooling_first": alone(IMAGE, "AveragePooling2D", data_format="channels_first"),
    "pooling_keepdims": alone(SERIES, "GlobalMaxPooling1D", keepdims=True),
    "pooling_series_keepdims": alone(SERIES, "GlobalAveragePooling1D", keepdims=True, data_format="channels_first"),
    "upsampling_pair": alone(IMAGE, "UpSampling2D", (2, 3)),
    "recurrent_all": alone(
        SERIES,
        "LSTM",
        3,
        unroll=True,
        kernel_regularizer="l2",
        recurrent_activation="hard_sigmoid",
        unit_forget_bias=False,
    ),
    "recurrent_states": series(lambda first: list(L.LSTM(3, return_sequences=True, return_state=True)(first))),
    "recurrent_masked": series(lambda first: L.LSTM(3)(L.Masking(mask_value=0.0)(first))),
    "recurrent_simple": alone(SERIES, "SimpleRNN", 3, dropout=0.1, recurrent_dropout=0.1, return_sequences=True),
    "cells_one": wrapped(SERIES, lambda: L.RNN(L.SimpleRNNCell(3), return_sequences=True, go_backwards=True)),
    "cells_stacked": wrapped(SERIES, lambda: L.RNN(L.StackedRNNCells([L.LSTMCell(3), L.GRUCell(2)]))),
    "bidirectional_none": series(lambda first: list(L.Bidirectional(L.GRU(3), merge_mode=None)(first))),
    "bidirectional_other": wrapped(
        SERIES, lambda: L.Bidirectional(L.LSTM(3), backward_layer=L.LSTM(3, go_backwards=True), merge_mode="ave")
    ),
    "bidirectional_states": series(lambda first: L.Bidirectional(L.LSTM(3, return_state=True))(first)[0]),
    "bidirectional_twice": wrapped(
        SERIES, lambda: Sequential([L.Bidirectional(L.LSTM(3, return_sequences=True)), L.Bidirectional(L.LSTM(2))])
    ),
    "conv_lstm_sequences": alone(
        (4, 8, 8, 3), "ConvLSTM2D", 2, (3, 3), padding="same", return_sequences=True, dropout=0.1
    ),
    "category_counts": alone(VECTOR, "CategoryEncoding", num_tokens=6, output_mode="count"),
    "category_one_hot": alone((1,), "CategoryEncoding", num_tokens=6, output_mode="one_hot"),
    "hashing_salt": alone(WORDS, "Hashing", 5, salt=[3, 4], input_dtype="string"),
    "hashing_mask": alone(WORDS, "Hashing", 5, mask_value="", input_dtype="string"),
    "integers_all": alone(
        WORDS, "IntegerLookup", vocabulary=[3, 5], num_oov_indices=2, mask_token=0, input_dtype="int64"
    ),
    "integers_one_hot": alone(WORDS, "IntegerLookup", vocabulary=[3, 5], output_mode="one_hot", input_dtype="int64"),
    "strings_one_hot": alone(WORDS, "StringLookup", vocabulary=["a", "b"], output_mode="one_hot", input_dtype="string"),
    "strings_many": alone(WORDS, "StringLookup", vocabulary=["a", "b"], output_mode="multi_hot", input_dtype="string"),
    "strings_all": alone(
        WORDS, "StringLookup", vocabulary=["a", "b"], num_oov_indices=0, mask_token="", input_dtype="string"
    ),
    "strings_adapted": lambda: adapted(layer("StringLookup")(), tf.constant([["a"], ["b"]])),
    "text_adapted": lambda: adapted(
        layer("TextVectorization")(output_sequence_length=4), tf.constant([["a b"], ["b"]])
    ),
    "text_counts": lambda: adapted(
        layer("TextVectorization")(output_mode="count", ngrams=2), tf.constant([["a b"], ["b"]])
    ),
    "crossing": crossed,
    "flip_mode": alone(IMAGE, "RandomFlip", "horizontal"),
    "rotation_range": alone(IMAGE, "RandomRotation", (-0.1, 0.2), fill_mode="nearest", seed=3),
    "zoom_range": alone(IMAGE, "RandomZoom", (-0.1, 0.1), (-0.1, 0.1), interpolation="nearest"),
    "translation_range": alone(IMAGE, "RandomTranslation", (-0.1, 0.1), 0.1, fill_mode="constant"),
    "contrast_range": alone(IMAGE, "RandomContrast", (0.1, 0.2)),
    "brightness_range": alone(IMAGE, "RandomBrightness", (-0.1, 0.2), value_range=(0, 1)),
    "resizing_all": alone(IMAGE, "Resizing", 4, 4, interpolation="nearest", crop_to_aspect_ratio=True),
    "rescaling_list": alone(IMAGE, "Rescaling", [0.1, 0.2, 0.3], offset=[0.0, 0.1, 0.2]),
    "group_normalization": alone(IMAGE, "GroupNormalization", groups=-1, axis=-1, scale=False),
    "activation_of_layer": wrapped(VECTOR, lambda: L.Dense(3, activation=L.ReLU())),
    "activation_softmax_layer": wrapped(VECTOR, lambda: L.Activation(keras.activations.softmax)),
}


def parts():
    found = dict(CALLS)
    found.update(ENDS)
    found.update(VALUES)
    return found


if __name__ == "__main__":
    lab_parts.save(parts(), sys.argv[1], sys.argv[2])
    sys.stdout.flush()
    os._exit(0)
