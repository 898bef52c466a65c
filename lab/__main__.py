"""`script/lab [STEP]`: every step of the lab, each of which goes on where it was stopped."""

from __future__ import annotations

import time
from pathlib import Path

import click

from lab import parts, words
from lab.foretelling import foretell
from lab.loading import TIERS
from lab.making import make, make_between
from lab.page import write_page
from lab.place import Place, default_cache, default_place
from lab.sample import measure_sample
from lab.saving import save
from lab.sweeping import sweep
from lab.table import pack_raw_results, unpack_raw_results, write_table

RESTORE = "restore"
STEPS = (RESTORE, "make", "save", "load", "parts", "table", "predict")
STARTED = time.monotonic()


def say(text: str) -> None:
    seconds = int(time.monotonic() - STARTED)
    click.echo(f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}  {text}")


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.argument("step", required=False, type=click.Choice(STEPS))
@click.option("--lab", type=click.Path(path_type=Path), default=default_place, help="Where the raw results lie.")
@click.option("--cache", type=click.Path(path_type=Path), default=default_cache, help="Where the runtimes lie.")
@click.option("--runtime", "only", multiple=True, help="Load in this runtime alone; may be given again.")
@click.option(
    "--tier", type=click.IntRange(0, TIERS - 1), help="Load the models of this tier and those before it alone."
)
@click.option("--sample", type=int, help="Load that many of the measured loads again, each alone, and compare.")
def main(  # noqa: PLR0913, PLR0917 - one argument an option
    step: str | None, lab: Path, cache: Path, only: tuple[str, ...], tier: int | None, sample: int | None
) -> None:
    """Save the catalogue in every TensorFlow, load it in every other, and write the tables that ship with loadgate.

    STEP is one of restore, make, save, load, parts, table, predict; without it, all but the first of them run, one
    after the other. It takes hours. The last two need what is kept under lab/results alone, and restore makes a run go
    on from there.
    """
    place = Place(lab.absolute())
    if sample is not None:
        raise SystemExit(measure_sample(place, sample, only, say))
    steps = (step,) if step else STEPS[1:]
    if RESTORE in steps:
        unpack_raw_results(place, say)
    if "make" in steps:
        make(place, cache.absolute(), say)
        make_between(place, cache.absolute())
    if "save" in steps:
        save(place, say)
    if "load" in steps:
        sweep(place, say, only, range(TIERS) if tier is None else (tier,))
    if "parts" in steps:
        parts.save(place, only)
        parts.catalogue(place)
        parts.load(place, only)
        words.measure(place)
    if "table" in steps:
        if place.loads.exists():
            pack_raw_results(place, say)
        write_table(say)
        write_page(say)
    if "predict" in steps:
        foretell(say)


if __name__ == "__main__":
    main()
