"""The cells that nobody expects, each explained once. A claim is held to every cell that it speaks of, by the tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from loadgate.diagnosis.measured import Cell, Measured

KERAS_2 = "tf1.15 tf2.3 tf2.6 tf2.9 tf2.10 tf2.11 tf2.12 tf2.13 tf2.14 tf2.15"
TF_KERAS = "tf2.16-tfkeras tf2.17-tfkeras tf2.18-tfkeras tf2.19-tfkeras tf2.20-tfkeras tf2.21-tfkeras"
KERAS_3 = "tf2.16-keras3 tf2.17-keras3 tf2.18-keras3 tf2.19-keras3 tf2.20-keras3 tf2.21-keras3"
FAILS = "xtmc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What every measured cell of these savers, loaders and models comes to."""

    title: str
    text: str
    format: str
    """Names with spaces between them, as in the fields below."""
    loader: str = "keras"
    models: str
    savers: str
    loaders: str
    cells: str
    """The outcomes that are claimed, as `Cell` spells them."""

    def measured(self, table: Measured) -> Iterator[tuple[str, str, Cell]]:
        """Artifact, loader and outcome of every measured cell that it speaks of."""
        for row in table.rows:
            if (row.loader, row.imports) != (self.loader, False) or row.format not in self.format.split():
                continue
            if row.saver not in self.savers.split() or row.model not in self.models.split():
                continue
            for runtime, character in zip(table.runtimes, row.outcomes, strict=True):
                if runtime.name in self.loaders.split() and character != Cell.NOT_MEASURED:
                    yield row.artifact, runtime.name, Cell(character)

    def contradicted(self, table: Measured) -> list[tuple[str, str, Cell]]:
        return [each for each in self.measured(table) if each[2] not in self.cells]


OLDER = "tf1.15 tf2.3 tf2.6 tf2.9"
WITH_KERAS_V3 = "tf2.13 tf2.14 tf2.15"

