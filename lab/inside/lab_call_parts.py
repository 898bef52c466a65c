"""Models of one part each: how a layer is called, what goes into a model and comes out, and models in models.

`lab_value_parts.py` saves them with its own.
"""

import tensorflow as tf
from lab_parts import IMAGE, SERIES, VECTOR, functional, layer, small_functional, small_sequential, wrapped

keras = tf.keras
L = keras.layers
Model = keras.models.Model
Sequential = keras.models.Sequential


def series(call):
    return functional(SERIES, call)


# --- how a layer is called ----------------------------------------------------------------------------------------


def with_states(name, count):
    """The states of one recurrent layer are where another begins."""

    def build():
        first, second = L.Input(shape=SERIES), L.Input(shape=SERIES)
        states = layer(name)(4, return_state=True)(first)[1:]
        return Model([first, second], layer(name)(4)(second, initial_state=states[:count]))

    return build


def given_state():
    first, state = L.Input(shape=SERIES), L.Input(shape=(4,))
    return Model([first, state], L.GRU(4)(first, initial_state=state))


def given_mask():
    first, mask = L.Input(shape=SERIES), L.Input(shape=(6,), dtype="bool")
    return Model([first, mask], L.GRU(4)(first, mask=mask))


def masks_of_attention():
    query, value, mask = L.Input(shape=SERIES), L.Input(shape=SERIES), L.Input(shape=(6,), dtype="bool")
    return Model([query, value, mask], L.Attention()([query, value], mask=[mask, mask]))


def attention_by_name():
    query, value = L.Input(shape=SERIES), L.Input(shape=SERIES)
    return Model([query, value], L.MultiHeadAttention(2, 3)(query=query, value=value, key=value))


def scores_of_attention():
    first = L.Input(shape=SERIES)
    return Model(first, list(L.MultiHeadAttention(2, 3)(first, first, return_attention_scores=True)))


def model_of_inputs_by_name():
    left, right = L.Input(shape=VECTOR, name="left"), L.Input(shape=VECTOR, name="right")
    inner = Model({"left": left, "right": right}, L.Add()([left, right]))
    first = L.Input(shape=VECTOR)
    return Model(first, inner({"left": first, "right": L.Dense(4)(first)}))


CALLS = {
    "training_" + name: functional(
        shape, lambda first, name=name, given=given: layer(name)(**given)(first, training=True)
    )
    for name, shape, given in (
        ("BatchNormalization", IMAGE, {}),
        ("Dropout", VECTOR, {"rate": 0.2}),
        ("SpatialDropout1D", SERIES, {"rate": 0.2}),
        ("GaussianNoise", VECTOR, {"stddev": 0.1}),
        ("LSTM", SERIES, {"units": 3}),
        ("RandomFlip", IMAGE, {}),
        ("RandomRotation", IMAGE, {"factor": 0.1}),
    )
}
CALLS.update(
    {
        "training_nothing": functional(VECTOR, lambda first: L.Dropout(0.2)(first, training=None)),
        "training_bidirectional": series(lambda first: L.Bidirectional(L.LSTM(3))(first, training=False)),
        "training_distributed": series(lambda first: L.TimeDistributed(L.Dropout(0.2))(first, training=False)),
        "training_sequential": functional(VECTOR, lambda first: small_sequential()(first, training=False)),
        "training_attention": series(lambda first: L.MultiHeadAttention(2, 3)(first, first, training=False)),
        "mask_nothing": series(lambda first: L.LSTM(3)(first, mask=None)),
        "mask_nothing_normalization": functional(IMAGE, lambda first: L.BatchNormalization()(first, mask=None)),
        "mask_nothing_model": functional(VECTOR, lambda first: small_functional()(first, mask=None)),
        "mask_tensor": given_mask,
        "masks_of_attention": masks_of_attention,
        "states_LSTM": with_states("LSTM", 2),
        "states_GRU": with_states("GRU", 1),
        "state_given": given_state,
        "attention_causal": series(lambda first: L.MultiHeadAttention(2, 3)(first, first, use_causal_mask=True)),
        "attention_causal_plain": series(lambda first: L.Attention()([first, first], use_causal_mask=True)),
        "attention_by_name": attention_by_name,
        "attention_scores": scores_of_attention,
        "attention_of_key": series(lambda first: L.MultiHeadAttention(2, 3)(first, first, first)),
        "model_of_inputs_by_name": model_of_inputs_by_name,
    }
)


