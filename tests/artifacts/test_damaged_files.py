"""Whatever happens to the bytes of a real file, there are facts or there is one line on why not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loadgate.artifacts import checkpoint, graph_def, saved_model, tflite
from loadgate.artifacts.interface import Unreadable
from loadgate.domain import Facts, StandInKind
from tests.endless import comes_to_an_end

from .on_disk import DATA, find, read_all, write

REAL_FILES: Sequence[tuple[ModuleType, str]] = (
    (graph_def, "graph.pb"),
    (graph_def, "graph.pbtxt"),
    (checkpoint, "version_1"),
    (checkpoint, "version_2.index"),
    (checkpoint, "objects.index"),
    (saved_model, "saved_model/saved_model.pb"),
    (tflite, "doubled.tflite"),
)
ANY_REAL_FILE = pytest.mark.parametrize(("module", "name"), REAL_FILES, ids=[name for _, name in REAL_FILES])
BESIDE = {
    "version_2.index": {"version_2.data-00000-of-00001": bytes(56)},
    "objects.index": {"objects.data-00000-of-00001": bytes(90)},
}
"""What a file needs so that only the file itself is damaged."""


def damaged(root: Path, module: ModuleType, name: str, content: bytes) -> list[Facts | Unreadable]:
    write(root, {name: content, **BESIDE.get(name, {})})
    with comes_to_an_end():
        answers = read_all(module, root, name.rpartition("/")[0])
    for answer in answers:
        assert isinstance(answer, Facts) or ("\n" not in str(answer) and str(answer))
    return answers


@ANY_REAL_FILE
def test_wherever_a_file_ends_it_is_read_or_unreadable(tmp_path: Path, module: ModuleType, name: str) -> None:
    content = (DATA / name).read_bytes()
    for length in range(len(content)):
        damaged(tmp_path, module, name, content[:length])


@ANY_REAL_FILE
def test_whichever_bit_is_wrong_it_is_read_or_unreadable(tmp_path: Path, module: ModuleType, name: str) -> None:
    for changed in _with_one_bit_changed((DATA / name).read_bytes()):
        damaged(tmp_path, module, name, changed)


def _with_one_bit_changed(content: bytes) -> Iterator[bytes]:
    """One bit of every byte, each in its turn."""
    for at in range(len(content)):
        yield content[:at] + bytes([content[at] ^ 1 << at % 8]) + content[at + 1 :]


@given(st.sampled_from(REAL_FILES), st.data())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_with_a_hole_full_of_anything_is_read_or_unreadable(
    tmp_path: Path, real: tuple[ModuleType, str], data: st.DataObject
) -> None:
    module, name = real
    content = bytearray((DATA / name).read_bytes())
    start = data.draw(st.integers(0, len(content) - 1))
    noise = data.draw(st.binary(min_size=1, max_size=16))
    content[start : start + len(noise)] = noise
    damaged(tmp_path, module, name, bytes(content))


@pytest.mark.parametrize(
    ("module", "name"),
    [(saved_model, "saved_model/saved_model.pb"), (tflite, "doubled.tflite"), (checkpoint, "version_1")],
    ids=["saved_model.pb", "doubled.tflite", "version_1"],
)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_download_that_stopped_is_called_truncated(
    tmp_path: Path, module: ModuleType, name: str, share: float
) -> None:
    content = (DATA / name).read_bytes()
    (answer,) = damaged(tmp_path, module, name, content[: int(share * len(content))])
    assert isinstance(answer, Unreadable)
    assert answer.kind is StandInKind.TRUNCATED


@pytest.mark.parametrize("module", [saved_model, checkpoint, tflite, graph_def])
@given(content=st.binary(max_size=200))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_arbitrary_bytes_under_the_names_of_models_are_no_artifacts(
    tmp_path: Path, module: ModuleType, content: bytes
) -> None:
    write(tmp_path, {"saved_model.pb": content + b"\xff", "model.ckpt": content, "model.tflite": content + bytes(8)})
    assert find(module, tmp_path) == []
