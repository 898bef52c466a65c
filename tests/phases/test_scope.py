"""Which artifacts are loaded in which of the runtimes that a repository describes."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from loadgate.domain import Plan
from loadgate.errors import UsageError
from loadgate.phases.init import init
from loadgate.phases.plan import plan

MODEL = (Path(__file__).parents[2] / "examples/models/churn/churn_2019.h5").read_bytes()
EARLY, LATE = "tensorflow==2.9.3\n", "tensorflow==2.15.1\n"


def repository(path: Path, /, *models: str, **requirements: str) -> Path:
    """Requirements by folder; `root` stands for the repository itself."""
    for name in models:
        _place(path / name).write_bytes(MODEL)
    for folder, text in requirements.items():
        _place(path / ("" if folder == "root" else folder.replace("__", "/")) / "requirements.txt").write_text(text)
    return path


def _place(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def loaded(planned: Plan) -> dict[str, set[str]]:
    """Runtime → its artifacts."""
    found = defaultdict(set)
    for case in planned.cases:
        found[case.runtime].add(case.artifact)
    return dict(found)


def test_models_beside_a_runtime_of_their_own_are_not_loaded_in_the_one_next_door(tmp_path: Path) -> None:
    planned = plan(repository(tmp_path, "old/a.h5", "new/b.h5", old=EARLY, new=LATE))
    assert loaded(planned) == {"old": {"old/a.h5"}, "new": {"new/b.h5"}}
    (told,) = (note for note in planned.runtimes[0].notes if "not loaded here" in note)
    assert told.startswith("What lies in old/ is not loaded here, as it has a runtime of its own")


def test_models_that_lie_beside_no_runtime_are_loaded_in_each(tmp_path: Path) -> None:
    planned = plan(repository(tmp_path, "models/m.h5", "old/a.h5", "new/b.h5", old=EARLY, new=LATE))
    assert loaded(planned) == {"old": {"models/m.h5", "old/a.h5"}, "new": {"models/m.h5", "new/b.h5"}}


def test_a_service_without_models_of_its_own_loads_those_of_other_folders(tmp_path: Path) -> None:
    planned = plan(repository(tmp_path, "training/m.h5", training=LATE, serving=EARLY))
    assert loaded(planned) == {"training": {"training/m.h5"}, "serving": {"training/m.h5"}}


def test_the_runtime_of_the_root_leaves_a_folder_with_its_own_alone(tmp_path: Path) -> None:
    planned = plan(repository(tmp_path, "m.h5", "old/a.h5", root=LATE, old=EARLY))
    assert loaded(planned) == {"default": {"m.h5"}, "old": {"m.h5", "old/a.h5"}}


def test_the_runtime_of_the_root_loads_all_where_it_has_no_models_of_its_own(tmp_path: Path) -> None:
    planned = plan(repository(tmp_path, "old/a.h5", root=LATE, old=EARLY))
    assert loaded(planned) == {"default": {"old/a.h5"}, "old": {"old/a.h5"}}


def test_of_folders_within_folders_the_nearest_counts(tmp_path: Path) -> None:
    planned = plan(repository(tmp_path, "apps/a.h5", "apps/old/b.h5", apps=LATE, apps__old=EARLY))
    assert sorted(loaded(planned).values(), key=sorted) == [{"apps/a.h5"}, {"apps/old/b.h5"}]


def test_a_folder_that_says_the_same_as_another_is_home_to_its_models_too(tmp_path: Path) -> None:
    planned = plan(repository(tmp_path, "a/m.h5", "b/m.h5", "c/m.h5", a=LATE, b=LATE, c=EARLY))
    assert loaded(planned) == {"a": {"a/m.h5", "b/m.h5"}, "c": {"c/m.h5"}}


def test_a_folder_whose_name_reads_as_a_pattern_is_that_folder(tmp_path: Path) -> None:
    planned = plan(repository(tmp_path, "[ab]*/m.h5", "a/b.h5", **{"[ab]*": EARLY, "a": LATE}))
    assert sorted(loaded(planned).values(), key=sorted) == [{"[ab]*/m.h5"}, {"a/b.h5"}]


def test_what_init_writes_loads_the_same_in_the_same(tmp_path: Path) -> None:
    root = repository(tmp_path, "m.h5", "apps/a.h5", "apps/old/b.h5", root=LATE, apps=LATE, apps__old=EARLY)
    inferred = loaded(plan(root))
    init(root)
    assert loaded(plan(root)) == inferred


def test_a_spec_says_which_artifacts_a_runtime_is_for(tmp_path: Path) -> None:
    root = repository(tmp_path, "old/a.h5", "new/b.h5", "c.h5")
    (root / "loadgate.yml").write_text(
        "version: 1\nruntimes:\n"
        '  early: {tensorflow: "2.9.3", artifacts: ["old/**"]}\n'
        '  late: {tensorflow: "2.15.1", artifacts: ["**", "!old/**", "!c.h5"]}\n'
    )
    planned = plan(root)
    assert loaded(planned) == {"early": {"old/a.h5"}, "late": {"new/b.h5"}}
    assert "c.h5 is loaded in none of the runtimes, by their `artifacts`." in planned.notes


def test_a_pattern_of_the_spec_that_no_artifact_answers_to_is_named(tmp_path: Path) -> None:
    root = repository(tmp_path, "old/a.h5")
    (root / "loadgate.yml").write_text(
        'version: 1\nartifacts: {include: ["old/**", "modles/**", "!x/**"], loader: {"b.h5": tf_keras}}\n'
        'runtimes:\n  late: {tensorflow: "2.15.1", artifacts: ["**", "new/**"]}\n'
    )
    assert [note for note in plan(root).notes if "matches no artifact" in note] == [
        "loadgate.yml: `modles/**` under `artifacts: include` matches no artifact.",
        "loadgate.yml: `b.h5` under `artifacts: loader` matches no artifact.",
        "loadgate.yml: `new/**` under `artifacts` of runtime late matches no artifact.",
    ]


def test_what_another_runtime_loads_is_not_told_to_be_loaded_nowhere(tmp_path: Path) -> None:
    root = repository(tmp_path, "old/a.h5", "new/b.h5", old=EARLY, new=LATE)
    assert not [note for note in plan(root, runtimes=["old"]).notes if "none of the runtimes" in note]


def test_a_model_that_is_asked_for_where_it_is_not_loaded_is_refused(tmp_path: Path) -> None:
    root = repository(tmp_path, "old/a.h5", "new/b.h5", old=EARLY, new=LATE)
    with pytest.raises(UsageError, match=r"new/b\.h5 is not loaded in old; it is in new"):
        plan(root, artifacts=["new/b.h5"], runtimes=["old"])


@pytest.mark.parametrize("chosen", ["old", "new"])
def test_a_chosen_runtime_loads_what_it_would_beside_the_others(tmp_path: Path, chosen: str) -> None:
    root = repository(tmp_path, "old/a.h5", "new/b.h5", old=EARLY, new=LATE)
    assert loaded(plan(root, runtimes=[chosen])) == {chosen: loaded(plan(root))[chosen]}