SURPRISES = (
    Claim(
        title="A Normalization layer in HDF5 forgets what it learned",
        text=(
            "Keras 3.3 and 3.5 load the file without a word and normalise with mean 0 and variance 1, while the right "
            "numbers lie unused in the layer's `adapt_mean` and `adapt_variance`. Their own files are no exception."
        ),
        format="keras_h5",
        models="normalization",
        savers="tf2.3 tf2.6 tf2.9 tf2.10 tf2.11 tf2.12 tf2.13 tf2.14 tf2.15 tf2.16-keras3 tf2.17-keras3 " + TF_KERAS,
        loaders="tf2.16-keras3 tf2.17-keras3",
        cells="~",
    ),
    Claim(
        title="TensorFlow 2.6 does the same, with its own files too",
        text="Later Keras 2 reads them right.",
        format="keras_h5",
        models="normalization",
        savers="tf2.3 tf2.6 tf2.9 tf2.10 tf2.11",
        loaders="tf2.6",
        cells="~",
    ),
    Claim(
        title="A checkpoint restores nothing across Keras 2 and Keras 3",
        text=(
            "`model/layer_with_weights-0/cell/kernel` is `model/_functional/_operations/1/cell/kernel` now. "
            "`restore(...)` returns, `expect_partial()` keeps it quiet, and the model keeps the weights that it was "
            "built with."
        ),
        format="checkpoint",
        loader="checkpoint",
        models="lstm",
        savers="tf2.3 tf2.6 tf2.9 tf2.10 tf2.11 tf2.12 tf2.13 tf2.14 tf2.15 " + TF_KERAS,
        loaders=KERAS_3,
        cells="~",
    ),
    Claim(
        title="And none the other way",
        text="For the same reason.",
        format="checkpoint",
        loader="checkpoint",
        models="lstm",
        savers=KERAS_3,
        loaders=f"{KERAS_2} {TF_KERAS}",
        cells="~",
    ),
    Claim(
        title="Keras 3 writes HDF5 that it cannot read",
        text=(
            "Arithmetic between layers, such as `hidden / 3.0`, is stored as a layer `TrueDivide`, and reading HDF5 no "
            "version of Keras 3 knows a layer of that name, the one that wrote it included. As `.keras` the same model "
            "loads."
        ),
        format="keras_h5",
        models="operators",
        savers=KERAS_3,
        loaders=KERAS_3,
        cells="x",
    ),
    Claim(
        title="And HDF5 that it reads and cannot run",
        text=(
            "A `TextVectorization` layer comes back from HDF5 without its table of words. The load is silent; the "
            "first call raises `FailedPreconditionError`."
        ),
        format="keras_h5",
        models="text_vectorization",
        savers="tf2.16-keras3 tf2.17-keras3 tf2.18-keras3 tf2.19-keras3",
        loaders=KERAS_3,
        cells="!",
    ),
    Claim(
        title="A nested model of Keras 2 in HDF5 never finishes loading in Keras 3",
        text=(
            "Keras 3.3 to 3.13 compute without end and without a message over a model inside a model. Only a limit of "
            "time ends it. Keras 3.15 raises `Invalid Functional model configuration` instead."
        ),
        format="keras_h5",
        models="nested shared_encoder",
        savers=f"tf2.3 tf2.6 tf2.9 tf2.10 tf2.11 tf2.12 tf2.13 tf2.14 tf2.15 {TF_KERAS}",
        loaders="tf2.16-keras3 tf2.17-keras3 tf2.18-keras3 tf2.19-keras3 tf2.20-keras3",
        cells="t",
    ),
    Claim(
        title="`.keras` of TensorFlow 2.13 and 2.14 does not load in 2.15",
        text=(
            "The format kept its name and changed where the weights lie in it: `expected 2 variables, but received 0`. "
            "HDF5 of the same models loads."
        ),
        format="keras_v3",
        models="dense normalization",
        savers="tf2.13 tf2.14",
        loaders="tf2.15 " + TF_KERAS,
        cells="x",
    ),
    Claim(
        title="A functional model of Keras 2 as `.keras` loads in no Keras 3",
        text=(
            "`config.json` names the module `keras.src.engine.functional`, which Keras 3 does not have. What loads, "
            "from 2.14 on, is the `dense` of the lab: a Sequential model that begins with an Input."
        ),
        format="keras_v3",
        models="operators normalization attention_multi_head mixed_precision",
        savers=f"{WITH_KERAS_V3} {TF_KERAS}",
        loaders=KERAS_3,
        cells="x",
    ),
    Claim(
        title="tf-keras 2.21 writes what no older Keras 2 reads",
        text="Its `InputLayer` has a field `optional`: `Unrecognized keyword arguments: ['optional']`.",
        format="keras_h5",
        savers="tf2.21-tfkeras",
        loaders="tf2.3 tf2.6 tf2.9 tf2.10 tf2.11 tf2.12 tf2.13 tf2.14 tf2.15 tf2.16-tfkeras tf2.17-tfkeras "
        "tf2.18-tfkeras tf2.19-tfkeras tf2.20-tfkeras",
        models="dense normalization bidirectional attention_multi_head operators",
        cells="x",
    ),
    Claim(
        title="Keras 3.13 writes what Keras 3.10 does not read",
        text="A `Dense` layer got a field `quantization_config`. Only the Keras that saved, or a later one, loads it.",
        format="keras_v3 keras_h5",
        models="dense normalization",
        savers="tf2.20-keras3",
        loaders="tf2.16-keras3 tf2.17-keras3 tf2.18-keras3 tf2.19-keras3",
        cells="x",
    ),
    Claim(
        title="Keras 3.15 writes what Keras 3.13 does not read",
        text="Its initialisers got fields `input_axes` and `output_axes`.",
        format="keras_v3 keras_h5",
        models="dense normalization",
        savers="tf2.21-keras3",
        loaders="tf2.16-keras3 tf2.17-keras3 tf2.18-keras3 tf2.19-keras3 tf2.20-keras3",
        cells="x",
    ),
    Claim(
        title="Keras 3.13 and 3.15 refuse a Lambda layer in HDF5 as well",
        text="Their own files included. Up to 3.10, only `.keras` was held to the safe mode.",
        format="keras_h5",
        models="lambda_layer",
        savers=f"tf2.3 tf2.6 tf2.9 tf2.10 tf2.11 tf2.12 tf2.13 tf2.14 tf2.15 {KERAS_3} {TF_KERAS}",
        loaders="tf2.20-keras3 tf2.21-keras3",
        cells="x",
    ),
    Claim(
        title="A Lambda layer is the bytecode of one family of Pythons",
        text=(
            "`bad marshal data (unknown type code)`: saved under Python 3.8 to 3.10, loaded under 3.11 or later. "
            "Neither TensorFlow nor the file is to blame."
        ),
        format="keras_h5",
        models="lambda_layer",
        savers="tf2.3 tf2.6 tf2.9 tf2.10 tf2.11 tf2.12",
        loaders="tf2.13 tf2.14 tf2.15 tf2.16-tfkeras tf2.17-tfkeras tf2.18-tfkeras tf2.19-tfkeras tf2.20-tfkeras",
        cells="x",
    ),
    Claim(
        title="A Lambda layer of Python 3.11 or 3.12 ends the process under 3.13",
        text=(
            "Its bytecode can be read and not be run: no exception, a segmentation fault. TensorFlow 2.20 was measured "
            "with Python 3.13; it is the Python that decides."
        ),
        format="keras_h5",
        models="lambda_layer",
        savers="tf2.13 tf2.14 tf2.15 tf2.16-tfkeras tf2.17-tfkeras tf2.18-tfkeras tf2.19-tfkeras",
        loaders="tf2.20-tfkeras",
        cells="c",
    ),
    Claim(
        title="A SavedModel of TensorFlow 2.12 or later does not load in 2.9 or older",
        text="It holds an op that came with 2.10: `Op type not registered 'DisableCopyOnRead'`.",
        format="saved_model",
        loader="saved_model",
        models="dense",
        savers=f"tf2.12 {WITH_KERAS_V3} {KERAS_3} {TF_KERAS}",
        loaders=OLDER,
        cells="x",
    ),
    Claim(
        title='`model.save("x.keras")` in TensorFlow 2.12 writes HDF5',
        text=(
            'Keras 2.12 writes the new format only when asked with `save_format="keras_v3"`. Older Keras 2 loads such '
            "a file; Keras 3 says that it does not exist."
        ),
        format="keras_h5_as_keras",
        models="dense",
        savers="tf2.12",
        loaders=KERAS_3,
        cells="x",
    ),
)
