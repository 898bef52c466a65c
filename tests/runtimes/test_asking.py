"""What a runtime that was asked leaves behind is taken for what it is."""

from __future__ import annotations

import os
from pathlib import Path

from loadgate.runtimes.asking import scratch_folder
from loadgate.runtimes.description import Report, read_report

DEEPER_THAN_PYTHON_RECURSES = 1_500


def test_a_named_pipe_in_place_of_an_answer_is_none_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "report.json")
    assert read_report(tmp_path / "report.json") == Report()


def test_whatever_was_left_behind_is_removed() -> None:
    here = os.open(".", os.O_RDONLY)
    with scratch_folder() as scratch:
        os.chdir(scratch)
        for _ in range(DEEPER_THAN_PYTHON_RECURSES):
            os.mkdir("d")
            os.chdir("d")
        os.fchdir(here)
    os.close(here)
    assert not scratch.exists()