# --- what goes in and comes out -----------------------------------------------------------------------------------

TYPES = ["float16", "float64", "bfloat16", "int8", "int16", "int32", "int64", "uint8", "uint16", "bool", "string"]


def of_type(name):
    def build():
        first = keras.Input(shape=(2, 2), dtype=name)
        return Model(first, L.Flatten()(first))

    return build


def ends(inputs, outputs):
    """A model whose inputs and outputs come as one tensor, a list or a mapping."""

    def build():
        left, right = L.Input(shape=VECTOR, name="left"), L.Input(shape=VECTOR, name="right")
        sums = {"one": L.Dense(2, name="one")(left), "two": L.Dense(3, name="two")(L.Add()([left, right]))}
        given = {"left": left, "right": right}
        return Model(
            given if inputs == "mapping" else list(given.values()),
            {"one": sums["two"], "list": list(sums.values()), "list of one": [sums["two"]], "mapping": sums}[outputs],
        )

    return build


def nested(*kinds):
    """Models in each other, the outermost last."""

    def build():
        made = L.Dense(4)
        for kind in kinds:
            if kind == "sequential":
                made = Sequential([L.InputLayer(input_shape=VECTOR), made])
            else:
                first = L.Input(shape=VECTOR)
                made = Model(first, made(first))
        return made

    return build


def list_of_one():
    first = L.Input(shape=VECTOR)
    return Model([first], [L.Dense(2)(first)])


def name_with_slash():
    first = L.Input(shape=VECTOR)
    return Model(first, L.Dense(2, name="block/dense")(first))


def model_of_own_name():
    first = L.Input(shape=VECTOR)
    return Model(first, L.Dense(2)(first), name="own")


def called_twice():
    left, right, shared = L.Input(shape=VECTOR), L.Input(shape=VECTOR), small_functional()
    return Model([left, right], L.Subtract()([shared(left), shared(right)]))


def sequential_called_twice():
    left, right, shared = L.Input(shape=VECTOR), L.Input(shape=VECTOR), small_sequential()
    return Model([left, right], L.Concatenate()([shared(left), shared(right)]))


ENDS = {"type_" + name: of_type(name) for name in TYPES}
ENDS.update(
    {
        "ends_%s_%s" % (inputs, outputs.replace(" ", "_")): ends(inputs, outputs)
        for inputs in ("list", "mapping")
        for outputs in ("one", "list", "list of one", "mapping")
    }
)
ENDS.update(
    {
        "ends_list_of_one": list_of_one,
        "nested_three": nested("sequential", "functional", "functional"),
        "nested_three_sequential": nested("sequential", "sequential", "sequential"),
        "nested_three_mixed": nested("functional", "sequential", "functional"),
        "nested_three_mixed_sequential": nested("functional", "functional", "sequential"),
        "nested_four": nested("functional", "sequential", "functional", "sequential"),
        "model_called_twice": called_twice,
        "sequential_called_twice": sequential_called_twice,
        "distributed_functional": wrapped((3, 4), lambda: L.TimeDistributed(small_functional())),
        "name_with_slash": name_with_slash,
        "batch_shape": lambda: Sequential([L.InputLayer(batch_input_shape=(2, 4)), L.Dense(2)]),
        "input_tensor_ragged": lambda: Sequential(
            [keras.Input(shape=(None,), ragged=True, dtype="int64"), L.Embedding(9, 4)]
        ),
        "model_of_own_name": model_of_own_name,
        "not_built": lambda: Sequential([L.Dense(2)]),
        "built_late": lambda: built(Sequential([L.Dense(3), L.Dropout(0.1), L.Dense(2)])),
    }
)


def built(model):
    model.build((None, 4))
    return model
