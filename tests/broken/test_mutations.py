"""Ten thousand broken files of every format: each is facts, a stand-in, a named damage, or no model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from loadgate.domain import Format

from .campaign import run
from .reading import LONGEST, MOST_MEMORY, Bench
from .seeds import EXAMPLES, REPOSITORY, Seed, seeds_of

A_FEW, MANY = 150, 10_000


@pytest.mark.parametrize("kind", Format)
def test_a_few_broken_files_are_answered(kind: Format, tmp_path: Path) -> None:
    outcome = run(kind, A_FEW, tmp_path)
    assert outcome.broken == []
    assert sum(outcome.answers.values()) == A_FEW
    assert len(outcome.answers) > 1, "the mutations come to one and the same"


@pytest.mark.slow
@pytest.mark.parametrize("kind", Format)
def test_ten_thousand_broken_files_are_answered_in_time_and_in_little_memory(kind: Format) -> None:
    command = [sys.executable, "-m", "tests.broken.campaign", kind, str(MANY)]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    outcome: dict[str, Any] = json.loads(ended.stdout)
    assert outcome["broken"] == []
    assert sum(outcome["answers"].values()) == MANY
    assert outcome["slowest"] < LONGEST
    assert outcome["memory"] < MOST_MEMORY


CUT = (
    "churn/churn_2019.h5",
    "churn/churn_2022_weights.h5",
    "churn/churn_2026.weights.h5",
    "churn/churn_2024.keras",
    "churn/churn_2026.keras",
    "speech/keyword_spotter.tflite",
    "vision/edge_detector.pb",
    "vision/edge_detector.pbtxt",
)


@pytest.mark.slow
@pytest.mark.parametrize("name", CUT)
def test_wherever_an_example_ends_it_is_answered(name: str, tmp_path: Path) -> None:
    content = (EXAMPLES / name).read_bytes()
    bench = Bench(tmp_path, Seed(Path(name).name, content))
    answers = [bench.answer(content[:length]) for length in range(len(content))]
    assert "stand-in" in answers, "a file that was cut off is never called that"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["items.ckpt-500", "two_tower.ckpt.index"])
def test_wherever_the_table_of_a_checkpoint_ends_it_is_answered(name: str, tmp_path: Path) -> None:
    (seed,) = (seed for seed in seeds_of(Format.CHECKPOINT) if seed.name == name)
    bench = Bench(tmp_path, seed)
    answers = {bench.answer(seed.content[:length]) for length in range(len(seed.content))}
    assert "stand-in" in answers


@pytest.mark.slow
@pytest.mark.parametrize("inner", ["saved_model.pb", "variables/variables.index"])
def test_wherever_a_file_of_a_saved_model_ends_it_is_answered(inner: str, tmp_path: Path) -> None:
    root = EXAMPLES / "fraud/1"
    files = {f"model/{path.relative_to(root)}": path.read_bytes() for path in root.rglob("*") if path.is_file()}
    content = files.pop(f"model/{inner}")
    bench = Bench(tmp_path, Seed(f"model/{inner}", content, files, artifact="model"))
    answers = {bench.answer(content[:length]) for length in range(len(content))}
    assert "stand-in" in answers
