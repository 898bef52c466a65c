"""What is recommended of a failure in the end: what was verified, and what nobody tried. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice

from loadgate.diagnosis.advice import advise_mending
from loadgate.diagnosis.attempts import Attempt, remedies
from loadgate.diagnosis.changes import Failure, changes_of
from loadgate.diagnosis.draft import Sources
from loadgate.diagnosis.prospect import prospect
from loadgate.domain import Forecast, Format, Loader, Proposal, Remedy, RemedyKind

MOST_SUGGESTED = 2
"""Of what was not tried; more would only hide what was."""
SAFE_MODE_OFF = "safe_mode=False"
NAMED = 3
"""Of what a module must register."""


def recommended(failure: Failure, tried: Sequence[Attempt], why_not: str) -> tuple[Remedy, ...]:
    """Best first. `why_not`: why what was not tried was not."""
    known = remedies(tried)
    by_hand = tuple(_by_hand(proposal, failure) for proposal in failure.diagnosis.proposals if is_by_hand(proposal))
    if any(remedy.verified for remedy in known):
        return (*(remedy for remedy in known if remedy.verified), *by_hand)
    suggested = chain(known, _untried(failure, tried, why_not))
    return (*by_hand, *islice(suggested, MOST_SUGGESTED)) or tuple(_imports_by_hand(failure))


def _untried(failure: Failure, tried: Sequence[Attempt], why_not: str) -> Iterator[Remedy]:
    """Those expected to help first; those that were measured not to are left out."""
    done = {attempt.remedy.headline for attempt in tried}
    expected = [(change, prospect(failure, change)) for change in changes_of(failure)]
    expected.sort(key=lambda pair: pair[1].forecast is not Forecast.WILL_LOAD)
    for change, prediction in expected:
        if prediction.forecast is Forecast.WILL_NOT_LOAD:
            continue
        remedy = advise_mending(
            change,
            failure.case,
            failure.lock,
            all_of_format=None,
            base=failure.runtime,
            after=failure.runtime,
            sources=Sources(),
        )
        if remedy.headline not in done:
            foretold = f", but it is {prediction.headline}" if prediction.forecast is Forecast.WILL_LOAD else ""
            yield Remedy(kind=remedy.kind, headline=remedy.headline, why_not_verified=f"{why_not}{foretold}")


def _imports_by_hand(failure: Failure) -> Iterator[Remedy]:
    unfound = [found for found in failure.facts.custom_objects if found.name not in failure.definitions]
    names = [f"`{found.name}`" for found in unfound]
    if names and any(proposal.kind is RemedyKind.IMPORT for proposal in failure.diagnosis.proposals):
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        yield Remedy(
            kind=RemedyKind.IMPORT,
            headline=f"Name the module that registers {', '.join(names[:NAMED])}{more} under `imports:` of the runtime",
            why_not_verified="nobody said which module that is",
        )


def is_by_hand(proposal: Proposal) -> bool:
    return proposal.kind in (RemedyKind.FILE, RemedyKind.OTHER)


def _unsafe_here(failure: Failure) -> str:
    """What lets the plain call of loadgate do the same. With HDF5, Keras 3 heeds the argument alone."""
    if failure.artifact.format is not Format.KERAS_V3:
        return "; loadgate makes the plain call"
    is_keras_2 = failure.case.loader is Loader.TF_KERAS or (failure.lock.keras or "").startswith("2.")
    module = "tf_keras" if failure.case.loader is Loader.TF_KERAS else "tf.keras" if is_keras_2 else "keras"
    where = "__internal__" if is_keras_2 else "config"
    return f"; for loadgate, call `{module}.{where}.enable_unsafe_deserialization()` in a module under `imports:`"


def _by_hand(proposal: Proposal, failure: Failure) -> Remedy:
    """What only a person can do."""
    value = proposal.value
    why_not = "nothing that could be tried here"
    if value == "rename":
        headline = "Rename it to what it is: `.h5` for HDF5, `.keras` for an archive"
        return Remedy(kind=proposal.kind, headline=headline, why_not_verified=why_not)
    if proposal.kind is RemedyKind.FILE:
        headline = "Fetch the file itself" if value else "Put the model itself in place of the file"
        return Remedy(kind=proposal.kind, headline=headline, command=value or None, why_not_verified=why_not)
    if value.startswith("checks."):
        headline = f"Raise `{value}` in {failure.runtime.origin.file if failure.runtime.origin else 'loadgate.yml'}"
    elif value == SAFE_MODE_OFF:
        headline = f"Where you trust the file, call `load_model(…, {value})`{_unsafe_here(failure)}"
    elif value.startswith("tf."):
        headline = f"Load it with `{value}`"
    else:
        headline = f"Provide {value}" if value else "Look at the evidence"
    return Remedy(kind=proposal.kind, headline=headline, why_not_verified=why_not)
