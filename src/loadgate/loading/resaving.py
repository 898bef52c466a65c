"""The two halves of a re-save as work for the pool: one case saves, another loads what it saved. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path

from loadgate.domain import Case, Format, Stage, Trial
from loadgate.loading.job import Batch, Job
from loadgate.probe.resave import MODEL, RECORDED

SAVING = (Stage.LOAD, Stage.RESAVE)
READING = (Stage.LOAD, Stage.COMPARE)


def first_half(cases: Iterable[Case], trials: Iterable[Trial]) -> list[Case]:
    """Every case but those that load what another has saved."""
    follow = {trial.case for trial in trials if trial.resave is not None}
    return [case for case in cases if case.id not in follow]


def second_half(cases: Iterable[Case], trials: Iterable[Trial], saved: Collection[str]) -> list[Case]:
    """Those that can load what the cases `saved` have saved."""
    ready = {trial.case for trial in trials if trial.resave is not None and trial.resave.source in saved}
    return [case for case in cases if case.id in ready]


def saving(batches: Iterable[Batch], trials: Iterable[Trial], products: Path) -> list[Batch]:
    """The same work, in which the cases that save do so into a folder of their own below `products`."""
    forms = {trial.case: trial.saves for trial in trials if trial.saves is not None}

    def as_told(job: Job) -> Job:
        form = forms.get(job.case.id)
        if form is None:
            return job
        return replace(job, stages=SAVING, saves=form, product=products / job.case.id)

    return [replace(batch, jobs=tuple(map(as_told, batch.jobs))) for batch in batches]


def reading(batches: Iterable[Batch], trials: Iterable[Trial], products: Path) -> list[Batch]:
    """The same work on what was saved again, in place of the originals."""
    resaves = {trial.case: trial.resave for trial in trials if trial.resave is not None}

    def of_product(job: Job) -> Job:
        resave = resaves[job.case.id]
        folder = products / resave.source
        path = model_in(folder, resave.format)
        return replace(job, path=path, files=(path, folder / RECORDED), stages=READING, product=folder)

    return [replace(batch, jobs=tuple(map(of_product, batch.jobs))) for batch in batches]


def model_in(product: Path, form: Format) -> Path:
    """Where a case that saved in that format has left the model."""
    return product / MODEL[form.value]
