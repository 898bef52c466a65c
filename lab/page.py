"""The measured table as a page of the documentation: savers down, loaders across, one table a format and loader."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from lab.place import REPOSITORY
from lab.surprises import SURPRISES
from loadgate.diagnosis.measured import Cell, Measured, Row, measured
from loadgate.interchange import write_whole

Say = Callable[[str], None]
PAGE = REPOSITORY / "docs" / "reference" / "compatibility.md"
EXAMPLES = 12
"""Kinds of failure that are named a table, the most frequent first."""

NAMED = 4
"""Models that are named beside a kind of failure."""


@dataclass(frozen=True, slots=True)
class Section:
    format: str
    loader: str
    title: str
    note: str


SECTIONS = (
    Section("keras_h5", "keras", "Keras HDF5 by `tf.keras.models.load_model`", ""),
    Section(
        "keras_h5",
        "keras+compile",
        "Keras HDF5 by `load_model(compile=True)`",
        "Asked of the models that were compiled, where they load without it: one with Adam, `mse` and `mae`, one with "
        "a loss and a metric of the author's own, whose module was not imported.",
    ),
    Section(
        "keras_v3", "keras", "`.keras` by `tf.keras.models.load_model`", "TensorFlow writes this format from 2.12 on."
    ),
    Section(
        "keras_h5_as_keras",
        "keras",
        "HDF5 under the name `.keras` by `tf.keras.models.load_model`",
        'What `model.save("x.keras")` writes in TensorFlow 2.12.',
    ),
    Section("keras_v3", "keras+compile", "`.keras` by `load_model(compile=True)`", "The same two models."),
    Section("saved_model", "saved_model", "SavedModel by `tf.saved_model.load`", ""),
    Section(
        "saved_model",
        "keras",
        "SavedModel by `tf.keras.models.load_model`",
        "Keras 3 refuses every SavedModel before it looks inside; it was asked with two models a saver.",
    ),
    Section("graph_def", "graph_def", "Frozen GraphDef by `tf.graph_util.import_graph_def`", ""),
    Section("tflite", "tflite", "TFLite by `tf.lite.Interpreter`", ""),
    Section(
        "checkpoint",
        "checkpoint",
        "Checkpoint by `tf.train.load_checkpoint`",
        "Every tensor can be read everywhere. What changes silently is the step after: the same model was built anew, "
        "and `tf.train.Checkpoint(model=model).restore(path).expect_partial()` left its weights, or some of them, as "
        "they were.",
    ),
    Section(
        "keras_weights_h5",
        "weights",
        "Weights-only HDF5 by `h5py`",
        "`Model.load_weights` followed on the same model, built anew; !n are those that it refused.",
    ),
    Section(
        "keras_weights_h5",
        "keras",
        "Weights-only HDF5 given to `load_model`",
        "There is no model in the file, and no version pretends that there is.",
    ),
)


def write_page(say: Say) -> None:
    write_whole(PAGE, page(measured()).encode())
    say(str(PAGE.relative_to(REPOSITORY)))


def page(table: Measured) -> str:
    return "\n".join(lines(table)) + "\n"


def lines(table: Measured) -> Iterator[str]:
    yield "# What loads where, measured"
    yield ""
    yield (
        f"{table.loads:,} loads, measured on {table.measured} with `{table.command}` on {table.machine}. "
        "Each number is models that load, of models that were tried. Each model came with inputs and with the outputs "
        "of its saver: ~n marks n models that load without a word and then compute something else, !n those that load "
        "and raise when they are called. A row is who saved, a column is who loads; "
        "`k3` is Keras 3, `tfk` is tf-keras with `TF_USE_LEGACY_KERAS=1`."
    )
    yield ""
    yield "This page is written by `script/lab table` from the table that ships with loadgate."
    yield ""
    yield from runtimes(table)
    yield from surprises(table)
    for section in SECTIONS:
        rows = [
            row
            for row in table.rows
            if (row.format, row.loader, row.imports) == (section.format, section.loader, False)
        ]
        if rows:
            yield from section_lines(table, section, rows)
    yield from custom_objects(table)


def runtimes(table: Measured) -> Iterator[str]:
    yield "## The runtimes"
    yield ""
    yield "| runtime | TensorFlow | Keras | Python | NumPy | protobuf | h5py |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for each in table.runtimes:
        packages = " | ".join(each.packages.get(name, "–") for name in ("numpy", "protobuf", "h5py"))
        yield f"| {short(each.name)} | {each.tensorflow} | {each.keras} | {each.python} | {packages} |"
    yield ""


def surprises(table: Measured) -> Iterator[str]:
    order = [each.name for each in table.runtimes]
    yield "## Surprising cells, explained"
    yield ""
    for claim in SURPRISES:
        cells = list(claim.measured(table))
        savers = span([artifact.split("/")[0] for artifact, _, _ in cells], order)
        yield f"**{claim.title}.** {claim.text}"
        loaders = span([runtime for _, runtime, _ in cells], order)
        yield f"(Measured in {len(cells)} cells: saved with {savers}; loaded with {loaders}.)"
        yield ""


def short(name: str) -> str:
    return name.removeprefix("tf").replace("-keras3", " k3").replace("-tfkeras", " tfk")


def section_lines(table: Measured, section: Section, rows: Sequence[Row]) -> Iterator[str]:
    yield f"## {section.title}"
    yield ""
    if section.note:
        yield section.note
        yield ""
    names = [each.name for each in table.runtimes]
    savers = [name for name in names if any(row.saver == name for row in rows)]
    yield f"| saved with | {' | '.join(short(name) for name in names)} |"
    yield f"| --- |{' ---: |' * len(names)}"
    for saver in savers:
        mine = [row for row in rows if row.saver == saver]
        yield f"| **{short(saver)}** | {' | '.join(counted(mine, column) for column in range(len(names)))} |"
    yield ""
    yield from failures(table, rows)
    yield from changes(table, rows)


def counted(rows: Sequence[Row], column: int) -> str:
    """Such as `12/14 ~1`; a dash where nothing was tried."""
    cells = Counter(Cell(row.outcomes[column]) for row in rows)
    tried = sum(count for cell, count in cells.items() if cell is not Cell.NOT_MEASURED)
    if not tried:
        return "–"
    loaded = sum(count for cell, count in cells.items() if cell.loads)
    different = f" ~{cells[Cell.DIFFERENT]}" if cells[Cell.DIFFERENT] else ""
    broken = f" !{cells[Cell.DOES_NOT_RUN]}" if cells[Cell.DOES_NOT_RUN] else ""
    return f"{loaded}/{tried}{different}{broken}"


def failures(table: Measured, rows: Sequence[Row]) -> Iterator[str]:
    """What stands behind the cells that are not full, the most frequent first."""
    where: dict[int, list[tuple[Row, str]]] = defaultdict(list)
    for row in rows:
        for (_, failure), runtime in zip(row.cells(), table.runtimes, strict=True):
            if failure is not None:
                where[failure].append((row, runtime.name))
    if not where:
        return
    yield "| loads | why they fail | models | saved with | loaded with |"
    yield "| ---: | --- | --- | --- | --- |"
    ranked = sorted(where.items(), key=lambda item: -len(item[1]))
    order = [each.name for each in table.runtimes]
    for number, found in ranked[:EXAMPLES]:
        known = table.failures[number]
        message = literal(f"{known.type.rpartition('.')[2]}: {known.message}")
        yield (
            f"| {len(found)} | {message} | {some([row.model for row, _ in found])} "
            f"| {span([row.saver for row, _ in found], order)} | {span([name for _, name in found], order)} |"
        )
    rest = sum(len(found) for _, found in ranked[EXAMPLES:])
    if rest:
        yield f"| {rest} | {len(ranked) - EXAMPLES} other messages | | | |"
    yield ""


def changes(table: Measured, rows: Sequence[Row]) -> Iterator[str]:
    """The models that load and are no longer what was saved."""
    order = [each.name for each in table.runtimes]
    for cell, what in (
        (Cell.DIFFERENT, "Loads, and computes something else without a word"),
        (Cell.DOES_NOT_RUN, "Loads, and raises at its first call"),
        (Cell.HANGS, "Never ends"),
        (Cell.CRASHES, "Ends the process"),
    ):
        found: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for row in rows:
            for character, runtime in zip(row.outcomes, order, strict=True):
                if character == cell:
                    found[row.model].append((row.saver, runtime))
        if not found:
            continue
        yield f"{what}:"
        yield ""
        for model, pairs in sorted(found.items(), key=lambda item: -len(item[1])):
            savers, loaders = [saver for saver, _ in pairs], [loader for _, loader in pairs]
            where = f"saved with {span(savers, order)}, loaded with {span(loaders, order)}"
            yield f"- `{model}`, {len(pairs)} times: {where}"
        yield ""


def custom_objects(table: Measured) -> Iterator[str]:
    """What importing the author's module changes."""
    without = {(row.artifact, row.loader): row for row in table.rows if not row.imports}
    found: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for row in table.rows:
        if not row.imports or row.loader != "keras":
            continue
        for before, after in zip(without[row.artifact, row.loader].outcomes, row.outcomes, strict=True):
            if "?" not in before + after:
                counter = found[row.model, row.format]
                counter["tried"] += 1
                counter["without"] += Cell(before).loads
                counter["with"] += Cell(after).loads
    if not found:
        return
    yield "## With and without the author's own module"
    yield ""
    yield (
        "A layer that the author wrote is known to Keras once its module has been imported and has registered it. "
        "Loads by `load_model(compile=False)`, over all savers and loaders:"
    )
    yield ""
    yield "| model | format | tried | load without it | load with it |"
    yield "| --- | --- | ---: | ---: | ---: |"
    for (model, kind), counter in sorted(found.items()):
        yield f"| `{model}` | `{kind}` | {counter['tried']} | {counter['without']} | {counter['with']} |"
    yield ""


def literal(text: str) -> str:
    """Text of an exception inside a table: no markup in it counts."""
    return "`" + text.replace("`", "'").replace("|", "/") + "`"


def some(models: Sequence[str]) -> str:
    ranked = [model for model, _ in Counter(models).most_common()]
    more = len(ranked) - NAMED
    return ", ".join(ranked[:NAMED]) + (f" and {more} more" if more > 0 else "")


def span(names: Sequence[str], order: Sequence[str]) -> str:
    """Runs of neighbouring runtimes, such as `2.3 to 2.9, 2.12`; the two Keras lines of one TensorFlow are apart."""
    families = [[name for name in order if name.endswith(ending)] for ending in ("-keras3", "-tfkeras")]
    plain = [name for name in order if "-" not in name]
    parts = [part for family in (plain, *families) for part in runs(set(names), family)]
    return ", ".join(parts)


def runs(wanted: set[str], order: Sequence[str]) -> Iterator[str]:
    run: list[str] = []
    for name in [*order, ""]:
        if name in wanted:
            run.append(name)
        elif run:
            yield short(run[0]) if len(run) == 1 else f"{short(run[0])} to {short(run[-1])}"
            run = []
