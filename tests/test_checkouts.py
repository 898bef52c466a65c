from __future__ import annotations

from pathlib import Path

import pytest

from loadgate.checkouts import checkouts_without_lfs
from loadgate.phases.plan import plan

POINTER = (
    "version https://git-lfs.github.com/spec/v1\n"
    "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 98231112\n"
)


def workflow(root: Path, name: str, text: str) -> None:
    (root / ".github" / "workflows").mkdir(parents=True, exist_ok=True)
    (root / ".github" / "workflows" / name).write_text(text)


def where(root: Path) -> list[str]:
    return [str(origin) for origin in checkouts_without_lfs(root)]


def test_a_checkout_without_lfs_is_found_on_the_line_that_names_the_action(tmp_path: Path) -> None:
    workflow(tmp_path, "ci.yml", "jobs:\n  test:\n    steps:\n      - name: get\n        uses: actions/checkout@v6\n")

    assert where(tmp_path) == [".github/workflows/ci.yml:5"]


def test_a_checkout_that_says_no_to_lfs_is_found_on_the_line_that_says_so(tmp_path: Path) -> None:
    step = "uses: actions/checkout@v6\n        with:\n          fetch-depth: 1\n          lfs: false\n"
    workflow(tmp_path, "ci.yml", f"jobs:\n  test:\n    steps:\n      - {step}")

    assert where(tmp_path) == [".github/workflows/ci.yml:7"]


def test_a_checkout_with_lfs_is_not_found(tmp_path: Path) -> None:
    workflow(
        tmp_path, "ci.yml", "jobs: {test: {steps: [{uses: actions/checkout@v6, with: {lfs: true}}, {run: make}]}}\n"
    )

    assert where(tmp_path) == []


def test_the_job_that_runs_loadgate_comes_first(tmp_path: Path) -> None:
    workflow(tmp_path, "a.yml", "jobs:\n  test:\n    steps:\n      - uses: actions/checkout@v6\n")
    gate = "      - uses: actions/checkout@v6\n      - uses: acme/loadgate@v1\n"
    workflow(tmp_path, "b.yml", f"jobs:\n  gate:\n    steps:\n{gate}")

    assert where(tmp_path) == [".github/workflows/b.yml:4", ".github/workflows/a.yml:4"]


@pytest.mark.parametrize(
    "text", ["", "jobs: [", "jobs: 3", "jobs: {a: {steps: {uses: x}}}", "jobs: {a: {steps: [3, []]}}"]
)
def test_a_workflow_that_is_none_is_passed_over(tmp_path: Path, text: str) -> None:
    workflow(tmp_path, "ci.yml", text)

    assert where(tmp_path) == []


@pytest.mark.parametrize(("content", "noted"), [(POINTER, [".github/workflows/ci.yml:4"]), ("no model", [])])
def test_a_plan_notes_them_where_an_artifact_is_a_pointer(tmp_path: Path, content: str, noted: list[str]) -> None:
    workflow(tmp_path, "ci.yml", "jobs:\n  test:\n    steps:\n      - uses: actions/checkout@v6\n")
    (tmp_path / "model.h5").write_text(content)
    (tmp_path / "loadgate.yml").write_text('version: 1\nruntimes:\n  serving:\n    tensorflow: "2.15.1"\n')
    planned = plan(tmp_path)

    assert [str(origin) for origin in planned.checkouts] == noted
    assert planned.runtimes[0].key_lines == {"tensorflow": 4}
