"""Hostile text in exceptions, names and logs, in every report: shown first to be in what a plain load prints."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from loadgate.domain import Lock, Locks, RuntimeState
from loadgate.interchange import write_document
from loadgate.phases.load import load
from loadgate.phases.plan import plan
from loadgate.progress import Silent
from tests.attacks.canaries import Canaries, planted
from tests.attacks.ground import NONE, Ground
from tests.command import loadgate

pytestmark = pytest.mark.runtime

PRINTED = ("prints_commands_for_the_runner.h5", "prints_terminal_escapes.h5")
HOSTILE = ("raises_markup.h5", "names_with_markup.h5", *PRINTED)
MARKDOWN_CODE = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
COMMAND = re.compile(r"^\s*::[a-z-]+[ :]", re.MULTILINE)
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def folder(ground: Ground, serving: Lock, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every report of a run over the hostile models, as `loadgate report` writes them; `terminal` is what it prints."""
    folder = tmp_path_factory.mktemp("reports")
    repository = folder / "repository"
    repository.mkdir()
    for name in HOSTILE:
        (repository / name).write_bytes((ground.models / name).read_bytes())
    spec = folder / "loadgate.yml"
    spec.write_text(
        "version: 1\nruntimes:\n  serving:\n    python: '3.11'\n    tensorflow: 2.15.1\n    env: {TARGETS: x}\n"
    )
    planned = plan(repository, spec_file=spec)
    locks = Locks(runtimes=(RuntimeState(name="serving", lock=serving),))
    write_document(folder / "plan.json", planned)
    write_document(folder / "locks.json", locks)
    with (folder / "results.jsonl").open("wb") as stream:
        load(planned, locks, stream, Silent())
    ended = loadgate(
        *("report", "--plan", "plan.json", "--locks", "locks.json", "results.jsonl", "--verbose"),
        *("--junit", "junit.xml", "--json", "report.json", "--html", "report.html", "--sarif", "report.sarif"),
        *("--summary", "summary.md"),
        cwd=folder,
    )
    assert ended.status == 1, ended.err
    (folder / "terminal").write_text(ended.out + ended.err)
    return folder


def test_what_a_plain_load_prints_is_hostile(ground: Ground) -> None:
    jobs = [
        {"name": name, "path": str(ground.models / name), "loader": "keras", "infer": False, "saves": False}
        for name in PRINTED
    ]
    with planted(Canaries(ground.root)) as canaries:
        told = ground.run(NONE, jobs, canaries)
    assert COMMAND.search(told["prints_commands_for_the_runner.h5"]["log"])
    assert CONTROL.search(told["prints_terminal_escapes.h5"]["log"])


def test_the_hostile_text_reached_the_results(folder: Path) -> None:
    content = (folder / "results.jsonl").read_text()
    assert "::set-output name=hostile" in content
    assert "<script>alert" in content


def test_a_terminal_gets_neither_commands_nor_control_characters(folder: Path) -> None:
    text = (folder / "terminal").read_text()
    assert "hostile" in text
    assert not COMMAND.search(text)
    assert not CONTROL.search(text)


@pytest.mark.parametrize("name", ["junit.xml", "report.html", "summary.md"])
def test_a_report_for_people_holds_no_control_characters(folder: Path, name: str) -> None:
    text = (folder / name).read_text()
    assert "hostile" in text
    assert not CONTROL.search(text)


def test_every_element_of_junit_is_ours(folder: Path) -> None:
    root = ElementTree.parse(folder / "junit.xml").getroot()  # noqa: S314 - our own report
    cases = list(root.iter("testcase"))
    assert len(cases) >= len(HOSTILE)
    # the one that a model would like to add has none
    assert all(case.get("name") for case in cases)


def test_no_element_of_a_page_is_the_models(folder: Path) -> None:
    text = (folder / "report.html").read_text()
    assert "<script>alert" not in text
    assert "<img src=x" not in text


def test_in_markdown_what_the_model_says_is_code(folder: Path) -> None:
    outside = MARKDOWN_CODE.sub("", (folder / "summary.md").read_text())
    assert "script>" not in outside
    assert "javascript:" not in outside
    assert "@everyone" not in outside


def test_no_line_of_a_summary_commands_the_runner(folder: Path) -> None:
    assert not COMMAND.search((folder / "summary.md").read_text())
