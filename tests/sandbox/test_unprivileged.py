"""The sandbox of a user without rights, who needs a user namespace for what root can simply do."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from loadgate.domain import Lock, Locks, Outcome, Plan, RuntimeState
from loadgate.interchange import read_document, read_results, write_document
from loadgate.sandbox.walls import examine
from tests.unprivileged import REPOSITORY, give_to_the_user, loadgate_as_a_user, mine

__all__ = ["mine"]

MODELS = {"churn_2019.h5": Outcome.PASSED, "churn_2024.keras": Outcome.PASSED, "churn_2026.keras": Outcome.FAILED}


@pytest.mark.runtime
def test_a_user_without_rights_has_the_same_verdicts_behind_the_same_walls(
    serving: Lock, runtimes_cache: Path, mine: Path
) -> None:
    for name in MODELS:
        shutil.copy(REPOSITORY / "examples/models/churn" / name, mine)
    (mine / "loadgate.yml").write_text('version: 1\nruntimes: {serving: {python: "3.11", tensorflow: 2.15.1}}\n')
    write_document(mine / "locks.json", Locks(runtimes=(RuntimeState(name="serving", lock=serving),)))
    give_to_the_user(*mine.rglob("*"))
    shows = (runtimes_cache, Path(os.path.realpath(serving.interpreter)).parents[1])

    planned = loadgate_as_a_user("plan", "--output", "plan.json", cwd=mine)
    assert planned.status == 0, planned.err
    ended = loadgate_as_a_user(
        *("load", "--plan", "plan.json", "--locks", "locks.json", "--output", "results.jsonl"), cwd=mine, shows=shows
    )
    assert ended.status == 0, ended.err
    results = list(read_results(mine / "results.jsonl"))
    model_of = {case.id: case.artifact for case in read_document(mine / "plan.json", Plan).cases}
    assert {model_of[result.case]: result.outcome for result in results} == MODELS
    assert {result.walls for result in results} == {examine().held}
