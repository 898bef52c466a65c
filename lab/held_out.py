"""Models and savers that nothing was learnt from: saved, loaded, and held to what loadgate says of them.

usage: python -m lab.held_out FOLDER CACHE [--saver NAME ...] [--target NAME ...]

FOLDER keeps what was saved and the runs, CACHE the runtimes of both; what is there is not made again. The bars are
printed for all that FOLDER holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from lab.answers import Load, of_runs, scored, told
from lab.corpus import Row, tell
from lab.loading import LOADERS
from lab.making import made
from lab.parts import run
from lab.place import INSIDE
from lab.runtimes import OLD_NUMPY, OLD_PROTOBUF, Release, runtime, runtimes
from lab.table import KEPT
from loadgate.artifacts.discover import discover, read_artifact
from loadgate.diagnosis.predict import predict
from loadgate.diagnosis.target import target_of
from loadgate.domain import Case, Checks, Device, Locks, Outcome, Plan, Runtime
from loadgate.interchange import write_document
from loadgate.phases.load import load
from loadgate.phases.provision import provision
from loadgate.progress import Silent

SAVERS = (
    Release(tensorflow="1.14.0", python="3.7", pins=OLD_PROTOBUF),
    Release(tensorflow="2.0.4", python="3.7", pins=OLD_PROTOBUF),
    Release(tensorflow="2.1.0", python="3.7", pins=OLD_PROTOBUF),
    Release(tensorflow="2.4.4", python="3.8", pins=OLD_PROTOBUF),
    Release(tensorflow="2.5.3", python="3.8", pins=OLD_PROTOBUF),
    Release(tensorflow="2.7.4", python="3.8", pins=OLD_NUMPY),
    Release(tensorflow="2.8.4", python="3.10", pins=OLD_NUMPY),
    Release(tensorflow="2.16.2", python="3.11", keras="3.9.2"),
    Release(tensorflow="2.16.2", python="3.11", keras="3.12.1"),
    Release(tensorflow="2.17.1", python="3.11", keras="3.15.1"),
)
"""None of them is a saver of the lab."""
TARGETS = (
    "tf1.15", "tf2.6", "tf2.9", "tf2.12", "tf2.15", "tf2.16-tfkeras", "tf2.17-keras3", "tf2.20-keras3", "tf2.21-keras3",
)  # fmt: skip
ATTEMPTS = 5
"""Some savers end the process; what did is left out of the next run."""
CHECKS = Checks(timeout=30.0)
"""Some files of Keras 2 keep a Keras 3 busy without end."""


@dataclass(frozen=True, slots=True)
class Place:
    root: Path

    @property
    def artifacts(self) -> Path:
        return self.root / "artifacts"

    @property
    def runs(self) -> Path:
        return self.root / "runs"


def named(release: Release) -> str:
    return f"tf{release.minor}-keras{release.keras}" if release.keras else f"tf{release.minor}"


def saver_of(release: Release) -> Runtime:
    """With the most pins that it may need, so that nothing has to be found out."""
    return runtime(named(release), release, release.pins[-1] if release.pins else ())


def targets() -> Iterator[Runtime]:
    """The runtimes of the lab, with the pins that it found them to need."""
    constraints = json.loads((KEPT / "constraints.json").read_text())
    return runtimes({minor: tuple(found["pins"]) for minor, found in constraints.items()})


def save(place: Place, release: Release, cache: Path) -> None:
    folder, account = place.artifacts / named(release), place.root / f"{named(release)}.jsonl"
    if folder.exists():
        return
    place.artifacts.mkdir(parents=True, exist_ok=True)
    (state,) = made([saver_of(release)], cache)
    if state.lock is None:
        raise SystemExit(f"{state.name}: {state.finding}")
    command = [state.lock.interpreter, str(INSIDE / "lab_held_out.py"), str(folder), str(account)]
    for _ in range(ATTEMPTS):
        if run(command, state.name) == 0:
            break


def measure(place: Place, target: Runtime, cache: Path) -> None:
    stem = place.runs / target.name
    results = stem.with_name(f"{target.name}.results.jsonl")
    if results.exists():
        return
    artifacts = tuple(read_artifact(place.artifacts, sighting) for sighting in discover(place.artifacts))
    cases = tuple(
        Case(id=f"{number}-{loader}", artifact=each.path, runtime=target.name, device=Device.CPU, loader=loader)
        for number, each in enumerate(artifacts)
        for loader in LOADERS[each.format]
    )
    root = str(place.artifacts)
    plan = Plan(repository=root, artifacts=artifacts, runtimes=(target,), cases=cases, checks=CHECKS)
    locks: Locks = provision(plan, cache, progress=Silent())
    place.runs.mkdir(parents=True, exist_ok=True)
    unfinished = results.with_suffix(".part")
    with unfinished.open("wb") as stream:
        load(plan, locks, stream, Silent())
    write_document(stem.with_name(f"{target.name}.plan.json"), plan)
    write_document(stem.with_name(f"{target.name}.locks.json"), locks)
    unfinished.rename(results)


def expected(loads: list[Load]) -> Iterator[Row]:
    for each in loads:
        if each.result.outcome in (Outcome.PASSED, Outcome.FAILED):
            name = f"{each.artifact.path} in {each.runtime.name} by {each.loader}"
            yield Row(name, predict(each.artifact, each.loader, target_of(each.lock)), each.has_passed)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("cache", type=click.Path(path_type=Path))
@click.option("--saver", "savers", multiple=True, help="Save with this one alone; may be given again.")
@click.option("--target", "only", multiple=True, help="Load in this runtime of the lab alone; may be given again.")
def main(folder: Path, cache: Path, savers: tuple[str, ...], only: tuple[str, ...]) -> None:
    place = Place(folder.absolute())
    for release in SAVERS:
        if not savers or named(release) in savers:
            save(place, release, cache.absolute())
    for target in targets():
        if target.name in (only or TARGETS):
            measure(place, target, cache.absolute())
    loads = list(of_runs(place.runs))
    click.echo(told("held out", scored(loads)))
    tell(list(expected(loads)))


if __name__ == "__main__":
    main()
