"""What might mend each of several failures: what each asks for itself, and what the others ask for. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from loadgate.diagnosis.change import Change
from loadgate.diagnosis.changes import Failure, changes_of, with_needed_imports
from loadgate.diagnosis.prospect import Prospective, most_promising, prospect
from loadgate.domain import Forecast


def shared(failures: Sequence[Failure], near: Collection[str]) -> Iterator[tuple[Failure, list[Prospective]]]:
    """Its own changes, then those of others of its runtime that are expected to help. For those `near` none is far."""
    changes = [[each for each in changes_of(failure) if _is_candidate(each, failure, near)] for failure in failures]
    own = [most_promising(failure, mine) for failure, mine in zip(failures, changes, strict=True)]
    offered: dict[str, dict[str, Change]] = {}
    for failure, prospects in zip(failures, own, strict=True):
        expected = (each.change for each in prospects if each.forecast is Forecast.WILL_LOAD)
        installed = (change.of_environment for change in expected if change.needs_environment)
        offered.setdefault(base_of(failure), {}).update({repr(change): change for change in installed})
    for failure, mine, prospects in zip(failures, changes, own, strict=True):
        others = offered[base_of(failure)].items()
        fitting = {key: change for key, change in others if _is_candidate(change, failure, near)}
        yield failure, [*prospects, *_lent(failure, mine, fitting)]


def base_of(failure: Failure) -> str:
    """What its candidates are made from."""
    return f"{failure.runtime.name}\0{failure.case.device}"


def _is_candidate(change: Change, failure: Failure, near: Collection[str]) -> bool:
    return change.resave is None and not (change.is_far and failure.case.id in near)


def _lent(failure: Failure, own: Sequence[Change], offered: Mapping[str, Change]) -> Iterator[Prospective]:
    """Nothing for what no environment mends."""
    mine = {repr(change.of_environment) for change in own if change.needs_environment}
    for key in (key for key in offered if mine and key not in mine):
        change = with_needed_imports(failure, offered[key])
        if prospect(failure, change).forecast is Forecast.WILL_LOAD:
            yield Prospective(change, Forecast.WILL_LOAD)
