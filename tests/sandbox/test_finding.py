"""Discovery behind walls: it finds what is there, whatever a file does to who looks at it, and believes no lie."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from loadgate.artifacts import tflite
from loadgate.artifacts.discover import discover
from loadgate.artifacts.identify import identify
from loadgate.artifacts.interface import Folder, Sighting
from loadgate.domain import Format, StandIn, StandInKind
from loadgate.errors import LoadgateError, UsageError
from loadgate.sandbox import apart
from loadgate.sandbox.finding import discover_apart, identify_apart
from tests.artifacts.making import save_hdf5

EXAMPLES = Path(__file__).parents[2] / "examples"
MODEL = EXAMPLES / "models" / "speech" / "keyword_spotter.tflite"

Find = Callable[[Folder], Iterable[Sighting]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A model in each of three folders, and what a repository must not give away beside them."""
    for name in ("first", "second", "third"):
        (tmp_path / "repository" / name).mkdir(parents=True)
        shutil.copy(MODEL, tmp_path / "repository" / name / "model.tflite")
    (tmp_path / "repository" / "private.txt").write_text("not a model")
    (tmp_path / "outside.tflite").write_bytes(MODEL.read_bytes())
    return tmp_path / "repository"


@pytest.mark.parametrize("folder", ["models", "models/recommender", "models/churn"])
def test_what_is_found_apart_is_what_is_found_at_once(folder: str) -> None:
    found = discover_apart(EXAMPLES / folder)
    assert found == discover(EXAMPLES / folder)
    assert found


@pytest.mark.parametrize("name", ["churn/churn_2022", "recommender/two_tower.ckpt", "text/normalizer.tflite"])
def test_an_artifact_that_is_named_is_the_same_apart_and_at_once(name: str) -> None:
    assert identify_apart(EXAMPLES / "models" / name) == identify(EXAMPLES / "models" / name)


def test_why_a_path_is_no_artifact_is_said_from_behind_the_walls(root: Path) -> None:
    with pytest.raises(UsageError, match="this is no TensorFlow or Keras model that loadgate knows"):
        identify_apart(root / "private.txt")
    with pytest.raises(UsageError, match=r"this folder is no SavedModel; name a model in it, such as .*model\.tflite"):
        identify_apart(root / "first")


def test_a_name_that_is_not_utf_8_comes_through(root: Path) -> None:
    name = os.fsdecode(b"caf\xe9.h5")
    save_hdf5(root / "first" / name)
    assert f"first/{name}" in [sighting.path for sighting in discover_apart(root)]
    assert identify_apart(root / "first" / name)[1].path == name


def test_a_folder_that_a_link_in_the_current_one_leads_to_is_looked_into(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root.parent / "here").mkdir()
    (root.parent / "here" / "models").symlink_to(root / "first")
    monkeypatch.chdir(root.parent / "here")
    assert identify_apart(Path("models/model.tflite"))[1].format is Format.TFLITE


# --- a file that harms who looks at it ----------------------------------------------------------------------------


def in_the_second(harm: Callable[[], object]) -> Find:
    def find(folder: Folder, found: Find = tflite.find) -> Iterable[Sighting]:
        if "model.tflite" in folder.names and folder.path in ("second", ""):
            harm()
        return found(folder)

    return find


def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def loop() -> None:
    while True:
        pass


def hoard() -> None:
    [b"x" * (16 << 20) for _ in range(64)]


def err() -> None:
    raise ValueError("a bug of ours")


HARM = [(crash, "ended the process"), (loop, "more than 1 s"), (hoard, "512 MiB"), (err, "ended the process")]


@pytest.mark.parametrize(("harm", "reason"), HARM)
def test_a_file_that_harms_who_looks_at_it_ends_the_search_with_the_name_of_its_folder(
    root: Path, harm: Callable[[], object], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To go on without it would be to pass what was never looked at."""
    monkeypatch.setattr(apart, "CPU_SECONDS", 1)
    monkeypatch.setattr(tflite, "find", in_the_second(harm))
    with pytest.raises(LoadgateError) as refusal:
        discover_apart(root)
    message = str(refusal.value)
    assert message.startswith(f"{root}/second: looking for models there ")
    assert reason in message
    assert refusal.value.exit_status == 3


def test_a_folder_that_is_excluded_harms_nobody(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tflite, "find", in_the_second(crash))
    found = discover_apart(root, exclude=["second/"])
    assert [sighting.path for sighting in found] == ["first/model.tflite", "third/model.tflite"]


def test_a_file_that_is_named_and_harms_who_looks_at_it_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root / "second")
    monkeypatch.setattr(tflite, "find", in_the_second(crash))
    with pytest.raises(UsageError, match=r"model\.tflite: looking at it ended the process that read it"):
        identify_apart(Path("model.tflite"))


def test_who_looks_at_a_file_reads_no_other_and_writes_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tflite, "find", in_the_second((root.parent / "outside.tflite").read_bytes))
    with pytest.raises(LoadgateError, match="ended the process"):
        discover_apart(root)
    monkeypatch.setattr(tflite, "find", in_the_second(lambda: (root / "written").write_bytes(b"")))
    with pytest.raises(LoadgateError, match="ended the process"):
        discover_apart(root)
    assert not (root / "written").exists()


# --- a file that makes who looks at it lie ------------------------------------------------------------------------

POINTER = StandIn(kind=StandInKind.DVC_POINTER, file="first/model.tflite", detail="x")
LIES = {
    "a file outside": Sighting(path="../outside.tflite", format=Format.TFLITE, files=("../outside.tflite",)),
    "a file by its absolute path": Sighting(path="/etc/passwd", format=Format.TFLITE, files=("/etc/passwd",)),
    "a file that was not listed": Sighting(path=".git/config", format=Format.TFLITE, files=(".git/config",)),
    "another's path": Sighting(path="private.txt", format=Format.TFLITE, files=("first/model.tflite",)),
    "a path outside": Sighting(path="..", format=Format.SAVED_MODEL, files=("first/model.tflite",)),
    "a pointer to what is there": Sighting(
        path="private.txt", format=Format.TFLITE, files=("first/model.tflite",), stand_in=POINTER
    ),
    "a pointer to what is outside": Sighting(
        path="../gone.tflite", format=Format.TFLITE, files=("first/model.tflite",), stand_in=POINTER
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_is_told_is_held_to_what_is_there(root: Path, lie: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / ".git").mkdir()
    (root / ".git" / "config").write_text("[remote]")
    monkeypatch.setattr(tflite, "find", lambda _folder: [LIES[lie]])
    with pytest.raises(LoadgateError, match="was told something else than what is there"):
        discover_apart(root)
